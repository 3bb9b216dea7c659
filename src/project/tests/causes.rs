//! Shapes of real projects, each reduced to the few files that matter.

use super::*;

/// The convention of the models below.
const NC: &str = "NC = {'fk': 'F'}\n";

#[track_caller]
fn leads_to(files: &[(&str, &str)], expected: &str) {
    assert_eq!(verdict(files), expected, "\n{files:#?}");
}

#[track_caller]
fn env_leads_to(env: &str, models: &str, expected: &str) {
    leads_to(
        &[
            ("migrations/env.py", &format!("from alembic import context\n{env}")),
            ("app/__init__.py", ""),
            ("app/models.py", &format!("{NC}{models}")),
        ],
        expected,
    );
}

const BASE: &str = "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NC)\n";

#[test]
fn target_metadata_is_a_name_of_the_function_that_configures() {
    for env in [
        "def run():\n    from app.models import Base\n    context.configure(target_metadata=Base.metadata)\nrun()\n",
        "from app import models\ndef run():\n    target_metadata = models.Base.metadata\n    context.configure(target_metadata=target_metadata)\n",
        "from app import models\ndef run(target):\n    context.configure(target_metadata=target)\nrun(models.Base.metadata)\n",
        "from app import models\ndef run(*, target=None):\n    context.configure(target_metadata=target)\nrun(target=models.Base.metadata)\n",
        "from app import models\ndef get():\n    return models.Base.metadata\ndef run():\n    context.configure(target_metadata=get())\n",
        "from app import models\ndef get():\n    if False:\n        return None\n    m = models.Base\n    return m.metadata\ndef run():\n    context.configure(target_metadata=get())\n",
        "from app import models\nconf = {}\ndef run():\n    conf.update({'target_metadata': models.Base.metadata})\n    context.configure(connection=1, **conf)\n",
        "from app import models\ndef run():\n    context.configure(url='x')\ndef online():\n    context.configure(target_metadata=models.Base.metadata)\n",
        "import app.models\ntarget_metadata = app.models.Base.metadata\ndef run(target_metadata):\n    context.configure(target_metadata=target_metadata)\n",
    ] {
        env_leads_to(env, BASE, "F");
    }
    env_leads_to("def run():\n    context.configure(connection=c)\n", BASE, "nothing");
    env_leads_to(
        "from app.models import Base\ndef run():\n    target_metadata = Base.metadata\n    context.configure(target_metadata=target_metadata)\n",
        "class Base:\n    metadata = None\n",
        "nothing",
    );
}

#[test]
fn configure_may_be_called_by_a_class_of_another_module() {
    let tool = "from app.models import Base\nclass Runner:\n    def __init__(self, engine, metadata=Base.metadata):\n        self.metadata = metadata\n    def run(self, context):\n        context.configure(connection=1, target_metadata=self.metadata)\n";
    let models = format!("{NC}{BASE}");
    let files = |env: &'static str| {
        [
            ("migrations/env.py", env),
            ("app/__init__.py", ""),
            ("app/models.py", models.as_str()),
            ("app/tool.py", tool),
        ]
    };
    leads_to(&files("from alembic import context\nfrom app.tool import Runner\nRunner(None).run(context)\n"), "F");
    leads_to(
        &files("from alembic import context\nfrom app.tool import Runner\nRunner(None, metadata=None).run(context)\n"),
        "nothing",
    );
}

