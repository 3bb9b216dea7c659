//! `fix --ignore`: writes a comment for each finding, on a line where a check reads it.
//!
//! The file is checked again before it is written. A comment that silences less than it says is not written, and its findings are reported.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Edit, Fix, FixedFile, Look, Safety, apply};
use crate::check::ignores::{self, comment, place_for_rule};
use crate::check::{CheckError, Outcome};
use crate::diagnostic::Diagnostic;
use crate::python::{Module, open_line_ends};
use crate::rules::UNUSED_IGNORE;
use crate::source::{SourceFile, Span};
use crate::words::counted;

/// How often the comments that are left are checked again after some failed.
const MAX_ROUNDS: usize = 10;

/// How many findings that cannot be silenced are named one by one.
const MOST_TOLD: usize = 10;

/// What identifies a finding before and after comments are added: the line on which it begins, and its rule.
type LineAndRule = (usize, &'static str);

/// A comment to write.
struct Comment {
    /// The separator, where it extends the list of a comment that is there.
    further: Option<&'static str>,
    /// What it replaces: the blanks at the end of a line.
    span: Span,
    /// The line.
    line: usize,
    /// Its rules.
    rules: BTreeSet<&'static str>,
    /// The findings that it is for.
    found: HashSet<LineAndRule>,
}

impl Comment {
    fn fix(&self, file: &SourceFile) -> Fix {
        let rules: Vec<&str> = self.rules.iter().copied().collect();
        let text = match self.further {
            Some(separator) => format!("{separator}{}", rules.join(", ")),
            None => format!("  {}", comment(&rules)),
        };
        Fix::new("ignore it", Safety::Safe, vec![Edit::replace(file, self.span, text)])
    }

    /// Whether it silences all of its findings and is not reported as unused.
    fn holds(&self, left: &HashSet<LineAndRule>) -> bool {
        self.found.is_disjoint(left) && !left.contains(&(self.line, UNUSED_IGNORE.name))
    }
}

/// Silences all findings, in memory. A remark names each that no comment silences; a file that cannot be checked again stays as it is, and
/// is a failure.
pub(crate) fn silence(outcome: &mut Outcome, look: &Look<'_>) -> Vec<FixedFile> {
    let files = outcome.diagnostics.chunk_by(|one, other| one.path() == other.path());
    let (mut silenced, mut kept) = (Vec::new(), Vec::new());
    for own in files {
        let Some(first) = own.first() else { continue };
        match silence_file(&first.file, own, look) {
            Ok((fixed_file, left)) => {
                silenced.extend(fixed_file);
                kept.extend(left.into_iter().map(|(line, rule)| (first.path().clone(), line, rule)));
            }
            Err(error) => outcome.failures.push(error.to_string()),
        }
    }
    let told = kept.iter().take(MOST_TOLD).map(|(path, line, rule)| {
        let what = if *rule == UNUSED_IGNORE.name {
            "take that comment out, or correct it"
        } else {
            "correct it, or turn the rule off for this file with `per-file-ignores`"
        };
        format!("`{path}`, line {line}: no comment silences `{rule}` there: {what}")
    });
    let mut remarks: Vec<String> = told.collect();
    if let Some(more) = kept.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        remarks.push(format!("no comment silences {} more", counted(more, "finding")));
    }
    outcome.remarks.extend(remarks);
    // This belongs to fixes, and none is applied.
    for one in &mut outcome.diagnostics {
        one.left_to_do = None;
    }
    silenced
}

/// One file with its comments, and the findings that have none.
fn silence_file(
    before: &SourceFile,
    own: &[Diagnostic],
    look: &Look<'_>,
) -> Result<(Option<FixedFile>, Vec<LineAndRule>), CheckError> {
    let module = Module::parse(before.clone());
    let all: BTreeSet<LineAndRule> = own.iter().map(found).collect();
    let mut comments = comments(&module, own);
    let known_idle = all.iter().filter(|(_, rule)| *rule == UNUSED_IGNORE.name);
    let known_idle: HashSet<LineAndRule> = known_idle.copied().collect();
    for _ in 0..MAX_ROUNDS {
        let fixes: Vec<Fix> = comments.iter().map(|comment| comment.fix(before)).collect();
        if fixes.is_empty() {
            break;
        }
        let after = SourceFile::new(before.path().clone(), apply(before, &fixes));
        let mut left = look(&after)?;
        let still: HashSet<LineAndRule> = left.iter().map(found).collect();
        let new: HashSet<LineAndRule> = still.difference(&known_idle).copied().collect();
        let count = comments.len();
        comments.retain(|comment| comment.holds(&new));
        if comments.len() < count {
            continue;
        }
        if Module::parse(after.clone()).errors().len() > module.errors().len() {
            break;
        }
        // Findings that `changed-lines-only` left out are found here.
        left.retain(|one| all.contains(&found(one)));
        let fixed_file = FixedFile {
            before: before.clone(),
            fixed: own.len().saturating_sub(left.len()),
            after,
            left,
        };
        let kept = all.into_iter().filter(|one| still.contains(one)).collect();
        return Ok((Some(fixed_file), kept));
    }
    Ok((None, all.into_iter().collect()))
}

