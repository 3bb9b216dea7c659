//! Which modules will stop a commit that has nothing to do with them, told while there is time to decide.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::check::examine;
use crate::config::{CommandLine, Configs};
use crate::diagnostic::Severity;
use crate::escape::printable;
use crate::invocation::Invocation;
use crate::project::Project;
use crate::python::{names_down_revision, relevance};
use crate::rules::MISSING_NAMING_CONVENTION;
use crate::selection::{Reader, Start};
use crate::settings::Scope;
use crate::snapshot::DEFAULT_LIMIT;
use crate::source::{RepoPath, SourceFile};
use crate::words::{counted, quoted};

/// So many modules are named.
const MOST_NAMED: usize = 5;
/// So many Python files are looked into, and so many bytes of them: a few seconds.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// So many of them are judged, which takes longer than the look.
const MOST_JUDGED: usize = 500;

/// The room for a line where nothing is known of the terminal.
const COLUMNS: usize = 80;

/// What was found.
struct Asking {
    modules: Vec<(RepoPath, usize)>,
    /// How many Python files were not looked into.
    left: usize,
    reader: Reader,
}

/// What there is to say after the hook was installed; nothing where no module will ask.
///
/// The hook is in place by now, so what goes wrong here is told and fails nothing.
pub(super) fn told(folder: &Path, top: &Path) -> Option<String> {
    match find(folder) {
        Ok(asking) => asking.told(),
        Err(error) => Some(format!(
            "note: it could not be found out which modules have a metadata without a naming convention ({}): ask with `{}`",
            printable(&error.to_string()),
            Invocation::here(top).command(&format!("--all --select {}", MISSING_NAMING_CONVENTION.name))
        )),
    }
}

fn find(folder: &Path) -> Result<Asking> {
    let start = Start::find(folder.to_owned(), &Scope::All, DEFAULT_LIMIT)?;
    let selection = start.select(&Scope::All, DEFAULT_LIMIT)?;
    let snapshot = &*selection.snapshot;
    let configs = Configs::nearest(snapshot, CommandLine::default());
    let project = Project::new(snapshot, selection.top.to_string_lossy());
    let mut asking = Asking {
        modules: Vec::new(),
        left: 0,
        reader: start.reader(),
    };
    let (mut bytes, mut judged) = (0, 0);
    for (at, candidate) in selection.candidates.iter().enumerate() {
        if at == MOST_FILES || bytes > MOST_BYTES || judged == MOST_JUDGED {
            asking.left = selection.candidates.len() - at;
            break;
        }
        // What cannot be read says so when it is checked.
        let Ok(content) = candidate.read(snapshot) else {
            continue;
        };
        bytes += content.len();
        let config = configs.of(&candidate.path)?;
        let is_metadata = relevance(&content).metadata && !names_down_revision(&content);
        let may_ask = is_metadata || config.is_metadata(&candidate.path);
        let Some(text) = String::from_utf8(content).ok().filter(|_| may_ask) else {
            continue;
        };
        if config.excludes(&candidate.path) {
            continue;
        }
        judged += 1;
        let file = SourceFile::new(candidate.path.clone(), text);
        let found = examine(&file, false, &project, &config).diagnostics;
        let asks = found
            .iter()
            .find(|one| one.rule.name == MISSING_NAMING_CONVENTION.name && one.severity == Severity::Error);
        if let Some(one) = asks {
            let line = file.position(one.span.start).line;
            asking.modules.push((candidate.path.clone(), line));
        }
    }
    Ok(asking)
}

impl Asking {
    fn told(&self) -> Option<String> {
        let first = self.modules.first()?;
        let count = match self.modules.len() {
            1 => "1 module has".to_owned(),
            count => format!("{count} modules have"),
        };
        let mut text = format!(
            "note: {count} a metadata without a naming convention, and a commit\n\
             that changes one is stopped until you have decided:\n"
        );
        for (path, line) in self.modules.iter().take(MOST_NAMED) {
            let _ = writeln!(text, "  {}:{line}", printable(&self.reader.typed(path)));
        }
        if let Some(more) = self.modules.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            let _ = writeln!(text, "  and {more} more");
        }
        if self.left > 0 {
            let files = counted(self.left, "Python file");
            let _ = writeln!(text, "  ({files} more could not be looked into in time)");
        }
        text.push_str("decide now, in one of three ways (or set the rule's `severity`):");
        for (lead, command) in self.ways(&first.0) {
            let line = format!("\n  {lead}: {command}");
            // A command stays in one piece, so that it can be copied.
            if line.trim_start_matches('\n').chars().count() <= COLUMNS {
                text.push_str(&line);
            } else {
                let _ = write!(text, "\n  {lead}:\n    {command}");
            }
        }
        Some(text)
    }

    /// What a team can do, and the command for it.
    fn ways(&self, path: &RepoPath) -> [(&'static str, String); 3] {
        let program = &self.reader.program;
        let rule = MISSING_NAMING_CONVENTION.name;
        let path = quoted(&self.reader.typed(path));
        [
            ("the database is live", program.command("adopt")),
            ("nothing is deployed", program.command(&format!("explain {rule}"))),
            ("not now", program.command(&format!("fix --ignore={rule} {path}"))),
        ]
    }
}
