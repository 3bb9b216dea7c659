//! Writes the name into the SQL, and wherever the migration uses the old one.

use super::Finding;
use super::undone::Undone;
use crate::constraints::default_name::default_name_of;
use crate::constraints::drops::ConstraintDrop;
use crate::fix::Edit;
use crate::naming::Dialect;
use crate::source::Span;
use crate::sql::written;

impl Finding<'_, '_, '_> {
    /// The changes that give the constraint its name, or the reason why a person has to make them.
    pub(super) fn edits(&self, name: &str) -> Result<Vec<Edit>, String> {
        if let Some(obstacle) = self.obstacle(name) {
            return Err(obstacle);
        }
        let (file, sql) = (self.file, self.unnamed.sql);
        let quoted = written(name, sql.dialect).ok_or("how to quote the name depends on the database")?;
        let text = format!("{}{quoted} ", self.constraint_word());
        let start = self.unnamed.added.at.start;
        let here = sql
            .edit(file, start..start, &text)
            .ok_or("its SQL is put together from parts, or used twice")?;
        let mut edits = vec![here];
        match self.undone {
            _ if !self.keeps_name => edits.extend(self.other_places(name)?),
            Undone::By(drop) if drop.is_unnamed() => edits.push(self.renamed_drop(drop, name)?),
            _ => {}
        }
        Ok(edits)
    }

    fn obstacle(&self, name: &str) -> Option<String> {
        if !self.keeps_name
            && let Some(obstacle) = self.suggestion.obstacle()
        {
            return Some(obstacle);
        }
        let sql = self.unnamed.sql;
        let obstacle = if sql.run.when.repeated {
            "it runs in a loop"
        } else if self.file.is_deployed && !self.keeps_name {
            "only the database knows the name it has"
        } else if self.unnamed.added.in_column {
            "the downgrade has to drop the key before the column"
        } else if matches!(self.undone, Undone::Doubtful) {
            "which drop belongs to it is not certain"
        } else if sql.dialect.unwrap_or(Dialect::Postgresql).too_long(name) {
            "the database takes no name of this length"
        } else if self.keeps_name && self.siblings.have_name(&self.unnamed, name, None) {
            return Some(format!("another constraint of the table would have the same name, `{name}`"));
        } else if name.contains([':', '%', '\\']) {
            "the name has a character that the SQL would have to escape"
        } else {
            return None;
        };
        Some(obstacle.to_owned())
    }

    /// `CONSTRAINT`, in lower case if the SQL is; empty if it is written already.
    pub(super) fn constraint_word(&self) -> &'static str {
        let added = self.unnamed.added;
        let is_lower = self.unnamed.sql.text.text()[added.at.clone()].starts_with(char::is_lowercase);
        match (added.says_constraint, is_lower) {
            (true, _) => "",
            (false, true) => "constraint ",
            (false, false) => "CONSTRAINT ",
        }
    }

    fn renamed_drop(&self, drop: ConstraintDrop<'_>, name: &str) -> Result<Edit, &'static str> {
        drop.rename(self.file, name)
            .ok_or("its drop is put together from parts")
    }

    /// The changes wherever else the migration uses the name that the database would have chosen.
    fn other_places(&self, name: &str) -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        let mut old = None;
        if let Undone::By(drop) = self.undone {
            edits.push(self.renamed_drop(drop, name)?);
            old = drop.name().map(str::to_owned);
        }
        let chosen = || default_name_of(Dialect::Postgresql, &self.unnamed.constraint());
        let Some(old) = old.or_else(|| Some(chosen().filter(|chosen| chosen.is_exact)?.text)) else {
            return Ok(edits);
        };
        if old == name {
            return Ok(Vec::new());
        }
        // MySQL names a unique constraint like its first column, which is mentioned for other reasons as well.
        let mut columns = self.unnamed.added.columns.iter().flatten();
        if columns.any(|column| column.eq_ignore_ascii_case(&old)) {
            return Ok(edits);
        }
        if self.file.is_made(&old) {
            return Err(format!("`{old}` is the name of another constraint as well"));
        }
        let replaced = self.replaced(&old);
        edits.extend(self.mentions_in_sql(&old, name, &replaced)?);
        edits.extend(self.operations_called(&old, name, &replaced)?);
        edits.sort_by_key(|edit| edit.span);
        edits.dedup();
        let places: Vec<Span> = edits.iter().map(|edit| edit.span).chain(replaced).collect();
        let is_covered = |at: usize| {
            let mut places = places.iter();
            places.any(|place| place.start <= at && at + old.len() <= place.end)
        };
        if self.file.places_of_name(&old).into_iter().all(is_covered) {
            Ok(edits)
        } else {
            Err(format!("`{old}` is written elsewhere in the file as well"))
        }
    }

    /// Where the same direction drops an older constraint of that name, which this one replaces.
    fn replaced(&self, old: &str) -> Vec<Span> {
        let drops = self.file.drops().called(old).iter();
        drops
            .filter_map(|at| at.drop(self.file))
            .filter(|drop| drop.direction() == self.unnamed.sql.run.when.direction)
            .map(|drop| drop.place(self.file))
            .collect()
    }

    fn mentions_in_sql(&self, old: &str, name: &str, replaced: &[Span]) -> Result<Vec<Edit>, String> {
        let file = self.file;
        let mut edits = Vec::new();
        for mention in file.mentions(old) {
            let Some(sql) = file.executed().get(mention.text) else {
                continue;
            };
            let is_it = mention.quoted.as_ref().is_none_or(|quoted| quoted == old);
            if is_it && !replaced.contains(&sql.place(file, mention.at.clone())) {
                let edit = sql.rename(file, mention.at.clone(), name);
                edits.push(edit.ok_or("its name stands in SQL that is put together")?);
            }
        }
        Ok(edits)
    }

    fn operations_called(&self, old: &str, name: &str, replaced: &[Span]) -> Result<Vec<Edit>, String> {
        let file = self.file;
        let mut edits = Vec::new();
        for at in file.named(old) {
            let operation = &file.migration.operations[*at];
            if !replaced.contains(&operation.name_span()) {
                let edit = ConstraintDrop::Operation(operation).rename(file, name);
                edits.push(edit.ok_or("its name is computed")?);
            }
        }
        Ok(edits)
    }
}
