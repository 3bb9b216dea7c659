//! Bases and databases that other distributions ship, and their naming conventions.

use super::advanced_alchemy::documented;
use super::{kinds, shared};
use crate::python::values::{Arguments, Dict, Value};

/// The kind of a naming convention that is shipped by itself.
const CONVENTION: &str = "convention";

/// Something that a distribution ships.
struct Offer {
    /// The dotted names that it is imported by.
    names: &'static [&'static str],
    kind: &'static str,
    convention: Shipped,
}

/// The naming convention that it has.
enum Shipped {
    Nothing,
    /// The one of SQLAlchemy's documentation.
    Documented,
    Own(&'static [(&'static str, &'static str)]),
}

/// As of the versions in the comments.
const OFFERS: &[Offer] = &[
    // neutron-lib 5.0.1, `neutron_lib/db/model_base.py`.
    Offer {
        names: &["neutron_lib.db.model_base.BASEV2"],
        kind: kinds::BASE,
        convention: Shipped::Nothing,
    },
    // ckan 2.12.0, `ckan/model/meta.py` and `ckan/plugins/toolkit.py`.
    Offer {
        names: &["ckan.model.meta.metadata", "ckan.model.metadata"],
        kind: kinds::METADATA,
        convention: Shipped::Nothing,
    },
    Offer {
        names: &["ckan.model.meta.registry", "ckan.model.registry"],
        kind: kinds::REGISTRY,
        convention: Shipped::Nothing,
    },
    Offer {
        names: &["ckan.plugins.toolkit.BaseModel", "ckan.model.base.BaseModel", "ckan.model.meta.BaseModel"],
        kind: kinds::BASE,
        convention: Shipped::Nothing,
    },
    // sqlalchemy-helpers 2.0.1, `sqlalchemy_helpers/manager.py` and `sqlalchemy_helpers/aio.py`.
    Offer {
        names: &["sqlalchemy_helpers.Base", "sqlalchemy_helpers.manager.Base", "sqlalchemy_helpers.aio.Base"],
        kind: kinds::BASE,
        convention: Shipped::Documented,
    },
    // Flask-AppBuilder 5.3.0, `flask_appbuilder/models/sqla/__init__.py`.
    Offer {
        names: &[
            "flask_appbuilder.Base",
            "flask_appbuilder.Model",
            "flask_appbuilder.models.sqla.Base",
            "flask_appbuilder.models.sqla.Model",
        ],
        kind: kinds::BASE,
        convention: Shipped::Nothing,
    },
    // apache-airflow-core 3.3.2, `airflow/models/base.py`.
    Offer {
        names: &["airflow.models.base.Base"],
        kind: kinds::BASE,
        convention: Shipped::Own(AIRFLOW),
    },
    Offer {
        names: &["airflow.models.base.metadata"],
        kind: kinds::METADATA,
        convention: Shipped::Own(AIRFLOW),
    },
    Offer {
        names: &["airflow.models.base.naming_convention"],
        kind: CONVENTION,
        convention: Shipped::Own(AIRFLOW),
    },
    // mautrix 0.21.1, `mautrix/util/db/base.py`.
    Offer {
        names: &["mautrix.util.db.Base", "mautrix.util.db.base.Base"],
        kind: kinds::BASE,
        convention: Shipped::Nothing,
    },
    // invenio-db 2.6.1, `invenio_db/shared.py`.
    Offer {
        names: &["invenio_db.db", "invenio_db.shared.db"],
        kind: kinds::DATABASE,
        convention: Shipped::Documented,
    },
    Offer {
        names: &["invenio_db.shared.metadata"],
        kind: kinds::METADATA,
        convention: Shipped::Documented,
    },
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
    let offer = OFFERS.iter().find(|offer| offer.names.contains(&name))?;
    if offer.kind == CONVENTION {
        return Some(convention(&offer.convention));
    }
    let arguments = Arguments::named("naming_convention", convention(&offer.convention));
    let metadata = shared(kinds::METADATA, name, arguments);
    if offer.kind == kinds::METADATA {
        return Some(metadata);
    }
    Some(shared(offer.kind, name, Arguments::named("metadata", metadata)))
}

/// What a call returns: one of the bases.
pub(super) fn called<'m>(name: &str) -> Option<Value<'m>> {
    match name {
        // sqlalchemy-helpers 1.0, `sqlalchemy_helpers/manager.py`; deprecated in 2.0.
        "sqlalchemy_helpers.get_base" | "sqlalchemy_helpers.manager.get_base" => external("sqlalchemy_helpers.Base"),
        _ => None,
    }
}

fn convention<'m>(shipped: &Shipped) -> Value<'m> {
    match shipped {
        Shipped::Nothing => Value::None,
        Shipped::Documented => documented(),
        Shipped::Own(templates) => {
            let mut dict = Dict::default();
            for (key, template) in *templates {
                dict.set(Value::text(key), Value::text(template));
            }
            Value::dict(dict)
        }
    }
}
