//! Flask-Migrate's `env.py` asks the running application for its database; here the `SQLAlchemy(...)` is found that was handed to `Migrate(...)`.

use crate::git::EntryKind;
use crate::order;
use crate::python::{Call, Expr, ExprKind, Module};
use crate::source::{RepoPath, SourceFile};

use super::evaluate::{Evaluator, Frame};
use super::target::each_call;
use super::value::Value;

/// How far below the folder that holds the migrations an application is looked for.
const MAX_DEPTH: usize = 3;
/// How many modules are opened for it.
const MAX_FILES: usize = 500;

impl Evaluator<'_> {
    /// The database of `current_app.extensions['migrate'].db`.
    pub(super) fn flask_database(&mut self) -> Value {
        if let Some(known) = &self.flask_database {
            return known.clone();
        }
        // The modules that are read on the way may ask again.
        self.flask_database = Some(Value::unknown("the Flask application asks for itself"));
        let mut found = Vec::new();
        for path in self.modules_near_home() {
            let Some(file) = self.imports.file(&path) else { continue };
            if file.text().contains("Migrate") || file.text().contains("migrate.init_app") {
                found.extend(self.databases_in(&file));
            }
        }
        let database = match found.as_slice() {
            [] => Value::unknown("no `Migrate(app, db)` was found for the Flask application"),
            [first, rest @ ..] if rest.iter().all(|other| other.same(first)) => first.clone(),
            _ => Value::unknown("the project hands several databases to `Migrate`"),
        };
        self.flask_database = Some(database.clone());
        database
    }

    fn databases_in(&mut self, file: &SourceFile) -> Vec<Value> {
        let mut handed: Vec<(Option<Expr>, Expr)> = Vec::new();
        for statement in Module::parse(file.clone()).body() {
            each_call(statement, &mut |call| handed.extend(handed_over(call)));
        }
        let scope = self.run(file);
        let mut frame = Frame::of_module(file.clone(), scope);
        let mut found = Vec::new();
        for (receiver, database) in handed {
            let is_migrate = receiver.is_none_or(|receiver| match self.eval(&receiver, &mut frame) {
                Value::External(name) => name.starts_with("flask_migrate."),
                _ => false,
            });
            let value = self.eval(&database, &mut frame);
            if is_migrate && matches!(value, Value::Database(_)) {
                found.push(value);
            }
        }
        found
    }

    fn modules_near_home(&self) -> Vec<RepoPath> {
        let mut open = vec![(self.home.clone(), 0)];
        let mut modules = Vec::new();
        while let Some((folder, depth)) = open.pop() {
            for entry in self.imports.list(&folder) {
                let Some(path) = folder.join(&entry.name) else { continue };
                match entry.kind {
                    EntryKind::File if path.is_python() && modules.len() < MAX_FILES => modules.push(path),
                    EntryKind::Folder if depth < MAX_DEPTH && is_code(&entry.name) => open.push((path, depth + 1)),
                    _ => {}
                }
            }
        }
        order::sort(&mut modules);
        modules
    }
}

fn is_code(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b'.'))
        && !matches!(
            name,
            b"node_modules" | b"tests" | b"test" | b"versions" | b"venv" | b"static" | b"templates"
        )
}

/// The database in `Migrate(app, db)`, and in `migrate.init_app(app, db)` together with what that is called on.
fn handed_over(call: &Call) -> Option<(Option<Expr>, Expr)> {
    let database = call.argument(Some(1), "db").ok()??.value.clone();
    match &call.callee.kind {
        ExprKind::Name(name) if name == "Migrate" => Some((None, database)),
        ExprKind::Attribute { name, .. } if name == "Migrate" => Some((None, database)),
        ExprKind::Attribute { value, name, .. } if name == "init_app" => Some((Some((**value).clone()), database)),
        _ => None,
    }
}
