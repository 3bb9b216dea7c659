//! Comments that silence findings: `# alembic-named: ignore[rule]` on a call, `# alembic-named: ignore-file[rule]` at the top of a file.

use std::collections::HashMap;

use crate::config::nearest_rule;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::fix::{Edit, Fix, Safety};
use crate::python::{Module, StmtKind};
use crate::rules::{self, UNUSED_IGNORE};
use crate::source::{SourceFile, Span};
use crate::words::listed;
use crate::work;

const MARKER: &str = "alembic-named:";

/// Whether a text, a file or a comment, holds what such a comment begins with.
pub(crate) fn are_mentioned(text: &str) -> bool {
    text.contains(MARKER)
}

/// The number of comments for this program.
pub(crate) fn count(file: &SourceFile) -> usize {
    file.text().matches(MARKER).count()
}

/// Where a comment's list of rules can be extended, and the separator to write there; nothing if it has no list for its line.
pub(crate) fn place_for_rule(file: &SourceFile, comment: Span) -> Option<(usize, &'static str)> {
    let directive = parse(file, comment)?;
    let text = file.slice(comment);
    let open = text.find(MARKER)? + text.get(text.find(MARKER)?..)?.find('[')? + 1;
    let list = text.get(open..)?.split_once(']')?.0.trim_end();
    let separator = if list.ends_with(',') { " " } else { ", " };
    let is_list = !directive.whole_file && !directive.rules.is_empty();
    is_list.then_some((comment.start + open + list.len(), separator))
}

/// A comment that silences these rules on its line.
pub(crate) fn comment(rules: &[&str]) -> String {
    format!("# {MARKER} ignore[{}]", rules.join(", "))
}

/// One comment.
#[derive(Debug)]
struct Directive {
    /// The whole comment.
    comment: Span,
    /// Whether it is an `ignore-file`.
    whole_file: bool,
    /// Whether it is an `ignore-file` below the top, where it does not count.
    is_misplaced: bool,
    /// The rules as written; an empty list means all.
    rules: Vec<String>,
    /// Which of them silenced something.
    used: Vec<bool>,
}

