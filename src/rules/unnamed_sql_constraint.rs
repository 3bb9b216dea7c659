//! SQL adds a constraint without a name.

mod beside;

use beside::Beside;

use crate::constraints::MigrationFile;
use crate::constraints::advice::{committed, default_name_of};
use crate::constraints::executed::{
    ConstraintDrop, DropAt, Executed, is_all_read, is_elsewhere, is_made, may_be_table, words,
};
use crate::constraints::suggestion::{Constraint, Source, Suggestion, suggest, with_all_columns};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Direction, Guard, Known};
use crate::naming::{ConstraintKind, Dialect, Name as Computed};
use crate::project::Place;
use crate::source::Span;
use crate::sql::{Added, Naming, written};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unnamed-sql-constraint",
    summary: "a constraint is added by SQL without a name",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/unnamed-sql-constraint.md"),
};

pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let beside = Beside::new(file);
    let all = file.executed().iter();
    all.flat_map(|one| {
        let unnamed = one.added().filter(|added| is_unnamed(&beside, one, added));
        unnamed.map(move |added| (one, added))
    })
    .map(|(one, added)| Finding::new(&beside, one, added).diagnostic())
    .collect()
}

/// Whether the database makes up a name that somebody may have to know.
fn is_unnamed(beside: &Beside<'_, '_>, one: &Executed<'_>, added: &Added) -> bool {
    let is_mysql = matches!(one.dialect, Some(Dialect::Mysql | Dialect::Mariadb));
    let counts = match added.kind {
        ConstraintKind::Index => false,
        // Every primary key of MySQL and MariaDB is called PRIMARY.
        ConstraintKind::PrimaryKey if is_mysql || one.run.guard == Guard::Doubtful => false,
        // Whatever the environment says: no other database would take it.
        ConstraintKind::PrimaryKey if one.is_written_for_mysql() => false,
        // A column takes its constraints along when it is dropped, but for a foreign key of MariaDB (error 1553, measured on 10.11).
        kind if added.in_column => kind == ConstraintKind::ForeignKey && one.dialect == Some(Dialect::Mariadb),
        _ => true,
    };
    // SQLite has no such statement.
    counts
        && added.naming == Naming::Unnamed
        && one.dialect != Some(Dialect::Sqlite)
        && !beside.renames(one.run.direction).hold(added)
}

/// The drop in the other direction that undoes it.
enum Undone<'f> {
    /// None is there.
    Nowhere,
    /// This one.
    By(ConstraintDrop<'f>),
    /// There is one that may be it.
    Doubtful,
}

/// One unnamed constraint with what is known of it.
struct Finding<'b, 'f, 'm> {
    beside: &'b Beside<'f, 'm>,
    file: &'f MigrationFile<'m>,
    one: &'f Executed<'f>,
    added: &'f Added,
    table: Known<String>,
    columns: Known<Vec<String>>,
}

impl<'b, 'f, 'm> Finding<'b, 'f, 'm> {
    fn new(beside: &'b Beside<'f, 'm>, one: &'f Executed<'f>, added: &'f Added) -> Self {
        let certain = |is_certain: bool, text: &str, why: &str| {
            if is_certain {
                Known::Is(text.to_owned())
            } else {
                Known::Computed(why.to_owned())
            }
        };
        let name = &added.table.name;
        let columns = added.columns.clone();
        Self {
            beside,
            file: beside.file,
            one,
            added,
            table: certain(name.is_certain, &name.text, "it cannot be read from the SQL"),
            columns: columns.map_or_else(
                || Known::Computed("the SQL does not list plain columns".to_owned()),
                Known::Is,
            ),
        }
    }