#[test]
fn code_that_does_not_run_is_left_out() {
    for models in [
        "if TYPE_CHECKING:\n    Base = Any\nelse:\n    Base = declarative_base(metadata=MetaData(naming_convention=NC))\n",
        "try:\n    from nowhere import Base\nexcept ImportError:\n    Base = None\nBase = declarative_base(metadata=MetaData(naming_convention=NC))\n",
        "def make():\n    if 1:\n        return MetaData(naming_convention=NC)\n    return MetaData()\nBase = declarative_base(metadata=make())\n",
        "DEBUG = False\nif DEBUG:\n    Base = declarative_base()\nelse:\n    Base = declarative_base(metadata=MetaData(naming_convention=NC))\n",
        "class Tool:\n    @property\n    def Base(self):\n        return Inner\nclass Inner:\n    metadata = MetaData(naming_convention=NC)\nBase = Tool().Base\n",
        "Base = declarative_base()\nBase.metadata = MetaData(naming_convention=NC)\n",
        "mapper = registry(metadata=MetaData(naming_convention=NC))\nBase = mapper.generate_base()\n",
        "class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NC)\n    mapper.metadata = metadata\n",
        "metadata = MetaData(naming_convention=dict(tuple(NC.items())))\nclass Base:\n    pass\nBase.metadata = metadata\n",
        "def f():\n    global Base\n    Base = declarative_base(metadata=MetaData(naming_convention=NC))\n",
    ] {
        let models = format!(
            "from typing import Any, TYPE_CHECKING\nfrom sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase, declarative_base, registry\n{models}"
        );
        env_leads_to("from app.models import Base\ntarget_metadata = Base.metadata\n", &models, "F");
    }
}

#[test]
fn bases_of_other_distributions_are_known_by_the_table() {
    let documented = "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s";
    for (import, target, expected) in [
        ("from neutron_lib.db import model_base", "model_base.BASEV2.metadata", "default"),
        ("from ckan.model.meta import metadata", "metadata", "default"),
        ("from ckan.plugins import toolkit", "toolkit.BaseModel.metadata", "default"),
        ("from sqlalchemy_helpers import Base", "Base.metadata", documented),
        ("from sqlalchemy_helpers.aio import Base", "Base.metadata", documented),
        ("from sqlalchemy_helpers import get_base\nBase = get_base()", "Base.metadata", documented),
        ("from flask_appbuilder import Model", "Model.metadata", "default"),
        ("from airflow.models.base import Base", "Base.metadata", "%(table_name)s_%(column_0_name)s_fkey"),
        ("from airflow.models.base import metadata", "metadata", "%(table_name)s_%(column_0_name)s_fkey"),
        ("from mautrix.util.db import Base", "Base.metadata", "default"),
        ("from invenio_db import db", "db.metadata", documented),
        (
            "from neutron_lib.db.model_base import BASEV2\nBASEV2.metadata.naming_convention = {'fk': 'SET'}",
            "BASEV2.metadata",
            "SET",
        ),
        (
            "from somewhere.else_ import Base",
            "Base.metadata",
            "unknown: `somewhere.else_.Base.metadata` is not part of this repository",
        ),
    ] {
        let env = format!("from alembic import context\n{import}\ntarget_metadata = {target}\n");
        leads_to(&[("migrations/env.py", &env)], expected);
    }
    // A part of the package is here, and what is asked for is not.
    let env = "from alembic import context\nfrom airflow.models.base import Base\ntarget_metadata = Base.metadata\n";
    leads_to(
        &[
            ("airflow/providers/x/migrations/env.py", env),
            ("airflow/providers/x/__init__.py", ""),
            ("migrations/env.py", env),
        ],
        "%(table_name)s_%(column_0_name)s_fkey",
    );
}

const FLASK: &str = "from flask import current_app\nfrom alembic import context\ntarget_db = current_app.extensions['migrate'].db\ndef get_metadata():\n    if hasattr(target_db, 'metadatas'):\n        return target_db.metadatas[None]\n    return target_db.metadata\ndef run():\n    context.configure(connection=1, target_metadata=get_metadata())\n";
const DATABASE: &str = "from flask_sqlalchemy import SQLAlchemy\nfrom sqlalchemy import MetaData\nNC = {'fk': 'F'}\ndb = SQLAlchemy(metadata=MetaData(naming_convention=NC))\n";

