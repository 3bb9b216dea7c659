//! Where a shell script ends before its last line, read as far as it takes to tell that (Shell Command Language, sections 2.2 to 2.10).

use std::iter::Peekable;
use std::str::Chars;

/// The line of a command that keeps what is written below the script from running: one that is reached in any case, or one of those that
/// the script ends with, unless it ends with an error.
///
/// A condition that ends a script before other commands is its author's, and so is a test of a value.
pub(super) fn end(text: &str) -> Option<usize> {
    let commands = Reader::new(text).commands();
    let last = commands
        .iter()
        .rposition(|command| !command.ends())
        .map_or(0, |at| at + 1);
    let is_tested = |at: usize| at.checked_sub(1).is_some_and(|before| commands[before].is_test());
    let ends = |(at, command): (usize, &Simple)| {
        let is_last = at >= last && !command.fails() && !is_tested(at);
        let is_end = command.ends() && (command.is_certain || is_last);
        is_end.then_some(command.line)
    };
    commands.iter().enumerate().find_map(ends)
}

/// A command that is no compound one.
struct Simple {
    words: Vec<String>,
    line: usize,
    /// Whether it is reached whatever the commands before it say.
    is_certain: bool,
    /// Whether it is reached only when the one before it failed.
    is_after_failure: bool,
}

impl Simple {
    fn ends(&self) -> bool {
        let mut words = self.words.iter().map(String::as_str);
        match words.next() {
            Some("exit" | "return") => true,
            // With redirections only, it goes on.
            Some("exec") => words.next().is_some(),
            _ => false,
        }
    }

    fn is_test(&self) -> bool {
        matches!(self.words[0].as_str(), "[" | "[[" | "test" | "true" | "false" | "case")
    }

    fn fails(&self) -> bool {
        match self.words.get(1).map(String::as_str) {
            None | Some("$?") => self.is_after_failure,
            Some(status) => self.words[0] != "exec" && status.parse::<u32>().is_ok_and(|status| status != 0),
        }
    }
}

/// What stands between two commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// A line end, `;` or `&`.
    Then,
    And,
    Or,
    Pipe,
}

/// What is open around a command, and whether it is reached in any case.
struct Block {
    opener: &'static str,
    is_certain: bool,
}

struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    word: Option<String>,
    /// The line in which the word begins, and that of the first word of the command.
    lines: (usize, usize),
    words: Vec<String>,
    joint: Joint,
    open: Vec<Block>,
    /// The next word is the target of a redirection.
    is_target: bool,
    /// The next group is the body of a function.
    is_function: bool,
    /// The ends of here-documents that begin below this line.
    documents: Vec<String>,
    found: Vec<Simple>,
    /// How many were found up to the last line end or `;`.
    sure: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
            word: None,
            lines: (1, 1),
            words: Vec::new(),
            joint: Joint::Then,
            open: Vec::new(),
            is_target: false,
            is_function: false,
            documents: Vec::new(),
            found: Vec::new(),
            sure: 0,
        }
    }

    fn commands(mut self) -> Vec<Simple> {
        while let Some(letter) = self.next() {
            match letter {
                ' ' | '\t' | '\r' => self.end_word(),
                '\n' => {
                    self.end_command(Joint::Then);
                    self.skip_documents();
                }
                '&' if self.takes('&') => self.end_command(Joint::And),
                ';' | '&' => self.end_command(Joint::Then),
                '|' if self.takes('|') => self.end_command(Joint::Or),
                '|' => self.end_command(Joint::Pipe),
                '#' if self.word.is_none() => while self.rest.next_if(|next| *next != '\n').is_some() {},
                '<' | '>' => self.redirect(letter),
                '(' => self.open_paren(),
                ')' => self.close_paren(),
                other => self.letter(other),
            }
        }
        self.end_command(Joint::Then);
        self.found
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    fn takes(&mut self, letter: char) -> bool {
        self.rest.next_if_eq(&letter).is_some()
    }

    /// A letter of a word, with what it quotes.
    fn letter(&mut self, letter: char) {
        let line = self.line;
        let mut word = self.word.take().unwrap_or_else(|| {
            self.lines.0 = line;
            String::new()
        });
        match letter {
            '\\' => match self.next() {
                Some('\n') | None => {}
                Some(quoted) => word.push(quoted),
            },
            '\'' | '"' | '`' => {
                while let Some(inner) = self.next().filter(|inner| *inner != letter) {
                    word.push(inner);
                    if inner == '\\' && letter != '\'' {
                        word.extend(self.next());
                    }
                }
            }
            '$' if self.takes('(') => {
                let mut depth = 1;
                word.push('$');
                while depth > 0 {
                    match self.next() {
                        Some('(') => depth += 1,
                        Some(')') => depth -= 1,
                        Some(_) => {}
                        None => break,
                    }
                }
            }
            other => word.push(other),
        }
        self.word = Some(word);
    }

    fn redirect(&mut self, letter: char) {
        // The number in front of it is the stream's.
        if self
            .word
            .as_ref()
            .is_none_or(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
        {
            self.word = None;
        }
        self.end_word();
        let is_document = letter == '<' && self.takes('<') && !self.takes('<');
        if is_document {
            self.takes('-');
            while self.takes(' ') {}
            let mut end = String::new();
            while let Some(letter) = self
                .rest
                .next_if(|next| !next.is_whitespace() && !";&|<>()".contains(*next))
            {
                if !"\\'\"".contains(letter) {
                    end.push(letter);
                }
            }
            self.documents.push(end);
        } else {
            while self.rest.next_if(|next| "<>&|".contains(*next)).is_some() {}
            self.is_target = true;
        }
    }

    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            loop {
                let mut line = String::new();
                while let Some(letter) = self.rest.next_if(|next| *next != '\n') {
                    line.push(letter);
                }
                if self.next().is_none() || line.trim_start_matches('\t').trim_end_matches('\r') == end {
                    break;
                }
            }
        }
    }

    fn open_paren(&mut self) {
        if self.word.is_some() && self.words.is_empty() {
            self.word = None;
            self.is_function = true;
        } else {
            self.end_word();
            self.enter("(", false);
        }
    }

    fn close_paren(&mut self) {
        if self.is_function && self.word.is_none() {
            return;
        }
        if self.open.last().is_some_and(|block| block.opener == "(") {
            self.end_command(Joint::Then);
            self.open.pop();
        } else {
            // The pattern of a case, of which what stands before a `|` was taken for a command.
            self.word = None;
            self.words.clear();
            self.found.truncate(self.sure);
            self.words.push("case".to_owned());
            self.end_command(Joint::Then);
        }
    }

    fn enter(&mut self, opener: &'static str, is_certain: bool) {
        self.open.push(Block { opener, is_certain });
        self.joint = Joint::Then;
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        self.lines.1 = if self.words.is_empty() {
            self.lines.0
        } else {
            self.lines.1
        };
        if std::mem::take(&mut self.is_target) {
            return;
        }
        if !self.words.is_empty() {
            self.words.push(word);
            return;
        }
        match word.as_str() {
            "if" | "while" | "until" => self.enter("if", false),
            "for" | "case" | "select" => {
                self.enter("if", false);
                self.words.push(word);
            }
            "{" => {
                let is_certain = self.joint == Joint::Then && !std::mem::take(&mut self.is_function);
                self.enter("{", is_certain);
            }
            "fi" | "done" | "esac" | "}" => {
                self.open.pop();
                self.words.push(word);
            }
            "then" | "do" | "else" | "elif" | "!" => {}
            _ if word.split_once('=').is_some_and(|(name, _)| is_name(name)) => {}
            _ => self.words.push(word),
        }
    }

    fn end_command(&mut self, joint: Joint) {
        self.end_word();
        self.is_target = false;
        let words = std::mem::take(&mut self.words);
        let is_closer = words
            .first()
            .is_some_and(|word| matches!(word.as_str(), "fi" | "done" | "esac" | "}"));
        if !words.is_empty() && !is_closer {
            self.found.push(Simple {
                words,
                line: self.lines.1,
                is_certain: self.joint == Joint::Then
                    && joint != Joint::Pipe
                    && self.open.iter().all(|block| block.is_certain),
                is_after_failure: self.joint == Joint::Or,
            });
        }
        self.joint = joint;
        if joint == Joint::Then {
            self.sure = self.found.len();
        }
    }
}

fn is_name(word: &str) -> bool {
    let mut letters = word.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_below_never_runs() {
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
            ("npm test || exit 0\n", 1),
            ("cat <<'END'\nexit $(\nEND\nexit", 4),
            ("main() {\n  exit 1\n}\nmain; return 0\n", 4),
        ] {
            assert_eq!(end(script), Some(line), "{script}");
        }
    }

    #[test]
    fn what_is_written_below_runs() {
        for script in [
            "",
            "npx lint-staged\n",
            "exec 1>&2\nexec </dev/tty\nexec 3<&- 2>log\nnpx lint\n",
            "[ -n \"$CI\" ] && exit 0\nnpx lint\n",
            "if x; then\n  exit 0\nfi\nnpx lint\n",
            "#!/bin/sh\nif [ -n \"$CI\" ]; then\n  exit 0\nfi\n",
            "case $1 in\na|b) exit ;;\nesac\n",
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
    fn no_text_is_too_odd() {
        for script in [
            "'",
            "\"\\",
            "`",
            "$(",
            "<<",
            "<<A",
            ")",
            "}",
            "fi",
            "a(",
            "a()",
            "||",
            "&&\n;",
            "\\",
            "done; exit",
        ] {
            let _ = end(script);
        }
    }
}
