//! What to do about an unnamed constraint in SQL, in words.

use super::Finding;
use super::undone::Undone;
use crate::constraints::advice::{add_obstacle, committed};
use crate::constraints::default_name::default_name_of;
use crate::constraints::suggestion::Source;
use crate::naming::Dialect;
use crate::sql::{PLACEHOLDER, written};

impl Finding<'_, '_, '_> {
    /// `obstacle` is the reason why there is no fix.
    pub(super) fn help(&self, obstacle: Option<&String>) -> String {
        let drop = match &self.undone {
            Undone::By(drop) if self.keeps_name && !drop.is_unnamed() => ", the name that is dropped",
            Undone::By(_) => ", and drop it by that name",
            _ if self.keeps_name => ", the name that the database gave it",
            _ if self.unnamed.added.in_column => ", and drop the key by that name before the column",
            _ => "",
        };
        let mut help = match &self.name {
            Some(name) if self.file.is_deployed && !self.keeps_name => {
                let (dialect, constraint) = (self.unnamed.sql.dialect, self.unnamed.constraint());
                let chosen = default_name_of(dialect.unwrap_or(Dialect::Postgresql), &constraint);
                return committed(dialect, &constraint, chosen, "", name);
            }
            Some(name) => {
                let why = match self.suggestion.source {
                    _ if self.keeps_name => "",
                    Source::Project => ", as your convention names it",
                    Source::Configured => ", by the convention in your configuration",
                    Source::Documented | Source::OtherDirection | Source::OtherRevision => "",
                };
                format!("write `{}`{why}{drop}", self.sql_with_name(name))
            }
            None => {
                let sql = self.sql_with_name("name");
                format!("choose a name and write `{sql}`{drop}{}", self.suggestion.why_none())
            }
        };
        add_obstacle(&mut help, obstacle);
        help
    }

    fn sql_with_name(&self, name: &str) -> String {
        let (sql, added) = (self.unnamed.sql, self.unnamed.added);
        let own: Vec<&str> = sql.text.text()[added.at.clone()].split_whitespace().collect();
        let own = own.join(" ").replace(PLACEHOLDER, "...");
        let quoted = written(name, sql.dialect).unwrap_or_else(|| name.to_owned());
        let add = match self.constraint_word() {
            _ if added.in_column => "CONSTRAINT",
            "constraint " => "add constraint",
            _ => "ADD CONSTRAINT",
        };
        format!("{add} {quoted} {own}")
    }
}
