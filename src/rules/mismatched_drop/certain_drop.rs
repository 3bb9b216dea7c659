//! A drop of the downgrade of which table and name are certain.

use super::create::ConstraintCreate;
use crate::constraints::MigrationFile;
use crate::constraints::convention_name::dropped_name;
use crate::constraints::drops::ConstraintDrop;
use crate::migration::{Direction, Guard};
use crate::naming::Dialect;

pub(super) struct CertainDrop<'f> {
    pub(super) drop: ConstraintDrop<'f>,
    pub(super) table: &'f str,
    pub(super) schema: Option<&'f str>,
    /// The name as it is written.
    pub(super) name: &'f str,
}

impl<'f> CertainDrop<'f> {
    /// Only a downgrade has to undo the upgrade: an upgrade may replace what an older revision created.
    pub(super) fn of(drop: ConstraintDrop<'f>) -> Option<Self> {
        if drop.direction() != Direction::Downgrade {
            return None;
        }
        let (is_certain, table, schema) = match drop {
            ConstraintDrop::Operation(operation) => {
                let may_be_missing = operation.call.keyword("if_exists").is_some();
                let schema = operation.schema.known()?.as_deref();
                let table = operation.table.known()?.as_str();
                (!operation.when.repeated && !may_be_missing, table, schema)
            }
            ConstraintDrop::Sql(sql, dropped) => {
                let table = dropped.table.as_ref().filter(|table| table.name.is_certain)?;
                let is_certain = !sql.run.when.repeated && !dropped.if_exists && sql.run.guard == Guard::None;
                (is_certain, table.name.text.as_str(), table.schema())
            }
        };
        let name = drop.name().filter(|_| is_certain)?;
        Some(Self {
            drop,
            table,
            schema,
            name,
        })
    }

    /// Whether the create has the name that is dropped, as both are written.
    pub(super) fn is_same_as_written(&self, create: ConstraintCreate<'_>) -> bool {
        match (self.drop, create) {
            (ConstraintDrop::Operation(drop), ConstraintCreate::Operation(create)) => create.name == drop.name,
            _ => create.name().is_some_and(|name| self.agree(create, name, self.name)),
        }
    }

    /// Whether the create certainly has another name in the database than the one that is dropped there.
    pub(super) fn differs_in_database(
        &self,
        file: &MigrationFile<'_>,
        create: ConstraintCreate<'_>,
        dropped: &str,
    ) -> bool {
        let name = create.name_in_database(file);
        name.is_some_and(|name| !self.agree(create, &name, dropped))
    }

    /// Whether the convention may make two names of one that is written twice: it applies neither to SQL nor to a drop without `type_`.
    pub(super) fn is_named_differently(&self, file: &MigrationFile<'_>, create: ConstraintCreate<'_>) -> bool {
        match (self.drop, create) {
            // MySQL and MariaDB refuse a drop without `type_`, which is another finding.
            (ConstraintDrop::Operation(drop), ConstraintCreate::Operation(_)) => {
                drop.kind().is_none() && !matches!(file.dialect(), Some(Dialect::Mysql | Dialect::Mariadb))
            }
            (ConstraintDrop::Sql(..), ConstraintCreate::Sql(..)) => false,
            _ => true,
        }
    }

    pub(super) fn name_in_database(&self, file: &MigrationFile<'_>) -> Option<String> {
        match self.drop {
            ConstraintDrop::Operation(operation) => dropped_name(file, operation),
            ConstraintDrop::Sql(..) => Some(self.name.to_owned()),
        }
    }

    /// Whether two names are the same. The case of SQL without quotes does not count.
    fn agree(&self, create: ConstraintCreate<'_>, one: &str, other: &str) -> bool {
        match (self.drop, create) {
            (ConstraintDrop::Operation(_), ConstraintCreate::Operation(_)) => one == other,
            _ => one.eq_ignore_ascii_case(other),
        }
    }
}