#[test]
fn the_database_of_a_flask_application_is_found_wherever_it_is_passed() {
    for app in [
        "from flask_migrate import Migrate\nfrom web.db import db\nmigrate = Migrate(app, db)\n",
        "from flask_migrate import Migrate as M\nfrom web.db import db\nmigrate = M(app=app, db=db)\n",
        "import flask_migrate\nfrom web import db as database\nflask_migrate.Migrate(db=database.db)\n",
        "from flask_migrate import Migrate\nmigrate = Migrate()\ndef create_app():\n    from .db import db\n    migrate.init_app(app, db)\n",
        "from flask_migrate import Migrate\nfrom .db import db\nmigrate = Migrate()\ndef create_app():\n    migrate.init_app(app, db=db)\n",
        "from flask_migrate import Migrate\nfrom .db import db\nclass Ours(Migrate):\n    pass\ndef create_app(script):\n    if not script:\n        migrate = Ours(app, db)\n",
        "from .ext import migrate\nfrom .db import db\ndef create_app():\n    migrate.init_app(app, db)\n",
        // Nothing hands it over, and there is one.
        "from .db import db\n",
    ] {
        for place in ["web/migrations", "migrations", "web/model/deep/migrations"] {
            let env = format!("{place}/env.py");
            let files = [
                (env.as_str(), FLASK),
                ("web/__init__.py", ""),
                ("web/app.py", app),
                ("web/db.py", DATABASE),
                ("web/ext.py", "from flask_migrate import Migrate\nmigrate = Migrate()\n"),
            ];
            let found = verdict_of(&files, &format!("{place}/versions/a.py"));
            assert_eq!(found, "F", "in {place}\n{app}");
        }
    }
    for (env, database) in [
        ("from flask import current_app\nfrom alembic import context\ntarget_metadata = current_app.db.metadata\n", DATABASE.to_owned()),
        (FLASK, "from flask_sqlalchemy import SQLAlchemy\ndef init(app):\n    global db\n    db = SQLAlchemy(app, metadata=md)\nfrom sqlalchemy import MetaData\nmd = MetaData(naming_convention={'fk': 'F'})\n".to_owned()),
        (FLASK, "from flask_sqlalchemy import SQLAlchemy as S\nclass Database(S):\n    pass\nfrom sqlalchemy import MetaData\ndb = Database(metadata=MetaData(naming_convention={'fk': 'F'}))\n".to_owned()),
        (FLASK, "from flask_sqlalchemy import SQLAlchemy\nfrom flask_sqlalchemy.model import Model\nclass Own(Model):\n    pass\nfrom sqlalchemy import MetaData\ndb = SQLAlchemy(model_class=Own, metadata=MetaData(naming_convention={'fk': 'F'}))\n".to_owned()),
    ] {
        let app = "from flask_migrate import Migrate\nfrom web.db import db\nmigrate = Migrate(app, db)\n";
        let files = [("migrations/env.py", env), ("web/__init__.py", ""), ("web/app.py", app), ("web/db.py", &database)];
        leads_to(&files, "F");
    }
}

/// A service takes its database from a package that is installed, and the one beside it makes one of its own.
#[test]
fn the_database_of_a_neighbour_is_not_the_applications() {
    let app = "from shop_model import db\ndef create_app():\n    app = Flask(__name__)\n    db.init_app(app)\n";
    let files = [
        ("services/mail/migrations/env.py", FLASK),
        ("services/mail/pyproject.toml", ""),
        ("services/mail/app.py", app),
        ("services/pay/db.py", DATABASE),
    ];
    let mail = "services/mail/migrations/versions/a.py";
    assert!(verdict_of(&files, mail).starts_with("unknown: "));
    // Of one project they may be in different folders, and one that has no application has it elsewhere.
    assert_eq!(verdict_of(&[files[0], files[2], files[3]], mail), "F");
    assert_eq!(verdict_of(&[files[0], files[1], files[3]], mail), "F");
}

#[test]
fn a_project_without_env_py_has_the_database_of_its_application() {
    let app = "from flask_alembic import Alembic\nfrom web.db import db\nalembic = Alembic()\n";
    let files = [("web/__init__.py", ""), ("web/app.py", app), ("web/db.py", DATABASE)];
    assert_eq!(verdict_of(&files, "web/migrations/a.py"), "F");
    let invenio = [("records/__init__.py", ""), ("records/models.py", "from invenio_db import db\n")];
    assert!(verdict_of(&invenio, "records/alembic/a.py").starts_with("fk_%(table_name)s"));
    assert!(
        verdict_of(&[("other/models.py", "x = 1\n")], "other/alembic/a.py")
            .starts_with("unknown: no Alembic environment")
    );
}