    fn constraint(&self) -> Constraint<'_> {
        Constraint {
            kind: self.added.kind,
            table: &self.table,
            schema: self.added.table.schema(),
            columns: &self.columns,
            referred: self
                .added
                .referred
                .as_ref()
                .filter(|(table, _)| table.name.is_certain)
                .map(|(table, columns)| (table.name.text.as_str(), table.schema(), columns.as_slice())),
            explicit: None,
            function: self.one.run.function,
            place: None,
        }
    }

    fn diagnostic(&self) -> Diagnostic {
        let (file, one, added) = (self.file, self.one, self.added);
        let table = self
            .table
            .known()
            .map(|table| format!(" on `{table}`"))
            .unwrap_or_default();
        let mut diagnostic = Diagnostic::new(
            &RULE,
            file.file(),
            one.run.call.span,
            format!(
                "this SQL adds {} {}{table} without a name",
                crate::constraints::suggestion::article(added.kind),
                added.kind.label()
            ),
        )
        .focus(one.place(file, added.at.clone()), self.consequence());
        let suggestion = self.suggestion();
        let undone = self.undone();
        if let Undone::By(drop) = undone
            && let Some(name) = drop.name()
        {
            let place = Place {
                file: file.file().clone(),
                span: drop.place(file),
            };
            diagnostic = diagnostic.related(place, format!("`{name}` is what one database calls it"));
        }
        let wanted = self.wanted(&suggestion, &undone);
        let edits = wanted
            .name
            .as_deref()
            .map(|name| match suggestion.obstacle().filter(|_| !wanted.keeps) {
                Some(obstacle) => Err(obstacle),
                None => self.edits(name, &undone, wanted.keeps),
            });
        diagnostic.help = Some(self.help(&suggestion, &wanted, &undone, edits.as_ref()));
        diagnostic.suggested_name.clone_from(&wanted.name);
        if let (Some(name), Some(Ok(edits))) = (&wanted.name, edits) {
            let is_safe = !file.is_deployed && one.run.direction == Direction::Upgrade && suggestion.unread.is_none();
            let safety = if is_safe { Safety::Safe } else { Safety::Suggested };
            diagnostic.fix = Some(Fix::new(format!("name it `{name}`"), safety, edits));
        }
        diagnostic
    }

    fn consequence(&self) -> &'static str {
        if self.added.in_column {
            "MariaDB cannot drop the column while the key is there (error 1553), and the key has no name to drop it by"
        } else {
            "Alembic never learns the name it gets"
        }
    }

    /// The drop that belongs to it: by the name that a database would have made up, or because there is no other.
    fn undone(&self) -> Undone<'f> {
        let (file, added) = (self.file, self.added);
        let candidates = self.beside.drops_for(self);
        let exact = candidates.exact(added).and_then(|at| at.drop(file));
        let has_form = candidates.have_form_of(added);
        // Branches for several databases drop it by the name that each makes up.
        let is_one_name = !has_form && !self.beside.has_twin(self.one, added);
        let only = candidates.only().and_then(|at| at.drop(file));
        match (exact, only) {
            _ if candidates.are_none()
                && is_all_read(file, |direction| is_elsewhere(direction, self.one.run.direction)) =>
            {
                Undone::Nowhere
            }
            (Some(drop), _) if is_one_name => Undone::By(drop),
            (None, Some(drop)) if !self.beside.has_rival(self.one, added) && (drop.is_unnamed() || has_form) => {
                Undone::By(drop)
            }
            _ => Undone::Doubtful,
        }
    }

    /// The name to write.
    fn wanted(&self, suggestion: &Suggestion, undone: &Undone<'f>) -> Wanted {
        let file = self.file;
        let dropped = match undone {
            Undone::By(drop) => drop.name(),
            Undone::Nowhere | Undone::Doubtful => None,
        };
        // What a database holds, or what the upgrade drops, keeps its name.
        if file.is_deployed || self.one.run.direction == Direction::Downgrade {
            if let Some(name) = dropped {
                return Wanted::kept(name);
            }
            let chosen = self
                .one
                .dialect
                .and_then(|dialect| default_name_of(dialect, &self.constraint()));
            if let Some(chosen) = chosen.filter(|chosen| chosen.is_exact && file.is_deployed) {
                return Wanted::kept(&chosen.text);
            }
        }
        Wanted {
            name: suggestion.name.as_ref().map(|name| self.as_stored(name)),
            keeps: false,
        }
    }

    /// SQLAlchemy shortens a name that the database would not take, and SQL goes there as it is.
    fn as_stored(&self, name: &str) -> String {
        let computed = Computed {
            text: name.to_owned(),
            conv: true,
        };
        self.one
            .dialect
            .map_or_else(|| name.to_owned(), |dialect| dialect.in_database(&computed))
    }

    /// The changes that give it a name, here and wherever it is spoken of; or the reason why they are left to a person.
    fn edits(&self, name: &str, undone: &Undone<'f>, keeps: bool) -> Result<Vec<Edit>, String> {
        let (file, one, added) = (self.file, self.one, self.added);
        if one.run.repeated {
            return Err("it runs in a loop".to_owned());
        }
        if file.is_deployed && !keeps {
            return Err("only the database knows the name it has".to_owned());
        }
        if added.in_column {
            return Err("the downgrade has to drop the key before the column".to_owned());
        }
        if matches!(undone, Undone::Doubtful) {
            return Err("which drop belongs to it is not certain".to_owned());
        }
        if one.dialect.unwrap_or(Dialect::Postgresql).too_long(name) {
            return Err("the database takes no name of this length".to_owned());
        }
        if keeps && self.has_namesake(name, None) {
            return Err(format!(
                "another constraint of the table would have the same name, `{name}`"
            ));
        }
        if name.contains([':', '%', '\\']) {
            return Err("the name has a character that the SQL would have to escape".to_owned());
        }
        let quoted = written(name, one.dialect).ok_or("how to quote the name depends on the database")?;
        let text = format!("{}{quoted} ", self.constraint_word());
        let here = one
            .edit(file, added.at.start..added.at.start, &text)
            .ok_or("its SQL is put together from parts, or used twice")?;
        let mut edits = vec![here];
        match undone {
            _ if !keeps => edits.extend(self.other_places(name, undone)?),
            Undone::By(drop) if drop.is_unnamed() => {
                edits.push(drop.rename(file, name).ok_or("its drop is put together from parts")?);
            }
            _ => {}
        }
        Ok(edits)
    }

    /// `CONSTRAINT`, in capitals where the SQL is.
    fn constraint_word(&self) -> &'static str {
        let first = self.one.text.text()[self.added.at.clone()].chars().next();
        match (self.added.says_constraint, first.is_some_and(char::is_lowercase)) {
            (true, _) => "",
            (false, true) => "constraint ",
            (false, false) => "CONSTRAINT ",
        }
    }

    /// The names by which the rest of the migration speaks of it, all of which must change with it.
    fn other_places(&self, name: &str, undone: &Undone<'f>) -> Result<Vec<Edit>, String> {
        let file = self.file;
        let mut edits = Vec::new();
        let mut old = None;
        if let Undone::By(drop) = undone {
            edits.push(drop.rename(file, name).ok_or("its drop is put together from parts")?);
            old = drop.name().map(str::to_owned);
        }
        let chosen = default_name_of(Dialect::Postgresql, &self.constraint()).filter(|chosen| chosen.is_exact);
        let Some(old) = old.or(chosen.map(|chosen| chosen.text)) else {
            return Ok(edits);
        };
        if old == name {
            return Ok(Vec::new());
        }
        // MySQL calls a unique constraint like its first column, which is spoken of for other reasons as well.
        if self
            .added
            .columns
            .iter()
            .flatten()
            .any(|column| column.eq_ignore_ascii_case(&old))
        {
            return Ok(edits);
        }
        if is_made(file, &old) {
            return Err(format!("`{old}` is the name of another constraint as well"));
        }
        // What this direction drops is the older constraint, in whose place this one comes.
        let older: Vec<Span> = DropAt::called(file, &old)
            .iter()
            .filter_map(|at| at.drop(file))
            .filter(|drop| drop.direction() == self.one.run.direction)
            .map(|drop| drop.place(file))
            .collect();
        for mention in file.lookups.mentions(file, &old) {
            let Some(other) = file.executed().get(mention.text) else {
                continue;
            };
            let is_it = mention.quoted.as_ref().is_none_or(|own| *own == old);
            if is_it && !older.contains(&other.place(file, mention.at.clone())) {
                edits.push(
                    other
                        .rename(file, mention.at.clone(), name)
                        .ok_or("its name stands in SQL that is put together")?,
                );
            }
        }
        for at in file.lookups.named(file, &old) {
            let operation = &file.migration.operations[*at];
            if !older.contains(&operation.name_span()) {
                edits.push(
                    ConstraintDrop::Operation(operation)
                        .rename(file, name)
                        .ok_or("its name is computed")?,
                );
            }
        }
        edits.sort_by_key(|edit| edit.span);
        edits.dedup();
        let places = edits.iter().map(|edit| edit.span).chain(older);
        let places: Vec<Span> = places.collect();
        let is_covered = |at: usize| {
            places
                .iter()
                .any(|place| place.start <= at && at + old.len() <= place.end)
        };
        if words(file, &old).into_iter().all(is_covered) {
            Ok(edits)
        } else {
            Err(format!("`{old}` is written elsewhere in the file as well"))
        }
    }

    /// The name for it; with all columns where another constraint of the table begins with the same.
    fn suggestion(&self) -> Suggestion {
        let mut suggestion = suggest(self.file, self.constraint());
        let is_shared = |suggestion: &Suggestion, first: Option<&str>| {
            let stored = suggestion.name.as_deref().map(|name| self.as_stored(name));
            stored.is_some_and(|name| self.has_namesake(&name, first))
        };
        if suggestion.source == Source::Documented && is_shared(&suggestion, None) {
            let first = suggestion.name.clone();
            with_all_columns(self.file, self.constraint(), &mut suggestion);
            if is_shared(&suggestion, first.as_deref()) {
                suggestion.withhold();
            }
        } else if is_shared(&suggestion, None) {
            suggestion.withhold();
        }
        suggestion
    }

    /// Whether another constraint of the table would be called so. Those in SQL that would have shared the name `first` are called by all their
    /// columns.
    fn has_namesake(&self, name: &str, first: Option<&str>) -> bool {
        let (file, added) = (self.file, self.added);
        let schema = added.table.schema();
        let called = match added.table.known_name() {
            Some(table) => file.creates_called_on(name, Some(table)),
            None => file.creates_called(name),
        };
        let of_operation = called.iter().any(|at| {
            let operation = &file.migration.operations[*at];
            let table = operation.table.known();
            operation.direction == self.one.run.direction
                && table.is_some_and(|table| may_be_table(&added.table, table, schema))
        });
        of_operation
            || self.beside.has_namesake(self, name, first)
            || self.beside.is_named(self.one.run.direction, added, name)
    }

    fn help(
        &self,
        suggestion: &Suggestion,
        wanted: &Wanted,
        undone: &Undone<'_>,
        edits: Option<&Result<Vec<Edit>, String>>,
    ) -> String {
        let file = self.file;
        let drop = match undone {
            Undone::By(drop) if wanted.keeps && !drop.is_unnamed() => ", the name that is dropped",
            Undone::By(_) => ", and drop it by that name",
            _ if wanted.keeps => ", the name that the database gave it",
            _ if self.added.in_column => ", and drop the key by that name before the column",
            _ => "",
        };
        let mut help = match (&wanted.name, &suggestion.reason) {
            (Some(name), _) if file.is_deployed && !wanted.keeps => {
                let chosen = default_name_of(self.one.dialect.unwrap_or(Dialect::Postgresql), &self.constraint());
                return committed(self.one.dialect, &self.constraint(), chosen, "", name);
            }
            (Some(name), _) => {
                let why = match suggestion.source {
                    _ if wanted.keeps => "",
                    Source::Project => ", as your convention names it",
                    Source::Configured => ", by the convention in your configuration",
                    Source::Documented | Source::OtherDirection | Source::OtherRevision => "",
                };
                format!("write `{}`{why}{drop}", self.sql(name))
            }
            (None, reason) => {
                let because = reason
                    .as_ref()
                    .map(|reason| format!("; none is suggested, because {reason}"));
                format!(
                    "choose a name and write `{}`{drop}{}",
                    self.sql("name"),
                    because.unwrap_or_default()
                )
            }
        };
        if let Some(Err(obstacle)) = edits {
            help.push_str("; this is left to you, because ");
            help.push_str(obstacle);
        }
        help
    }

    /// The SQL with the name in it, on one line.
    fn sql(&self, name: &str) -> String {
        let own = &self.one.text.text()[self.added.at.clone()];
        let own: Vec<&str> = own.split_whitespace().collect();
        let own = own.join(" ").replace(crate::sql::PLACEHOLDER, "...");
        let quoted = written(name, self.one.dialect).unwrap_or_else(|| name.to_owned());
        if self.added.in_column {
            return format!("CONSTRAINT {quoted} {own}");
        }
        let add = if self.constraint_word().starts_with('c') {
            "add constraint"
        } else {
            "ADD CONSTRAINT"
        };
        format!("{add} {quoted} {own}")
    }
}

