//! Renders the revision: a template in Python, filled in with literals.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::convention::{Shapes, check_template, entries};
use crate::constraints::{MigrationFile, key_numbers};
use crate::migration::Migration;
use crate::naming::{Convention, Dialect};
use crate::project::{Given, History, Named, Project};
use crate::python::Module;
use crate::source::{RepoPath, SourceFile};

/// What to rename, and then how each database does it.
const TEMPLATE: &str = concat!(include_str!("revision.py.in"), include_str!("revision_renames.py.in"));

/// A line that only such a revision has.
const MARK: &str = "    rename(to_convention)\n";

pub(super) struct Content<'c> {
    pub(super) convention: &'c Convention,
    pub(super) given: &'c Given,
}

/// The identifier, derived from the down revision and the convention.
pub(super) fn id(down: &str, convention: &str, history: &History) -> String {
    let is_taken = |id: &str| {
        history
            .revisions()
            .is_some_and(|all| all.iter().any(|one| one.id() == id))
    };
    let mut text = format!("{down}\n{convention}");
    loop {
        let digits = format!("{:x}", md5::compute(&text));
        let id = digits.get(..12).unwrap_or(&digits);
        if !is_taken(id) {
            return id.to_owned();
        }
        text.push('\n');
    }
}

/// The convention as a dictionary; `None` where it holds more than texts.
pub(super) fn dictionary(convention: &Convention) -> Option<String> {
    let mut code = String::from("{\n");
    for (key, template) in entries(convention)? {
        let template = template.map_or_else(|| "None".to_owned(), text);
        let _ = writeln!(code, "    {}: {template},", text(key));
    }
    code.push('}');
    Some(code)
}

/// Whether one of the revisions adopts this convention already.
pub(super) fn is_adopted(history: &History, dictionary: &str) -> bool {
    let line = format!("CONVENTION = {dictionary}\n");
    let has_it = |file: &SourceFile| {
        let code = file.text().replace("\r\n", "\n");
        code.contains(MARK) && code.contains(&line)
    };
    history
        .revisions()
        .is_some_and(|all| all.iter().any(|one| has_it(one.file())))
}

/// The revision as Python.
pub(super) fn render(
    id: &str,
    down: &str,
    dictionary: &str,
    content: &Content<'_>,
    numbers: &[(Vec<String>, u32)],
) -> String {
    let checks = content.given.checks.iter().map(|(name, _)| name.clone());
    let checks = check_template(content.convention).map_or_else(Vec::new, |_| sorted(checks));
    // Placeholders are between `$`, which the code has nowhere else.
    let parts = TEMPLATE.split('$').enumerate().map(|(at, part)| match part {
        "revision" if at % 2 == 1 => id.to_owned(),
        "down_revision" if at % 2 == 1 => plain(down),
        "down_revision_code" if at % 2 == 1 => text(down),
        "convention" if at % 2 == 1 => dictionary.to_owned(),
        "kept" if at % 2 == 1 => list(&kept(content)),
        "checks" if at % 2 == 1 => list(&checks),
        "numbers" if at % 2 == 1 => by_place(numbers),
        _ => part.to_owned(),
    });
    parts.collect()
}

fn by_place(numbers: &[(Vec<String>, u32)]) -> String {
    if numbers.is_empty() {
        return "{}".to_owned();
    }
    let lines = numbers
        .iter()
        .map(|(place, number)| tuple(place, 4, &format!(": {number},")));
    format!("{{\n{}}}", lines.collect::<String>())
}

/// The names that, judged by the database alone, might be the database's own or the convention's.
fn kept(content: &Content<'_>) -> Vec<String> {
    let shapes = Shapes::of(content.convention);
    let in_models = content.given.in_models.iter();
    let in_models = in_models.filter(|named| looks_generated(named) || shapes.fit(&named.name));
    let in_revisions = content
        .given
        .in_revisions
        .iter()
        .filter(|named| shapes.fit(&named.name));
    sorted(in_models.chain(in_revisions).map(|named| named.name.clone()))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// `order_code_key`, `order_ibfk_2`, or the name of one of its columns.
fn looks_generated(named: &Named) -> bool {
    let stem = named.name.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let is_column = |column: &String| {
        let rest = named.name.strip_prefix(column.as_str());
        rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('_') && stem.len() == column.len() + 1))
    };
    ["_key", "_fkey", "_pkey", "_ibfk_"]
        .iter()
        .any(|ending| stem.ends_with(ending))
        || named.beside.iter().any(is_column)
}

/// For a database that may be MySQL or MariaDB, the numbers of foreign keys that do not follow the order of their columns.
pub(super) fn numbers(
    project: &Project<'_>,
    path: &RepoPath,
    down: &str,
    dialect: Option<Dialect>,
) -> Vec<(Vec<String>, u32)> {
    let code = format!("revision = 'new'\ndown_revision = {}\n", text(down));
    let source = SourceFile::new(path.clone(), code);
    let shown = dialect.map_or_else(|| project.signs(&source), |one| vec![one]);
    let may_be = |one: &Dialect| matches!(one, Dialect::Mysql | Dialect::Mariadb | Dialect::Other);
    if !shown.is_empty() && !shown.iter().any(may_be) {
        return Vec::new();
    }
    let module = Module::parse(source);
    let migration = Migration::read(&module);
    let file = MigrationFile::new(&migration, project);
    let mut tables: BTreeMap<String, Vec<(Vec<String>, u32)>> = BTreeMap::new();
    for ((table, schema), columns, number) in key_numbers(&file) {
        let table = schema.map_or_else(|| table.clone(), |schema| format!("{schema}.{table}"));
        tables.entry(table).or_default().push((columns, number));
    }
    let mut found = Vec::new();
    for (table, mut keys) in tables {
        keys.sort_unstable();
        let is_usual = keys.iter().zip(1_u32..).all(|((_, number), place)| *number == place);
        if !is_usual {
            let with_table = |(columns, number)| ([vec![table.clone()], columns].concat(), number);
            found.extend(keys.into_iter().map(with_table));
        }
    }
    found
}

/// The line length of formatters.
const WIDTH: usize = 88;

/// A tuple with a line for each name, as formatters write it.
fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "()".to_owned();
    }
    let lines = names.iter().map(|name| format!("    {},\n", text(name)));
    format!("(\n{})", lines.collect::<String>())
}

/// A tuple on one line, or on several where it is too long.
fn tuple(parts: &[String], indent: usize, end: &str) -> String {
    let texts: Vec<String> = parts.iter().map(|part| text(part)).collect();
    let space = " ".repeat(indent);
    let line = format!("{space}({}){end}", texts.join(", "));
    if line.len() <= WIDTH {
        return line + "\n";
    }
    let mut code = format!("{space}(\n");
    for part in texts {
        let _ = writeln!(code, "{space}    {part},");
    }
    code + &format!("{space}){end}\n")
}

/// A string literal in ASCII.
fn text(value: &str) -> String {
    let mut code = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' | '\\' => code.extend(['\\', letter]),
            ' '..='~' => code.push(letter),
            _ if u32::from(letter) > 0xffff => {
                let _ = write!(code, "\\U{:08x}", u32::from(letter));
            }
            _ => {
                let _ = write!(code, "\\u{:04x}", u32::from(letter));
            }
        }
    }
    code + "\""
}

/// An identifier for the docstring, which it must not end.
fn plain(id: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-. ".contains(letter);
    id.chars()
        .map(|letter| if is_plain(letter) { letter } else { '?' })
        .collect()
}