fn found(one: &Diagnostic) -> LineAndRule {
    (one.file.position(one.span.start).line, one.rule.name)
}

/// The comments for these findings, one for each place.
fn comments(module: &Module, own: &[Diagnostic]) -> Vec<Comment> {
    let file = module.file();
    let ends = open_line_ends(file.text());
    let is_mentioned = ignores::are_mentioned(file.text());
    let mut places: BTreeMap<Span, Comment> = BTreeMap::new();
    for one in own.iter().filter(|one| one.rule.name != UNUSED_IGNORE.name) {
        let lines = Span::new(file.line_span(one.span.start).start, file.line_span(one.span.end).end);
        let further = is_mentioned
            .then(|| further(module, lines))
            .flatten()
            .map(|(at, separator)| (Span::new(at, at), Some(separator)));
        let Some((span, further)) = further.or_else(|| Some((new(module, &ends, lines)?, None))) else {
            continue;
        };
        let comment = places.entry(span).or_insert_with(|| Comment {
            further,
            span,
            line: file.position(span.start).line,
            rules: BTreeSet::new(),
            found: HashSet::new(),
        });
        comment.rules.insert(one.rule.name);
        comment.found.insert(found(one));
    }
    places.into_values().collect()
}

/// The comments on these lines.
fn comments_on(module: &Module, lines: Span) -> &[Span] {
    let comments = module.comments();
    let start = comments.partition_point(|comment| comment.start < lines.start);
    let end = comments.partition_point(|comment| comment.end <= lines.end);
    comments.get(start..end).unwrap_or_default()
}

/// The place in a comment on these lines where its list of rules can be extended.
fn further(module: &Module, lines: Span) -> Option<(usize, &'static str)> {
    let mut own = comments_on(module, lines).iter();
    own.find_map(|comment| place_for_rule(module.file(), *comment))
}

