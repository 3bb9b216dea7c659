//! The line ends where a comment can be added: not inside a string, and not after a backslash.

use ruff_python_ast::PySourceType;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::Ranged;

/// The ends of the lines that a comment can be added to, in order.
pub(crate) fn open_line_ends(text: &str) -> Vec<usize> {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let mut ends = Vec::new();
    // Before Python 3.12 the braces of an f-string must not contain comments, even over several lines.
    let mut depth = 0_usize;
    for token in parsed.tokens() {
        match token.kind() {
            TokenKind::FStringStart | TokenKind::TStringStart => depth += 1,
            TokenKind::FStringEnd | TokenKind::TStringEnd => depth = depth.saturating_sub(1),
            TokenKind::Newline | TokenKind::NonLogicalNewline if depth == 0 => {
                ends.push(token.range().start().to_usize());
            }
            _ => {}
        }
    }
    // Dropping a tree of a million levels would overflow the stack; the process is about to end anyway.
    std::mem::forget(parsed);
    ends
}

#[cfg(test)]
mod tests {
    use super::open_line_ends;

    #[test]
    fn strings_and_continued_lines_take_no_comment() {
        for (text, lines) in [
            ("a = 1\nb = 2", &["a = 1", "b = 2"][..]),
            ("a = 1\r\nb = 2\r\n", &["a = 1", "b = 2"]),
            ("f(  # why\n    1,\n)\n", &["f(  # why", "    1,", ")"]),
            ("a = 1 + \\\n    2\n", &["    2"]),
            ("f(\"\"\"a\nb\"\"\", 1)\n", &["b\"\"\", 1)"]),
            ("f(f\"\"\"a {\n1} b\n\"\"\")\n", &["\"\"\")"]),
            ("if x:\n\tpass\n", &["if x:", "\tpass"]),
        ] {
            let ends = open_line_ends(text);
            let found: Vec<&str> = ends
                .iter()
                .map(|&end| text[..end].rsplit('\n').next().unwrap())
                .filter(|line| !line.is_empty())
                .collect();
            assert_eq!(found, lines, "{text}");
        }
    }
}
