//! The reports for other programs, from the program itself: each is read back by a reader of its own format, and says where, what and why.

mod junit;

use std::collections::HashSet;

use crate::support::{FILE, NAMED, Repo, SUGGESTED, UNNAMED, migration, staged, words};
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

/// A name with all that a format could trip over and Windows allows, and one with what only Unix does.
const ODD: &str = "migrations/it's 50%, näme+%2C.py";
#[cfg(unix)]
const ODDER: &str = "migrations/a:b \"c\" <d>&\n::error::e.py";
#[cfg(not(unix))]
const ODDER: &str = "migrations/a&b.py";

/// A report, with the exit status that must come with it.
#[track_caller]
fn report(repo: &Repo, format: &str, status: i32) -> String {
    let output = repo.run(&["--format", format]);
    assert_eq!(output.status.code(), Some(status), "{}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json_report(repo: &Repo, format: &str, status: i32) -> Value {
    serde_json::from_str(&report(repo, format, status)).unwrap()
}

/// A file that should be checked and cannot be, beside one that can.
fn failing() -> Repo {
    let repo = staged(NAMED);
    let mut latin = migration(UNNAMED).into_bytes();
    latin.extend(b"# \xe9\n");
    repo.stage("migrations/latin.py", latin);
    repo
}

/// A finding that blocks nothing.
fn warning() -> Repo {
    let repo = Repo::new();
    repo.stage(FILE, format!("{}\ndef (\n", migration(NAMED)));
    repo
}

/// Characters of two, three and four bytes before a call, one of many lines, and the same call twice.
fn unicode() -> String {
    "\
from alembic import op

revision = '9b3e64c8d215'


def upgrade():
    'é€😀'; op.create_unique_constraint(None, 'größe', ['a'])
    op.create_unique_constraint(
        None, 'shop', ['b'],
    )
    op.create_unique_constraint(None, 'shop', ['a'])
    op.create_unique_constraint(None,  'shop', ['a'])
"
    .to_owned()
}

fn odd() -> Repo {
    let repo = Repo::new();
    repo.stage(ODD, unicode()).stage(ODDER, migration(UNNAMED));
    repo
}

/// Every situation, with the exit status that it must end with.
fn situations() -> Vec<(&'static str, Repo, i32)> {
    vec![
        ("nothing staged", Repo::new(), 0),
        ("unnamed", staged(UNNAMED), 1),
        ("clean", staged(NAMED), 0),
        ("failing", failing(), 2),
        ("warning", warning(), 0),
        ("odd", odd(), 1),
    ]
}

// SARIF

const SCHEMA: &str = include_str!("../data/sarif/sarif-schema-2.1.0.json");

struct SarifSchema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl SarifSchema {
    fn new() -> Self {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler
            .add_resource("https://sarif.test/schema", serde_json::from_str(SCHEMA).unwrap())
            .unwrap();
        let index = compiler.compile("https://sarif.test/schema", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn objection(&self, log: &Value) -> Option<String> {
        self.schemas
            .validate(log, self.index)
            .err()
            .map(|error| format!("{error:#}"))
    }
}

#[test]
fn sarif_is_what_the_published_schema_wants() {
    let schema = SarifSchema::new();
    for (name, repo, status) in situations() {
        let log = json_report(&repo, "sarif", status);
        assert_eq!(schema.objection(&log), None, "{name}: {log:#}");
    }
}

/// The schema is not one that takes everything.
#[test]
fn the_schema_objects_to_what_is_missing_or_wrong() {
    let schema = SarifSchema::new();
    let log = json_report(&staged(UNNAMED), "sarif", 1);
    let broken: [fn(&mut Value); 5] = [
        |log| drop(log.as_object_mut().unwrap().remove("version")),
        |log| drop(log["runs"][0].as_object_mut().unwrap().remove("tool")),
        |log| drop(log["runs"][0]["results"][0].as_object_mut().unwrap().remove("message")),
        |log| log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = json!(0),
        |log| log["runs"][0]["artifacts"][0]["location"]["uri"] = json!("a b%zz"),
    ];
    for break_it in broken {
        let mut log = log.clone();
        break_it(&mut log);
        assert!(schema.objection(&log).is_some(), "{log:#}");
    }
}

#[test]
fn sarif_says_where_what_and_how_to_fix_it() {
    let log = json_report(&staged(UNNAMED), "sarif", 1);
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let create = &results[0];
    assert_eq!(create["ruleId"], "unnamed-constraint");
    assert_eq!(create["level"], "error");
    assert_eq!(create["properties"]["suggestedName"], SUGGESTED);
    assert_eq!(
        create["locations"][0]["physicalLocation"],
        json!({
            "artifactLocation": { "uri": FILE, "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": 11, "startColumn": 5, "endLine": 11, "endColumn": 76 },
        })
    );
    assert_eq!(create["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 15);
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(
            rule["help"]["markdown"]
                .as_str()
                .unwrap()
                .starts_with(&format!("# {}", rule["id"].as_str().unwrap()))
        );
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    assert_eq!(run["artifacts"][0]["location"]["uri"], FILE);
}

/// What an editor does with a fix of SARIF: the regions, by characters and by bytes, give the text that `--fix` writes.
#[test]
fn the_fixes_of_sarif_are_those_of_the_program() {
    let repo = Repo::new();
    let text = migration(UNNAMED).replace("    op.", "    'é€😀'; op.");
    repo.stage(FILE, format!("\u{feff}{text}"));
    let log = json_report(&repo, "sarif", 1);
    let fix = &log["runs"][0]["results"][0]["fixes"][0];
    assert_eq!(fix["properties"]["safety"], "safe");
    let change = &fix["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], FILE);
    let mut by_characters: Vec<char> = text.chars().collect();
    let mut by_bytes = format!("\u{feff}{text}").into_bytes();
    for replacement in change["replacements"].as_array().unwrap().iter().rev() {
        let region = &replacement["deletedRegion"];
        let number = |name: &str| usize::try_from(region[name].as_u64().unwrap()).unwrap();
        let new = replacement["insertedContent"]["text"].as_str().unwrap();
        let (start, length) = (number("charOffset"), number("charLength"));
        by_characters.splice(start..start + length, new.chars());
        let (start, length) = (number("byteOffset"), number("byteLength"));
        by_bytes.splice(start..start + length, new.bytes());
        let line = text.lines().nth(number("startLine") - 1).unwrap();
        assert_eq!(line.chars().skip(number("startColumn") - 1).take(4).collect::<String>(), "None");
    }
    repo.run(&["fix", "--staged"]);
    let fixed = repo.read(FILE);
    assert_eq!(fixed.trim_start_matches('\u{feff}'), String::from_iter(by_characters));
    assert_eq!(fixed.as_bytes(), by_bytes);
}

#[test]
fn sarif_counts_columns_in_characters_and_keeps_every_name() {
    let log = json_report(&odd(), "sarif", 1);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of_odd: Vec<&Value> = results
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"])
        .filter(|place| place["artifactLocation"]["uri"] == "migrations/it%27s%2050%25%2C%20n%C3%A4me%2B%252C.py")
        .map(|place| &place["region"])
        .collect();
    assert_eq!(
        of_odd[..2],
        [
            &json!({ "startLine": 7, "startColumn": 12, "endLine": 7, "endColumn": 61 }),
            &json!({ "startLine": 8, "startColumn": 5, "endLine": 10, "endColumn": 6 }),
        ]
    );
    let written: HashSet<String> = results
        .iter()
        .map(|result| {
            decoded(
                result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                    .as_str()
                    .unwrap(),
            )
        })
        .collect();
    assert_eq!(written, HashSet::from([ODD.to_owned(), ODDER.to_owned()]));
}

fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn sarif_tells_what_was_not_checked() {
    let log = json_report(&failing(), "sarif", 2);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let told = &invocation["toolExecutionNotifications"][0];
    assert_eq!(told["level"], "error");
    assert!(
        told["message"]["text"]
            .as_str()
            .unwrap()
            .contains("migrations/latin.py")
    );

    let log = json_report(&Repo::new(), "sarif", 0);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let told = &invocation["toolExecutionNotifications"][0]["message"]["text"];
    assert!(told.as_str().unwrap().starts_with("0 files checked"), "{told}");
}

// GitHub

#[test]
fn github_reads_an_annotation_on_every_line() {
    insta::assert_snapshot!(report(&staged(UNNAMED), "github", 1), @r"
    ::error file=migrations/versions/add_invoice.py,line=11,endLine=11,col=5,endColumn=76,title=alembic-named (unnamed-constraint)::foreign key `order.invoice_id` has no name: Alembic never learns the name it gets%0Ahelp: name it in both functions: `fk_order_invoice_id_invoice`
    ::error file=migrations/versions/add_invoice.py,line=15,endLine=15,col=5,endColumn=58,title=alembic-named (unnamed-drop)::foreign key `order.invoice_id` is dropped without its name: this downgrade fails: it does not say which constraint%0Ahelp: name it in both functions: `fk_order_invoice_id_invoice`
    ");
    insta::assert_snapshot!(report(&warning(), "github", 0), @r"::warning file=migrations/versions/add_invoice.py,line=18,endLine=18,col=5,endColumn=6,title=alembic-named (syntax-error)::this is not valid Python (and one more error below): expected an identifier%0Ahelp: fix it, so that the whole file can be checked");
    insta::assert_snapshot!(report(&failing(), "github", 2), @r"::error title=alembic-named::`migrations/latin.py` is not UTF-8 (byte 433): save it as UTF-8, or exclude it");
    assert_eq!(report(&staged(NAMED), "github", 0), "");
    assert_eq!(report(&Repo::new(), "github", 0), "");
}

#[test]
#[cfg(unix)]
fn github_is_not_led_astray_by_a_name() {
    let report = report(&odd(), "github", 1);
    // The advice is the rule's affair.
    let without_help: Vec<&str> = report.lines().filter_map(|line| line.split("%0Ahelp").next()).collect();
    insta::assert_snapshot!(without_help.join("\n"), @r#"
    ::error file=migrations/a%3Ab "c" <d>&%0A%3A%3Aerror%3A%3Ae.py,line=11,endLine=11,col=5,endColumn=76,title=alembic-named (unnamed-constraint)::foreign key `order.invoice_id` has no name: Alembic never learns the name it gets
    ::error file=migrations/a%3Ab "c" <d>&%0A%3A%3Aerror%3A%3Ae.py,line=15,endLine=15,col=5,endColumn=58,title=alembic-named (unnamed-drop)::foreign key `order.invoice_id` is dropped without its name: this downgrade fails: it does not say which constraint
    ::error file=migrations/it's 50%25%2C näme+%252C.py,line=7,endLine=7,col=12,endColumn=61,title=alembic-named (unnamed-constraint)::unique constraint `größe.a` has no name: Alembic never learns the name it gets
    ::error file=migrations/it's 50%25%2C näme+%252C.py,line=8,endLine=10,title=alembic-named (unnamed-constraint)::unique constraint `shop.b` has no name: Alembic never learns the name it gets
    ::error file=migrations/it's 50%25%2C näme+%252C.py,line=11,endLine=11,col=5,endColumn=53,title=alembic-named (unnamed-constraint)::unique constraint `shop.a` has no name: Alembic never learns the name it gets
    ::error file=migrations/it's 50%25%2C näme+%252C.py,line=12,endLine=12,col=5,endColumn=54,title=alembic-named (unnamed-constraint)::unique constraint `shop.a` has no name: Alembic never learns the name it gets
    "#);
}

// GitLab

#[test]
fn gitlab_reads_an_issue_for_every_finding() {
    insta::assert_snapshot!(report(&staged(UNNAMED), "gitlab", 1), @r#"
    [
      {
        "description": "foreign key `order.invoice_id` has no name: Alembic never learns the name it gets; name it `fk_order_invoice_id_invoice`",
        "check_name": "unnamed-constraint",
        "fingerprint": "894486a60a33f432a5d4abf6f1f4041f",
        "severity": "major",
        "location": {
          "path": "migrations/versions/add_invoice.py",
          "lines": {
            "begin": 11,
            "end": 11
          }
        }
      },
      {
        "description": "foreign key `order.invoice_id` is dropped without its name: this downgrade fails: it does not say which constraint; name it `fk_order_invoice_id_invoice`",
        "check_name": "unnamed-drop",
        "fingerprint": "960870379b8f2fe9ffa211a258031f99",
        "severity": "major",
        "location": {
          "path": "migrations/versions/add_invoice.py",
          "lines": {
            "begin": 15,
            "end": 15
          }
        }
      }
    ]
    "#);
    let warning = json_report(&warning(), "gitlab", 0);
    assert_eq!(warning[0]["severity"], "minor");
    let paths: HashSet<Value> = json_report(&odd(), "gitlab", 1)
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["location"]["path"].clone())
        .collect();
    assert_eq!(paths, HashSet::from([json!(ODD), json!(ODDER)]));
    for repo in [Repo::new(), staged(NAMED)] {
        assert_eq!(json_report(&repo, "gitlab", 0), json!([]));
    }
}

/// The format has no place for it, so the exit status and standard error have to do.
#[test]
fn gitlab_is_told_of_failures_in_another_way() {
    let output = failing().run(&["--format", "gitlab"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"[]\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("migrations/latin.py"));
}

fn fingerprints(repo: &Repo) -> Vec<String> {
    let issues = json_report(repo, "gitlab", 1);
    let fingerprints = issues.as_array().unwrap().iter();
    fingerprints
        .map(|issue| issue["fingerprint"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_fingerprint_is_of_one_finding_and_stays_with_it() {
    let repo = Repo::new();
    repo.stage(FILE, unicode());
    let before = fingerprints(&repo);
    assert_eq!(before.len(), 4);
    assert_eq!(before.iter().collect::<HashSet<_>>().len(), 4, "{before:?}");

    let log = json_report(&repo, "sarif", 1);
    let of_sarif = log["runs"][0]["results"].as_array().unwrap().iter();
    let of_sarif = of_sarif.map(|result| result["partialFingerprints"]["alembicNamedCode/v1"].as_str().unwrap());
    assert_eq!(of_sarif.collect::<Vec<_>>(), before);

    let moved = unicode().replace("def upgrade():", "\n# moved\ndef upgrade():\n    pass");
    repo.stage(FILE, moved.replace("        None,", "      None,"));
    assert_eq!(fingerprints(&repo), before);

    repo.stage(FILE, unicode().replacen("['a']", "['c']", 1));
    let changed = fingerprints(&repo);
    assert_ne!(changed[0], before[0]);
    assert_eq!(changed[1..], before[1..]);
}

// All of them

/// A report goes into a file as it would to standard output, without colour, and twice the same.
#[test]
fn a_report_in_a_file_is_the_same_every_time() {
    for format in ["sarif", "github", "gitlab", "junit"] {
        let repo = odd();
        let expected = report(&repo, format, 1);
        assert!(!expected.contains('\u{1b}'));
        let output = repo.run(&["--format", format, "--output-file", "report"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
        assert_eq!(repo.read("report"), expected, "{format}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("files checked"));
    }
}

/// Also where a name holds what a terminal would be shown otherwise, and the file cannot be checked.
#[test]
fn sarif_is_json_whatever_a_file_is_called() {
    let repo = Repo::new();
    repo.stage("\u{9b}\u{e0041}x.py", b"op.create_foreign_key(None)\xff");
    let output = repo.run(&["--format", "sarif"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(log.to_string().contains("x.py"), "{log}");
}
