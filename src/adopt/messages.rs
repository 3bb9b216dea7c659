//! What is printed.

use std::io::{self, Write};

use super::{NewRevision, Plan};
use crate::diagnostic::Diagnostic;
use crate::escape::printable;
use crate::fix::FixedFile;
use crate::project::Environment;
use crate::report::{self, Edge};
use crate::selection::{Reader, Start};
use crate::settings::Color;
use crate::words::quoted;

pub(super) fn nothing_left() -> io::Result<()> {
    writeln!(
        report::standard_output(),
        "nothing is left to do: the metadata has its convention, and a revision renames by it"
    )
}

/// The unified diff of all changes, as `git apply` reads it.
pub(super) fn diff(plan: &Plan) -> io::Result<()> {
    let mut edge = Edge::new(Color::Auto, None, true)?;
    if let Some(module) = &plan.module {
        report::diff(module.path(), Some(module.before.text()), module.after.text(), &mut edge)?;
    }
    if let Some(revision) = &plan.revision {
        report::diff(&revision.path, None, &revision.text, &mut edge)?;
    }
    edge.out().flush()
}

/// What was done, what fails, and what comes next; after a diff, on standard error.
pub(super) fn done(
    plan: &Plan,
    is_dry: bool,
    start: &Start,
    environment: &Environment,
    is_of_flask: bool,
) -> io::Result<()> {
    let mut text = String::new();
    let mut say = |line: &str| {
        text.push_str(&printable(line));
        text.push('\n');
    };
    let reader = start.reader();
    if !is_dry {
        if let Some(module) = &plan.module {
            say(&format!("{}: the metadata has a naming convention now", reader.typed(module.path())));
        }
        if let Some(NewRevision { path, down, .. }) = &plan.revision {
            say(&format!("{}: this revision renames, onto `{down}`", reader.typed(path)));
        }
    }
    for remark in &plan.remarks {
        say("");
        say(remark);
    }
    if !plan.failing.is_empty() {
        say("");
        say("Under the convention these old revisions fail on every new database:");
        for one in &plan.failing {
            failing(one, &reader.typed(one.path()), &mut say);
        }
    }
    say("");
    for line in next(plan, &reader, environment, is_of_flask) {
        say(&line);
    }
    if is_dry {
        report::standard_error().write_all(text.as_bytes())
    } else {
        let mut out = report::standard_output();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

fn failing(one: &Diagnostic, path: &str, say: &mut dyn FnMut(&str)) {
    let line = one.file.position(one.span.start).line;
    say(&format!("  {path}:{line}: {}", one.message));
    let why = one.focus.text.as_str();
    for line in std::iter::once(why).chain(one.help.as_deref()).flat_map(str::lines) {
        say(&format!("      {line}"));
    }
}

fn next(plan: &Plan, reader: &Reader, environment: &Environment, is_of_flask: bool) -> [String; 4] {
    let configuration = environment.configuration.as_ref().map(|path| reader.typed(path));
    let usual = |path: &String| ["alembic.ini", "pyproject.toml"].contains(&path.as_str());
    let alembic = match configuration.filter(|path| !usual(path)) {
        _ if is_of_flask => "flask db".to_owned(),
        Some(path) => format!("alembic -c {}", quoted(&path)),
        None => "alembic".to_owned(),
    };
    let files = plan.module.iter().map(FixedFile::path);
    let files = files.chain(plan.revision.iter().map(|revision| &revision.path));
    let files: Vec<String> = files.map(|path| quoted(&reader.typed(path))).collect();
    [
        "Next, on a copy of a live database first:".to_owned(),
        format!("  {alembic} upgrade{}", if is_of_flask { "" } else { " head" }),
        format!("  {alembic} check"),
        format!("  git add {} && git commit", files.join(" ")),
    ]
}
