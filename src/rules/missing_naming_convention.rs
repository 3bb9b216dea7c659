//! The metadata that Alembic migrates has no naming convention.

use super::ineffective_naming_convention::{is_ineffective, line_of};
use crate::constraints::MetadataFile;
use crate::constraints::convention_code::{give_convention, why_no_checks};
use crate::diagnostic::{Cure, Diagnostic, Rule, Severity};
use crate::project::{ConventionFacts, Judged, MetadataFacts, Spelling, Target};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "missing-naming-convention",
    summary: "the metadata that Alembic migrates has no naming convention",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/missing-naming-convention.md"),
};

pub(super) fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    let judged = file.judged;
    let place = &judged.place;
    let source = file.module.file();
    match &judged.target {
        Target::Nothing => no_metadata(file).into_iter().collect(),
        Target::Metadata(facts)
            if matches!(facts.convention, ConventionFacts::Default)
                && !facts.is_reflected
                && !is_ineffective(facts) =>
        {
            let mut diagnostic = Diagnostic::new(
                &RULE,
                source,
                place.span,
                format!("{} has no naming convention", owner(judged, &facts.maker)),
            )
            .focus(
                place.span,
                "autogenerate writes None for every constraint, so downgrades fail",
            )
            .help(help(file, facts));
            diagnostic.fix = give_convention(file);
            diagnostic.cure = Some(Cure::Decision);
            vec![diagnostic]
        }
        Target::Several(several)
            if several
                .iter()
                .any(|facts| matches!(facts.convention, ConventionFacts::Default)) =>
        {
            vec![
                Diagnostic::new(
                    &RULE,
                    source,
                    place.span,
                    "a metadata of this list has no naming convention",
                )
                .focus(
                    place.span,
                    "autogenerate writes None for every constraint of its tables",
                )
                .help("give each MetaData a `naming_convention`"),
            ]
        }
        _ => Vec::new(),
    }
}

/// `alembic init` writes `target_metadata = None` into `env.py`, which is no mistake where migrations are written by hand: `--verbose` tells it, and
/// each finding that rests on it.
fn no_metadata(file: &MetadataFile<'_>) -> Option<Diagnostic> {
    let place = &file.judged.place;
    if place.file.path().file_name() == b"env.py" {
        return None;
    }
    let diagnostic = Diagnostic::new(
        &RULE,
        file.module.file(),
        place.span,
        "`target_metadata` is None, so no naming convention is applied",
    )
    .focus(
        place.span,
        "autogenerate sees no models, and unnamed constraints stay unnamed",
    )
    .help("set it to the metadata of your models, and give that a naming convention");
    Some(diagnostic)
}

/// Which of the two usual conventions is for whom.
fn help(file: &MetadataFile<'_>, facts: &MetadataFacts) -> String {
    let give = match facts.spelling() {
        Spelling::InClass | Spelling::Own(_) => "give its MetaData a `naming_convention`".to_owned(),
        spelling @ Spelling::Argument(_) => format!("give it one, `{}`", spelling.around("...")),
        spelling @ Spelling::Assigned(_) => {
            let above = facts.first_statement.as_ref();
            let above = above.map_or_else(String::new, |place| format!(" above {}", line_of(file, place)));
            format!("set `{}`{above}, before any table is defined", spelling.around("..."))
        }
    };
    let mut help = match file.configured_convention {
        Some(_) => format!("{give}: the one of your configuration"),
        None => give,
    };
    if let Some(why) = why_no_checks(file) {
        help.push_str("; ");
        help.push_str(&why);
    }
    help
}

