//! The names that a project's models and revisions give to constraints.

use super::Place;
use super::checks::{CheckName, check_name, classes, modules};
use crate::python::{Call, Expr, Module, names_down_revision};
use crate::snapshot::Snapshot;
use crate::source::{RepoPath, SourceFile};

/// How many bytes are read.
const MOST_BYTES: usize = 32 << 20;

/// The names of a project.
#[derive(Debug, Default)]
pub struct Given {
    /// The plain names of checks, each with the first place that gives it.
    pub checks: Vec<(String, Place)>,
    /// The checks without a name or with one that can't be read, and those that are dropped by a plain one.
    pub unclear_checks: Vec<Place>,
    /// The names of keys, unique constraints and indexes that the models give.
    pub in_models: Vec<Named>,
    /// Those that revisions give.
    pub in_revisions: Vec<Named>,
    /// Whether something was left unread: it is too much, or no UTF-8.
    pub is_partial: bool,
}

/// A name, and the other texts in its call, among them the columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The texts.
    pub beside: Vec<String>,
}

/// Searches the modules below these folders.
pub(super) fn find(snapshot: &dyn Snapshot, tops: &[RepoPath]) -> Given {
    let mut given = Given::default();
    let Some(modules) = modules(snapshot, tops) else {
        given.is_partial = true;
        return given;
    };
    let mut bytes = 0;
    for path in modules {
        let content = snapshot.read(&path).ok().flatten();
        bytes += content.as_ref().map_or(0, Vec::len);
        let text = content.and_then(|content| String::from_utf8(content).ok());
        match text.filter(|_| bytes <= MOST_BYTES) {
            Some(text) if may_name(&text) => given.read(&Module::parse(SourceFile::new(path, text))),
            Some(_) => {}
            None => given.is_partial = true,
        }
    }
    for names in [&mut given.in_models, &mut given.in_revisions] {
        names.sort_unstable();
        names.dedup();
    }
    given
}

fn may_name(text: &str) -> bool {
    [
        "Constraint",
        "ForeignKey",
        "Index",
        "constraint",
        "foreign_key",
        "Boolean(True",
        "_key(",
        "create_index",
    ]
    .iter()
    .any(|word| text.contains(word))
}

impl Given {
    fn read(&mut self, module: &Module) {
        let classes = classes(module.body());
        let is_revision = names_down_revision(module.file().text().as_bytes());
        for statement in module.body() {
            statement.each_call(&mut |call| {
                let place = || Place::new(module, call.span);
                match check_name(call, &classes) {
                    Some(CheckName::Plain(name, false)) => {
                        if !self.checks.iter().any(|(known, _)| known == name) {
                            self.checks.push((name.to_owned(), place()));
                        }
                    }
                    Some(CheckName::Plain(_, true) | CheckName::None) => self.unclear_checks.push(place()),
                    Some(CheckName::Finished) | None => {}
                }
                if let Some(named) = named(call) {
                    let names = if is_revision {
                        &mut self.in_revisions
                    } else {
                        &mut self.in_models
                    };
                    names.push(named);
                }
            });
        }
    }
}

/// The name that a call gives to a key, a unique constraint or an index.
fn named(call: &Call) -> Option<Named> {
    let (position, keyword) = match call.name()? {
        "ForeignKey" | "ForeignKeyConstraint" | "UniqueConstraint" | "PrimaryKeyConstraint" => (None, "name"),
        "Index" => (Some(0), "name"),
        "create_foreign_key" | "create_unique_constraint" | "create_primary_key" => (Some(0), "constraint_name"),
        "create_index" => (Some(0), "index_name"),
        _ => return None,
    };
    let argument = call.argument(position, keyword).ok()??;
    // `op.f('...')`, `conv('...')`
    let text = |expr: &Expr| {
        let inner = expr.as_call().and_then(|call| call.arguments.first());
        let inner = inner.and_then(|argument| argument.value.as_str());
        expr.as_str().or(inner).map(str::to_owned)
    };
    let name = text(&argument.value).filter(|name| !name.is_empty())?;
    let others = call.arguments.iter().filter(|other| !std::ptr::eq(*other, argument));
    let beside = others.flat_map(|other| {
        let mut children = other.value.children();
        children.push(&other.value);
        children
            .into_iter()
            .filter_map(|expr| expr.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    });
    Some(Named {
        beside: beside.collect(),
        name,
    })
}
