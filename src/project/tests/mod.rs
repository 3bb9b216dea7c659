//! Which metadata and convention small projects lead to.

mod bounds;
mod causes;
mod certain;
mod values;

use super::*;
use crate::naming::ConstraintKind;
use crate::snapshot::MemorySnapshot;

/// The convention of an environment, or why there is none.
fn verdict(files: &[(&str, &str)]) -> String {
    verdict_of(files, "migrations/versions/a.py")
}

fn verdict_of(files: &[(&str, &str)], migration: &str) -> String {
    told(&naming(files, migration))
}

pub(super) fn naming(files: &[(&str, &str)], migration: &str) -> Rc<Naming> {
    let snapshot: MemorySnapshot = files.iter().copied().collect();
    let project = Project::new(&snapshot, "/repo");
    project.naming(&SourceFile::new(migration.into(), String::new()))
}

fn trail(naming: &Naming) -> Vec<String> {
    naming.trail.iter().map(ToString::to_string).collect()
}

fn told(naming: &Naming) -> String {
    match &naming.target {
        Target::Nothing => "nothing".to_owned(),
        Target::Several(several) => format!("several: {}", several.len()),
        Target::ByDatabase(databases) => {
            let one = |(name, facts): &(String, MetadataFacts)| format!("{name}={}", convention(&facts.convention));
            databases.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        Target::Unknown(reason) => format!("unknown: {reason}"),
        Target::Metadata(facts) => convention(&facts.convention),
    }
}

fn convention(facts: &ConventionFacts) -> String {
    match facts {
        ConventionFacts::Default => "default".to_owned(),
        ConventionFacts::Unknown(reason, _) => format!("unreadable: {reason}"),
        ConventionFacts::Known(convention, _) => match convention.template_for(ConstraintKind::ForeignKey) {
            Some(crate::naming::Value::Template(template)) => template.clone(),
            Some(other) => format!("{other:?}"),
            None => "no fk".to_owned(),
        },
    }
}

/// A module whose convention for foreign keys is `F`.
const MODELS: &str = "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nmetadata = MetaData(naming_convention={'fk': 'F'})\nclass Base(DeclarativeBase):\n    metadata = metadata\n";

#[track_caller]
fn env(env: &str, expected: &str) {
    let files = [("migrations/env.py", env), ("app/__init__.py", ""), ("app/models.py", MODELS)];
    assert_eq!(verdict(&files), expected, "\n{env}");
}

#[test]
fn target_metadata_is_followed_in_every_spelling() {
    for text in [
        "from app.models import Base\ntarget_metadata = Base.metadata\n",
        "from app import models\ntarget_metadata = models.Base.metadata\n",
        "import app.models\ntarget_metadata = app.models.Base.metadata\n",
        "import app.models as m\ntarget_metadata = m.metadata\n",
        "from app.models import *\ntarget_metadata = metadata\n",
        "from app.models import metadata as target_metadata\n",
        "from app.models import metadata\ndef run():\n    context.configure(connection=c, target_metadata=metadata)\n",
        "from app.models import metadata\ndef get_metadata():\n    return metadata\ndef run():\n    context.configure(target_metadata=get_metadata())\n",
        "import sys\nsys.path.insert(0, 'x')\ntry:\n    from app.models import metadata\nexcept ImportError:\n    metadata = None\ntarget_metadata = metadata\n",
        "from app.models import Base\nif True:\n    target_metadata = Base.metadata\nelse:\n    target_metadata = None\n",
        "from app.models import Base\ntarget_metadata = getattr(Base, 'metadata')\n",
        "target_metadata = None\nfrom app.models import Base\ntarget_metadata = Base.metadata\n",
        "import importlib\nfrom app.models import Base as B\nx = [B]\ntarget_metadata = x[0].metadata\n",
    ] {
        env(&format!("from alembic import context\n{text}"), "F");
    }
}

#[test]
fn a_target_that_is_not_one_metadata_is_recognized() {
    for (text, expected) in [
        ("target_metadata = None", "nothing"),
        ("from app.models import metadata\ntarget_metadata = [metadata]", "several: 1"),
        ("from app.models import metadata\ntarget_metadata = (metadata, metadata)", "several: 2"),
        (
            "from app.models import metadata\nfrom sqlalchemy import MetaData\ntarget_metadata = {'engine1': metadata, 'engine2': MetaData()}\ndef run(name):\n    context.configure(target_metadata=target_metadata.get(name))",
            "engine1=F engine2=default",
        ),
        (
            "from elsewhere import metadata\ntarget_metadata = metadata",
            "unknown: `elsewhere.metadata` is not part of this repository",
        ),
        (
            "from app.nothing import metadata\ntarget_metadata = metadata",
            "unknown: `metadata` was not found in `app.nothing`",
        ),
        (
            "import os\nif os.environ['X']:\n    from app.models import metadata\nelse:\n    from sqlalchemy import MetaData\n    metadata = MetaData()\ntarget_metadata = metadata",
            "unknown: which metadata it is depends on something known only at run time",
        ),
    ] {
        env(&format!("from alembic import context\n{text}\n"), expected);
    }
}

#[test]
fn env_py_itself_may_set_the_convention() {
    let sets = "from alembic import context\nfrom sqlmodel import SQLModel\nfrom app.models import NC\nSQLModel.metadata.naming_convention = NC\ntarget_metadata = SQLModel.metadata\n";
    assert_eq!(verdict(&[("migrations/env.py", sets), ("app/models.py", "NC = {'fk': 'G'}\n")]), "G");
    env(
        "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\ntarget_metadata.naming_convention = {'fk': 'H'}\n",
        "H",
    );
    env(
        "from alembic import context\nfrom sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n",
        "default",
    );
}

#[test]
fn imports_are_resolved_as_python_does() {
    let env = "from alembic import context\nfrom shop.db import Base\ntarget_metadata = Base.metadata\n";
    let base = "from .meta import metadata\nfrom sqlalchemy.orm import declarative_base\nBase = declarative_base(metadata=metadata)\n";
    let meta =
        "from sqlalchemy import MetaData\nfrom ..conventions import NC\nmetadata = MetaData(naming_convention=NC)\n";
    for root in ["", "src/", "backend/"] {
        let place = |path: &str| format!("{root}{path}");
        let ini = "[alembic]\nscript_location = migrations\nprepend_sys_path = . backend\n";
        let files = [
            ("migrations/env.py".to_owned(), env.to_owned()),
            ("alembic.ini".to_owned(), ini.to_owned()),
            (place("shop/__init__.py"), String::new()),
            (place("shop/conventions.py"), "NC = {'fk': 'R'}\n".to_owned()),
            (place("shop/db/__init__.py"), "from .base import *\n".to_owned()),
            (place("shop/db/base.py"), format!("__all__ = ['Base']\n{base}")),
            (place("shop/db/meta.py"), meta.to_owned()),
        ];
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(verdict(&files), "R", "below `{root}`");
    }
}

#[test]
fn a_star_import_takes_what_all_names() {
    let env = "from alembic import context\nfrom app import *\ntarget_metadata = metadata\n";
    let hidden = "from app.models import metadata\n__all__ = ['other']\n";
    let files = [("migrations/env.py", env), ("app/__init__.py", hidden), ("app/models.py", MODELS)];
    assert!(verdict(&files).starts_with("unknown: `metadata` is not defined"), "{}", verdict(&files));
}

#[test]
fn cycles_and_endless_recursion_end() {
    let env = "from alembic import context\nfrom a import target_metadata\n";
    let files = [
        ("migrations/env.py", env),
        ("a.py", "from b import x\ntarget_metadata = x\n"),
        ("b.py", "from a import target_metadata as x\n"),
    ];
    assert!(verdict(&files).starts_with("unknown"));
    let endless = "from alembic import context\ndef f(n):\n    return f(n)\ntarget_metadata = f(1)\n";
    assert!(verdict(&[("migrations/env.py", endless)]).starts_with("unknown"));
    let many = "from alembic import context\ndef f(n):\n    return [f(n), f(n), f(n)]\ntarget_metadata = f(1)\n";
    assert!(!verdict(&[("migrations/env.py", many)]).is_empty());
}

#[track_caller]
fn models(models: &str, expected: &str) {
    let env = "from alembic import context\nfrom app.models import target_metadata\n";
    let files = [
        ("migrations/env.py", env),
        ("app/__init__.py", ""),
        ("app/models.py", models),
        (
            "app/names.py",
            "FK = 'X'\nNC = {'fk': FK}\nclass Settings:\n    naming = {'fk': 'S'}\nclass Loaded:\n    def __init__(self, prefix='L'):\n        self.naming = {'fk': prefix}\n",
        ),
    ];
    assert_eq!(verdict(&files), expected, "\n{models}");
}

#[test]
fn conventions_are_followed_to_their_value() {
    for (value, expected) in [
        ("from .names import NC\nx = NC", "X"),
        ("from . import names\nx = names.NC", "X"),
        ("from app.names import FK\nx = dict(fk=FK)", "X"),
        ("x = dict([('fk', 'P'), ('pk', 'Q')])", "P"),
        ("x = dict((('fk', 'P'),))", "P"),
        ("from .names import NC\nx = {'pk': 'a', **NC}", "X"),
        ("from .names import NC\nx = {'fk': 'a'} | NC", "X"),
        ("from .names import NC\nx = {}\nx |= NC", "X"),
        ("x = {}\nx.update(fk='U')", "U"),
        ("x = {}\nx.update({'fk': 'U'}, pk='V')", "U"),
        ("x = {}\nx['fk'] = 'I'", "I"),
        ("x = {}\nx.setdefault('fk', 'D')", "D"),
        ("from .names import NC\nx = NC.copy()\nx['fk'] = 'C'", "C"),
        ("import copy\nfrom .names import NC\nx = copy.deepcopy(NC)", "X"),
        ("from sqlalchemy.util import immutabledict\nx = immutabledict({'fk': 'M'})", "M"),
        ("from types import MappingProxyType\nx = MappingProxyType({'fk': 'M'})", "M"),
        ("from .names import Settings\nx = Settings.naming", "S"),
        ("from .names import Loaded\nx = Loaded().naming", "L"),
        ("from .names import Loaded\nx = Loaded(prefix='K').naming", "K"),
        ("def make(prefix='f'):\n    return {'fk': prefix + '_k'}\nx = make()", "f_k"),
        ("def make(**names):\n    return names\nx = make(fk='KW')", "KW"),
        ("x = {'fk': 'a' 'b'\n 'c'}", "abc"),
        ("p = 'fk'\nx = {p: f'{p}_%(table_name)s'}", "fk_%(table_name)s"),
        ("x: 'dict' = {'fk': 'A'}", "A"),
        ("if (x := {'fk': 'W'}):\n    pass", "W"),
        ("from typing import cast\nx = cast(dict, {'fk': 'T'})", "T"),
        ("import os\nx = {'fk': 'O'} if os.environ.get('A') else None", "O"),
        ("from sqlalchemy import ForeignKeyConstraint\nx = {ForeignKeyConstraint: 'CLS'}", "CLS"),
        ("import sqlalchemy as sa\nx = {sa.ForeignKeyConstraint: 'CLS'}", "CLS"),
        ("x = {'FK': 'no'}", "no fk"),
        ("x = {}", "default"),
        ("x = None", "default"),
    ] {
        models(
            &format!("from sqlalchemy import MetaData\n{value}\ntarget_metadata = MetaData(naming_convention=x)\n"),
            expected,
        );
    }
}

#[test]
fn an_unknown_convention_has_a_reason() {
    for (value, expected) in [
        (
            "import json\nx = json.load(open('names.json'))",
            "unreadable: what `json.load()` gives is not known",
        ),
        (
            "from company.names import NC\nx = NC",
            "unreadable: `company.names.NC` is not part of this repository",
        ),
        ("from company.names import NC\nx = {**NC}", "unreadable: a part of the dict is computed"),
        (
            "import os\nx = {'fk': 'a'} if os.environ.get('A') else {'fk': 'b'}",
            "unreadable: which convention it is depends on something known only at run time",
        ),
        ("import os\nx = {'fk': os.environ['FK']}", "Unknown(\"it is taken out of a library's object\")"),
    ] {
        models(
            &format!("from sqlalchemy import MetaData\n{value}\ntarget_metadata = MetaData(naming_convention=x)\n"),
            expected,
        );
    }
}

#[test]
fn metadata_is_followed_through_the_makers_of_sqlalchemy_and_others() {
    for (text, expected) in [
        (
            "from sqlalchemy import MetaData\nclass M(MetaData):\n    def __init__(self):\n        super().__init__(naming_convention={'fk': 'SUB'})\ntarget_metadata = M()",
            "SUB",
        ),
        (
            "from sqlalchemy import MetaData\nclass M(MetaData):\n    naming_convention = {'fk': 'SUB'}\ntarget_metadata = M()",
            "default",
        ),
        (
            "from sqlalchemy import MetaData\nclass M(MetaData):\n    pass\ntarget_metadata = M(naming_convention={'fk': 'A'})",
            "A",
        ),
        (
            "from sqlalchemy.orm import registry, DeclarativeBase\nfrom sqlalchemy import MetaData\nclass Base(DeclarativeBase):\n    registry = registry(metadata=MetaData(naming_convention={'fk': 'REG'}))\ntarget_metadata = Base.metadata",
            "REG",
        ),
        (
            "from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass\nfrom sqlalchemy import MetaData\nclass Base(MappedAsDataclass, DeclarativeBase):\n    metadata = MetaData(naming_convention={'fk': 'DC'})\nclass User(Base):\n    pass\ntarget_metadata = User.metadata",
            "DC",
        ),
        (
            "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\nBase.metadata.naming_convention = {'fk': 'ATT'}\ntarget_metadata = Base.metadata",
            "ATT",
        ),
        (
            "from sqlalchemy.ext.automap import automap_base\nfrom sqlalchemy import MetaData\nBase = automap_base(metadata=MetaData(naming_convention={'fk': 'AUTO'}))\ntarget_metadata = Base.metadata",
            "AUTO",
        ),
        (
            "from flask_sqlalchemy import SQLAlchemy as Base\nclass DB(Base):\n    pass\nfrom sqlalchemy import MetaData\ndb = DB(metadata=MetaData(naming_convention={'fk': 'FSA'}))\ntarget_metadata = db.metadatas[None]",
            "FSA",
        ),
        (
            "from sqlmodel import SQLModel\nfrom sqlalchemy import MetaData\nclass Base(SQLModel):\n    metadata = MetaData(naming_convention={'fk': 'SM'})\nclass Hero(Base, table=True):\n    pass\ntarget_metadata = Hero.metadata",
            "SM",
        ),
        (
            "from litestar.plugins.sqlalchemy import base\ntarget_metadata = base.UUIDBase.metadata",
            "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        ),
        (
            "from sqlalchemy import MetaData\ndef make():\n    m = MetaData()\n    m.naming_convention = {'fk': 'FN'}\n    return m\ntarget_metadata = make()",
            "FN",
        ),
    ] {
        models(&format!("{text}\n"), expected);
    }
}

#[test]
fn an_older_flask_migrate_leads_to_the_database_that_it_was_given() {
    let single = "from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\nfrom flask_migrate import Migrate\napp = Flask(__name__)\ndb = SQLAlchemy(app)\nmigrate = Migrate(app, db)\n";
    let older = "from flask import current_app\nfrom alembic import context\ntarget_metadata = current_app.extensions['migrate'].db.metadata\n";
    assert_eq!(verdict(&[("migrations/env.py", older), ("app.py", single)]), "default");
    assert!(verdict(&[("migrations/env.py", older)]).starts_with("unknown"));
}

#[test]
fn each_service_of_a_monorepo_has_its_own_convention() {
    let env = "from alembic import context\nfrom app.models import metadata as target_metadata\n";
    let files = [
        ("a/migrations/env.py", env),
        (
            "a/app/models.py",
            "from sqlalchemy import MetaData\nmetadata = MetaData(naming_convention={'fk': 'A'})\n",
        ),
        ("b/migrations/env.py", env),
        (
            "b/app/models.py",
            "from sqlalchemy import MetaData\nmetadata = MetaData(naming_convention={'fk': 'B'})\n",
        ),
    ];
    assert_eq!(verdict_of(&files, "a/migrations/versions/x.py"), "A");
    assert_eq!(verdict_of(&files, "b/migrations/versions/x.py"), "B");
}

#[test]
fn only_modules_that_lead_to_the_metadata_are_read() {
    let env = "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n";
    let files = [
        ("alembic.ini", "[alembic]\nscript_location = migrations\n"),
        ("migrations/env.py", env),
        ("app/__init__.py", ""),
        ("app/models.py", MODELS),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    let others = (0..500).map(|number| (format!("app/other{number}.py"), "import nothing\n"));
    let snapshot: MemorySnapshot = others.chain(files).collect();
    let project = Project::new(&snapshot, "/repo");
    let naming = project.naming(&SourceFile::new("migrations/versions/a.py".into(), String::new()));
    assert_eq!(trail(&naming), ["app/models.py", "migrations/env.py"]);
    let mut read = snapshot.reads().into_iter();
    assert_eq!(read.find(|path| path.to_string().contains("other")), None);
    let before = snapshot.reads().len();
    let _ = project.naming(&SourceFile::new("migrations/versions/b.py".into(), String::new()));
    assert_eq!(snapshot.reads().len(), before, "the second migration reads nothing again");
}
