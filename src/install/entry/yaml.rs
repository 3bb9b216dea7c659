//! Reads YAML in its plain layout: block style, indented by spaces. Anything else is refused.

use super::Unclear;
use super::lines::bare;

pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line is neither empty nor a comment.
pub(super) fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// The first such line from `start` on, with its number.
pub(super) fn content_from<'t>(lines: &[&'t str], start: usize) -> Option<(usize, &'t str)> {
    let mut rest = lines.iter().copied().enumerate().skip(start);
    rest.find(|(_, line)| is_content(line))
}

/// Whether a line is this key with its value on the lines below; `None` where it is the key in another form.
fn is_key(line: &str, name: &str) -> Option<bool> {
    let line = line.trim();
    let key = line.split(':').next().unwrap_or_default().trim_end();
    if key.trim_matches(['"', '\'']) != name {
        return Some(false);
    }
    let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'))?;
    (value.is_empty() || value.trim_start().starts_with('#')).then_some(true)
}

/// The line of a key that is indented by `width`, among the lines from `start` on that are no less indented.
pub(super) fn key_at(lines: &[&str], name: &str, width: usize, start: usize) -> Result<Option<usize>, Unclear> {
    let mut found = None;
    for (at, line) in lines.iter().enumerate().skip(start) {
        if !is_content(line) || indent(line) > width {
            continue;
        }
        if indent(line) < width {
            break;
        }
        match is_key(line, name) {
            Some(false) => {}
            Some(true) if found.is_none() => found = Some(at),
            _ => return Err(Unclear::Layout(at + 1)),
        }
    }
    Ok(found)
}

/// Fails unless it is one document with a mapping in block style, without tabs.
pub(super) fn check_layout(lines: &[&str]) -> Result<(), Unclear> {
    let mut seen = false;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_content(line)) {
        let is_marker = line.starts_with("---") || line.starts_with("...");
        let is_odd = if is_marker {
            seen || bare(line).trim_end() != "---"
        } else {
            line.starts_with(['{', '[', '\t', '%', '?', '&', '*', '!'])
        };
        if is_odd {
            return Err(Unclear::Layout(at + 1));
        }
        seen = seen || !is_marker;
    }
    Ok(())
}

/// The first line below a key; fails unless it passes.
pub(super) fn first_below<'t>(
    lines: &[&'t str],
    key: usize,
    passes: impl Fn(&str) -> bool,
) -> Result<&'t str, Unclear> {
    match content_from(lines, key + 1) {
        Some((_, line)) if passes(line) => Ok(line),
        Some((at, _)) => Err(Unclear::Layout(at + 1)),
        None => Err(Unclear::Layout(key + 1)),
    }
}

pub(super) fn is_item(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with("- ")
}

pub(super) fn is_mapping(line: &str) -> bool {
    !line
        .trim_start()
        .starts_with(['-', '{', '[', '&', '*', '!', '?', '|', '>', '\t'])
        && line.contains(':')
}
