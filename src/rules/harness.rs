//! Checks small projects in memory, for the tests of rules.
//!
//! Every fix that a rule offers here is tried: with it the file still parses, the rule finds less, unless the finding says what the fix leaves to
//! do, and no other rule finds more.

use std::collections::BTreeSet;
use std::path::Path;

use similar::DiffTag;

use crate::check::examine;
use crate::config::{CommandLine, Configs};
use crate::diagnostic::{Diagnostic, Rule};
use crate::fix::{Fix, apply, difference};
use crate::project::{Place, Project};
use crate::python::Module;
use crate::snapshot::MemorySnapshot;
use crate::source::SourceFile;

pub(crate) const PG: &str = "postgresql://h/d";
pub(crate) const MYSQL: &str = "mysql+pymysql://h/d";
pub(crate) const MARIADB: &str = "mariadb+pymysql://h/d";
pub(crate) const SQLITE: &str = "sqlite:///x.db";
/// A URL that does not tell the database.
pub(crate) const ANY: &str = "";

/// An `env.py` that migrates the `target_metadata` of `app/models.py`.
pub(crate) const ENV: (&str, &str) =
    ("migrations/env.py", "from alembic import context\nfrom app.models import target_metadata\n");

/// A convention `NC` with a template for every kind.
pub(crate) const WHOLE: &str = "NC = {'ix': 'ix_%(column_0_label)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s', 'ck': 'ck_%(table_name)s_%(constraint_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s', 'pk': 'pk_%(table_name)s'}\n";

/// A convention that builds on the names of checks.
pub(crate) const CK: &str = "{'ck': 'ck_%(table_name)s_%(constraint_name)s'}";

/// The models of a project with a convention.
pub(crate) fn models(convention: &str) -> String {
    format!("from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={convention})\n")
}

/// What is found in one file of a project. A configuration among the files holds.
#[track_caller]
pub(crate) fn check<P: AsRef<str>, T: AsRef<str>>(files: &[(P, T)], path: &str) -> Vec<Diagnostic> {
    check_at(files, path, false)
}

/// The same in a file that HEAD may hold already.
#[track_caller]
pub(crate) fn check_at<P: AsRef<str>, T: AsRef<str>>(
    files: &[(P, T)],
    path: &str,
    is_deployed: bool,
) -> Vec<Diagnostic> {
    check_file(&borrowed(files), path, is_deployed)
}

/// What is found in all files of a project.
#[track_caller]
pub(crate) fn check_all<P: AsRef<str>, T: AsRef<str>>(files: &[(P, T)]) -> Vec<Diagnostic> {
    let files = borrowed(files);
    let paths = files.iter().map(|(path, _)| *path);
    let modules = paths.filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "py"));
    modules.flat_map(|path| check_file(&files, path, false)).collect()
}

/// What is found in `app/models.py` with this text, whose `target_metadata` is migrated.
#[track_caller]
pub(crate) fn check_models(models: &str) -> Vec<Diagnostic> {
    check(&[ENV, ("app/models.py", models)], "app/models.py")
}

/// What is found in the last of the revisions of [`history_of`].
#[track_caller]
pub(crate) fn check_last(models: &str, revisions: &[&str]) -> Vec<Diagnostic> {
    let (files, last) = history_of(models, revisions);
    check(&files, &last.path().display())
}

/// The same in an environment for a database.
#[track_caller]
pub(crate) fn check_last_on(url: &str, models: &str, revisions: &[&str], is_deployed: bool) -> Vec<Diagnostic> {
    let (mut files, last) = history_of(models, revisions);
    files.push(ini(url));
    check_at(&files, &last.path().display(), is_deployed)
}

/// An `alembic.ini` that names a database.
fn ini(url: &str) -> (String, String) {
    let text = format!("[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n");
    ("alembic.ini".to_owned(), text)
}

