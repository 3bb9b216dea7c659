//! Notes the modules whose metadata has no naming convention: a commit that changes one will be stopped.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::adopt;
use crate::check::examine;
use crate::config::{CommandLine, Configs};
use crate::diagnostic::{Diagnostic, Severity};
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

/// How many modules are named.
const MOST_NAMED: usize = 5;
/// How many Python files are read, and how many bytes: a few seconds.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// How many of them are checked, which takes longer.
const MOST_CHECKED: usize = 500;

/// The width of a line.
const COLUMNS: usize = 80;

struct Missing {
    /// The modules, and the line of each metadata.
    modules: Vec<(RepoPath, usize)>,
    /// The first finding.
    first: Option<Diagnostic>,
    /// Whether there is more than one environment.
    are_several: bool,
    /// How many Python files were not read.
    left: usize,
    reader: Reader,
}

/// The note after the hook was installed, if there is any such module. By now no error may fail the installation.
pub(super) fn note(folder: &Path, top: &Path) -> Option<String> {
    match find(folder) {
        Ok(missing) => missing.note(),
        Err(error) => Some(format!(
            "note: it could not be found out which modules have a metadata without a naming convention ({}): ask with `{}`",
            printable(&error.to_string()),
            Invocation::here(top).command(&format!("--all --select {}", MISSING_NAMING_CONVENTION.name))
        )),
    }
}

fn find(folder: &Path) -> Result<Missing> {
    let start = Start::find(folder.to_owned(), &Scope::All, DEFAULT_LIMIT)?;
    let selection = start.select(&Scope::All)?;
    let snapshot = &*start.snapshot(&selection.origin)?;
    let configs = Configs::nearest(snapshot, CommandLine::default());
    let project = Project::new(snapshot, start.top.to_string_lossy());
    let mut missing = Missing {
        modules: Vec::new(),
        first: None,
        are_several: false,
        left: 0,
        reader: start.reader(),
    };
    let (mut bytes, mut checked) = (0, 0);
    for (at, candidate) in selection.candidates.iter().enumerate() {
        if at == MOST_FILES || bytes > MOST_BYTES || checked == MOST_CHECKED {
            missing.left = selection.candidates.len() - at;
            break;
        }
        // The check will report a file that cannot be read.
        let Ok(content) = candidate.read(snapshot) else {
            continue;
        };
        bytes += content.len();
        let config = configs.of(&candidate.path)?;
        let is_metadata = relevance(&content).metadata && !names_down_revision(&content);
        let may_have_one = is_metadata || config.is_metadata(&candidate.path);
        let Some(text) = String::from_utf8(content).ok().filter(|_| may_have_one) else {
            continue;
        };
        if config.excludes(&candidate.path) {
            continue;
        }
        checked += 1;
        let file = SourceFile::new(candidate.path.clone(), text);
        let found = examine(&file, false, &project, config).diagnostics;
        let finding = found
            .into_iter()
            .find(|one| one.rule.name == MISSING_NAMING_CONVENTION.name && one.severity == Severity::Error);
        if let Some(one) = finding {
            let line = file.position(one.span.start).line;
            missing.modules.push((candidate.path.clone(), line));
            missing.first.get_or_insert(one);
        }
    }
    missing.are_several = missing.first.is_some() && project.environments().len() > 1;
    Ok(missing)
}

impl Missing {
    fn note(&self) -> Option<String> {
        let first = self.first.as_ref()?;
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
        for (lead, command) in self.ways(first) {
            let line = format!("\n  {lead}: {command}");
            // A command is not broken, so that it can be copied.
            if line.trim_start_matches('\n').chars().count() <= COLUMNS {
                text.push_str(&line);
            } else {
                let _ = write!(text, "\n  {lead}:\n    {command}");
            }
        }
        Some(text)
    }

    /// The ways to decide, and the command of each.
    fn ways(&self, first: &Diagnostic) -> [(&'static str, String); 3] {
        let program = &self.reader.program;
        let rule = MISSING_NAMING_CONVENTION.name;
        let path = quoted(&self.reader.typed(first.path()));
        [
            ("the database is live", adopt::command(&self.reader, first, self.are_several)),
            ("nothing is deployed", program.command(&format!("explain {rule}"))),
            ("not now", program.command(&format!("fix --ignore={rule} {path}"))),
        ]
    }
}
