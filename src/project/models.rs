//! The model behind a constraint: where the project declares the key or the unique column that a migration creates.

use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};

use elsa::FrozenMap;

use super::target::Target;
use super::{Naming, Place};
use crate::naming::ConstraintKind;
use crate::python::{ArgumentKind, Call, Class, Expr, ExprKind, Module, Modules, Stmt, StmtKind};
use crate::snapshot::EntryKind;
use crate::source::{RepoPath, Span, words_of};
use crate::work;

/// How many modules are searched for one constraint.
const MAX_FILES: usize = 200;

/// The constraint to look for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The kind of constraint.
    pub kind: ConstraintKind,
    /// The table.
    pub table: &'w str,
    /// The columns, in order.
    pub columns: &'w [String],
}

/// The declaration of a constraint in a model.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The `ForeignKey(...)`, the constraint or the column.
    pub place: Place,
    /// The code with an explicit name.
    pub named: String,
}

/// How often the text of a module is searched for a column before its words are listed.
const FEW: usize = 32;

/// What the modules of a project declare, as far as it was asked for.
#[derive(Default)]
pub(super) struct Declared(FrozenMap<RepoPath, Box<Declaring>>);

#[derive(Default)]
struct Declaring {
    asked: Cell<usize>,
    words: OnceCell<HashSet<String>>,
    places: OnceCell<HashMap<Key, Written>>,
}

/// A kind of constraint, its table and its columns.
type Key = (ConstraintKind, String, Vec<String>);

/// How a model declares a constraint.
#[derive(Debug, Clone)]
struct Written {
    span: Span,
    /// `db.` of the `db.Column` that it is an argument of.
    prefix: String,
    /// What stands around a constraint of the table.
    around: (&'static str, &'static str),
}

impl Written {
    /// The declaration as code, with the name in it.
    fn with_name(&self, module: &Module, wanted: &Wanted<'_>, name: &str) -> Option<String> {
        let code = module.file().slice(self.span);
        let quote = if code.contains('\'') && !code.contains('"') {
            '\''
        } else {
            '"'
        };
        if let Some(open) = code.strip_suffix(')') {
            let open = open.trim_end().trim_end_matches(',');
            return (!code.contains("name=")).then(|| format!("{open}, name={quote}{name}{quote})"));
        }
        match wanted.kind {
            // SQLModel's `foreign_key=` takes no name.
            ConstraintKind::ForeignKey => {
                let target = code.split_once('=')?.1.trim();
                Some(format!(
                    "sa_column_args=[ForeignKey({target}, name={quote}{name}{quote})] instead of foreign_key="
                ))
            }
            // A `name=` in the column would rename that.
            ConstraintKind::Unique => {
                let (column, prefix, (before, after)) = (wanted.columns.first()?, &self.prefix, self.around);
                let constraint = format!("{prefix}UniqueConstraint(\"{column}\", name=\"{name}\")");
                Some(format!("{before}{constraint}{after} instead of unique=True"))
            }
            _ => None,
        }
    }
}

impl Declared {
    /// Searches these modules, in order.
    pub(super) fn find(
        &self,
        modules: &Modules<'_>,
        paths: &[RepoPath],
        wanted: &Wanted<'_>,
        name: &str,
    ) -> Option<Declaration> {
        let key = (wanted.kind, wanted.table.to_owned(), wanted.columns.to_vec());
        paths.iter().find_map(|path| {
            let text = modules.file(path)?.text();
            let known = self.0.get(path);
            let known = known.unwrap_or_else(|| self.0.insert(path.clone(), Box::default()));
            // Flask-SQLAlchemy and SQLModel make the table's name of the class's, so only the columns must be in the file.
            if !known.mentions(text, wanted.columns) {
                return None;
            }
            let module = modules.get(path)?;
            let written = known.places.get_or_init(|| places(module)).get(&key)?;
            Some(Declaration {
                named: written.with_name(module, wanted, name)?,
                place: Place::new(module, written.span),
            })
        })
    }
}