/// The blanks at the end of the first of these lines that can take a comment.
fn new(module: &Module, ends: &[usize], lines: Span) -> Option<Span> {
    let file = module.file();
    let first = ends.partition_point(|&end| end < lines.start);
    let on_lines = ends.get(first..)?.iter().take_while(|&&end| end <= lines.end);
    on_lines.copied().find_map(|end| {
        let line = Span::new(file.line_span(end).start, end);
        let there = comments_on(module, line).last();
        if there.is_some_and(|there| ignores::are_mentioned(file.slice(*there))) {
            return None;
        }
        let code = there.map_or(file.slice(line), |there| file.slice(Span::new(line.start, there.start)));
        let text = file.slice(line).trim_end();
        (!code.trim().is_empty()).then(|| Span::new(line.start + text.len(), end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Examined, examine};
    use crate::config::Config;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;

    fn findings(file: &SourceFile) -> Vec<Diagnostic> {
        let snapshot = MemorySnapshot::default();
        let project = Project::new(&snapshot, "/top");
        let Examined { diagnostics, .. } = examine(file, false, &project, &Config::default());
        diagnostics
    }

    /// The text with its comments, and the remarks. What was silenced is not found any more, and twice is once.
    #[track_caller]
    fn silenced(text: &str) -> (String, Vec<String>) {
        let file = SourceFile::new("m.py".into(), text.to_owned());
        let mut outcome = Outcome {
            diagnostics: findings(&file),
            ..Outcome::default()
        };
        assert!(!outcome.diagnostics.is_empty(), "{text}");
        let fixed_file = silence(&mut outcome, &|file| Ok(findings(file)));
        let Some(one) = fixed_file.first() else {
            return (text.to_owned(), outcome.remarks);
        };
        let again = silence_file(&one.after, &one.left, &|file| Ok(findings(file)))
            .unwrap()
            .0;
        assert!(again.is_none(), "{again:?}");
        assert_eq!(one.fixed + one.left.len(), outcome.diagnostics.len());
        (one.after.text().to_owned(), outcome.remarks)
    }

    const HEAD: &str = "from alembic import op\nimport sqlalchemy as sa\nrevision = 'a'\ndown_revision = None\n";

    #[test]
    fn a_comment_stands_at_the_first_place_where_it_is_read() {
        for (before, after) in [
            (
                "op.create_unique_constraint(None, 't', ['c'])",
                "op.create_unique_constraint(None, 't', ['c'])  # alembic-named: ignore[unnamed-constraint]",
            ),
            (
                "if x:\n\top.create_unique_constraint(None, 't', ['c']) \t\n",
                "if x:\n\top.create_unique_constraint(None, 't', ['c'])  # alembic-named: ignore[unnamed-constraint]\n",
            ),
            (
                "op.drop_constraint(None, 't')  # noqa: E501 \n",
                "op.drop_constraint(None, 't')  # noqa: E501  # alembic-named: ignore[unnamed-drop]\n",
            ),
            (
                "op.create_unique_constraint(\n    None, 't', ['c']\n)\n",
                "op.create_unique_constraint(  # alembic-named: ignore[unnamed-constraint]\n    None, 't', ['c']\n)\n",
            ),
            (
                "op.create_unique_constraint(None, \"\"\"\\\nt\"\"\",\n    ['c'])\n",
                "op.create_unique_constraint(None, \"\"\"\\\nt\"\"\",  # alembic-named: ignore[unnamed-constraint]\n    ['c'])\n",
            ),
            (
                "op.create_unique_constraint(None, 't', \\\n    ['c'])\n",
                "op.create_unique_constraint(None, 't', \\\n    ['c'])  # alembic-named: ignore[unnamed-constraint]\n",
            ),
            (
                "op.drop_constraint(None, 't'); op.create_unique_constraint(None, 't', ['c'])\n",
                "op.drop_constraint(None, 't'); op.create_unique_constraint(None, 't', ['c'])  # alembic-named: ignore[unnamed-constraint, unnamed-drop]\n",
            ),
        ] {
            for ending in ["\n", "\r\n"] {
                let with_ending = |text: &str| format!("{HEAD}{text}").replace('\n', ending);
                let (text, remarks) = silenced(&with_ending(before));
                assert_eq!(text, with_ending(after));
                assert!(remarks.is_empty(), "{remarks:?}");
            }
        }
    }

    #[test]
    fn a_list_that_is_there_becomes_longer() {
        for (before, after) in [
            ("ignore[unnamed-drop] why", "ignore[unnamed-drop, unnamed-constraint] why"),
            ("ignore[ unnamed-drop, ]", "ignore[ unnamed-drop, unnamed-constraint ]"),
            ("ignore[no-rule]", "ignore[no-rule, unnamed-constraint]"),
        ] {
            let line = |comment: &str| {
                format!(
                    "{HEAD}op.drop_constraint(None, 't'); op.create_unique_constraint(None, 't', ['c'])  # alembic-named: {comment}\n"
                )
            };
            let expected = if before.contains("no-rule") {
                line("ignore[no-rule, unnamed-constraint, unnamed-drop]")
            } else {
                line(after)
            };
            assert_eq!(silenced(&line(before)).0, expected);
        }
        // Nothing else in a comment is a list for this line.
        for other in ["ignore-file[unnamed-drop]", "hello", "ignore[unnamed"] {
            let text =
                format!("{HEAD}op.create_unique_constraint(None,  # alembic-named: {other}\n    't', ['c'])\nx = 1\n");
            let expected = text.replace("['c'])", "['c'])  # alembic-named: ignore[unnamed-constraint]");
            let (after, remarks) = silenced(&text);
            assert_eq!(after, expected);
            assert_eq!(remarks.len(), usize::from(other.starts_with("ignore")), "{remarks:?}");
        }
    }

    #[test]
    fn what_no_comment_silences_is_told() {
        let (text, remarks) = silenced(&format!(
            "{HEAD}x = 1  # alembic-named: ignore[unnamed-drop]\nop.create_unique_constraint(None, 't', ['c'])\n"
        ));
        assert!(text.ends_with("['c'])  # alembic-named: ignore[unnamed-constraint]\n"), "{text}");
        assert_eq!(
            remarks,
            ["`m.py`, line 5: no comment silences `unused-ignore` there: take that comment out, or correct it"]
        );
        // The string never ends, so that no line below it takes a comment.
        let broken = format!("{HEAD}op.drop_constraint(None, 't')\nx = (\"\"\"\n");
        let (text, remarks) = silenced(&broken);
        assert!(text.contains("'t')  # alembic-named: ignore[unnamed-drop]\n"), "{text}");
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        assert!(remarks[0].contains("no comment silences `syntax-error` there: correct it"), "{remarks:?}");
        let many = format!("{HEAD}{}", "x = 1  # alembic-named: ignore[unnamed-drop]\n".repeat(13));
        let remarks = silenced(&many).1;
        assert_eq!(remarks.len(), 11);
        assert_eq!(remarks[10], "no comment silences 3 findings more");
    }

    /// Each line is looked at as often as there are findings on it, and not once for every finding of the file.
    #[test]
    fn thousands_of_findings_are_silenced_in_one_round() {
        let text = format!("{HEAD}{}", "op.create_unique_constraint(None, 't', ['c'])\n".repeat(3000));
        let file = SourceFile::new("m.py".into(), text);
        let own = findings(&file);
        let rounds = std::cell::Cell::new(0);
        let counted = |file: &SourceFile| {
            rounds.set(rounds.get() + 1);
            Ok(findings(file))
        };
        let (fixed_file, kept) = silence_file(&file, &own, &counted).unwrap();
        assert_eq!((fixed_file.unwrap().fixed, kept.len(), rounds.get()), (own.len(), 0, 1));
    }
}