#[test]
fn metadata_that_env_py_fills_with_copies_is_not_the_one() {
    env_leads_to(
        "from sqlalchemy import MetaData\nfrom app.models import Base\ndef get():\n    m = MetaData()\n    for t in Base.metadata.tables.values():\n        t.tometadata(m)\n    return m\ndef run():\n    context.configure(target_metadata=get())\n",
        BASE,
        "unknown: `env.py` fills it with tables of other metadata",
    );
}

#[test]
fn a_module_is_judged_by_the_metadata_that_it_makes() {
    let judged = |files: &[(&str, &str)], module: &str| -> Vec<usize> {
        let snapshot: MemorySnapshot = files.iter().copied().collect();
        let project = Project::new(&snapshot, "/repo");
        let (_, text) = files.iter().find(|(path, _)| *path == module).unwrap();
        let file = SourceFile::new(module.into(), (*text).to_owned());
        project
            .judged(&file)
            .iter()
            .map(|one| file.position(one.place.span.start).line)
            .collect()
    };
    let env = "from alembic import context\nfrom app.models import metadata\nNC = {'fk': 'F'}\nmetadata.naming_convention = NC\ntarget_metadata = metadata\n";
    let files = [
        ("migrations/env.py", env),
        ("app/__init__.py", ""),
        ("app/models.py", "from sqlalchemy import MetaData\nmetadata = MetaData()\n"),
        ("app/other.py", "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"),
    ];
    // One cause is one finding: the convention stands in `env.py`.
    assert_eq!(judged(&files, "migrations/env.py"), [3]);
    assert!(judged(&files, "app/models.py").is_empty());
    // No environment migrates it, though it stands beside the models.
    assert!(judged(&files, "app/other.py").is_empty());
    let library = "from alembic import context\nfrom neutron_lib.db.model_base import BASEV2\ntarget_metadata = BASEV2.metadata\n";
    assert!(judged(&[("migrations/env.py", library)], "migrations/env.py").is_empty());
    let list = "from alembic import context\nfrom app.models import a, b\ntarget_metadata = [a, b]\n";
    let models = "from sqlalchemy import MetaData\na = MetaData()\nb = MetaData()\n";
    let files = [("migrations/env.py", list), ("app/__init__.py", ""), ("app/models.py", models)];
    assert_eq!(judged(&files, "app/models.py"), [2, 3]);
    assert!(judged(&files, "migrations/env.py").is_empty());
}

/// Each is in force while Alembic runs, though nothing is taken from the module that sets it.
#[test]
fn a_convention_may_be_set_by_a_module_that_nothing_is_taken_from() {
    let base = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";
    let set = format!("from app.models import Base\n{NC}Base.metadata.naming_convention = NC\n");
    let apply = format!("{NC}def apply(metadata, convention=NC):\n    metadata.naming_convention = convention\n");
    let on_base = format!("{NC}def apply(base):\n    setattr(base.metadata, 'naming_convention', NC)\n");
    let method = format!(
        "{NC}class Names:\n    @staticmethod\n    def apply(metadata):\n        metadata.naming_convention = NC\n"
    );
    for (package, conv, env, expected) in [
        (set.as_str(), "", "", "F"),
        ("from . import models\nmodels.Base.metadata.naming_convention = {'fk': 'G'}\n", "", "", "G"),
        ("", set.as_str(), "import app.conv\n", "F"),
        ("", &set, "from app import conv\n", "F"),
        ("", &set, "from app.conv import NC\n", "F"),
        ("", &apply, "from app.conv import apply\napply(Base.metadata)\n", "F"),
        ("", &apply, "from app.conv import apply as f\nf(Base.metadata, {'fk': 'G'})\n", "G"),
        ("", &apply, "import app.conv as c\nc.apply(metadata=Base.metadata)\n", "F"),
        ("", &on_base, "from app.conv import apply\napply(Base)\n", "F"),
        (
            "",
            &apply,
            "from app.conv import apply\nfrom sqlalchemy import MetaData\napply(MetaData())\n",
            "default",
        ),
        ("", &apply, "from app.conv import apply\n", "default"),
        ("", &set, "", "default"),
        (
            "",
            &method,
            "from app.conv import Names\nNames.apply(Base.metadata)\n",
            "unreadable: `apply` may set it",
        ),
    ] {
        let env =
            format!("from alembic import context\nfrom app.models import Base\n{env}target_metadata = Base.metadata\n");
        let files = [
            ("migrations/env.py", env.as_str()),
            ("app/__init__.py", package),
            ("app/models.py", base),
            ("app/conv.py", conv),
        ];
        leads_to(&files, expected);
    }
}

