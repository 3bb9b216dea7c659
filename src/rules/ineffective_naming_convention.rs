//! A naming convention that is written where neither SQLAlchemy nor Alembic reads it.

use crate::constraints::MetadataFile;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::project::{ConventionFacts, Early, MetadataFacts, Place, Spelling, Target};

pub(super) static RULE: Rule = Rule {
    name: "ineffective-naming-convention",
    summary: "a naming convention looks set and has no effect",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/ineffective-naming-convention.md"),
};

pub(super) fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    match &file.judged.target {
        Target::Metadata(facts) if is_ineffective(facts) => of_metadata(file, facts),
        Target::Metadata(facts) => facts
            .late
            .as_deref()
            .map(|(set, early)| too_late(file, facts, set, early))
            .into_iter()
            .collect(),
        Target::Several(several) => of_list(file, several),
        _ => Vec::new(),
    }
}

/// Whether somebody meant to give a convention and SQLAlchemy has none.
pub(super) fn is_ineffective(facts: &MetadataFacts) -> bool {
    matches!(facts.convention, ConventionFacts::Default) && !facts.ineffective.is_empty()
}

fn of_metadata(file: &MetadataFile<'_>, facts: &MetadataFacts) -> Vec<Diagnostic> {
    let source = file.module.file();
    let here = facts
        .ineffective
        .iter()
        .filter(|(place, _)| place.file.path() == source.path());
    let mut found: Vec<Diagnostic> = here
        .map(|(place, reason)| {
            Diagnostic::new(&RULE, source, place.span, "this naming convention has no effect")
                .focus(place.span, reason.clone())
                .related(file.judged.place.clone(), "this is the metadata that Alembic migrates, without a convention")
                .help(help(facts))
        })
        .collect();
    if found.is_empty() {
        let place = &file.judged.place;
        found.extend(facts.ineffective.first().map(|(other, reason)| {
            Diagnostic::new(&RULE, source, place.span, "its naming convention has no effect")
                .focus(place.span, "the metadata that Alembic migrates, without a convention")
                .related(other.clone(), reason.clone())
                .help(help(facts))
        }));
    }
    found
}

/// SQLAlchemy names a constraint when it is attached to its table (`sqlalchemy/sql/naming.py`), and never again.
fn too_late(file: &MetadataFile<'_>, facts: &MetadataFacts, set: &Place, early: &Early) -> Diagnostic {
    let source = file.module.file();
    let here = set.file.path() == source.path();
    let span = if here { set.span } else { file.judged.place.span };
    let mut diagnostic = Diagnostic::new(
        &RULE,
        source,
        span,
        "this naming convention comes too late for tables that are defined before it",
    )
    .focus(span, "SQLAlchemy names constraints while a table is defined, so autogenerate writes None for those")
    .related(early.table.clone(), "this table is defined before the convention is set")
    .help(help_too_late(file, facts, early));
    if !here {
        diagnostic = diagnostic.related(set.clone(), "the convention is set here");
    }
    diagnostic
}

fn help_too_late(file: &MetadataFile<'_>, facts: &MetadataFacts, early: &Early) -> String {
    match facts.spelling() {
        Spelling::Assigned(_) => format!("set it above {}", line_of(file, &early.statement)),
        _ => help(facts),
    }
}

/// "line 9", and of which file where that is another one.
pub(super) fn line_of(file: &MetadataFile<'_>, place: &Place) -> String {
    let line = place.file.position(place.span.start).line;
    if place.file.path() == file.module.file().path() {
        format!("line {line}")
    } else {
        format!("line {line} of `{}`", place.file.path())
    }
}

fn help(facts: &MetadataFacts) -> String {
    let code = facts.spelling().around("...");
    match facts.spelling() {
        Spelling::Assigned(_) => format!("set it on the metadata itself, before any table is defined: `{code}`"),
        _ => format!("give the convention to the MetaData itself: `{code}`"),
    }
}