impl Declaring {
    fn mentions(&self, text: &str, columns: &[String]) -> bool {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() <= FEW {
            work::steps(text.len());
            return columns.iter().all(|column| text.contains(column.as_str()));
        }
        let words = self.words.get_or_init(|| {
            work::steps(text.len());
            words_of(text).map(|(_, word)| word.to_owned()).collect()
        });
        let mut wanted = columns.iter().flat_map(|column| words_of(column));
        wanted.all(|(_, word)| words.contains(word))
    }
}

/// The first place of each constraint that a module declares.
fn places(module: &Module) -> HashMap<Key, Written> {
    let mut found = HashMap::new();
    let mut add = |table: &str, (kind, columns, written): Constraint| {
        found.entry((kind, table.to_owned(), columns)).or_insert(written);
    };
    for statement in module.body() {
        in_statement(statement, &mut add);
    }
    found
}

/// A kind of constraint, its columns, and its declaration.
type Constraint = (ConstraintKind, Vec<String>, Written);

/// The modules that may hold the models of an environment: those that led to the metadata, and those beside it.
pub(super) fn candidates(modules: &Modules<'_>, naming: &Naming) -> Vec<RepoPath> {
    let mut paths: Vec<RepoPath> = naming.trail.iter().chain(&naming.imports).cloned().collect();
    let metadata = match &naming.target {
        Target::Metadata(facts) => facts.place.as_ref(),
        _ => None,
    };
    let places = metadata.into_iter().chain(&naming.stated);
    for home in places.filter_map(|place| place.file.path().parent()) {
        for folder in [Some(home.clone()), home.join("models"), home.parent()]
            .into_iter()
            .flatten()
        {
            let files = modules
                .list(&folder)
                .iter()
                .filter(|entry| entry.kind == EntryKind::File);
            paths.extend(files.filter_map(|entry| folder.join(&entry.name).filter(RepoPath::is_python)));
        }
    }
    let mut seen = HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths.truncate(MAX_FILES);
    paths
}

fn in_statement(statement: &Stmt, add: &mut dyn FnMut(&str, Constraint)) {
    match &statement.kind {
        StmtKind::Class(class) => {
            let tables = table_names(class);
            in_class(class, &mut |found| {
                for table in &tables {
                    add(table, found.clone());
                }
            });
        }
        StmtKind::Assign { value: Some(value), .. } | StmtKind::Expr(value) => {
            in_table(value, add);
        }
        StmtKind::If(branches) => {
            let inner = branches.iter().flat_map(|(_, body)| body);
            inner.for_each(|inner| in_statement(inner, add));
        }
        StmtKind::Try { body, .. } => body.iter().for_each(|inner| in_statement(inner, add)),
        _ => {}
    }
}

/// The names that the table of a class may have: its `__tablename__`, else what SQLModel or Flask-SQLAlchemy make of the class's name.
fn table_names(class: &Class) -> Vec<String> {
    let mut named = class.body.iter().filter(|statement| statement.assigns("__tablename__"));
    match named.find_map(|statement| statement.assignment()?.1.as_str()) {
        Some(name) => vec![name.to_owned()],
        None => vec![class.name.as_str().to_lowercase(), snake_case(&class.name)],
    }
}

/// `flask_sqlalchemy/model.py`, `camel_to_snake_case`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut result = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let previous = at.checked_sub(1).and_then(|before| letters.get(before));
        let starts_word = letter.is_uppercase()
            && previous.is_some_and(|previous| {
                !previous.is_uppercase() || letters.get(at + 1).is_some_and(|next| next.is_lowercase())
            });
        if starts_word && !result.ends_with('_') {
            result.push('_');
        }
        result.extend(letter.to_lowercase());
    }
    result
}

fn in_class(class: &Class, add: &mut dyn FnMut(Constraint)) {
    let around = if class.body.iter().any(|statement| statement.assigns("__table_args__")) {
        ("", " in __table_args__")
    } else {
        ("__table_args__ = (", ",)")
    };
    for statement in &class.body {
        let Some((targets, value)) = statement.assignment() else {
            continue;
        };
        let Some(attribute) = targets.first().and_then(Expr::as_name) else {
            continue;
        };
        if attribute == "__table_args__" {
            in_table_args(value, add);
        } else if let Some(column) = column_call(value) {
            let first = column
                .arguments
                .first()
                .filter(|first| first.kind == ArgumentKind::Positional);
            let name = first.and_then(|first| first.value.as_str()).unwrap_or(attribute);
            in_column(column, name, around, add);
        }
    }
}

