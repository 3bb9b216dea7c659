//! Whether a shell script reaches its last line, and whether it runs this program, judged without running it.
//!
//! In doubt a line counts as not reached: a check that never runs looks like one that finds nothing.

mod reader;

use std::collections::BTreeMap;

use super::entry::is_program;
use reader::{Reader, Script, SimpleCommand};

/// How deep `eval` in `eval` is read.
const DEEPEST: usize = 3;

/// A command that may keep the lines below it from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Its line.
    pub(super) line: usize,
    /// The first line of the outermost command or function that it is in. Everything above that runs.
    pub(super) above: usize,
}

/// Whether a script runs this program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run {
    Never,
    /// In this line.
    At(usize),
    /// It would without the one above it.
    Behind(End),
}

/// What keeps a line at the end of the script from running: a command that always ends the script, or one among the last commands, unless
/// it ends the script with an error.
///
/// An author may end a script on a condition before other commands, or on a test of a value. A `case` and the call of a function are no
/// such conditions: one of the arms is always taken, and a function is there to be called.
pub(super) fn end(text: &str) -> Option<End> {
    let script = Reader::new(text).script();
    let unclear = script.unclear.map(|(end, _)| end);
    first(end_of(&script.commands, 0), unclear)
}

pub(super) fn run(text: &str) -> Run {
    let Script { commands, unclear } = Reader::new(text).script();
    let Some(at) = commands.iter().position(SimpleCommand::runs_program) else {
        return Run::Never;
    };
    let (above, rest) = commands.split_at(at);
    let unclear = unclear.filter(|(_, before)| *before <= at).map(|(end, _)| end);
    match (first(end_of(above, 0), unclear), rest.first()) {
        (Some(end), _) => Run::Behind(end),
        (None, command) => Run::At(command.map_or(1, |command| command.line)),
    }
}

/// The first line that runs the program, reached or not.
pub(super) fn program_line(text: &str) -> Option<usize> {
    let commands = Reader::new(text).script().commands;
    let command = commands.iter().find(|command| command.runs_program());
    command.map(|command| command.line)
}

fn first(one: Option<End>, other: Option<End>) -> Option<End> {
    one.into_iter().chain(other).min_by_key(|end| end.above)
}

fn end_of(commands: &[SimpleCommand], depth: usize) -> Option<End> {
    // Each function is judged like a script of its own.
    let mut scripts: BTreeMap<usize, Vec<&SimpleCommand>> = BTreeMap::new();
    for command in commands {
        scripts.entry(command.function).or_default().push(command);
    }
    let ends = scripts.values().filter_map(|script| end_of_one(script, depth));
    ends.min_by_key(|end| end.above)
}

fn end_of_one(commands: &[&SimpleCommand], depth: usize) -> Option<End> {
    let goes_on = |command: &&SimpleCommand| !command.ends(depth) && !command.is_assignment();
    let last = commands.iter().rposition(goes_on).map_or(0, |at| at + 1);
    let is_tested = |at: usize, command: &SimpleCommand| {
        let mut before = commands.iter().take(at).rev();
        let condition = before.find(|before| !before.is_output());
        command.is_guarded && condition.is_some_and(|condition| condition.is_test())
    };
    let ends = |(at, command): (usize, &&SimpleCommand)| {
        let is_reached = command.is_certain && !(command.is_choice() && command.fails());
        let is_last = at >= last && !command.fails() && !is_tested(at, command);
        let is_end = (is_reached || is_last) && command.ends(depth);
        is_end.then_some(End {
            line: command.line,
            above: command.above,
        })
    };
    commands.iter().enumerate().find_map(ends)
}

impl SimpleCommand {
    /// The words without `command` and `builtin`.
    fn plain(&self) -> &[String] {
        let mut words = self.words.as_slice();
        while let Some(("builtin" | "command", rest)) = split(words) {
            words = rest;
            while let Some(("-p" | "--", rest)) = split(words) {
                words = rest;
            }
            // `command -v` and the like only look it up.
            if words.first().is_some_and(|option| option.starts_with('-')) {
                return &[];
            }
        }
        words
    }

