//! `alembic-named config`: what holds for a file, and where each value comes from.

use std::fmt::Write;

use crate::config::{Config, Source};
use crate::escape::printable;
use crate::naming::{Key, Value};
use crate::rules;
use crate::source::RepoPath;

/// What holds for a file, and where each value comes from. `shown` is what the user asked about.
#[must_use]
pub fn config(path: &RepoPath, shown: &str, config: &Config) -> String {
    let origin = config
        .origin
        .as_ref()
        .map_or_else(|| "none, so these are the defaults".to_owned(), |origin| printable(&origin.display()));
    let mut text = format!("{}\nconfiguration: {origin}\n\n", printable(shown));
    let widest = rules::all().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in rules::all() {
        let (severity, source) = config.severity_and_source(path, rule, rule.severity);
        let source = match source {
            Source::Default => "default".to_owned(),
            Source::File(key) => format!("{key} in {origin}"),
            Source::CommandLine => "command line".to_owned(),
        };
        let _ = writeln!(text, "{:widest$}  {severity:7}  {source}", rule.name);
    }
    let either = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
    let by_content = |always| either(always, "always", "by its content");
    let dialect = config
        .dialect
        .map_or("by the environment", crate::naming::Dialect::label);
    let deployed = either(config.may_be_deployed(), "assumed for the migrations in HEAD", "no");
    text.push('\n');
    for (key, value) in [
        ("excluded", either(config.excludes(path), "yes", "no")),
        ("changed-lines-only", either(config.changed_lines_only(), "yes", "no")),
        ("read as migration", by_content(config.is_migration(path))),
        ("read as metadata", by_content(config.is_metadata(path))),
        ("deployed", deployed),
        ("dialect", dialect),
    ] {
        let _ = writeln!(text, "{:21}{value}", format!("{key}:"));
    }
    match &config.convention {
        None => text.push_str("convention:          the project's own, else the one that SQLAlchemy documents\n"),
        Some(convention) => {
            text.push_str("convention:          the project's own, else\n");
            for (key, value) in convention.entries() {
                if let (Key::Text(key), Value::Template(template)) = (key, value) {
                    let _ = writeln!(text, "  {} = \"{}\"", printable(key), printable(template));
                }
            }
        }
    }
    text
}