/// `mapped_column(...)`, `Column(...)`, `Field(...)`, also inside another call.
fn column_call(value: &Expr) -> Option<&Call> {
    let call = value.as_call()?;
    match call.name() {
        Some("mapped_column" | "Column" | "Field") => Some(call),
        _ => call.arguments.iter().find_map(|argument| column_call(&argument.value)),
    }
}

fn in_column(column: &Call, name: &str, around: (&'static str, &'static str), add: &mut dyn FnMut(Constraint)) {
    let mut arguments = column.arguments.iter();
    let key = arguments.find_map(|argument| argument.value.as_call_of("ForeignKey"));
    let keyword = |word: &str| {
        let mut arguments = column.arguments.iter();
        let argument = arguments.find(|argument| argument.is_keyword(word));
        argument.map(|argument| argument.span)
    };
    // The module of `mapped_column` has no constraints.
    let prefix = match &column.callee.kind {
        ExprKind::Attribute { value, name } if name == "Column" => value.as_name().map(|module| format!("{module}.")),
        _ => None,
    };
    let mut add = |kind, span| {
        let prefix = prefix.clone().unwrap_or_default();
        add((kind, vec![name.to_owned()], Written { span, prefix, around }));
    };
    if let Some(span) = key.map(|call| call.span).or_else(|| keyword("foreign_key")) {
        add(ConstraintKind::ForeignKey, span);
    }
    if let Some(span) = keyword("unique") {
        add(ConstraintKind::Unique, span);
    }
}

/// The constraints over several columns, in `__table_args__` or in a `Table`.
fn in_table_args(value: &Expr, add: &mut dyn FnMut(Constraint)) {
    let call = value.as_call();
    let kind = match call.and_then(Call::name) {
        Some("ForeignKeyConstraint") => Some(ConstraintKind::ForeignKey),
        Some("UniqueConstraint") => Some(ConstraintKind::Unique),
        Some("PrimaryKeyConstraint") => Some(ConstraintKind::PrimaryKey),
        _ => None,
    };
    if let Some((kind, call)) = kind.zip(call) {
        let texts = |items: &[Expr]| items.iter().filter_map(Expr::as_str).map(str::to_owned).collect();
        let first = call.arguments.first().map(|first| &first.value.kind);
        let columns = if let Some(ExprKind::List(items) | ExprKind::Tuple(items)) = first {
            texts(items)
        } else {
            let texts = call.arguments.iter().filter_map(|argument| argument.value.as_str());
            texts.map(str::to_owned).collect()
        };
        let written = Written {
            span: call.span,
            prefix: String::new(),
            around: ("", ""),
        };
        add((kind, columns, written));
    }
    for child in value.children() {
        in_table_args(child, add);
    }
}