/// A list is no mistake of its own, and its metadata name what autogenerate writes; only operations without a name get none.
fn of_list(file: &MetadataFile<'_>, several: &[MetadataFacts]) -> Vec<Diagnostic> {
    let has_one = |facts: &MetadataFacts| !matches!(facts.convention, ConventionFacts::Default);
    if !several.iter().any(has_one) {
        return Vec::new();
    }
    let place = &file.judged.place;
    let mut diagnostic = Diagnostic::new(
        &RULE,
        file.module.file(),
        place.span,
        "Alembic takes no naming convention from a list of metadata",
    )
    .focus(place.span, "an operation without a name stays unnamed, whatever these metadata say")
    .help("name every constraint in the migrations, or hand over one metadata for each environment");
    diagnostic.severity = Severity::Warning;
    vec![diagnostic]
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{ENV, WHOLE, check_all, check_models, lines, rules_of, shown};

    #[test]
    fn what_has_no_effect_is_shown_with_the_metadata() {
        let found = check_models(
            "from sqlalchemy.orm import DeclarativeBase\nNC = {'fk': 'fk_%(table_name)s'}\nclass Base(DeclarativeBase):\n    __metadata_args__ = {'naming_convention': NC}\ntarget_metadata = Base.metadata\n",
        );
        insta::assert_snapshot!(shown(&found), @r"
        4:5 error[ineffective-naming-convention]: this naming convention has no effect
          __metadata_args__ = {'naming_convention': NC}: SQLAlchemy has no `__metadata_args__`; the convention belongs to the `MetaData`
          3:7: this is the metadata that Alembic migrates, without a convention
          help: give the convention to the MetaData itself: `metadata = MetaData(naming_convention=...)`
        ");
    }

    #[test]
    fn conventions_without_effect_are_told() {
        let imports = "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase, as_declarative\nfrom flask_sqlalchemy import SQLAlchemy\n";
        for models in [
            "@as_declarative()\nclass Base:\n    metadata = MetaData(naming_convention=NC)\ntarget_metadata = Base.metadata\n",
            "class Base(DeclarativeBase):\n    pass\ndb = SQLAlchemy(model_class=Base, metadata=MetaData(naming_convention=NC))\ntarget_metadata = db.metadata\n",
            "class Base(DeclarativeBase):\n    __metadata_args__ = {'naming_convention': NC}\ntarget_metadata = Base.metadata\n",
            "target_metadata = [MetaData(naming_convention=NC)]\n",
        ] {
            let found = check_models(&format!("{imports}{WHOLE}{models}"));
            assert_eq!(rules_of(&found), [RULE.name].into(), "{models}\n{found:?}");
        }
        for models in [
            "target_metadata = MetaData(naming_convention=NC)\n",
            "def f():\n    m = MetaData()\n    return m\ntarget_metadata = object()\n",
        ] {
            let found = check_models(&format!("{imports}{WHOLE}{models}"));
            assert!(found.is_empty(), "{models}\n{found:?}");
        }
    }

    /// Seen with SQLAlchemy 2.1 and Alembic 1.20: tables that are there already keep constraints without names, and autogenerate writes None
    /// for them; only an operation without a name is named while it runs.
    #[test]
    fn a_convention_names_only_the_tables_that_come_after_it() {
        let late = ["app/models.py error: ineffective-naming-convention"];
        for (models, is_late) in [
            ("md = MetaData()\nt = Table('t', md)\nmd.naming_convention = NC\ntarget_metadata = md\n", true),
            ("md = MetaData()\nmd.naming_convention = NC\nt = Table('t', md)\ntarget_metadata = md\n", false),
            (
                "md = MetaData()\nt = Table('t', md)\nsetattr(md, 'naming_convention', NC)\ntarget_metadata = md\n",
                true,
            ),
            (
                "class Base(DeclarativeBase):\n    pass\nclass T(Base):\n    __tablename__ = 't'\nBase.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n",
                true,
            ),
            (
                "class Base(DeclarativeBase):\n    pass\nBase.metadata.naming_convention = NC\nclass T(Base):\n    __tablename__ = 't'\ntarget_metadata = Base.metadata\n",
                false,
            ),
            (
                "class Base(DeclarativeBase):\n    pass\nclass Mixin:\n    __tablename__ = 't'\nclass A(Base):\n    __abstract__ = True\nBase.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n",
                false,
            ),
            (
                "class T(SQLModel, table=True):\n    pass\nSQLModel.metadata.naming_convention = NC\ntarget_metadata = SQLModel.metadata\n",
                true,
            ),
        ] {
            let models = format!(
                "from sqlalchemy import MetaData, Table\nfrom sqlalchemy.orm import DeclarativeBase\nfrom sqlmodel import SQLModel\n{WHOLE}{models}"
            );
            let found = check_all(&[ENV, ("app/models.py", &models)]);
            assert_eq!(lines(&found), if is_late { &late[..] } else { &[] }, "in\n{models}");
        }
        let models = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\nclass T(Base):\n    __tablename__ = 't'\n";
        let env = format!(
            "from alembic import context\nfrom app.models import Base\n{WHOLE}Base.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n"
        );
        let found = check_all(&[("migrations/env.py", env.as_str()), ("app/models.py", models)]);
        assert_eq!(lines(&found), ["migrations/env.py error: ineffective-naming-convention"]);
    }

    const IMPORTS: &[&str] = &[
        "from app.models import Card",
        "from app.models import *",
        "from app import models",
        "import app.models",
        "import app.models as m",
        "try:\n    import app.models\nexcept ImportError:\n    pass",
    ];
    const DECLARATIVE: &str = "from app.base import Base\nclass Card(Base):\n    __tablename__ = 'card'\n";
    const SQLMODEL: &str = "from sqlmodel import SQLModel\nclass Card(SQLModel, table=True):\n    pass\n";
    const BASE: &str = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";

    fn project(models: &str, base: &str, conventions: &str, env: &str) -> Vec<(String, String)> {
        [
            ("app/models.py", models),
            ("app/base.py", base),
            ("app/conventions.py", conventions),
            ("migrations/env.py", &format!("from alembic import context\n{env}")),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .to_vec()
    }

    fn found(files: &[(String, String)]) -> Vec<String> {
        lines(&check_all(files))
    }

    /// Seen with SQLModel 0.0.39 and Alembic 1.20: tables that an import has defined already stay without names.
    #[test]
    fn every_import_of_tables_above_a_convention_makes_it_late() {
        for import in IMPORTS {
            for (take, base, models) in [
                ("from sqlmodel import SQLModel", "SQLModel", SQLMODEL),
                ("from app.base import Base", "Base", DECLARATIVE),
            ] {
                let set = format!("{WHOLE}{base}.metadata.naming_convention = NC\n");
                let target = format!("target_metadata = {base}.metadata\n");
                let late = project(models, BASE, "", &format!("{take}\n{import}\n{set}{target}"));
                let error = ["migrations/env.py error: ineffective-naming-convention"];
                assert_eq!(found(&late), error, "{late:#?}");
                let early = project(models, BASE, "", &format!("{take}\n{set}{import}\n{target}"));
                assert!(found(&early).is_empty(), "{early:#?}");
                // The same with the assignment in another module, which is run where it is imported.
                let module = format!("{take}\n{set}");
                let env = format!("from app.conventions import {base}\n{import}\n{target}");
                let early = project(models, BASE, &module, &env);
                assert!(found(&early).is_empty(), "{early:#?}");
                let env = format!("{import}\nfrom app.conventions import {base}\n{target}");
                let of_module = ["app/conventions.py error: ineffective-naming-convention"];
                assert_eq!(found(&project(models, BASE, &module, &env)), of_module, "{env}");
            }
        }
    }

    #[test]
    fn the_packages_around_a_module_are_run_before_it() {
        let set = format!("from app.base import Base\n{WHOLE}Base.metadata.naming_convention = NC\n");
        let env = "from app.base import Base\nfrom app.conventions import NC\ntarget_metadata = Base.metadata\n";
        let mut files = project(DECLARATIVE, BASE, &set, env);
        assert!(found(&files).is_empty());
        files.push(("app/__init__.py".to_owned(), "from . import models\n".to_owned()));
        assert_eq!(found(&files), ["app/conventions.py error: ineffective-naming-convention"]);
        files[4].1.insert_str(0, "from . import conventions\n");
        assert!(found(&files).is_empty());
    }

    #[test]
    fn a_table_may_get_its_name_from_its_bases() {
        let base = "from sqlalchemy.orm import DeclarativeBase, declared_attr\nclass Base(DeclarativeBase):\n    @declared_attr.directive\n    def __tablename__(cls):\n        return cls.__name__.lower()\n";
        let flask = "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nBase = db.Model\n";
        let card = "from app.base import Base\nimport sqlalchemy as sa\nclass Card(Base):\n    id = sa.Column(sa.Integer, primary_key=True)\n";
        for (base, set) in [(base, "Base.metadata"), (flask, "db.metadata")] {
            let take = format!("from app.base import {}\n", set.split_once('.').unwrap().0);
            let set = format!("{take}{WHOLE}{{0}}{set}.naming_convention = NC\n{{1}}target_metadata = {set}\n");
            let import = "import app.models\n";
            let late = set.replace("{0}", import).replace("{1}", "");
            assert_eq!(found(&project(card, base, "", &late)).len(), 1, "{late}");
            let early = set.replace("{0}", "").replace("{1}", import);
            assert!(found(&project(card, base, "", &early)).is_empty(), "{early}");
        }
    }

    #[test]
    fn a_convention_that_is_set_again_came_in_time() {
        let again = format!(
            "from app.base import Base\nimport app.models\n{WHOLE}Base.metadata.naming_convention = NC\ntarget_metadata = Base.metadata\n"
        );
        for base in [
            format!(
                "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n{WHOLE}class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NC)\n"
            ),
            format!("{BASE}{WHOLE}Base.metadata.naming_convention = NC\n"),
        ] {
            let files = project(DECLARATIVE, &base, "", &again);
            assert!(found(&files).is_empty(), "{files:#?}");
        }
    }

    /// A `MetaData` of its own would have none of SQLModel's tables, and autogenerate would drop them all.
    #[test]
    fn the_metadata_of_sqlmodel_is_never_replaced() {
        let env = format!(
            "from sqlmodel import SQLModel\nimport app.models\n{WHOLE}SQLModel.metadata.naming_convention = NC\ntarget_metadata = SQLModel.metadata\n"
        );
        let help = check_all(&project(SQLMODEL, BASE, "", &env))
            .pop()
            .unwrap()
            .help
            .unwrap();
        assert_eq!(help, "set it above line 3");
    }
}
