//! Where the fix writes a convention, and which metadata needs none.

use super::RULE;
use crate::diagnostic::Diagnostic;
use crate::rules::harness::{ENV, WHOLE, check, check_all, check_models, fixed, lines, shown};

/// An `env.py` that migrates the metadata of `Base`.
const ENV_OF_BASE: (&str, &str) = (
    "migrations/env.py",
    "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n",
);
const BASE: &str = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";

/// The one finding in `app/models.py`, and the module with its fix, in which nothing is found any more.
#[track_caller]
fn given(files: &[(&str, &str)]) -> (Diagnostic, String) {
    let path = "app/models.py";
    let found = check(files, path);
    let [only] = found.as_slice() else {
        panic!("{found:?} in\n{files:?}")
    };
    assert_eq!(only.rule, &RULE);
    let after = fixed(&found);
    assert_ne!(after.text(), only.file.text());
    let others = files.iter().filter(|(other, _)| *other != path);
    let files: Vec<_> = others.copied().chain([(path, after.text())]).collect();
    let left = check(&files, path);
    assert!(left.is_empty(), "{left:?} in\n{}", after.text());
    (only.clone(), after.text().to_owned())
}

/// The module with the convention, whose dict is left out.
#[track_caller]
fn with_convention(models: &str) -> String {
    let (_, after) = given(&[ENV_OF_BASE, ("app/models.py", models)]);
    let plain = after.replace("\r\n", "\n");
    let (head, rest) = plain.split_once("\nNAMING_CONVENTION = {\n").unwrap();
    let (_, tail) = rest.split_once("}\n").unwrap();
    format!("{head}~{tail}")
}

#[test]
fn the_metadata_is_shown_and_gets_a_convention() {
    let (found, _) = given(&[ENV_OF_BASE, ("app/models.py", BASE)]);
    insta::assert_snapshot!(shown(&[found]), @r#"
    2:7 error[missing-naming-convention]: `Base` has no naming convention
      Base: autogenerate writes None for every constraint, so downgrades fail
      help: give its MetaData a `naming_convention`
      Suggested fix: give the metadata a naming convention
    + from sqlalchemy import MetaData
    + 
    + NAMING_CONVENTION = {
    +     "ix": "ix_%(column_0_label)s",
    +     "uq": "uq_%(table_name)s_%(column_0_name)s",
    +     "ck": "ck_%(table_name)s_%(constraint_name)s",
    +     "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    +     "pk": "pk_%(table_name)s",
    + }
    -     pass
    +     metadata = MetaData(naming_convention=NAMING_CONVENTION)
    "#);
}

#[test]
fn no_template_is_written_for_checks_that_it_would_fail_or_rename() {
    for (path, code, place) in [
        ("app/more.py", "\nc = CheckConstraint('a > 0')\n", "app/more.py:2"),
        ("app/more.py", "c = CheckConstraint('a > 0', name='a_positive')\n", "app/more.py:1"),
        (
            "migrations/versions/a.py",
            "revision = 'a'\ndown_revision = None\ndef upgrade():\n    op.drop_constraint('ck_t_a', 't', type_='check')\n",
            "migrations/versions/a.py:4",
        ),
    ] {
        let (found, after) = given(&[ENV_OF_BASE, ("app/models.py", BASE), (path, code)]);
        assert!(!after.contains("\"ck\""), "{after}");
        let help = found.help.unwrap();
        assert!(help.contains("leave out `ck`") && help.contains(place), "{help}");
    }
    for code in ["c = CheckConstraint('a > 0', name=conv('ck_t_a'))\n", "x = 1\n"] {
        let (found, after) = given(&[ENV_OF_BASE, ("app/models.py", BASE), ("app/more.py", code)]);
        assert!(after.contains("\"ck\": \"ck_%(table_name)s_%(constraint_name)s\""), "{after}");
        assert!(!found.help.unwrap().contains("`ck`"));
    }
}

/// However the metadata is made, the fix gives it a convention that the project then has.
#[test]
fn a_convention_is_written_into_every_kind_of_metadata() {
    for models in [
        "from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    pass\n\ntarget_metadata = Base.metadata\n",
        "from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    \"\"\"All models.\"\"\"\n\ntarget_metadata = Base.metadata\n",
        "from sqlalchemy.orm import DeclarativeBase\r\n\r\nclass Base(DeclarativeBase):\r\n    type_annotation_map = {}\r\n\r\ntarget_metadata = Base.metadata\r\n",
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData()\n",
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData(schema='shop')\n",
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={})\n",
        "import sqlalchemy as sa\ntarget_metadata = sa.MetaData()\n",
        "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\ntarget_metadata = Base.metadata\n",
        "from sqlalchemy.orm import registry\nreg = registry()\ntarget_metadata = reg.metadata\n",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\ntarget_metadata = db.metadata\n",
        "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n",
    ] {
        let (_, after) = given(&[ENV, ("app/models.py", models)]);
        let (defined, used) = (after.find("NAMING_CONVENTION = {"), after.rfind("NAMING_CONVENTION"));
        assert!(defined.is_some() && defined < used, "used before it is defined in\n{after}");
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
        let (_, after) = given(&[ENV_OF_BASE, ("app/models.py", models)]);
        assert!(after.contains(written), "{after}");
    }
    // Nothing is offered where it would have none.
    let deaf = "from sqlalchemy import MetaData\nclass Own(MetaData):\n    def __init__(self, **k):\n        super().__init__()\nclass Base:\n    metadata = Own()\n";
    let all = check(&[ENV_OF_BASE, ("app/models.py", deaf)], "app/models.py");
    let [only] = all.as_slice() else { panic!("{all:?}") };
    assert!(only.fix.is_none(), "{:?}", only.fix);
}