fn in_table(value: &Expr, add: &mut dyn FnMut(&str, Constraint)) {
    let Some(table) = value.as_call_of("Table") else { return };
    let Some(name) = table.arguments.first().and_then(|first| first.value.as_str()) else {
        return;
    };
    for argument in &table.arguments {
        let column = argument.value.as_call_of("Column");
        let own = column.and_then(|column| Some((column, column.arguments.first()?.value.as_str()?)));
        if let Some((column, own)) = own {
            in_column(column, own, ("", " in the Table"), &mut |found| add(name, found));
        }
        in_table_args(&argument.value, &mut |found| add(name, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    fn declaration(models: &str, kind: ConstraintKind, table: &str, columns: &[&str]) -> String {
        let env = "from alembic import context\nfrom app.base import Base\nimport app.models\ntarget_metadata = Base.metadata\n";
        let base = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";
        let snapshot =
            MemorySnapshot::from([("migrations/env.py", env), ("app/base.py", base), ("app/models.py", models)]);
        let project = Project::new(&snapshot, "/repo");
        let naming = project.naming(&SourceFile::new("migrations/versions/a.py".into(), String::new()));
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let wanted = Wanted {
            kind,
            table,
            columns: &columns,
        };
        let found = project.declaration(&naming, &wanted, "N");
        found.map_or_else(|| "none".to_owned(), |found| found.named)
    }

    #[test]
    fn keys_are_found_in_every_kind_of_model() {
        let key = ConstraintKind::ForeignKey;
        for (models, expected) in [
            (
                "class Order(Base):\n    __tablename__ = 'order'\n    invoice_id: Mapped[int] = mapped_column(ForeignKey('invoice.id'))\n",
                "ForeignKey('invoice.id', name='N')",
            ),
            (
                "class Order(Base):\n    __tablename__ = \"order\"\n    x = sa.Column(\"invoice_id\", sa.Integer, sa.ForeignKey(\"invoice.id\", ondelete=\"CASCADE\"))\n",
                "sa.ForeignKey(\"invoice.id\", ondelete=\"CASCADE\", name=\"N\")",
            ),
            (
                "order = Table('order', metadata, Column('invoice_id', ForeignKey('invoice.id',)))\n",
                "ForeignKey('invoice.id', name='N')",
            ),
            (
                "class Order(db.Model):\n    invoice_id = db.Column(db.ForeignKey('invoice.id'))\n",
                "db.ForeignKey('invoice.id', name='N')",
            ),
            (
                "class Order(SQLModel, table=True):\n    invoice_id: int = Field(foreign_key=\"invoice.id\")\n",
                "sa_column_args=[ForeignKey(\"invoice.id\", name=\"N\")] instead of foreign_key=",
            ),
            (
                "class Order(Base):\n    __tablename__ = 'order'\n    __table_args__ = (ForeignKeyConstraint(['invoice_id'], ['invoice.id']),)\n",
                "ForeignKeyConstraint(['invoice_id'], ['invoice.id'], name='N')",
            ),
            (
                "class Other(Base):\n    __tablename__ = 'other'\n    invoice_id = mapped_column(ForeignKey('invoice.id'))\n",
                "none",
            ),
        ] {
            assert_eq!(declaration(models, key, "order", &["invoice_id"]), expected, "\n{models}");
        }
    }

    #[test]
    fn unique_columns_and_composites_are_found() {
        let unique = ConstraintKind::Unique;
        let models = "class OrderLine(db.Model):\n    code = db.Column(db.String, unique=True)\n    __table_args__ = (db.UniqueConstraint('sku', 'qty'),)\n";
        assert_eq!(
            declaration(models, unique, "order_line", &["sku", "qty"]),
            "db.UniqueConstraint('sku', 'qty', name='N')"
        );
        assert_eq!(
            declaration(models, unique, "order_line", &["code"]),
            "db.UniqueConstraint(\"code\", name=\"N\") in __table_args__ instead of unique=True"
        );
    }

    /// `name=` beside `unique=True` would name the column.
    #[test]
    fn a_unique_column_is_named_by_a_constraint_of_its_table() {
        for (models, expected) in [
            (
                "class Order(db.Model):\n    code = db.Column(db.String, unique=True)\n",
                "__table_args__ = (db.UniqueConstraint(\"code\", name=\"N\"),) instead of unique=True",
            ),
            (
                "class Order(Base):\n    code: so.Mapped[str] = so.mapped_column(sa.String(9), unique=True)\n",
                "__table_args__ = (UniqueConstraint(\"code\", name=\"N\"),) instead of unique=True",
            ),
            (
                "class Order(SQLModel, table=True):\n    __table_args__ = {'schema': 's'}\n    code: str = Field(unique=True)\n",
                "UniqueConstraint(\"code\", name=\"N\") in __table_args__ instead of unique=True",
            ),
            (
                "if True:\n    order = sa.Table('order', metadata, sa.Column('code', sa.Text, unique=True))\n",
                "sa.UniqueConstraint(\"code\", name=\"N\") in the Table instead of unique=True",
            ),
        ] {
            assert_eq!(declaration(models, ConstraintKind::Unique, "order", &["code"]), expected, "{models}");
        }
    }

    #[test]
    fn class_names_become_table_names_as_flask_sqlalchemy_has_it() {
        for (class, table) in
            [("Order", "order"), ("OrderLine", "order_line"), ("HTTPLog", "http_log"), ("A1B", "a1_b")]
        {
            assert_eq!(snake_case(class), table);
        }
    }
}