/// What is found in a migration for a database, in a project without a convention.
#[track_caller]
pub(crate) fn of_migration(url: &str, upgrade: &str, downgrade: &str, is_deployed: bool) -> Vec<Diagnostic> {
    let (ini, config) = ini(url);
    let env = "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n";
    let models =
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n";
    let (path, text) = ("migrations/versions/b.py", revision(upgrade, downgrade));
    assert_eq!(errors(path, &text), 0, "{text}");
    let files = [
        (ini.as_str(), config.as_str()),
        ("migrations/env.py", env),
        ("app/models.py", models),
        (path, &text),
    ];
    check_file(&files, path, is_deployed)
}

/// The rule finds something in each of these migrations, written as `database | upgrade / downgrade`, or without the downgrade.
#[track_caller]
pub(crate) fn assert_finds(rule: &Rule, migrations: &[&str]) {
    for migration in migrations {
        assert!(finds(rule, migration), "nothing found in {migration}");
    }
}

/// The rule finds nothing in any of these migrations, written in the same way.
#[track_caller]
pub(crate) fn assert_finds_nothing(rule: &Rule, migrations: &[&str]) {
    for migration in migrations {
        assert!(!finds(rule, migration), "found in {migration}");
    }
}

#[track_caller]
fn finds(rule: &Rule, migration: &str) -> bool {
    let [database, directions] = cells(migration);
    let (upgrade, downgrade) = directions.split_once(" / ").unwrap_or((directions, "pass"));
    rules_of(&of_migration(database, upgrade, downgrade, false)).contains(rule.name)
}

/// The cells of a row, the first of which may be the short name of a database and then becomes its URL.
pub(crate) fn cells<const N: usize>(row: &str) -> [&str; N] {
    let mut cells: Vec<&str> = row.split(" | ").collect();
    cells[0] = match cells[0] {
        "PG" => PG,
        "MY" => MYSQL,
        "MARIA" => MARIADB,
        "LITE" => SQLITE,
        "ANY" => ANY,
        other => other,
    };
    cells.try_into().unwrap()
}

/// A revision with these directions, indented or not.
pub(crate) fn revision(upgrade: &str, downgrade: &str) -> String {
    let body = |code: &str| textwrap::indent(&textwrap::dedent(code), "    ");
    let (upgrade, downgrade) = (body(upgrade), body(downgrade));
    format!(
        "from alembic import op\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n{upgrade}\ndef downgrade():\n{downgrade}\n"
    )
}

/// The files of a project whose revisions follow each other, and the last of them. A revision is the line of its upgrade, or a module with
/// `{0}` in place of `revision` and `down_revision`.
pub(crate) fn history_of(models: &str, revisions: &[&str]) -> (Vec<(String, String)>, SourceFile) {
    let mut files = vec![(ENV.0.to_owned(), ENV.1.to_owned()), ("app/models.py".to_owned(), models.to_owned())];
    for (at, body) in revisions.iter().enumerate() {
        let down = match at.checked_sub(1) {
            Some(before) => format!("'r{before}'"),
            None => "None".to_owned(),
        };
        let links = format!("revision = 'r{at}'\ndown_revision = {down}");
        let text = if body.contains("def ") {
            body.replace("{0}", &links)
        } else {
            format!("from alembic import op\nimport sqlalchemy as sa\n{links}\ndef upgrade():\n    {body}\n")
        };
        files.push((format!("migrations/versions/r{at}.py"), text));
    }
    let (path, text) = files.last().unwrap().clone();
    (files, SourceFile::new(path.as_str().into(), text))
}

/// The rules that found something.
pub(crate) fn rules_of(found: &[Diagnostic]) -> BTreeSet<&'static str> {
    found.iter().map(|diagnostic| diagnostic.rule.name).collect()
}

/// The file, the level and the rule of each finding.
pub(crate) fn lines(found: &[Diagnostic]) -> Vec<String> {
    let line = |one: &Diagnostic| format!("{} {}: {}", one.path(), one.severity, one.rule.name);
    found.iter().map(line).collect()
}