/// The shape of `env.py` as `flask db init --multidb` (Flask-Migrate 4.1), its form for asyncio, and `alembic init -t multidb` (Alembic 1.20) write
/// it. tests/e2e/multidb.py has them written by these themselves.
const MULTIDB: [&str; 3] = [
    include_str!("../../../tests/data/environments/flask_multidb.py"),
    include_str!("../../../tests/data/environments/aioflask_multidb.py"),
    include_str!("../../../tests/data/environments/multidb.py"),
];

#[test]
fn the_convention_reaches_every_bind_of_flask_sqlalchemy() {
    let [flask, aioflask, _] = MULTIDB;
    let app = |database: &str| {
        format!(
            "from flask_sqlalchemy import SQLAlchemy\nfrom flask_migrate import Migrate\nfrom sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n{NC}class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NC)\ndb = {database}\nMigrate(app, db)\n"
        )
    };
    for env in [flask, aioflask] {
        for (database, expected) in [
            ("SQLAlchemy(metadata=MetaData(naming_convention=NC))", "F"),
            ("SQLAlchemy(model_class=Base)", "F"),
            ("SQLAlchemy()", "default"),
            ("given()", "unknown: `given` is not defined where it is used"),
        ] {
            leads_to(&[("migrations/env.py", env), ("app.py", &app(database))], expected);
        }
    }
    for (given, expected) in [
        ("db.metadatas['users']", "F"),
        ("db.metadatas.get(bind)", "F"),
        ("list(db.metadatas.values())", "several: 1"),
        ("db.metadatas.copy()", "unknown: what `.copy()` gives is not known"),
    ] {
        let env =
            format!("from alembic import context\nfrom app import db\ncontext.configure(target_metadata={given})\n");
        let app = app("SQLAlchemy(metadata=MetaData(naming_convention=NC))");
        leads_to(&[("migrations/env.py", &env), ("app.py", &app)], expected);
    }
}

#[test]
fn each_database_of_alembics_template_has_its_own_metadata() {
    let [.., env] = MULTIDB;
    leads_to(&[("migrations/env.py", env)], "nothing");
    let filled = "from app.models import Base\nfrom sqlalchemy import MetaData\ntarget_metadata = {'engine1': Base.metadata, 'engine2': MetaData()}";
    let env = env.replace("\ntarget_metadata = {}", &format!("\n{filled}"));
    let models = format!("{NC}{BASE}");
    leads_to(&[("migrations/env.py", &env), ("app/models.py", &models)], "engine1=F engine2=default");
}

#[test]
fn a_library_gives_all_its_names_at_once() {
    for imports in [
        "from sqlalchemy import *\nfrom sqlalchemy.orm import *\n",
        "from sqlalchemy.orm import *\nfrom sqlalchemy import *\n",
    ] {
        let base = "class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NC)\n";
        env_leads_to(
            "from app.models import Base\ntarget_metadata = Base.metadata\n",
            &format!("{imports}{base}"),
            "F",
        );
    }
    env_leads_to(
        "from app.models import metadata\ntarget_metadata = metadata\n",
        "from sqlalchemy import *\nmetadata = MetaData(naming_convention=NC)\n",
        "F",
    );
    env_leads_to(
        "from app.models import metadata\ntarget_metadata = metadata\n",
        "from sqlalchemy import *\nmetadata = MetaData()\n",
        "default",
    );
}