/// The name that belongs into the SQL.
struct Wanted {
    name: Option<String>,
    /// Whether it is the one that the constraint has already, so that nothing else changes.
    keeps: bool,
}

impl Wanted {
    fn kept(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            keeps: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::apply;
    use crate::python::Module;
    use crate::rules::harness::of_migration;
    use crate::source::SourceFile;

    const PG: &str = "postgresql://h/d";
    const MY: &str = "mysql+pymysql://h/d";
    const MARIA: &str = "mariadb+pymysql://h/d";
    const LITE: &str = "sqlite:///x.db";
    const ANY: &str = "";

    fn indented(code: &str) -> String {
        let lines: Vec<&str> = code.lines().collect();
        format!("    {}\n", lines.join("\n    "))
    }

    fn of(url: &str, upgrade: &str, downgrade: &str, head: bool) -> Vec<Diagnostic> {
        of_migration(url, &indented(upgrade), &indented(downgrade), head)
    }

    fn own(found: &[Diagnostic]) -> Vec<&Diagnostic> {
        found.iter().filter(|one| one.rule == &RULE).collect()
    }

    /// The migration with the fixes in it, in which nothing is found any more.
    #[track_caller]
    fn fixed(url: &str, upgrade: &str, downgrade: &str, head: bool) -> String {
        let found = of(url, upgrade, downgrade, head);
        let fixes: Vec<&Fix> = own(&found).iter().filter_map(|one| one.fix.as_ref()).collect();
        assert_eq!(
            fixes.len(),
            own(&found).len(),
            "{upgrade}: {:?}",
            own(&found).iter().map(|one| &one.help).collect::<Vec<_>>()
        );
        assert!(!fixes.is_empty(), "{upgrade}");
        let after = apply(&found[0].file, fixes);
        let module = Module::parse(SourceFile::new("m.py".into(), after.clone()));
        assert!(module.errors().is_empty(), "{after}");
        let directions = after
            .split_once("def upgrade():\n")
            .unwrap()
            .1
            .split_once("def downgrade():\n")
            .unwrap();
        let left = of_migration(url, directions.0, directions.1, head);
        let left: Vec<_> = left.iter().map(|one| (one.rule.name, &one.message)).collect();
        assert!(left.is_empty(), "{left:?} in\n{after}");
        after
    }

    #[track_caller]
    fn help(url: &str, upgrade: &str, downgrade: &str) -> String {
        let found = of(url, upgrade, downgrade, false);
        let own = own(&found);
        assert_eq!(own.len(), 1, "{upgrade}");
        assert!(own[0].fix.is_none(), "{upgrade}: {:?}", own[0].fix);
        own[0].help.clone().unwrap()
    }

    #[test]
    fn sql_is_read_wherever_it_surely_goes_to_the_database() {
        for upgrade in [
            "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
            "op.execute(sqltext='ALTER TABLE a ADD UNIQUE (b)')",
            "op.execute(sa.text('''ALTER TABLE a ADD UNIQUE (b)''').bindparams(x=1))",
            "op.execute(sa.text('ALTER TABLE a ADD UNIQUE (b)').execution_options(autocommit=True))",
            "op.execute(textwrap.dedent('''\n  ALTER TABLE a\n    ADD UNIQUE (b)\n'''))",
            "op.execute(sa.DDL('ALTER TABLE a ADD UNIQUE (b)'))",
            "op.get_bind().execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
            "conn = op.get_bind()\nconn.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
            "bind = op.get_bind()\nbind.exec_driver_sql('ALTER TABLE a ADD UNIQUE (b)')",
            "op.get_context().bind.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
            "session = Session(bind=op.get_bind())\nsession.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
            "with op.get_bind().begin() as c:\n    c.execute(text('ALTER TABLE a ADD UNIQUE (b)'))",
            "with op.get_context().autocommit_block():\n    op.execute('ALTER TABLE a ADD UNIQUE (b)')",
            "with op.batch_alter_table('a') as batch_op:\n    batch_op.execute('ALTER TABLE a ADD UNIQUE (b)')",
            "if context.is_offline_mode():\n    op.execute('ALTER TABLE a ADD UNIQUE (b)')",
            "def run(conn):\n    conn.execute(text('ALTER TABLE a ADD UNIQUE (b)'))\nrun(op.get_bind())",
            "def run(conn: Optional['Connection']):\n    conn.execute(text('ALTER TABLE a ADD UNIQUE (b)'))\nrun(x)",
            "def run(o):\n    o.execute('ALTER TABLE a ADD UNIQUE (b)')\nrun(op)",
            "def run(execute):\n    execute('ALTER TABLE a ADD UNIQUE (b)')\nrun(op.execute)",
            "getattr(op, 'execute')('ALTER TABLE a ADD UNIQUE (b)')",
            "functools.partial(op.execute, 'ALTER TABLE a ADD UNIQUE (b)')()",
            "for s in ['SELECT 1', 'ALTER TABLE a ADD UNIQUE (b)']:\n    op.execute(s)",
            "S = ('ALTER TABLE a ADD UNIQUE (b)',)\nfor s in S:\n    op.execute(text(s))",
            "s = 'ALTER TABLE a ADD UNIQUE (b)'\nop.execute(s)",
            "op.execute('ALTER TABLE a ' 'ADD UNIQUE (b)')",
            "op.execute('ALTER TABLE a ' + 'ADD UNIQUE (b)')",
            "t = 'a'\nop.execute(f'ALTER TABLE {t} ADD UNIQUE (b)')",
            "op.execute('ALTER TABLE %s ADD UNIQUE (b)' % 'a')",
            "op.execute('ALTER TABLE %(t)s ADD UNIQUE (b)' % {'t': 'a'})",
            "op.execute('ALTER TABLE {} ADD UNIQUE (b)'.format('a'))",
            "op.execute('ALTER TABLE {t} ADD UNIQUE (b)'.format(t='a'))",
            "op.execute('UPDATE x SET y = 1; ALTER TABLE a ADD UNIQUE (b);')",
            "for t, c in [('a', 'b')]:\n    op.execute(f'ALTER TABLE {t} ADD UNIQUE ({c})')",
        ] {
            let found = of(PG, upgrade, "pass", false);
            let names: Vec<_> = own(&found).iter().map(|one| one.suggested_name.clone()).collect();
            assert_eq!(names, [Some("uq_a_b".to_owned())], "{upgrade}");
        }
    }

    #[test]
    fn a_placeholder_is_a_finding_without_a_name() {
        for upgrade in [
            "op.execute(f'ALTER TABLE {t()} ADD UNIQUE (b)')",
            "op.execute('ALTER TABLE %s ADD UNIQUE (b)' % t())",
            "op.execute('ALTER TABLE {} ADD UNIQUE (b)'.format(*t()))",
            "op.execute('ALTER TABLE ' + t() + ' ADD UNIQUE (b)')",
            "op.execute(f'ALTER TABLE a ADD UNIQUE ({c!r})')",
        ] {
            assert!(
                help(PG, upgrade, "pass").contains("choose a name and write `ADD CONSTRAINT name UNIQUE ("),
                "{upgrade}"
            );
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for (url, upgrade) in [
            (PG, "op.execute(statement)"),
            (PG, "op.execute(statement + ' ADD UNIQUE (b)')"),
            (PG, "op.execute(f'ALTER TABLE a {x}')"),
            (PG, "op.execute(f'ALTER TABLE a ADD {x} (b)')"),
            (PG, "op.execute(f'ALTER TABLE a ADD CONSTRAINT {x} UNIQUE (b)')"),
            (PG, "print('ALTER TABLE a ADD UNIQUE (b)')"),
            (PG, "cursor.execute('ALTER TABLE a ADD UNIQUE (b)')"),
            (
                PG,
                "conn = op.get_bind()\nconn = sqlite3.connect('x')\nconn.execute('ALTER TABLE a ADD UNIQUE (b)')",
            ),
            (
                PG,
                "def run(conn):\n    conn.execute('ALTER TABLE a ADD UNIQUE (b)')\nrun(sqlite3.connect('x'))",
            ),
            (
                PG,
                "def run(s):\n    for s in ['ALTER TABLE a ADD UNIQUE (b)']:\n        pass\n    op.execute(s)",
            ),
            (PG, "op.execute(['ALTER TABLE a ADD UNIQUE (b)'])"),
            (PG, "op.execute('CREATE TABLE a (b int UNIQUE)')"),
            (PG, "op.execute('ALTER TABLE a ADD COLUMN b int UNIQUE REFERENCES c')"),
            (PG, "op.execute('ALTER TABLE a ADD UNIQUE USING INDEX i')"),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')\nop.execute('ALTER TABLE a RENAME CONSTRAINT a_b_key TO x')",
            ),
            (PG, "op.execute(\"DO $$ BEGIN ALTER TABLE a ADD UNIQUE (b); END $$\")"),
            (PG, "op.execute(\"SELECT 'ALTER TABLE a ADD UNIQUE (b)'\")"),
            (
                MARIA,
                "op.execute('ALTER TABLE a ADD FOREIGN KEY i (b) REFERENCES c (d)')",
            ),
            (MARIA, "op.execute('ALTER TABLE a ADD UNIQUE KEY x (b)')"),
            (MARIA, "op.execute('ALTER TABLE a ADD COLUMN b int UNIQUE')"),
            (MY, "op.execute('ALTER TABLE a ADD FOREIGN KEY i (b) REFERENCES c (d)')"),
            (MY, "op.execute('ALTER TABLE a ADD PRIMARY KEY (b)')"),
            (MY, "op.execute('ALTER TABLE a ADD COLUMN b int REFERENCES c (d)')"),
            (
                MY,
                "op.execute('ALTER TABLE a # x\\n ADD COLUMN b int -- ADD UNIQUE (b)')",
            ),
            (LITE, "op.execute('ALTER TABLE a ADD UNIQUE (b)')"),
            (
                PG,
                "if op.get_bind().dialect.name == 'mysql':\n    op.execute('ALTER TABLE a ADD PRIMARY KEY (b)')",
            ),
            (
                ANY,
                "if op.get_bind().dialect.name != 'postgresql':\n    op.execute('ALTER TABLE a ADD PRIMARY KEY (b)')",
            ),
            (
                ANY,
                "if dialect == 'postgresql':\n    pass\nelse:\n    op.execute('ALTER TABLE a ADD PRIMARY KEY (b)')",
            ),
        ] {
            let found = of(url, upgrade, "pass", false);
            assert!(own(&found).is_empty(), "{upgrade}: {:?}", own(&found)[0].message);
        }
    }

    #[test]
    fn a_primary_key_in_the_syntax_of_mysql_needs_no_name() {
        for url in [ANY, PG, MY] {
            for (sql, expected) in [
                ("ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (b, c);", 0),
                ("alter table a drop primary key; alter table a add primary key (b)", 0),
                ("ALTER TABLE a DROP FOREIGN KEY x, ADD PRIMARY KEY (b)", 0),
                ("ALTER TABLE `a` ADD PRIMARY KEY (b)", 0),
                (
                    "ALTER TABLE a DROP CONSTRAINT a_pkey, ADD PRIMARY KEY (b)",
                    usize::from(url != MY),
                ),
                ("ALTER TABLE a DROP PRIMARY KEY, ADD UNIQUE (b)", 1),
            ] {
                let found = of(url, &format!("op.execute('{sql}')"), "pass", false);
                assert_eq!(own(&found).len(), expected, "{sql} on {url}");
            }
        }
    }

    #[test]
    fn a_branch_for_another_database_is_judged_by_that() {
        let found = of(
            LITE,
            "if op.get_bind().dialect.name == 'postgresql':\n    op.execute('ALTER TABLE A ADD UNIQUE (b)')",
            "pass",
            false,
        );
        assert_eq!(own(&found)[0].suggested_name.as_deref(), Some("uq_a_b"));
    }

    #[test]
    fn the_name_is_written_into_every_kind_of_literal() {
        for (upgrade, expected) in [
            (
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "'ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)'",
            ),
            (
                "op.execute('alter table a add unique (b)')",
                "'alter table a add constraint uq_a_b unique (b)'",
            ),
            (
                "op.execute('''\n  ALTER TABLE a\n    ADD UNIQUE (b)\n''')",
                "  ADD CONSTRAINT uq_a_b UNIQUE (b)\n",
            ),
            (
                "op.execute(r'ALTER TABLE a ADD UNIQUE (b)')",
                "r'ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)'",
            ),
            (
                "op.execute('ALTER TABLE a ADD '\n    'UNIQUE (b)')",
                "'ALTER TABLE a ADD '\n        'CONSTRAINT uq_a_b UNIQUE (b)'",
            ),
            (
                "op.execute('\\tALTER\\x20TABLE a\\n\\u0041DD UNIQUE (b)')",
                "\\u0041DD CONSTRAINT uq_a_b UNIQUE (b)'",
            ),
            (
                "t = 'a'\nop.execute(f'ALTER TABLE {t} ADD UNIQUE (b)')",
                "f'ALTER TABLE {t} ADD CONSTRAINT uq_a_b UNIQUE (b)'",
            ),
            (
                "op.execute('ALTER TABLE %s ADD UNIQUE (b)' % 'a')",
                "'ALTER TABLE %s ADD CONSTRAINT uq_a_b UNIQUE (b)' % 'a'",
            ),
            (
                "op.execute('ALTER TABLE {} ADD UNIQUE (b) -- {{}}'.format('a'))",
                "'ALTER TABLE {} ADD CONSTRAINT uq_a_b UNIQUE (b) -- {{}}'",
            ),
            (
                "op.execute('ALTER TABLE {t} ADD {k} (b)'.format(t='a', k='UNIQUE'))",
                "k='CONSTRAINT uq_a_b UNIQUE'",
            ),
            (
                "s = 'ALTER TABLE a ADD UNIQUE (b)'\nop.execute(s)",
                "s = 'ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)'",
            ),
            (
                "for s in ['ALTER TABLE a ADD UNIQUE (b)', 'SELECT 1']:\n    op.execute(s)",
                "['ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)', 'SELECT 1']",
            ),
            (
                "op.execute('ALTER TABLE a ADD UNIQUE (b), ADD COLUMN c int, ADD UNIQUE (c)')",
                "ADD CONSTRAINT uq_a_b UNIQUE (b), ADD COLUMN c int, ADD CONSTRAINT uq_a_c UNIQUE (c)",
            ),
            (
                "op.execute('ALTER TABLE a ADD PRIMARY KEY (b); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d)')",
                "ADD CONSTRAINT pk_a PRIMARY KEY (b); ALTER TABLE a ADD CONSTRAINT fk_a_b_c FOREIGN KEY (b)",
            ),
            (
                "op.execute('ALTER TABLE \"Order\" ADD UNIQUE (b)')",
                "ADD CONSTRAINT \"uq_Order_b\" UNIQUE (b)'",
            ),
            (
                "op.execute(\"ALTER TABLE \\\"Order\\\" ADD UNIQUE (b)\")",
                "ADD CONSTRAINT \\\"uq_Order_b\\\" UNIQUE (b)\"",
            ),
            (
                "op.execute('''ALTER TABLE \"Ord'er\" ADD UNIQUE (b)''')",
                "ADD CONSTRAINT \"uq_Ord\\'er_b\" UNIQUE (b)'''",
            ),
            (
                "op.execute(f'ALTER TABLE \"a{{1}}\" ADD UNIQUE (b)')",
                "ADD CONSTRAINT \"uq_a{{1}}_b\" UNIQUE (b)'",
            ),
            (
                "op.execute('ALTER TABLE \"a{{1}}\" ADD UNIQUE ({})'.format('b'))",
                "ADD CONSTRAINT \"uq_a{{1}}_b\" UNIQUE ({})'",
            ),
        ] {
            let after = fixed(PG, upgrade, "pass", false);
            assert!(after.contains(expected), "{expected} is not in\n{after}");
        }
        let after = fixed(
            MARIA,
            "op.execute('ALTER TABLE `Order` ADD CONSTRAINT FOREIGN KEY (b) REFERENCES c (d)')",
            "pass",
            false,
        );
        assert!(
            after.contains("ADD CONSTRAINT `fk_Order_b_c` FOREIGN KEY (b)"),
            "{after}"
        );
    }

    #[allow(clippy::too_many_lines, reason = "it is a table")]
    #[test]
    fn both_halves_get_the_name() {
        for (url, upgrade, downgrade, expected) in [
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT uq_a_b')",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT \"a_b_key\"')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT uq_a_b')",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.drop_constraint('a_b_key', 'a', type_='unique')",
                "op.drop_constraint(op.f('uq_a_b'), 'a', type_='unique')",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.drop_constraint('a_b_key', 'a')",
                "op.drop_constraint(op.f('uq_a_b'), 'a')",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.drop_constraint(None, 'a', type_='unique')",
                "op.drop_constraint(op.f('uq_a_b'), 'a', type_='unique')",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "with op.batch_alter_table('a') as b:\n    b.drop_constraint('a_b_key')",
                "b.drop_constraint(b.f('uq_a_b'))",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d) NOT VALID')\nop.execute('ALTER TABLE a VALIDATE CONSTRAINT a_b_fkey')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_fkey')",
                "VALIDATE CONSTRAINT fk_a_b_c",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b), ADD UNIQUE (c)')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT a_c_key, DROP CONSTRAINT a_b_key')",
                "DROP CONSTRAINT uq_a_c, DROP CONSTRAINT uq_a_b",
            ),
            (
                MARIA,
                "op.execute('ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d)')",
                "op.execute('ALTER TABLE a DROP FOREIGN KEY a_ibfk_1')",
                "DROP FOREIGN KEY fk_a_b_c",
            ),
            (
                MARIA,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.execute('ALTER TABLE a DROP INDEX b')",
                "DROP INDEX uq_a_b",
            ),
            (
                MARIA,
                "op.execute('ALTER TABLE a ADD UNIQUE (code)')",
                "op.drop_index('code', table_name='a')",
                "op.drop_index(op.f('uq_a_code'), table_name='a')",
            ),
            // The same in two branches is one constraint.
            (
                PG,
                "if context.is_offline_mode():\n    op.execute('ALTER TABLE a ADD UNIQUE (b)')\nelse:\n    op.get_bind().exec_driver_sql('ALTER TABLE a ADD UNIQUE (b)')",
                "if context.is_offline_mode():\n    op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')\nelse:\n    op.drop_constraint('a_b_key', 'a')",
                "exec_driver_sql('ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b)')",
            ),
            // A constraint that is replaced: the older one keeps its name.
            (
                PG,
                "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key; ALTER TABLE a ADD UNIQUE (b) DEFERRABLE')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key; ALTER TABLE a ADD CONSTRAINT x UNIQUE (b)')",
                "DROP CONSTRAINT a_b_key; ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b) DEFERRABLE')",
            ),
            (
                PG,
                "op.drop_constraint('a_b_key', 'a')\nop.execute('ALTER TABLE a ADD UNIQUE (b) DEFERRABLE')",
                "op.drop_constraint('a_b_key', 'a')",
                "op.drop_constraint('a_b_key', 'a')\n    op.execute('ALTER TABLE a ADD CONSTRAINT uq_a_b UNIQUE (b) DEFERRABLE')",
            ),
            (
                MARIA,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "op.execute('DROP INDEX b ON a')",
                "DROP INDEX uq_a_b ON a",
            ),
            // What the upgrade drops has its name already, and the downgrade gives it back.
            (
                PG,
                "op.drop_constraint('a_b_key', 'a', type_='unique')",
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "ADD CONSTRAINT a_b_key UNIQUE (b)",
            ),
        ] {
            let found = of(url, upgrade, downgrade, false);
            let safety = own(&found)[0].fix.as_ref().map(|fix| fix.safety);
            let in_upgrade = upgrade.contains("ADD");
            assert_eq!(
                safety,
                Some(if in_upgrade { Safety::Safe } else { Safety::Suggested }),
                "{upgrade} / {downgrade}: {:?}",
                own(&found)[0].help
            );
            let after = fixed(url, upgrade, downgrade, false);
            assert!(after.contains(expected), "{expected} is not in\n{after}");
        }
    }

    #[allow(clippy::too_many_lines, reason = "it is a table")]
    #[test]
    fn what_cannot_be_changed_exactly_is_told() {
        let unique = "op.execute('ALTER TABLE a ADD UNIQUE (b)')";
        for (url, upgrade, downgrade, expected) in [
            (
                PG,
                unique,
                "op.execute('ALTER TABLE a DROP CONSTRAINT other')",
                "which drop belongs to it is not certain",
            ),
            (
                PG,
                unique,
                "if x.dialect.name == 'mysql':\n    op.execute('ALTER TABLE a DROP INDEX b')\nelse:\n    op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')",
                "which drop belongs to it is not certain",
            ),
            (
                PG,
                unique,
                "op.execute(statement)",
                "which drop belongs to it is not certain",
            ),
            (
                PG,
                unique,
                "op.execute(f'ALTER TABLE a DROP {x}')",
                "which drop belongs to it is not certain",
            ),
            (
                PG,
                unique,
                "op.drop_constraint(name(), 'a')",
                "which drop belongs to it is not certain",
            ),
            (
                PG,
                "s = 'ALTER TABLE a ADD UNIQUE (b)'\nop.execute(s)\nop.execute(s)",
                "pass",
                "",
            ),
            (
                PG,
                "s = 'ALTER TABLE a ADD UNIQUE (b)'\nprint(s)\nop.execute(s)",
                "pass",
                "used twice",
            ),
            (
                PG,
                "op.execute(statement)\nop.execute('ALTER TABLE a ADD CHECK (b > 0)')",
                "pass",
                "only you know",
            ),
            (
                PG,
                "for x in y:\n    op.execute('ALTER TABLE a ADD UNIQUE (b)')",
                "pass",
                "it runs in a loop",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD CHECK (b > 0)')",
                "pass",
                "only you know what the check is for",
            ),
            (
                PG,
                unique,
                "x = 'a_b_key'\nop.execute(f'ALTER TABLE a DROP CONSTRAINT a_b_key')",
                "is written elsewhere",
            ),
            (
                PG,
                "op.drop_constraint('a_b_key', 'a')\nop.execute('ALTER TABLE a ADD UNIQUE (b) DEFERRABLE')",
                "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')\nop.create_unique_constraint('a_b_key', 'a', ['b'])",
                "is the name of another constraint as well",
            ),
            (
                ANY,
                "op.execute('ALTER TABLE `a b` ADD UNIQUE (b)')",
                "pass",
                "how to quote the name depends on the database",
            ),
            (PG, "op.execute(r'ALTER TABLE \"a\\'\\'\" ADD UNIQUE (b)')", "pass", ""),
            (
                MARIA,
                "op.execute('ALTER TABLE a ADD COLUMN b int REFERENCES c (d)')",
                "op.drop_column('a', 'b')",
                "has to drop the key before the column",
            ),
            (
                PG,
                "op.execute('ALTER TABLE a ADD UNIQUE (b)')\nop.create_unique_constraint('uq_a_b', 'a', ['b'])",
                "pass",
                "would have the same name",
            ),
        ] {
            if expected.is_empty() {
                let found = of(url, upgrade, downgrade, false);
                assert!(own(&found).iter().all(|one| one.fix.is_none()), "{upgrade}");
                continue;
            }
            let help = help(url, upgrade, downgrade);
            assert!(help.contains(expected), "{upgrade} / {downgrade}: {help}");
        }
    }

    #[test]
    fn two_that_begin_with_the_same_column_are_told_apart() {
        let both = "op.execute('ALTER TABLE a ADD UNIQUE (b)')\nop.execute('ALTER TABLE a ADD UNIQUE (b, c)')";
        let drops = "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')\nop.execute('ALTER TABLE a DROP CONSTRAINT a_b_c_key')";
        let after = fixed(PG, both, drops, false);
        for expected in [
            "ADD CONSTRAINT uq_a_b UNIQUE (b)",
            "ADD CONSTRAINT uq_a_b_c UNIQUE (b, c)",
            "DROP CONSTRAINT uq_a_b'",
            "DROP CONSTRAINT uq_a_b_c'",
        ] {
            assert!(after.contains(expected), "{after}");
        }
        let beside = "op.execute('ALTER TABLE a ADD UNIQUE (b, c)')\nop.create_unique_constraint('uq_a_b', 'a', ['b'])";
        let after = fixed(PG, beside, "pass", false);
        assert!(after.contains("ADD CONSTRAINT uq_a_b_c UNIQUE"), "{after}");
    }

    #[test]
    fn a_committed_migration_keeps_the_name_of_the_database() {
        let unique = "op.execute('ALTER TABLE a ADD UNIQUE (b)')";
        let after = fixed(PG, unique, "op.execute('ALTER TABLE a DROP CONSTRAINT a_b_key')", true);
        assert!(after.contains("ADD CONSTRAINT a_b_key UNIQUE (b)"), "{after}");
        let found = of(PG, unique, "pass", true);
        assert_eq!(
            own(&found)[0].fix.as_ref().map(|fix| fix.safety),
            Some(Safety::Suggested)
        );
        let found = of(
            MARIA,
            "op.execute('ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d)')",
            "pass",
            true,
        );
        assert!(own(&found)[0].fix.is_none());
        let help = own(&found)[0].help.clone().unwrap();
        assert!(
            help.contains("rename it to `fk_a_b_c`") && help.ends_with("\n    SHOW CREATE TABLE `a`"),
            "{help}"
        );
    }

    #[test]
    fn a_long_name_is_written_as_sqlalchemy_would_shorten_it() {
        let table = "t".repeat(60);
        let after = fixed(
            PG,
            &format!("op.execute('ALTER TABLE {table} ADD UNIQUE (b)')"),
            "pass",
            false,
        );
        let name = after.split("CONSTRAINT ").nth(1).unwrap().split(' ').next().unwrap();
        assert!(name.len() == 60 && name.starts_with("uq_ttt"), "{name}");
    }
}
