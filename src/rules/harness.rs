//! Checks small projects in memory, for the tests of rules.

use std::collections::BTreeSet;

use crate::check::examine;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::snapshot::MemorySnapshot;
use crate::source::{RepoPath, SourceFile};

pub(crate) const WHOLE: &str = "NC = {'ix': 'ix_%(column_0_label)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s', 'ck': 'ck_%(table_name)s_%(constraint_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s', 'pk': 'pk_%(table_name)s'}\n";

/// With every rule, those that are off unless asked for included.
pub(crate) fn check_files(files: &[(RepoPath, String)]) -> Vec<Diagnostic> {
    check_with(files, &Config::with_all_rules())
}

pub(crate) fn check_with(files: &[(RepoPath, String)], config: &Config) -> Vec<Diagnostic> {
    let snapshot: MemorySnapshot = files
        .iter()
        .map(|(path, text)| (path.as_bytes(), text.as_str()))
        .collect();
    let project = Project::new(&snapshot, "/top");
    let mut found = Vec::new();
    for (path, text) in files {
        let file = SourceFile::new(path.clone(), text.clone());
        found.extend(examine(&file, false, &project, config).diagnostics);
    }
    found
}

pub(crate) fn names(found: &[Diagnostic]) -> BTreeSet<&'static str> {
    found.iter().map(|diagnostic| diagnostic.rule.name).collect()
}

pub(crate) const ENV: &str = "from alembic import context\nfrom app.models import target_metadata\n";

pub(crate) fn of_models(models: &str) -> Vec<Diagnostic> {
    let files = [
        ("migrations/env.py".into(), ENV.to_owned()),
        ("app/models.py".into(), models.to_owned()),
    ];
    check_files(&files)
        .into_iter()
        .filter(|one| one.path().display() == "app/models.py")
        .collect()
}

/// Findings of a migration in a project for one database; `head` tells whether HEAD holds it already.
pub(crate) fn of_migration(url: &str, upgrade: &str, downgrade: &str, head: bool) -> Vec<Diagnostic> {
    of_project(url, "", "", upgrade, downgrade, head)
}

/// The same with something in the body of the base class, and at the end of `env.py`.
pub(crate) fn of_project(
    url: &str,
    base: &str,
    configure: &str,
    upgrade: &str,
    downgrade: &str,
    head: bool,
) -> Vec<Diagnostic> {
    let env = format!(
        "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n{configure}\n"
    );
    let ini = format!("[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n");
    let models = format!(
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n    {base}\n"
    );
    let snapshot = MemorySnapshot::from([
        ("alembic.ini", ini.as_str()),
        ("migrations/env.py", env.as_str()),
        ("app/models.py", models.as_str()),
    ]);
    let project = Project::new(&snapshot, "/top");
    let text = format!(
        "from alembic import op\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n{upgrade}\ndef downgrade():\n{downgrade}\n"
    );
    examine(
        &SourceFile::new("migrations/versions/b.py".into(), text),
        head,
        &project,
        &Config::default(),
    )
    .diagnostics
}

/// The rules found in each file, with their levels.
pub(crate) fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(RepoPath, String)> = files
        .iter()
        .map(|(path, text)| (RepoPath::from(*path), (*text).to_owned()))
        .collect();
    let found = check_files(&files);
    let line = |one: &Diagnostic| format!("{} {}: {}", one.path(), one.severity, one.rule.name);
    found.iter().map(line).collect()
}

/// What is said of the last of these revisions, which stands on the others; `{0}` is a revision's links.
pub(crate) fn across_revisions(models: &str, revisions: &[&str]) -> Vec<Diagnostic> {
    across_with(models, revisions, &Config::default())
}

pub(crate) fn across_with(models: &str, revisions: &[&str], config: &Config) -> Vec<Diagnostic> {
    let (files, last) = history_of(models, revisions);
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/top");
    let found = examine(&last, false, &project, config).diagnostics;
    found
        .into_iter()
        .filter(|one| one.rule.name == super::default_name_dependency::RULE.name)
        .collect()
}

/// What is found in the one revision of a project with these models.
pub(crate) fn of_models_and_revision(models: &str, upgrade: &str) -> Vec<Diagnostic> {
    let (files, last) = history_of(models, &[upgrade]);
    let snapshot: MemorySnapshot = files.into_iter().collect();
    examine(&last, false, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics
}

/// The files of a project whose revisions follow each other, and the last of them.
pub(crate) fn history_of(models: &str, revisions: &[&str]) -> (Vec<(String, String)>, SourceFile) {
    let env = "from alembic import context\nfrom app.models import target_metadata\n";
    let mut files = vec![
        ("migrations/env.py".to_owned(), env.to_owned()),
        ("app/models.py".to_owned(), models.to_owned()),
    ];
    for (at, body) in revisions.iter().enumerate() {
        let down = match at.checked_sub(1) {
            Some(before) => format!("'r{before}'"),
            None => "None".to_owned(),
        };
        let text = if body.contains("def ") {
            body.replace("{0}", &format!("revision = 'r{at}'\ndown_revision = {down}"))
        } else {
            format!(
                "from alembic import op\nimport sqlalchemy as sa\nrevision = 'r{at}'\ndown_revision = {down}\ndef upgrade():\n    {body}\n"
            )
        };
        files.push((format!("migrations/versions/r{at}.py"), text));
    }
    let (path, text) = files.last().unwrap().clone();
    (files, SourceFile::new(path.as_str().into(), text))
}