/// What the findings of one file say, and the lines that their fixes change.
pub(crate) fn shown(found: &[Diagnostic]) -> String {
    let mut lines = Vec::new();
    for one in found {
        let at = |place: &Place| {
            let position = place.file.position(place.span.start);
            let (line, column) = (position.line, position.column);
            match place.file.path() {
                path if path == one.path() => format!("{line}:{column}"),
                path => format!("{path}:{line}:{column}"),
            }
        };
        let (place, rule) = (&one.focus.place, one.rule.name);
        lines.push(format!("{} {}[{rule}]: {}", at(place), one.severity, one.message));
        lines.push(format!("  {}: {}", place.file.slice(place.span), one.focus.text));
        lines.extend(
            one.places()
                .map(|label| format!("  {}: {}", at(&label.place), label.text)),
        );
        lines.extend(one.help.iter().map(|help| format!("  help: {help}")));
        lines.extend(
            one.fix
                .iter()
                .map(|fix| format!("  {:?} fix: {}", fix.safety, fix.title)),
        );
    }
    lines.extend(changed_lines(found));
    lines.join("\n")
}

fn changed_lines(found: &[Diagnostic]) -> Vec<String> {
    let Some(first) = found.first() else {
        return Vec::new();
    };
    let after = fixed(found);
    let (old, new) = (first.file.lines(), after.lines());
    let mut changed = Vec::new();
    for operation in difference(&old, &new) {
        if operation.tag() != DiffTag::Equal {
            changed.extend(
                old[operation.old_range()]
                    .iter()
                    .map(|line| format!("- {}", line.trim_end())),
            );
            changed.extend(
                new[operation.new_range()]
                    .iter()
                    .map(|line| format!("+ {}", line.trim_end())),
            );
        }
    }
    changed
}

/// The file with the fixes of all its findings.
pub(crate) fn fixed(found: &[Diagnostic]) -> SourceFile {
    let before = &found[0].file;
    let text = apply(before, found.iter().filter_map(|one| one.fix.as_ref()));
    SourceFile::new(before.path().clone(), text)
}

fn borrowed<P: AsRef<str>, T: AsRef<str>>(files: &[(P, T)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (path.as_ref(), text.as_ref()))
        .collect()
}

#[track_caller]
fn check_file(files: &[(&str, &str)], path: &str, is_deployed: bool) -> Vec<Diagnostic> {
    let (_, text) = files.iter().find(|(known, _)| *known == path).unwrap();
    let found = look(files, path, text, is_deployed);
    let mut all: Vec<&Fix> = Vec::new();
    for fix in found.iter().filter_map(|one| one.fix.as_ref()) {
        if !all.contains(&fix) {
            all.push(fix);
        }
    }
    let alone = all.iter().map(|fix| vec![*fix]);
    let together = (all.len() > 1).then(|| all.clone());
    for tried in alone.chain(together) {
        let after = apply(&found[0].file, tried.iter().copied());
        let left = look(files, path, &after, is_deployed);
        assert!(errors(path, &after) <= errors(path, text), "a fix breaks the file:\n{after}");
        let count = |found: &[Diagnostic], rule: &Rule| found.iter().filter(|one| one.rule == rule).count();
        for Diagnostic { rule, .. } in &left {
            assert!(count(&left, rule) <= count(&found, rule), "a fix brings {}:\n{after}", rule.name);
        }
        let is_tried = |one: &&Diagnostic| one.fix.as_ref().is_some_and(|fix| tried.contains(&fix));
        for Diagnostic { rule, .. } in found.iter().filter(is_tried).filter(|one| one.left_to_do.is_none()) {
            assert!(count(&left, rule) < count(&found, rule), "the fix of {} leaves it:\n{after}", rule.name);
        }
    }
    found
}

/// What is found in one file of a project when it has this text.
fn look(files: &[(&str, &str)], path: &str, text: &str, is_deployed: bool) -> Vec<Diagnostic> {
    let others = files.iter().filter(|(other, _)| *other != path);
    let snapshot: MemorySnapshot = others.copied().chain([(path, text)]).collect();
    let project = Project::new(&snapshot, "/top");
    let configs = Configs::nearest(&snapshot, CommandLine::default());
    let file = SourceFile::new(path.into(), text.to_owned());
    examine(&file, is_deployed, &project, configs.of(&path.into()).unwrap()).diagnostics
}

fn errors(path: &str, text: &str) -> usize {
    let file = SourceFile::new(path.into(), text.to_owned());
    Module::parse(file).errors().len()
}
