//! The rules, applied to one file.

use super::FileKind;
use super::ignores;
use crate::config::Config;
use crate::constraints::{MetadataFile, MigrationFile};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::apply;
use crate::migration::Migration;
use crate::project::{Judged, Project};
use crate::python::{Module, Relevance, names_down_revision, relevance};
use crate::rules::{self, Check};
use crate::snapshot::Overlay;
use crate::source::SourceFile;

/// The findings of one file, and what it is.
#[derive(Debug)]
pub struct Examined {
    /// What the file is.
    pub kind: FileKind,
    /// Its findings, those that the configuration turns off left out.
    pub diagnostics: Vec<Diagnostic>,
}

/// Applies every rule to one file.
#[must_use]
pub fn examine(file: &SourceFile, is_deployed: bool, project: &Project<'_>, config: &Config) -> Examined {
    let bytes = file.text().as_bytes();
    let relevant = relevance(bytes);
    let may_migrate = relevant.migration || config.is_migration(file.path());
    let mut judged = judged(file, relevant, project, config);
    if !may_migrate && judged.is_empty() && !ignores::are_mentioned(file.text()) {
        return Examined {
            kind: FileKind::Other,
            diagnostics: Vec::new(),
        };
    }
    // Questions about the project may have parsed it already.
    let own;
    let module = if let Some(known) = project.modules().parsed(file) {
        known
    } else {
        own = Module::parse(file.clone());
        &own
    };
    let migration = if may_migrate {
        project.migration(module)
    } else {
        Migration::none(module)
    };
    let mut found = Vec::new();
    let mut kind = FileKind::Other;
    // An unclosed quote hides the names that mark a migration.
    let was_migration = || !module.errors().is_empty() && names_down_revision(bytes);
    if migration.is_migration() || config.is_migration(file.path()) || was_migration() {
        kind = FileKind::Migration;
        found.extend(of_migration(&migration, is_deployed, project, config));
    }
    if migration.declares_revision {
        judged.clear();
    }
    if !judged.is_empty() && kind == FileKind::Other {
        kind = FileKind::Metadata;
    }
    let of_metadata = of_metadata(module, &judged, project, config);
    found.extend(with_proven_fixes(of_metadata, project, config));
    if kind != FileKind::Other {
        for (_, check) in rules::checks() {
            if let Check::Module(check) = check {
                found.extend(check(module));
            }
        }
    }
    Examined {
        kind,
        diagnostics: silenced(module, found, config),
    }
}

fn of_metadata(module: &Module, judged: &[Judged], project: &Project<'_>, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for judged in judged {
        let one = MetadataFile {
            judged,
            module,
            configured_convention: config.convention.as_ref(),
            project,
        };
        for (_, check) in rules::checks() {
            if let Check::Metadata(check) = check {
                found.extend(check(&one));
            }
        }
    }
    found
}

/// How many fixes of a module are tried. They overlap, so that only one is ever applied.
const MOST_PROVEN: usize = 8;

/// Removes fixes of metadata that do not work: the convention has no effect where it is written, or the rules object to it.
fn with_proven_fixes(mut found: Vec<Diagnostic>, project: &Project<'_>, config: &Config) -> Vec<Diagnostic> {
    let rules: Vec<&'static Rule> = found.iter().map(|one| one.rule).collect();
    let mut tried = 0;
    for one in &mut found {
        if tried == MOST_PROVEN {
            one.fix = None;
        }
        let Some(fix) = &one.fix else { continue };
        tried += 1;
        let after = SourceFile::new(one.path().clone(), apply(&one.file, [fix]));
        let changed = Overlay::new(project.snapshot(), &after);
        let project = project.changed(&changed, one.path());
        let judged = judged(&after, relevance(after.text().as_bytes()), &project, config);
        let module = project.modules().parse(&after);
        let left = of_metadata(module, &judged, &project, config);
        let is_gone = left.len() < rules.len() && left.iter().all(|one| rules.contains(&one.rule));
        if !is_gone || judged.is_empty() || !module.errors().is_empty() {
            one.fix = None;
        }
    }
    found
}

/// The metadata of a file that Alembic migrates; none in a revision, which may build some for its own use.
fn judged(file: &SourceFile, relevant: Relevance, project: &Project<'_>, config: &Config) -> Vec<Judged> {
    let is_named = config.is_metadata(file.path());
    if !(is_named || relevant.metadata) || names_down_revision(file.text().as_bytes()) {
        Vec::new()
    } else if is_named {
        project.made_in(file)
    } else {
        project.judged(file)
    }
}

/// Drops findings that a comment silences or the configuration turns off.
fn silenced(module: &Module, found: Vec<Diagnostic>, config: &Config) -> Vec<Diagnostic> {
    let path = module.file().path();
    let is_on = |rule: &'static Rule| config.severity(path, rule, rule.severity) != Severity::Off;
    let found = ignores::apply(module, found, &is_on);
    found
        .into_iter()
        .filter_map(|diagnostic| configured(diagnostic, config))
        .collect()
}

fn of_migration(
    migration: &Migration<'_>,
    is_deployed: bool,
    project: &Project<'_>,
    config: &Config,
) -> Vec<Diagnostic> {
    let mut file = MigrationFile::new(migration, project);
    file.is_deployed = is_deployed;
    file.configured_dialect = config.dialect;
    file.configured_convention = config.convention.as_ref();
    let mut found = Vec::new();
    for (_, check) in rules::checks() {
        if let Check::Migration(check) = check {
            found.extend(check(&file));
        }
    }
    found
}

fn configured(mut diagnostic: Diagnostic, config: &Config) -> Option<Diagnostic> {
    diagnostic.severity = config.severity(diagnostic.path(), diagnostic.rule, diagnostic.severity);
    (diagnostic.severity != Severity::Off).then_some(diagnostic)
}
