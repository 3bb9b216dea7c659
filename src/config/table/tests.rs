use super::*;
use crate::config::{CommandLine, Configs};
use crate::rules;
use crate::snapshot::MemorySnapshot;

fn error(text: &str) -> String {
    let snapshot = MemorySnapshot::from([("alembic-named.toml", text)]);
    let configs = Configs::nearest(&snapshot, CommandLine::default());
    configs.of(&"a.py".into()).unwrap_err().to_string()
}

/// A text, and what is said of it behind the name of the file.
const MISTAKES: [(&str, &str); 23] = [
    ("selct = []\n", "1:1: unknown key `selct`, did you mean `select`?"),
    ("\n Exclude = []\n", "2:2: unknown key `Exclude`, did you mean `exclude`?"),
    (
        "x = 1\n",
        "1:1: unknown key `x`: the keys are `select`, `ignore`, `exclude`, `per-file-ignores`, `severity`, `migrations`, \
         `metadata`, `convention`, `dialect`, `deployed` and `changed-lines-only`",
    ),
    (
        "ignore = [\n  'unused-ignore',\n  'unnamed-dorp',\n]\n",
        "3:3: `ignore`: there is no rule `unnamed-dorp`, did you mean `unnamed-drop`? (`alembic-named rules` lists them)",
    ),
    (
        "select = ['nonsense']\n",
        "1:11: `select`: there is no rule `nonsense` (`alembic-named rules` lists them)",
    ),
    (
        "severity = { unnamed-dorp = 'off' }\n",
        "1:14: `severity`: there is no rule `unnamed-dorp`, did you mean",
    ),
    (
        "[severity]\nunnamed-drop = 'warn'\n",
        "2:16: `severity.unnamed-drop` must be `error`, `warning` or `off`, not `warn`: did you mean `warning`?",
    ),
    (
        "severity = { unnamed-drop = 'bad' }\n",
        "1:29: `severity.unnamed-drop` must be `error`, `warning` or `off`, not `bad`",
    ),
    (
        "dialect = 'postgressql'\n",
        "1:11: `dialect` must be `postgresql`, `mysql`, `mariadb`, `sqlite`, `oracle`, `mssql` or `other`, not \
         `postgressql`: did you mean `postgresql`?",
    ),
    (
        "convention = 'postgres'\n",
        "1:14: `convention` must be `sqlalchemy`, `postgresql` or a table of templates, not `postgres`: did you mean \
         `postgresql`?",
    ),
    (
        "convention = 'mine'\n",
        "1:14: `convention` must be `sqlalchemy`, `postgresql` or a table of templates, not `mine`",
    ),
    ("exclude = ['b', 'a[']\n", "1:17: `exclude`: the pattern `a[` is not a glob"),
    ("[per-file-ignores]\n'a[' = []\n", "2:1: `per-file-ignores`: the pattern `a[` is not a glob"),
    ("per-file-ignores = { a = ['b'] }\n", "1:27: `per-file-ignores.a`: there is no rule `b`"),
    ("convention = { fkk = 'x' }\n", "1:16: unknown key `convention.fkk`, did you mean `fk`?"),
    ("convention = { index = 'x' }\n", "1:16: unknown key `convention.index`, did you mean `ix`?"),
    (
        "convention = { own = 'x' }\n",
        "1:16: unknown key `convention.own`: the keys are `fk`, `uq`, `ck`, `pk` and `ix`",
    ),
    (
        "convention = { own = 'x', fk = '%(own)s' }\n",
        "1:32: `convention`: the template for `fk` uses `%(own)s`, a token",
    ),
    (
        "[convention]\npk = 'pk_%(table_name)s'\nfk = '%(tabel_name)s'\n",
        "3:6: `convention`: the template for `fk` uses `%(tabel_name)s`, a token that SQLAlchemy does not know; the nearest \
         that it knows is `%(table_name)s`",
    ),
    (
        "convention.uq = '%(referred_table_name)s'\n",
        "1:17: `convention`: the template for `uq` uses `%(referred_table_name)s`",
    ),
    (
        "convention.fk = '%(table_name)'\n",
        "1:17: `convention`: the template for `fk` is broken: it ends within",
    ),
    ("convention.pk = '%(constraint_name)s'\n", "1:17: `convention`: the template for `pk` builds on"),
    ("exclude = ['a', 1]\n", "1:17: `exclude` must be a list of patterns, not a list with a number"),
];

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, expected) in MISTAKES {
        let error = error(text);
        let expected = format!("alembic-named.toml:{expected}");
        assert!(error.starts_with(&expected), "{text}: {error}");
    }
}

#[test]
fn a_convention_may_give_one_name_twice_and_leave_kinds_out() {
    let text = "[convention]\nfk = 'fk_%(table_name)s_%(referred_table_name)s'\nuq = ''\n";
    let config = parse(&"alembic-named.toml".into(), "alembic-named.toml", text).unwrap();
    assert!(config.is_some_and(|config| config.convention.is_some()));
}

