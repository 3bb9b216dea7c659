//! A rule's page from its Markdown.

use std::fmt::Write;

use owo_colors::OwoColorize;

use super::{Width, wrap};

/// Longer lines are hard to read, however wide the terminal is.
const WIDEST: usize = 100;
/// How far code stands from the edge.
const INDENT: &str = "    ";

/// A rule's page: as it is where a program reads it, and readable on a terminal.
#[must_use]
pub fn page(markdown: &str, width: Width) -> String {
    if !width.is_terminal {
        return markdown.to_owned();
    }
    let columns = width.columns.min(WIDEST);
    let mut text = String::new();
    // The lines of a paragraph or of an item, which are filled anew.
    let mut open = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            close(&mut text, &mut open, columns);
            is_code = !is_code;
            if let Some((_, file)) = kind.split_once("file=") {
                let _ = writeln!(text, "{}\n", file.underline());
            }
        } else if is_code {
            let _ = writeln!(text, "{}", format!("{INDENT}{line}").trim_end());
        } else if let Some(cells) = row(line) {
            close(&mut text, &mut open, columns);
            push_row(&mut text, &cells, columns);
        } else if line.is_empty() {
            close(&mut text, &mut open, columns);
            text.push('\n');
        } else if let Some(heading) = line.strip_prefix('#') {
            let _ = writeln!(text, "{}", heading.trim_start_matches('#').trim().bold());
        } else {
            if mark(line) > 0 {
                close(&mut text, &mut open, columns);
            }
            if !open.is_empty() {
                open.push(' ');
            }
            open.push_str(line.trim());
        }
    }
    close(&mut text, &mut open, columns);
    text
}

/// The cells of a line of a table; none for the line below its head.
fn row(line: &str) -> Option<Vec<&str>> {
    let cells = line.strip_prefix('|')?.trim_end().strip_suffix('|')?;
    let is_rule = cells.chars().all(|letter| matches!(letter, '|' | '-' | ':' | ' '));
    Some(if is_rule {
        Vec::new()
    } else {
        cells.split('|').map(str::trim).collect()
    })
}

/// A row as an item: what it is about, and the other cells behind it.
fn push_row(text: &mut String, cells: &[&str], columns: usize) {
    let Some((first, others)) = cells.split_first() else {
        return;
    };
    let item = format!("- {first}: {}", others.join("; "));
    text.push_str(&wrap(&item, textwrap::Options::new(columns).subsequent_indent("  ")));
    text.push('\n');
}

/// How wide the mark is with which an item begins: `- ` or `1. `. Other lines have none.
fn mark(line: &str) -> usize {
    let text = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = line.len() - text.len();
    let mark = if digits > 0 { ". " } else { "- " };
    if text.starts_with(mark) { digits + mark.len() } else { 0 }
}

/// Writes what was collected of a paragraph.
fn close(text: &mut String, open: &mut String, columns: usize) {
    if open.is_empty() {
        return;
    }
    let further = " ".repeat(mark(open));
    let options = textwrap::Options::new(columns).subsequent_indent(&further);
    text.push_str(&wrap(open, options));
    text.push('\n');
    open.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn a_terminal_gets_no_markup_and_every_word() {
        let terminal = Width {
            columns: 80,
            is_terminal: true,
        };
        for rule in rules::all() {
            let shown = page(rule.documentation, terminal);
            let title = format!("{}\n", rule.name.bold());
            assert!(shown.starts_with(&title), "{shown}");
            assert!(!shown.contains("```") && !shown.contains("\n#") && !shown.contains("|--"), "{shown}");
            let is_prose = |line: &&str| !line.starts_with(INDENT);
            let longest = shown.lines().filter(is_prose).map(|line| line.chars().count()).max();
            assert!(longest.is_some_and(|longest| longest <= 80), "{shown}");
            let plain = anstream::adapter::strip_str(&shown).to_string();
            let words = |text: &str| -> Vec<String> {
                // Of a table the words count, and not what stands between its cells.
                let words = text.split_whitespace().map(|word| word.trim_end_matches([':', ';']));
                let is_word = |word: &&str| !word.starts_with('#') && word.contains(|letter| !"|-".contains(letter));
                words.filter(is_word).map(str::to_owned).collect()
            };
            let source: Vec<&str> = rule
                .documentation
                .lines()
                .map(|line| match line.strip_prefix("```") {
                    Some(kind) => kind.split_once("file=").map_or("", |(_, file)| file),
                    None => line,
                })
                .collect();
            assert_eq!(words(&plain), words(&source.join("\n")), "{}", rule.name);
        }
    }

    #[test]
    fn each_item_of_a_list_has_its_lines() {
        let terminal = Width {
            columns: 20,
            is_terminal: true,
        };
        let markdown = "First:\n\n1. one that is\n   a long one\n2. two\n\n- three\n- four that is long\n";
        let shown = "First:\n\n1. one that is a\n   long one\n2. two\n\n- three\n- four that is long\n";
        assert_eq!(page(markdown, terminal), shown);
    }

    #[test]
    fn a_pipe_gets_the_page_as_it_is() {
        let pipe = Width {
            columns: 20,
            is_terminal: false,
        };
        let page_of = rules::all().next().unwrap().documentation;
        assert_eq!(page(page_of, pipe), page_of);
    }
}