#[test]
fn a_class_on_one_line_gets_a_body() {
    const GIVEN: &str = "metadata = MetaData(naming_convention=NAMING_CONVENTION)";
    let wide = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(\n    DeclarativeBase,\n)";
    let after = with_convention(&format!("{wide}: pass\n"));
    assert!(after.ends_with(&format!(",\n):\n    {GIVEN}\n")), "{after}");
    for (before, after) in [
        (" pass\n", format!("\n    {GIVEN}\n")),
        (" ...  # base\n", format!("\n    {GIVEN}  # base\n")),
        ("pass", format!("\n    {GIVEN}")),
        (" \"\"\"Doc.\"\"\"\n", format!("\n    \"\"\"Doc.\"\"\"\n\n    {GIVEN}\n")),
        (" x = 1; y = 2\n", format!("\n    {GIVEN}\n\n    x = 1; y = 2\n")),
        (" pass\nif 1:\n\tx = 1\n", format!("\n\t{GIVEN}\nif 1:\n\tx = 1\n")),
        ("\n    ...\n", format!("\n    {GIVEN}\n")),
    ] {
        for ending in ["\n", "\r\n"] {
            let head = "from sqlalchemy.orm import DeclarativeBase\n";
            let class = "\n\nclass Base(DeclarativeBase):";
            let text = format!("{head}{class}{before}").replace('\n', ending);
            let expected = format!("from sqlalchemy import MetaData\n{head}~{class}{after}");
            assert_eq!(with_convention(&text), expected);
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
        ("(metadata=None, cls=A, name='Base')", format!("(\n    {GIVEN}, cls=A, name='Base'\n)")),
    ] {
        let text = |call: &str, gap: &str| {
            format!(
                "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\n{gap}\nclass A:\n    pass\n\n\nBase = declarative_base{call}\n"
            )
        };
        assert_eq!(with_convention(&text(before, "")), text(&after, "~"));
    }
}

#[test]
fn what_keeps_postgresqls_names_leaves_checks_alone() {
    let (only, after) =
        given(&[ENV_OF_BASE, ("app/models.py", BASE), ("alembic-named.toml", "convention = 'postgresql'\n")]);
    assert!(!only.help.unwrap().contains("`ck`"));
    assert!(!after.contains("\"ck\"") && after.contains("ix_%(column_0_label)s"), "{after}");
    // Without the configuration, too: the templates say what they are for.
    assert!(check(&[ENV_OF_BASE, ("app/models.py", &after)], "app/models.py").is_empty());
}

const CARD: &str = "from sqlmodel import SQLModel\nclass Card(SQLModel, table=True):\n    pass\n";

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
            let env = format!("{imports}{target}");
            let files = |env| [("migrations/env.py", env), ("app/models.py", CARD)];
            let found = check_all(&files(&env));
            assert_eq!(found.len(), 1, "{env}");
            let after = fixed(&found);
            let after = after.text();
            let set = after
                .find("SQLModel.metadata.naming_convention = NAMING_CONVENTION")
                .unwrap();
            let import = after.find("from sqlmodel import SQLModel").unwrap();
            assert!(import < set && set < after.find("app").unwrap(), "{after}");
            assert!(check_all(&files(after)).is_empty(), "{after}");
        }
    }
}