/// Drops findings that a comment silences, and adds a finding for each comment that silences nothing.
///
/// `is_on` tells whether a rule is applied to this file: a comment for one that is turned off is not called unused.
pub(crate) fn apply(module: &Module, found: Vec<Diagnostic>, is_on: &dyn Fn(&'static Rule) -> bool) -> Vec<Diagnostic> {
    let all = directives(module);
    if all.is_empty() {
        return found;
    }
    let known = HashMap::new();
    let mut directives = Directives { all, known };
    let file = module.file();
    let mut kept: Vec<Diagnostic> = found
        .into_iter()
        .filter(|diagnostic| !directives.silence(file, diagnostic))
        .collect();
    kept.extend(
        directives
            .all
            .iter()
            .filter_map(|directive| unused(file, directive, is_on)),
    );
    kept
}

fn directives(module: &Module) -> Vec<Directive> {
    let file = module.file();
    if !are_mentioned(file.text()) {
        return Vec::new();
    }
    let head = head_end(module);
    let parsed = module.comments().iter().filter_map(|comment| parse(file, *comment));
    let mut directives: Vec<Directive> = parsed
        .map(|directive| Directive {
            // Further down `ignore-file` would be easy to overlook, so there it silences nothing.
            is_misplaced: directive.whole_file && directive.comment.start >= head,
            ..directive
        })
        .collect();
    directives.sort_by_key(|directive| !directive.holds_for_file());
    directives
}

impl Directive {
    fn holds_for_file(&self) -> bool {
        self.whole_file && !self.is_misplaced
    }

    /// Whether the comment names this rule, which then counts as used.
    fn silences(&mut self, rule: &str) -> bool {
        work::step();
        let at = if self.rules.is_empty() {
            Some(0)
        } else {
            self.rules.iter().position(|name| name == rule)
        };
        let used = at.and_then(|at| self.used.get_mut(at));
        used.is_some_and(|used| {
            *used = true;
            true
        })
    }
}

/// The comments of a file, `ignore-file` first, and the answers so far.
struct Directives {
    all: Vec<Directive>,
    /// By lines and rule; without lines, for the whole file.
    known: HashMap<(Option<Span>, &'static str), bool>,
}

/// Where the code begins after the module's docstring.
fn head_end(module: &Module) -> usize {
    let is_docstring = |kind: &StmtKind| matches!(kind, StmtKind::Expr(expr) if expr.as_str().is_some());
    let mut body = module.body().iter();
    let first = body.find(|statement| !is_docstring(&statement.kind));
    first.map_or(module.file().text().len(), |statement| statement.span.start)
}

fn parse(file: &SourceFile, comment: Span) -> Option<Directive> {
    // Other tools' words may come first: `# noqa  # alembic-named: ignore`.
    let mut parts = file.slice(comment).split('#').map(str::trim_start);
    let order = parts.find_map(|part| part.strip_prefix(MARKER))?.trim_start();
    let (whole_file, rest) = match order.strip_prefix("ignore-file") {
        Some(rest) => (true, rest),
        None => (false, order.strip_prefix("ignore")?),
    };
    let rules: Vec<String> = match rest.trim_start().strip_prefix('[') {
        Some(list) => list
            .split(']')
            .next()?
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
        None if rest.is_empty() || rest.starts_with(char::is_whitespace) => Vec::new(),
        None => return None,
    };
    Some(Directive {
        comment,
        whole_file,
        is_misplaced: false,
        used: vec![false; rules.len().max(1)],
        rules,
    })
}

impl Directives {
    fn silence(&mut self, file: &SourceFile, diagnostic: &Diagnostic) -> bool {
        let lines = Span::new(file.line_span(diagnostic.span.start).start, file.line_span(diagnostic.span.end).end);
        let rule = diagnostic.rule.name;
        let of_file = self.all.partition_point(Directive::holds_for_file);
        let (of_file, of_lines) = self.all.split_at_mut(of_file);
        // Every comment is asked, so that none that applies is reported as unused.
        let ask = |directives: &mut dyn Iterator<Item = &mut Directive>| {
            directives
                .filter_map(|directive| directive.silences(rule).then_some(()))
                .count()
                > 0
        };
        let by_file = *(self.known)
            .entry((None, rule))
            .or_insert_with(|| ask(&mut of_file.iter_mut()));
        let by_lines = *self.known.entry((Some(lines), rule)).or_insert_with(|| {
            let first = of_lines.partition_point(|directive| directive.comment.start < lines.start);
            let inside = of_lines.iter_mut().skip(first);
            let inside = inside.take_while(|directive| directive.comment.start < lines.end);
            ask(&mut inside.filter(|directive| !directive.whole_file && lines.contains(directive.comment)))
        });
        by_file || by_lines
    }
}

fn unused(file: &SourceFile, directive: &Directive, is_on: &dyn Fn(&'static Rule) -> bool) -> Option<Diagnostic> {
    let mut idle: Vec<&str> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for (name, used) in directive.rules.iter().zip(&directive.used) {
        match rules::find(name) {
            None => unknown.push(nearest_rule(name)),
            Some(rule) if !used && is_on(rule) => idle.push(name),
            Some(_) => {}
        }
    }
    let (message, help) = if directive.is_misplaced {
        ("`ignore-file` counts only above the code".to_owned(), "put it at the top of the file")
    } else if !unknown.is_empty() {
        (
            format!("this names a rule that is not there: {}", unknown.join(", ")),
            "write the rule as `alembic-named rules` lists it",
        )
    } else if directive.rules.is_empty() && !directive.used.contains(&true) {
        ("this silences nothing".to_owned(), "take it out, so that it does not hide the next finding")
    } else if idle.is_empty() {
        return None;
    } else {
        (
            format!("this silences no {}", listed(&idle)),
            "take it out, so that it does not hide the next finding",
        )
    };
    let mut diagnostic = Diagnostic::new(UNUSED_IGNORE, file, directive.comment, message)
        .focus(directive.comment, "nothing here is found by that rule")
        .help(help);
    diagnostic.severity = Severity::Warning;
    let all_idle = idle.len() == directive.rules.len();
    diagnostic.fix =
        (unknown.is_empty() && all_idle && !directive.is_misplaced).then(|| removal(file, directive.comment));
    Some(diagnostic)
}

/// Removes the comment with the blanks before it, and its line if that is empty then.
fn removal(file: &SourceFile, comment: Span) -> Fix {
    let line = file.line_span(comment.start);
    let before = file.slice(Span::new(line.start, comment.start));
    let code = before.trim_end().len();
    let span = if code == 0 {
        let rest = file.text().get(line.end..).unwrap_or_default();
        let ending = if rest.starts_with("\r\n") {
            2
        } else {
            usize::from(!rest.is_empty())
        };
        Span::new(line.start, line.end + ending)
    } else {
        // Keeps what another tool reads at the start of the same comment.
        let text = file.slice(comment);
        let marker = text.find(MARKER).unwrap_or_default();
        let own = text
            .get(..marker)
            .and_then(|before| before.rfind('#'))
            .unwrap_or_default();
        let before = file.slice(Span::new(line.start, comment.start + own));
        Span::new(line.start + before.trim_end().len(), comment.end)
    };
    Fix::new("take the comment out", Safety::Safe, vec![Edit::replace(file, span, "")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::examine;
    use crate::config::Config;
    use crate::fix::apply as apply_fixes;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;

    fn found(text: &str) -> (SourceFile, Vec<Diagnostic>) {
        let snapshot = MemorySnapshot::default();
        let file = SourceFile::new("m.py".into(), text.to_owned());
        let examined = examine(&file, false, &Project::new(&snapshot, "/top"), &Config::default());
        (file, examined.diagnostics)
    }

    fn names(text: &str) -> Vec<&'static str> {
        found(text).1.iter().map(|diagnostic| diagnostic.rule.name).collect()
    }

    #[test]
    fn a_comment_on_any_line_of_the_call_silences_its_rule() {
        for call in [
            "op.create_unique_constraint(None, 't', ['c'])  # alembic-named: ignore[unnamed-constraint]",
            "op.create_unique_constraint(None, 't', ['c'])  # noqa: E501  # alembic-named: ignore[unnamed-constraint]",
            "op.create_unique_constraint(  # alembic-named: ignore[unnamed-drop, unnamed-constraint] why\n    None, 't', ['c'])",
            "op.create_unique_constraint(\n    None,\n    't', ['c'],\n)  #alembic-named:ignore",
        ] {
            let left = names(&format!("from alembic import op\n{call}\n"));
            assert!(!left.contains(&"unnamed-constraint"), "{call}: {left:?}");
        }
        let other = "from alembic import op\n# alembic-named: ignore[unnamed-constraint]\nop.create_unique_constraint(None, 't', ['c'])\n";
        assert_eq!(names(other), ["unnamed-constraint", "unused-ignore"]);
    }

    #[test]
    fn a_file_is_ignored_only_from_its_top() {
        let top = "\"\"\"Doc.\"\"\"\n# alembic-named: ignore-file[unnamed-constraint]\nfrom alembic import op\nop.create_unique_constraint(None, 't', ['c'])\n";
        assert!(names(top).is_empty());
        let below = "from alembic import op\n# alembic-named: ignore-file[unnamed-constraint]\nop.create_unique_constraint(None, 't', ['c'])\n";
        assert_eq!(names(below), ["unnamed-constraint", "unused-ignore"]);
    }

    #[test]
    fn what_silences_nothing_is_found_and_taken_out() {
        for (line, after) in [
            ("op.execute('x')  # alembic-named: ignore[unnamed-drop]", "op.execute('x')\n"),
            ("# alembic-named: ignore[unnamed-drop]\nop.execute('x')", "op.execute('x')\n"),
        ] {
            let (file, diagnostics) = found(&format!("from alembic import op\n{line}\n"));
            assert_eq!(diagnostics.len(), 1, "{line}");
            let fix = diagnostics[0].fix.clone().unwrap();
            assert_eq!(apply_fixes(&file, [&fix]), format!("from alembic import op\n{after}"));
        }
        let (_, misspelled) = found("from alembic import op\nop.execute('x')  # alembic-named: ignore[unnamed-dorp]\n");
        assert!(misspelled[0].message.contains("did you mean `unnamed-drop`?"), "{}", misspelled[0].message);
        assert!(misspelled[0].fix.is_none());
    }

    #[test]
    fn words_in_strings_are_no_comments() {
        assert!(names("from alembic import op\nop.execute('# alembic-named: ignore[unnamed-drop]')\n").is_empty());
    }

    #[test]
    fn a_comment_of_another_tool_stays() {
        let text = "x = 1  # noqa: E501  # alembic-named: ignore[unnamed-drop]\n";
        let migration = format!("from alembic import op\nrevision = 'a'\n{text}");
        let (file, found) = found(&migration);
        let fixes = found.iter().filter_map(|one| one.fix.as_ref());
        let after = apply_fixes(&file, fixes);
        assert!(after.ends_with("x = 1  # noqa: E501\n"), "{after}");
    }
}