    fn ends(&self, depth: usize) -> bool {
        let inner = |text: &str| depth >= DEEPEST || end_of(&Reader::new(text).script().commands, depth + 1).is_some();
        match split(self.plain()) {
            _ if self.is_subshell => false,
            Some(("exit", _)) => true,
            Some(("return", _)) => self.function == 0,
            // With redirections only, the script goes on.
            Some(("exec", rest)) => !rest.is_empty(),
            Some(("eval", rest)) => inner(&rest.join(" ")),
            // The action of a trap can change the status of the script.
            Some(("trap", [action, _, ..])) => inner(&format!("trap() {{\n{action}\n}}")),
            _ => false,
        }
    }

    fn fails(&self) -> bool {
        match split(self.plain()) {
            Some(("exit" | "return", rest)) => match rest.first().map(String::as_str) {
                None | Some("$?") => self.is_after_failure,
                Some(status) => status.parse::<u8>().is_ok_and(|status| status != 0),
            },
            _ => false,
        }
    }

    /// Whether something else chooses that it runs.
    fn is_choice(&self) -> bool {
        self.is_arm || self.function != 0
    }

    fn is_test(&self) -> bool {
        match split(&self.words) {
            Some(("[" | "[[" | "test" | "false" | "type" | "which" | "grep", _)) => true,
            Some(("command", rest)) => rest.first().is_some_and(|option| option.starts_with('-')),
            Some(("git", rest)) => rest
                .first()
                .is_some_and(|name| matches!(name.as_str(), "diff" | "rev-parse" | "config")),
            _ => false,
        }
    }

    fn is_output(&self) -> bool {
        matches!(split(&self.words), Some(("echo" | "printf", _)))
    }

    /// Whether it runs this program, directly or by a runner such as `npx`.
    fn runs_program(&self) -> bool {
        let mut words = self.plain();
        loop {
            let is_option = |word: &&String| word.starts_with('-') || word.contains('=');
            let behind = |words: &[String]| words.iter().take_while(is_option).count();
            words = match split(words) {
                Some(("exec" | "env" | "time" | "nice" | "npx" | "pnpx" | "bunx" | "uvx", rest)) => {
                    rest.get(behind(rest)..).unwrap_or_default()
                }
                Some(("uv" | "poetry" | "pdm" | "pipenv" | "hatch" | "npm" | "pnpm" | "yarn" | "bun", rest)) => {
                    match split(rest) {
                        Some(("run" | "exec" | "x", rest)) => rest.get(behind(rest)..).unwrap_or_default(),
                        _ => return false,
                    }
                }
                Some((word, _)) => return is_program(word),
                None => return false,
            };
        }
    }
}