/// What the project calls the thing that has the metadata.
pub(super) fn owner(judged: &Judged, maker: &str) -> String {
    let text = judged.place.file.slice(judged.place.span);
    if text.contains(char::is_whitespace) || text.len() > 40 || text.is_empty() {
        format!("the metadata of `{maker}`")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::{CommandLine, Configs};
    use crate::diagnostic::Diagnostic;
    use crate::fix::apply;
    use crate::project::Project;
    use crate::rules::harness::{WHOLE, check_files, of_models};
    use crate::snapshot::MemorySnapshot;
    use crate::source::{RepoPath, SourceFile};

    const ENV: &str = "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n";
    const BASE: &str = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";

    /// What is found in `app/models.py`, beside what is written there.
    fn found(files: &[(&str, &str)]) -> Vec<Diagnostic> {
        let snapshot: MemorySnapshot = files.iter().copied().collect();
        let project = Project::new(&snapshot, "/top");
        let path = "app/models.py";
        let (_, text) = files.iter().find(|(known, _)| *known == path).unwrap();
        let file = SourceFile::new(path.into(), (*text).to_owned());
        let configs = Configs::nearest(&snapshot, CommandLine::default());
        examine(&file, false, &project, &configs.of(&path.into()).unwrap()).diagnostics
    }

    /// The one finding in `app/models.py` beside a module of this content, and the module with its fix, in which nothing is found any more.
    #[track_caller]
    fn fixed(other: (&str, &str)) -> (Diagnostic, String) {
        let files = |models| [("migrations/env.py", ENV), ("app/models.py", models), other];
        let all = found(&files(BASE));
        let [only] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(only.rule.name, "missing-naming-convention");
        let after = apply(&only.file, &only.fix);
        assert_ne!(after, BASE);
        let left = found(&files(&after));
        assert!(left.is_empty(), "{left:?} in\n{after}");
        (only.clone(), after)
    }

    #[test]
    fn no_template_is_written_for_checks_that_it_would_fail_or_rename() {
        for (path, code, place) in [
            ("app/more.py", "\nc = CheckConstraint('a > 0')\n", "app/more.py:2"),
            (
                "app/more.py",
                "c = CheckConstraint('a > 0', name='a_positive')\n",
                "app/more.py:1",
            ),
            (
                "migrations/versions/a.py",
                "revision = 'a'\ndown_revision = None\ndef upgrade():\n    op.drop_constraint('ck_t_a', 't', type_='check')\n",
                "migrations/versions/a.py:4",
            ),
        ] {
            let (found, after) = fixed((path, code));
            assert!(!after.contains("\"ck\""), "{after}");
            let help = found.help.unwrap();
            assert!(help.contains("leave out `ck`") && help.contains(place), "{help}");
        }
        for code in ["c = CheckConstraint('a > 0', name=conv('ck_t_a'))\n", "x = 1\n"] {
            let (found, after) = fixed(("app/more.py", code));
            assert!(
                after.contains("\"ck\": \"ck_%(table_name)s_%(constraint_name)s\""),
                "{after}"
            );
            assert!(!found.help.unwrap().contains("`ck`"));
        }
    }

    /// Seen with SQLAlchemy 1.3, 1.4 and 2.1: `as_declarative` sets `metadata` on the class, whatever its body says.
    #[test]
    fn a_convention_is_written_where_it_has_an_effect() {
        for (models, written) in [
            (
                "from sqlalchemy.orm import as_declarative\n@as_declarative()\nclass Base:\n    id = 1\n",
                "@as_declarative(metadata=MetaData(naming_convention=NAMING_CONVENTION))\nclass Base:\n    id = 1\n",
            ),
            (
                "from flask_sqlalchemy import SQLAlchemy\nclass OwnSQLAlchemy(SQLAlchemy):\n    pass\nBase = OwnSQLAlchemy(session_options={})\n",
                "Base = OwnSQLAlchemy(\n    session_options={}, metadata=MetaData(naming_convention=NAMING_CONVENTION)\n)\n",
            ),
            (
                "from typing import TYPE_CHECKING\nfrom sqlalchemy.orm import declarative_base\nif TYPE_CHECKING:\n    Base = object\nelse:\n    Base = declarative_base()\n",
                "    Base = declarative_base(metadata=MetaData(naming_convention=NAMING_CONVENTION))\n",
            ),
        ] {
            let files = |models| [("migrations/env.py", ENV), ("app/models.py", models)];
            let all = found(&files(models));
            let [only] = all.as_slice() else {
                panic!("{all:?} in\n{models}")
            };
            let after = apply(&only.file, &only.fix);
            assert!(after.contains(written), "{after}");
            assert!(found(&files(&after)).is_empty(), "{after}");
        }
        // Nothing is offered where it would have none.
        let deaf = "from sqlalchemy import MetaData\nclass Own(MetaData):\n    def __init__(self, **k):\n        super().__init__()\nclass Base:\n    metadata = Own()\n";
        let all = found(&[("migrations/env.py", ENV), ("app/models.py", deaf)]);
        let [only] = all.as_slice() else { panic!("{all:?}") };
        assert!(only.fix.is_none(), "{:?}", only.fix);
    }

    /// The module with its fix, without the convention itself, and nothing found in it.
    #[track_caller]
    fn mended(models: &str) -> String {
        let files = |models| [("migrations/env.py", ENV), ("app/models.py", models)];
        let all = found(&files(models));
        let [only] = all.as_slice() else {
            panic!("{all:?} in\n{models}")
        };
        let after = apply(&only.file, &only.fix);
        assert!(found(&files(&after)).is_empty(), "{after}");
        let plain = after.replace("\r\n", "\n");
        let (head, rest) = plain.split_once("\nNAMING_CONVENTION = {\n").unwrap();
        let (_, tail) = rest.split_once("}\n").unwrap();
        format!("{head}~{tail}")
    }

    #[test]
    fn a_class_on_one_line_gets_a_body() {
        const GIVEN: &str = "metadata = MetaData(naming_convention=NAMING_CONVENTION)";
        let wide = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(\n    DeclarativeBase,\n)";
        let after = mended(&format!("{wide}: pass\n"));
        assert!(after.ends_with(&format!(",\n):\n    {GIVEN}\n")), "{after}");
        for (before, after) in [
            (" pass\n", format!("\n    {GIVEN}\n")),
            (" ...  # base\n", format!("\n    {GIVEN}  # base\n")),
            ("pass", format!("\n    {GIVEN}")),
            (
                " \"\"\"Doc.\"\"\"\n",
                format!("\n    \"\"\"Doc.\"\"\"\n\n    {GIVEN}\n"),
            ),
            (" x = 1; y = 2\n", format!("\n    {GIVEN}\n\n    x = 1; y = 2\n")),
            (" pass\nif 1:\n\tx = 1\n", format!("\n\t{GIVEN}\nif 1:\n\tx = 1\n")),
            ("\n    ...\n", format!("\n    {GIVEN}\n")),
        ] {
            for ending in ["\n", "\r\n"] {
                let head = "from sqlalchemy.orm import DeclarativeBase\n";
                let class = "\n\nclass Base(DeclarativeBase):";
                let text = format!("{head}{class}{before}").replace('\n', ending);
                let expected = format!("from sqlalchemy import MetaData\n{head}~{class}{after}");
                assert_eq!(mended(&text), expected);
            }
        }
    }

    #[test]
    fn a_call_takes_the_convention_in_its_own_layout() {
        const GIVEN: &str = "metadata=sa.MetaData(naming_convention=NAMING_CONVENTION)";
        for (before, after) in [
            ("()", format!("({GIVEN})")),
            ("(cls=A)", format!("(\n    cls=A, {GIVEN}\n)")),
            ("(\n    cls=A,\n)", format!("(\n    cls=A,\n    {GIVEN},\n)")),
            ("(\n    cls=A\n)", format!("(\n    cls=A,\n    {GIVEN}\n)")),
            ("(cls=A, name='Base')", format!("(\n    cls=A, name='Base', {GIVEN}\n)")),
            (
                "(cls=A, name='Base', class_registry={})",
                format!("(\n    cls=A,\n    name='Base',\n    class_registry={{}},\n    {GIVEN},\n)"),
            ),
            (
                "(metadata=None, cls=A, name='Base')",
                format!("(\n    {GIVEN}, cls=A, name='Base'\n)"),
            ),
        ] {
            let text = |call: &str, gap: &str| {
                format!(
                    "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\n{gap}\nclass A:\n    pass\n\n\nBase = declarative_base{call}\n"
                )
            };
            assert_eq!(mended(&text(before, "")), text(&after, "~"));
        }
    }

    #[test]
    fn what_keeps_postgresqls_names_leaves_checks_alone() {
        let (only, after) = fixed(("alembic-named.toml", "convention = 'postgresql'\n"));
        assert!(!only.help.unwrap().contains("`ck`"));
        assert!(
            !after.contains("\"ck\"") && after.contains("ix_%(column_0_label)s"),
            "{after}"
        );
        // Without the configuration, too: the templates say what they are for.
        let files = [("migrations/env.py", ENV), ("app/models.py", after.as_str())];
        assert!(found(&files).is_empty());
    }

    const CARD: &str = "from sqlmodel import SQLModel\nclass Card(SQLModel, table=True):\n    pass\n";

    fn of_sqlmodel(env: &str, stated: &str) -> (Vec<(RepoPath, String)>, Vec<Diagnostic>) {
        let files: Vec<(RepoPath, String)> = [
            ("migrations/env.py", env),
            ("app/models.py", CARD),
            ("app/stated.py", stated),
        ]
        .map(|(path, text)| (path.into(), text.to_owned()))
        .to_vec();
        let found = check_files(&files);
        (files, found)
    }

    /// Seen with SQLModel 0.0.39 and Alembic 1.20: what autogenerate writes has the names of the convention.
    #[test]
    fn a_convention_for_sqlmodel_stands_above_the_first_import_of_tables() {
        for imports in [
            "from alembic import context\nfrom sqlmodel import SQLModel\nimport app.models  # noqa\n",
            "from alembic import context\nimport app.models\nfrom sqlmodel import SQLModel\n",
            "from sqlmodel import SQLModel as Base\nfrom app import models\nfrom alembic import context\nSQLModel = Base\n",
            "from alembic import context\n\ntry:\n    from app.models import Card\nexcept ImportError:\n    pass\nfrom sqlmodel import SQLModel\n",
            "from alembic import context\r\nfrom app.models import SQLModel, Card\r\n",
        ] {
            for target in [
                "target_metadata = SQLModel.metadata\n",
                "def run():\n    context.configure(target_metadata=SQLModel.metadata)\n",
            ] {
                let (mut files, found) = of_sqlmodel(&format!("{imports}{target}"), "");
                assert_eq!(found.len(), 1, "{imports}{target}");
                let fix = found[0].fix.clone().unwrap();
                let after = apply(&SourceFile::new(files[0].0.clone(), files[0].1.clone()), [&fix]);
                let set = after
                    .find("SQLModel.metadata.naming_convention = NAMING_CONVENTION")
                    .unwrap();
                let import = after.find("from sqlmodel import SQLModel").unwrap();
                assert!(import < set && set < after.find("app").unwrap(), "{after}");
                files[0].1 = after;
                assert!(check_files(&files).is_empty(), "{}", files[0].1);
            }
        }
    }

    #[test]
    fn a_convention_for_sqlmodel_stands_above_the_first_table_of_its_own_module() {
        let env = "from alembic import context\nfrom app.stated import target_metadata\n";
        let stated = format!("{CARD}target_metadata = SQLModel.metadata\n");
        let (mut files, found) = of_sqlmodel(env, &stated);
        let after = apply(
            &SourceFile::new(files[2].0.clone(), stated),
            [found[0].fix.as_ref().unwrap()],
        );
        assert!(
            after.find("naming_convention =").unwrap() < after.find("class Card").unwrap(),
            "{after}"
        );
        files[2].1 = after;
        assert!(check_files(&files).is_empty());
        // Where `env.py` imports tables before, it is the place.
        let env = "from alembic import context\nimport app.models\nfrom app.stated import target_metadata\n";
        let stated = "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n";
        let (_, found) = of_sqlmodel(env, stated);
        assert!(found[0].fix.is_none());
        let help = found[0].help.as_ref().unwrap();
        assert!(
            help.starts_with("set `SQLModel.metadata.naming_convention = ...` above line 2 of `migrations/env.py`, before any table is defined"),
            "{help}"
        );
    }

    /// What `env.py` of several databases makes for older versions of Flask-SQLAlchemy is nobody's metadata.
    #[test]
    fn several_databases_are_judged_where_their_metadata_is_made() {
        let env = include_str!("../../tests/data/environments/flask_multidb.py");
        let revision = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade(engine_name):\n    globals()['upgrade_%s' % engine_name]()\ndef upgrade_users():\n    op.create_unique_constraint(None, 'user', ['code'])\n";
        let app = |arguments: &str| {
            format!(
                "from flask_migrate import Migrate\nfrom flask_sqlalchemy import SQLAlchemy\nfrom sqlalchemy import MetaData\n{WHOLE}db = SQLAlchemy({arguments})\nMigrate(app, db)\n"
            )
        };
        let found = |arguments: &str| -> Vec<String> {
            let files = [
                ("migrations/env.py".into(), env.to_owned()),
                ("migrations/versions/a.py".into(), revision.to_owned()),
                ("app.py".into(), app(arguments)),
            ];
            let line = |one: Diagnostic| {
                let name = one.suggested_name.unwrap_or_default();
                format!("{} {} {name}", one.file.path(), one.rule.name)
            };
            check_files(&files).into_iter().map(line).collect()
        };
        let of_revision = |rule: &str| format!("migrations/versions/a.py {rule} uq_user_code");
        assert_eq!(
            found(""),
            [
                of_revision("unnamed-constraint"),
                "app.py missing-naming-convention ".to_owned()
            ]
        );
        assert_eq!(
            found("metadata=MetaData(naming_convention=NC)"),
            [of_revision("implicit-constraint-name")]
        );
    }

    #[test]
    fn the_help_names_the_form_that_the_project_has() {
        for (models, form) in [
            (
                "from flask_sqlalchemy import SQLAlchemy\ntarget_metadata = SQLAlchemy().metadata\n",
                "`SQLAlchemy(metadata=MetaData(naming_convention=...))`",
            ),
            (
                "import flask_sqlalchemy as fsa\ndb = fsa.SQLAlchemy(session_options={})\ntarget_metadata = db.metadata\n",
                "`fsa.SQLAlchemy(metadata=MetaData(naming_convention=...))`",
            ),
            (
                "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\ntarget_metadata = Base.metadata\n",
                "`declarative_base(metadata=MetaData(naming_convention=...))`",
            ),
            (
                "from sqlalchemy.orm import as_declarative\n@as_declarative()\nclass Base:\n    pass\ntarget_metadata = Base.metadata\n",
                "`@as_declarative(metadata=MetaData(naming_convention=...))`",
            ),
            (
                "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n",
                "`SQLModel.metadata.naming_convention = ...`",
            ),
            (
                "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\ntarget_metadata = Base.metadata\n",
                "its MetaData a `naming_convention`",
            ),
        ] {
            let help = of_models(models).pop().unwrap().help.unwrap();
            assert!(help.contains(form), "{help}");
        }
    }
}