/// A value of each type.
const VALUES: [(&str, &str); 9] = [
    ("1", "a number"),
    ("1.5", "a number"),
    ("true", "`true`"),
    ("1979-05-27", "a date"),
    ("'text'", "`text`"),
    ("[]", "a list"),
    ("[[]]", "a list with a list"),
    ("{}", "a table"),
    ("{ a = 'text' }", "a table"),
];

#[test]
fn a_value_of_a_wrong_type_is_told_what_it_must_be() {
    let rules = "a list of rules";
    let patterns = "a list of patterns";
    let level = "`error`, `warning` or `off`";
    let texts: [(&str, &str, &[&str]); 14] = [
        ("select = ", rules, &["[]"]),
        ("ignore = ", rules, &["[]"]),
        ("exclude = ", patterns, &["[]"]),
        ("migrations = ", patterns, &["[]"]),
        ("metadata = ", patterns, &["[]"]),
        ("per-file-ignores = ", "a table of patterns, each with a list of rules", &["{}", "{ a = 'text' }"]),
        ("per-file-ignores.a = ", rules, &["[]"]),
        ("severity = ", "a table of rules, each with `error`, `warning` or `off`", &["{}", "{ a = 'text' }"]),
        ("severity.unnamed-drop = ", level, &[]),
        ("convention = ", "`sqlalchemy`, `postgresql` or a table of templates", &["{}", "{ a = 'text' }"]),
        ("convention.fk = ", "a template such as `fk_%(table_name)s_%(column_0_name)s`", &["'text'"]),
        ("dialect = ", "`postgresql`, `mysql`, `mariadb`, `sqlite`, `oracle`, `mssql` or `other`", &[]),
        ("deployed = ", "`true` or `false`", &["true"]),
        ("changed-lines-only = ", "`true` or `false`", &["true"]),
    ];
    for (start, expected, of_its_type) in texts {
        for (value, found) in VALUES.into_iter().filter(|(value, _)| !of_its_type.contains(value)) {
            let key = start.trim_end_matches(" = ");
            let error = error(&format!("{start}{value}\n"));
            let found = if expected.starts_with("a list") {
                found
            } else {
                found.trim_end_matches(" with a list")
            };
            let ends = ["", "the text "].map(|text| format!(": `{key}` must be {expected}, not {text}{found}"));
            let is_told = ends.iter().any(|end| error.ends_with(end));
            assert!(error.starts_with("alembic-named.toml:1:") && is_told, "{start}{value}: {error}");
        }
    }
    for key in KEYS {
        assert!(texts.iter().any(|(start, ..)| *start == format!("{key} = ")), "{key} is not tried");
    }
}

#[test]
fn the_table_of_a_pyproject_must_be_one() {
    for (text, expected) in [
        ("tool = 'alembic-named'\n", "1:8: `tool` must be a table, not the text `alembic-named`"),
        ("[tool]\nalembic-named = []\n", "2:17: `tool.alembic-named` must be a table, not a list"),
        ("[tool.alembic-named]\nexclude = 1\n", "2:11: `exclude` must be a list of patterns, not a number"),
    ] {
        let error = parse(&"pyproject.toml".into(), "svc/pyproject.toml", text).unwrap_err();
        assert_eq!(error.to_string(), format!("svc/pyproject.toml:{expected}"));
    }
}

#[test]
fn a_sentence_repeats_the_beginning_of_what_is_wrong() {
    let long = "x".repeat(1_000_000);
    let list = |patterns: &str| format!("exclude = [{}]\n", patterns.repeat(13_000));
    for text in [
        format!("dialect = '{long}'\n"),
        format!("convention = '{long}'\n"),
        format!("ignore = ['{long}']\n"),
        format!("per-file-ignores = {{ '{long}[' = ['unnamed-drop'] }}\n"),
        format!("{long} = 1\n"),
        format!("convention = {{ {long} = 'x' }}\n"),
        format!("convention = {{ fk = '%({long})s' }}\n"),
        format!("severity = {{ unnamed-drop = '{long}' }}\n"),
        list("'abc/*', "),
        list("'a[', "),
    ] {
        let error = error(&text);
        assert!(error.len() < 3_000 && error.contains("alembic-named.toml"), "{} bytes: {error:.300}", error.len());
    }
    let error = error(&list("'abc/*', "));
    assert!(error.contains("(`abc/*, abc/*, abc/* and 12997 more`)"), "{error}");
}

/// The schema that editors use, and the table that is read, have the same keys.
#[test]
fn the_schema_has_every_key_and_no_other() {
    let schema = include_str!("../../../docs/configuration.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let mut described: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let prefixes = ConstraintKind::ALL.into_iter().filter_map(ConstraintKind::prefix);
    let templates = schema["properties"]["convention"]["oneOf"][1]["propertyNames"]["enum"].as_array();
    assert!(prefixes.eq(templates.unwrap().iter().map(|key| key.as_str().unwrap())));
    let mut read = KEYS;
    described.sort_unstable();
    read.sort_unstable();
    assert_eq!(described, read);
    let rules: Vec<&str> = rules::all().map(|rule| rule.name).collect();
    let named: Vec<&str> = schema["definitions"]["rule"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(named, rules);
}
