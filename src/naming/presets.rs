//! The conventions that are known by name: SQLAlchemy's default, those of its documentation, and PostgreSQL's own names.

use super::{Convention, Key, Value};

/// What SQLAlchemy puts in place of a missing or empty convention (`sqlalchemy/sql/schema.py`,
/// `DEFAULT_NAMING_CONVENTION`).
const DEFAULT_INDEX: &str = "ix_%(column_0_label)s";

impl Default for Convention {
    /// The convention of a metadata that was given none: it names indexes and nothing else.
    fn default() -> Self {
        Self::of_templates(&[("ix", DEFAULT_INDEX)])
    }
}

impl Convention {
    /// The five templates that SQLAlchemy's documentation recommends ("Configuring Constraint Naming Conventions").
    #[must_use]
    pub fn sqlalchemy_documented() -> Self {
        Self::of_templates(&[
            ("ix", DEFAULT_INDEX),
            ("uq", "uq_%(table_name)s_%(column_0_name)s"),
            ("ck", "ck_%(table_name)s_%(constraint_name)s"),
            ("fk", "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s"),
            ("pk", "pk_%(table_name)s"),
        ])
    }

    /// The same with all columns in the place of the first, for constraints of one table that begin with the same column.
    #[must_use]
    pub fn sqlalchemy_documented_with_all_columns() -> Self {
        Self::of_templates(&[
            ("uq", "uq_%(table_name)s_%(column_0_N_name)s"),
            ("fk", "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s"),
        ])
    }

    /// The names that PostgreSQL would choose itself, as nearly as templates can say them, and what SQLAlchemy has named so far: a live
    /// database is left as it is.
    ///
    /// So indexes keep SQLAlchemy's own template, and checks have none: it would be applied to the names that they have in the models.
    ///
    /// [`default_names::postgresql`](super::default_names::postgresql) is exact; templates differ from it in that
    /// * a long name is shortened at its end with a hash, where PostgreSQL shortens the table and the columns,
    /// * a name already taken is not numbered.
    #[must_use]
    pub fn postgresql_defaults() -> Self {
        Self::of_templates(&[
            ("ix", DEFAULT_INDEX),
            ("uq", "%(table_name)s_%(column_0_N_name)s_key"),
            ("fk", "%(table_name)s_%(column_0_N_name)s_fkey"),
            ("pk", "%(table_name)s_pkey"),
        ])
    }

    fn of_templates(templates: &[(&str, &str)]) -> Self {
        let entry =
            |(key, template): &(&str, &str)| (Key::Text((*key).to_owned()), Value::Template((*template).to_owned()));
        Self::new(templates.iter().map(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnRef, ConstraintKind, Explicit, Referred, Subject};
    use super::*;

    #[test]
    fn the_presets_name_as_they_say() {
        let columns = ["a", "b"].map(ColumnRef::from);
        let referred = Some(Referred {
            table: "invoice",
            columns: &["x", "y"],
        });
        let explicit = Some(Explicit {
            name: "qty",
            is_conv: false,
        });
        for (kind, by_sqlalchemy, by_postgresql) in [
            (ConstraintKind::ForeignKey, "fk_order_a_invoice", "order_a_b_fkey"),
            (ConstraintKind::Unique, "uq_order_a", "order_a_b_key"),
            (ConstraintKind::PrimaryKey, "pk_order", "order_pkey"),
            (ConstraintKind::Index, "ix_order_a", "ix_order_a"),
            // A name in a model stays what it is on a live database.
            (ConstraintKind::Check, "ck_order_qty", "qty"),
        ] {
            let subject = Subject {
                kind,
                table: "order",
                columns: &columns,
                referred: referred.filter(|_| kind == ConstraintKind::ForeignKey),
                explicit: explicit.filter(|_| kind == ConstraintKind::Check),
                ..Subject::default()
            };
            let name = |convention: Convention| convention.name(&subject).unwrap().unwrap().text;
            assert_eq!(name(Convention::sqlalchemy_documented()), by_sqlalchemy);
            assert_eq!(name(Convention::postgresql_defaults()), by_postgresql);
        }
    }
}