fn split(words: &[String]) -> Option<(&str, &[String])> {
    words.split_first().map(|(first, rest)| (first.as_str(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_nested_too_deep_is_not_read() {
        for opener in ["\"$(", "\"${a:-", "$(", "(", "{\n", "if x\nthen\n", "f() {\n"] {
            assert!(end(&format!("echo {}\n", opener.repeat(20_000))).is_some(), "{opener}");
        }
        let (open, close) = ("\"$(echo ".repeat(5), ")\"".repeat(5));
        assert!(end(&format!("x={open}a{close}\n")).is_none());
    }

    #[test]
    fn a_line_below_never_runs() {
        for (script, line) in [
            ("npx lint-staged\nexit $?\n", 2),
            ("npx lint-staged\n  exit 0", 2),
            ("npx lint-staged; exit $?\n", 1),
            ("npx lint-staged;exit\r\n", 1),
            ("a\n{ b; exit 1; }\nc\n", 2),
            ("a\nNODE=1 exec npx lint \\\n  --all\n", 2),
            ("if npm test; then\n  exit 0\nelse\n  exit 1\nfi\n", 2),
            ("if npm test\nthen exit 0\nfi\n# done\n", 2),
            ("npm test && exit 0\n", 1),
            ("[ a ]\nx=$(npm test) && exit 0\n", 2),
            ("[ a ] && { npm test; exit 0; }\n", 1),
            ("a && x=1\nexit 0\n", 2),
            ("case $1 in\na|b) exit ;;\nesac\n", 2),
            ("case a in (b) case c in d) ;; esac;; *) exit 0; esac\n", 1),
            ("f ()\n{\n  exit 0\n}\n", 3),
            ("builtin exit 0\n", 1),
            ("command -p -- exec true\n", 1),
            ("eval eval eval eval eval true\n", 1),
            ("trap 'exit 0' EXIT\n", 1),
            ("a\ncat <<END\nEND \n", 2),
            ("a <<END", 1),
            ("a \\\n", 1),
            ("a\n\"", 2),
            ("x=$'it\\'s'\n", 1),
            ("a |\n\n", 3),
            ("npm test || exit 0\n", 1),
            ("cat <<'END'\nexit $(\nEND\nexit", 4),
            ("main() {\n  exit 1\n}\nmain; return 0\n", 4),
        ] {
            assert_eq!(end(script).map(|end| end.line), Some(line), "{script}");
        }
    }

    #[test]
    fn a_line_below_runs() {
        for script in [
            "",
            "npx lint-staged\n",
            "exec 1>&2\nexec </dev/tty\nexec 3<&- 2>log\nnpx lint\n",
            "[ -n \"$CI\" ] && exit 0\nnpx lint\n",
            "if x; then\n  exit 0\nfi\nnpx lint\n",
            "#!/bin/sh\nif [ -n \"$CI\" ]; then\n  exit 0\nfi\n",
            "case $1 in\na|b) exit 1 ;;\nesac\n",
            "if a; then case $1 in b) exit ;; esac; fi\nc\n",
            "x=(exit 0)\nf ()\n{\n  return\n}\nf\n",
            "command -v exit\n\ntrap 'rm a; exit 1' INT\n",
            "npx lint || exit 1\n",
            "npx lint || exit\n",
            "npx lint || { echo no; exit 1; }\n",
            "(cd a && exit 0)\nnpx lint\n",
            "f() { return 0; }\nf\n",
            "echo 'a; exit 0' \"b\nexit\" \\; exit # exit\n",
            "x=$(exit 0)\n: `exit`\n# exit\necho exit\ncommand-exit\n",
            "cat <<END\nexit\nEND\ncat <<-\\END; a\n\texit\n\tEND\nb\n",
            "for a in exit; do echo $a; done\ncase a in exit) b ;; esac\n",
            "exit | cat\nnpx lint\n",
        ] {
            assert_eq!(end(script), None, "{script}");
        }
    }

    #[test]
    fn the_line_belongs_above_the_command_that_ends() {
        for (script, above) in [
            ("a\nf ()\n{\n  exit 0\n}\n", 2),
            ("a\nif b\nthen\n  c\n  exit\nfi\n", 2),
            ("a\nb &&\n  exit 0\n", 2),
            ("a; b\nexit 0\n", 2),
            ("a\ncase b in\n*) exit ;;\nesac\n", 2),
            ("(a\nb) && exit\n", 1),
        ] {
            assert_eq!(end(script).map(|end| end.above), Some(above), "{script}");
        }
    }

    #[test]
    fn a_run_is_a_command_that_is_reached() {
        for (script, expected) in [
            ("alembic-named check\n", Run::At(1)),
            ("a\nif ! \"$BIN/alembic-named\" -q; then exit 1; fi\n", Run::At(2)),
            ("npx --no alembic-named\n", Run::At(1)),
            ("poetry run alembic-named check\n", Run::At(1)),
            ("A=1 exec env B=2 alembic-named\n", Run::At(1)),
            ("[ $CI ] && exit 0\nalembic-named\nexit 0\n", Run::At(2)),
            ("echo alembic-named\n", Run::Never),
            ("pip install alembic-named\nuv pip install alembic-named\n", Run::Never),
            ("command -v alembic-named || exit 0\n", Run::Never),
            ("# alembic-named\ncat <<E\nalembic-named\nE\n", Run::Never),
            ("a\nexit\nalembic-named\n", Run::Behind(End { line: 2, above: 2 })),
        ] {
            assert_eq!(run(script), expected, "{script}");
        }
    }

    #[test]
    fn any_text_can_be_read() {
        for script in
            ["'", "\"\\", "`", "$(", "<<", "<<A", ")", "}", "fi", "a(", "a()", "||", "&&\n;", "\\", "done; exit"]
        {
            let _ = end(script);
        }
    }
}
