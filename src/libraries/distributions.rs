//! Bases and databases that other distributions ship, and their naming conventions.

use super::advanced_alchemy::{dict, documented};
use super::{kinds, shared};
use crate::python::values::{Arguments, Value};

/// The kind of a naming convention that is shipped by itself.
const CONVENTION: &str = "convention";

/// The naming convention of something that a distribution ships.
enum Shipped {
    Nothing,
    /// The one of SQLAlchemy's documentation.
    Documented,
    Own(&'static [(&'static str, &'static str)]),
}

/// The dotted names that something is imported by, its kind, and its naming convention. As of the versions in the comments.
const OFFERS: &[(&[&str], &str, Shipped)] = &[
    // neutron-lib 5.0.1, `neutron_lib/db/model_base.py`.
    (&["neutron_lib.db.model_base.BASEV2"], kinds::BASE, Shipped::Nothing),
    // ckan 2.12.0, `ckan/model/meta.py` and `ckan/plugins/toolkit.py`.
    (&["ckan.model.meta.metadata", "ckan.model.metadata"], kinds::METADATA, Shipped::Nothing),
    (&["ckan.model.meta.registry", "ckan.model.registry"], kinds::REGISTRY, Shipped::Nothing),
    (
        &["ckan.plugins.toolkit.BaseModel", "ckan.model.base.BaseModel", "ckan.model.meta.BaseModel"],
        kinds::BASE,
        Shipped::Nothing,
    ),
    // sqlalchemy-helpers 2.0.1, `sqlalchemy_helpers/manager.py` and `sqlalchemy_helpers/aio.py`.
    (
        &["sqlalchemy_helpers.Base", "sqlalchemy_helpers.manager.Base", "sqlalchemy_helpers.aio.Base"],
        kinds::BASE,
        Shipped::Documented,
    ),
    // Flask-AppBuilder 5.3.0, `flask_appbuilder/models/sqla/__init__.py`.
    (&["flask_appbuilder.Base", "flask_appbuilder.models.sqla.Base"], kinds::BASE, Shipped::Nothing),
    (&["flask_appbuilder.Model", "flask_appbuilder.models.sqla.Model"], kinds::BASE, Shipped::Nothing),
    // apache-airflow-core 3.3.2, `airflow/models/base.py`.
    (&["airflow.models.base.Base"], kinds::BASE, Shipped::Own(AIRFLOW)),
    (&["airflow.models.base.metadata"], kinds::METADATA, Shipped::Own(AIRFLOW)),
    (&["airflow.models.base.naming_convention"], CONVENTION, Shipped::Own(AIRFLOW)),
    // mautrix 0.21.1, `mautrix/util/db/base.py`.
    (&["mautrix.util.db.Base", "mautrix.util.db.base.Base"], kinds::BASE, Shipped::Nothing),
    // invenio-db 2.6.1, `invenio_db/shared.py`.
    (&["invenio_db.db", "invenio_db.shared.db"], kinds::DATABASE, Shipped::Documented),
    (&["invenio_db.shared.metadata"], kinds::METADATA, Shipped::Documented),
];

/// `airflow/models/base.py`, `naming_convention`.
const AIRFLOW: &[(&str, &str)] = &[
    ("ix", "idx_%(column_0_N_label)s"),
    ("uq", "%(table_name)s_%(column_0_N_name)s_uq"),
    ("ck", "ck_%(table_name)s_%(constraint_name)s"),
    ("fk", "%(table_name)s_%(column_0_name)s_fkey"),
    ("pk", "%(table_name)s_pkey"),
];

pub(super) fn external<'m>(name: &str) -> Option<Value<'m>> {
    let (_, kind, shipped) = OFFERS.iter().find(|(names, ..)| names.contains(&name))?;
    if *kind == CONVENTION {
        return Some(convention(shipped));
    }
    let metadata = shared(kinds::METADATA, name, Arguments::named("naming_convention", convention(shipped)));
    if *kind == kinds::METADATA {
        return Some(metadata);
    }
    Some(shared(kind, name, Arguments::named("metadata", metadata)))
}

/// Functions that return one of the bases.
pub(super) fn is_callable(name: &str) -> bool {
    // sqlalchemy-helpers 1.0, `sqlalchemy_helpers/manager.py`; deprecated in 2.0.
    matches!(name, "sqlalchemy_helpers.get_base" | "sqlalchemy_helpers.manager.get_base")
}

pub(super) fn call<'m>() -> Value<'m> {
    external("sqlalchemy_helpers.Base").unwrap_or(Value::None)
}

fn convention<'m>(shipped: &Shipped) -> Value<'m> {
    match shipped {
        Shipped::Nothing => Value::None,
        Shipped::Documented => documented(),
        Shipped::Own(templates) => dict(templates.iter().copied()),
    }
}