#[test]
fn a_convention_for_sqlmodel_stands_above_the_first_table_of_its_own_module() {
    let found = |env: &str, stated: &str| {
        let files = [("migrations/env.py", env), ("app/models.py", CARD), ("app/stated.py", stated)];
        check_all(&files)
    };
    let env = "from alembic import context\nfrom app.stated import target_metadata\n";
    let after = fixed(&found(env, &format!("{CARD}target_metadata = SQLModel.metadata\n")));
    let after = after.text();
    assert!(after.find("naming_convention =").unwrap() < after.find("class Card").unwrap(), "{after}");
    assert!(found(env, after).is_empty());
    // Where `env.py` imports tables before, it is the place.
    let env = "from alembic import context\nimport app.models\nfrom app.stated import target_metadata\n";
    let stated = "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n";
    let found = found(env, stated);
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
    let env = include_str!("../../../tests/data/environments/flask_multidb.py");
    let revision = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade(engine_name):\n    globals()['upgrade_%s' % engine_name]()\ndef upgrade_users():\n    op.create_unique_constraint(None, 'user', ['code'])\n";
    let app = |arguments: &str| {
        format!(
            "from flask_migrate import Migrate\nfrom flask_sqlalchemy import SQLAlchemy\nfrom sqlalchemy import MetaData\n{WHOLE}db = SQLAlchemy({arguments})\nMigrate(app, db)\n"
        )
    };
    let found = |arguments: &str| -> Vec<String> {
        let files = [("migrations/env.py", env), ("migrations/versions/a.py", revision), ("app.py", &app(arguments))];
        let line = |one: Diagnostic| {
            let name = one.suggested_name.unwrap_or_default();
            format!("{} {} {name}", one.file.path(), one.rule.name)
        };
        check_all(&files).into_iter().map(line).collect()
    };
    let of_revision = |rule: &str| format!("migrations/versions/a.py {rule} uq_user_code");
    assert_eq!(found(""), [of_revision("unnamed-constraint"), "app.py missing-naming-convention ".to_owned()]);
    assert_eq!(found("metadata=MetaData(naming_convention=NC)"), [of_revision("implicit-constraint-name")]);
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
        let help = check_models(models).pop().unwrap().help.unwrap();
        assert!(help.contains(form), "{help}");
    }
}

#[test]
fn metadata_that_alembic_does_not_migrate_needs_none() {
    let bare = "from sqlalchemy import MetaData\nmetadata = MetaData()\n";
    for path in ["app/models.py", "models.py", "a/b/c/d/models.py"] {
        assert!(check_all(&[(path, bare)]).is_empty(), "{path}");
    }
    // An environment that is far away answers for the metadata that it leads to, and for no other.
    let far = (
        "services/api/src/api/db/migrations/env.py",
        "from alembic import context\nfrom libs.shop.models import metadata as target_metadata\n",
    );
    let error = "libs/shop/models.py error: missing-naming-convention";
    assert_eq!(lines(&check_all(&[far, ("libs/shop/models.py", bare)])), [error]);
    assert!(check_all(&[far, ("libs/shop/other.py", bare)]).is_empty());
    let riddle = (far.0, "from alembic import context\ntarget_metadata = x\n");
    assert!(check_all(&[riddle, ("libs/shop/models.py", bare)]).is_empty());
    for path in [
        "docs/app.py",
        "libs/examples/app.py",
        "libs/shop/tests.py",
        "libs/conftest.py",
        "libs/testing/models.py",
        "libs/test_models.py",
    ] {
        assert!(check_all(&[far, (path, bare)]).is_empty(), "{path}");
    }
    for text in [
        "from sqlalchemy.ext.automap import automap_base\nBase = automap_base()\n",
        "from sqlalchemy import MetaData\nmetadata = MetaData()\nmetadata.reflect(bind=engine)\n",
        "from sqlalchemy import MetaData, Table\nmetadata = MetaData()\nt = Table('t', metadata, autoload_with=engine)\n",
        "from sqlalchemy import MetaData\nif __name__ == '__main__':\n    metadata = MetaData()\n",
    ] {
        assert!(check_all(&[far, ("libs/shop/models.py", text)]).is_empty(), "in\n{text}");
    }
    let written = "from sqlalchemy import MetaData, Table\nmetadata = MetaData()\nt = Table('t', metadata, autoload_with=engine)\nu = Table('u', metadata)\n";
    assert_eq!(lines(&check_all(&[far, ("libs/shop/models.py", written)])), [error]);
}

#[test]
fn a_fresh_environment_does_not_block_its_commit() {
    let env = "from alembic import context\ntarget_metadata = None\n";
    let found = check_all(&[("alembic.ini", "[alembic]\nscript_location = migrations\n"), ("migrations/env.py", env)]);
    assert!(found.is_empty(), "{found:?}");
    // None from a module is somebody's mistake.
    let found = check_all(&[ENV, ("app/models.py", "target_metadata = None\n")]);
    assert_eq!(lines(&found), ["app/models.py error: missing-naming-convention"]);
}
