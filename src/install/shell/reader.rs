//! The commands of a shell script (Shell Command Language, sections 2.2 to 2.10).

mod quotes;

use std::iter::Peekable;
use std::str::Chars;

use super::End;

pub(super) struct Script {
    pub(super) commands: Vec<SimpleCommand>,
    /// What is not closed or not understood, and the number of commands before it.
    pub(super) unclear: Option<(End, usize)>,
}

/// A simple command: no `if`, loop, `case` or group, but possibly inside of one.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct SimpleCommand {
    pub(super) words: Vec<String>,
    pub(super) line: usize,
    /// The first line of the outermost command or function that it is in.
    pub(super) above: usize,
    /// The function it is in; 0 is none.
    pub(super) function: usize,
    /// Whether it is reached whatever the commands before it in the function return. Each arm of a `case` is.
    pub(super) is_certain: bool,
    /// Whether it is in an arm of a `case`.
    pub(super) is_arm: bool,
    /// Whether it is in a subshell.
    pub(super) is_subshell: bool,
    /// Whether it follows `||`.
    pub(super) is_after_failure: bool,
    /// Whether it follows a condition, with nothing but output between.
    pub(super) is_guarded: bool,
}

/// The word of a command that only sets variables.
const ASSIGNMENT: &str = "=";

impl SimpleCommand {
    pub(super) fn is_assignment(&self) -> bool {
        self.words.first().is_some_and(|word| word == ASSIGNMENT)
    }
}

/// What separates two commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// A line end, `;` or `&`.
    Then,
    And,
    Or,
    Pipe,
}

/// A block, group or subshell that is open.
struct Block {
    closer: &'static str,
    /// Whether its commands are reached in any case.
    is_certain: bool,
    /// The function whose body it is; 0 is none.
    function: usize,
    /// Whether the next words are patterns of a `case`.
    is_pattern: bool,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    word: Option<String>,
    /// The lines in which the word and the command begin.
    lines: (usize, usize),
    /// The line in which the outermost command begins.
    above: usize,
    words: Vec<String>,
    /// Whether there was a word since the last command, if only an assignment or a redirection.
    has_words: bool,
    has_assignment: bool,
    separator: Separator,
    is_guarded: bool,
    open: Vec<Block>,
    /// The next word is the target of a redirection.
    is_target: bool,
    /// The next group is the body of a function.
    is_function: bool,
    functions: usize,
    /// The delimiters of here-documents that begin below this line, and whether tabs may precede them.
    documents: Vec<(String, bool)>,
    found: Vec<SimpleCommand>,
    unclear: Option<(End, usize)>,
    /// How many `$(` and `${` are open.
    nesting: usize,
}

/// How deep blocks, `$(` and `${` may be nested for the script to be read.
const MOST_NESTED: usize = 50;

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
            word: None,
            lines: (1, 1),
            above: 1,
            words: Vec::new(),
            has_words: false,
            has_assignment: false,
            separator: Separator::Then,
            is_guarded: false,
            open: Vec::new(),
            is_target: false,
            is_function: false,
            functions: 0,
            documents: Vec::new(),
            found: Vec::new(),
            unclear: None,
            nesting: 0,
        }
    }

    pub(super) fn script(mut self) -> Script {
        while let Some(letter) = self.next() {
            match letter {
                '#' if self.word.is_none() => self.skip_comment(),
                '\n' => {
                    self.end_line();
                    self.skip_documents();
                }
                ' ' | '\t' | '\r' => self.end_word(),
                '(' | ')' | '|' if self.is_pattern() && self.word.as_deref() != Some("esac") => self.pattern(letter),
                '&' if self.takes('&') => self.end_command(Separator::And),
                ';' if self.takes(';') => self.end_arm(),
                ';' | '&' => self.end_command(Separator::Then),
                '|' if self.takes('|') => self.end_command(Separator::Or),
                '|' => self.end_command(Separator::Pipe),
                '<' | '>' => self.redirect(letter),
                '(' => self.open_paren(),
                ')' => self.close_paren(),
                other => self.letter(other),
            }
        }
        self.end_line();
        if self.separator != Separator::Then || !self.open.is_empty() || !self.documents.is_empty() || self.is_function
        {
            self.unclear_from(self.line);
        }
        Script {
            commands: self.found,
            unclear: self.unclear,
        }
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    fn takes(&mut self, letter: char) -> bool {
        self.rest.next_if_eq(&letter).is_some()
    }

    /// What follows may be read wrongly.
    fn unclear_from(&mut self, line: usize) {
        let above = self.above;
        let before = self.found.len();
        self.unclear.get_or_insert((End { line, above }, before));
    }

    fn skip_comment(&mut self) {
        while self.rest.next_if(|next| *next != '\n').is_some() {}
    }

    /// Notes where an outermost command begins.
    fn begin(&mut self) {
        if self.open.is_empty() && self.separator == Separator::Then && !self.has_words && !self.is_function {
            self.above = self.line;
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if self.is_pattern() {
            self.end_case(word);
            return;
        }
        self.has_words = true;
        if self.words.is_empty() {
            self.lines.1 = self.lines.0;
        }
        if std::mem::take(&mut self.is_target) {
            return;
        }
        if !self.words.is_empty() {
            let is_case = self.words.len() == 2 && self.words.first().is_some_and(|first| first == "case");
            let is_head = is_case && word == "in";
            self.words.push(word);
            if is_head {
                self.end_command(Separator::Then);
                self.expect_pattern();
            }
            return;
        }
        let is_certain = self.separator == Separator::Then;
        match word.as_str() {
            "if" => self.enter("fi", false),
            "while" | "until" => self.enter("done", false),
            "for" | "select" => {
                self.enter("done", false);
                self.words.push(word);
            }
            "case" => {
                self.enter("esac", is_certain);
                self.words.push(word);
            }
            "{" => self.enter("}", is_certain),
            "fi" | "done" | "esac" | "}" => self.close(word),
            "then" | "do" | "else" | "elif" => self.is_guarded = true,
            "!" => {}
            _ if word.split_once('=').is_some_and(|(name, _)| is_name(name)) => self.has_assignment = true,
            _ => self.words.push(word),
        }
    }

    // --- what is around commands ---

    fn enter(&mut self, closer: &'static str, is_certain: bool) {
        if self.open.len() > MOST_NESTED {
            self.unclear_from(self.line);
            while self.next().is_some() {}
        }
        let is_body = std::mem::take(&mut self.is_function);
        self.functions += usize::from(is_body);
        self.open.push(Block {
            closer,
            is_certain: is_certain || (is_body && closer == "}"),
            function: if is_body { self.functions } else { 0 },
            is_pattern: false,
        });
        self.separator = Separator::Then;
        self.has_words = false;
    }

    fn close(&mut self, word: String) {
        if self.open.pop().is_none_or(|block| block.closer != word) {
            self.unclear_from(self.line);
        }
        self.words.push(word);
    }

    fn open_paren(&mut self) {
        let is_definition = if self.word.is_some() {
            self.words.is_empty()
        } else {
            while self.words.len() == 1 && self.takes(' ') {}
            self.words.len() == 1 && self.rest.peek() == Some(&')')
        };
        if self.word.as_ref().is_some_and(|word| word.ends_with('=')) {
            // An array.
            self.nested('(', ')', false);
        } else if is_definition {
            self.word = None;
            self.words.clear();
            self.has_words = true;
            self.is_function = true;
        } else {
            self.end_word();
            self.begin();
            self.enter(")", false);
        }
    }

    fn close_paren(&mut self) {
        if self.is_function && self.word.is_none() {
            return;
        }
        self.end_command(Separator::Then);
        if self.open.last().is_some_and(|block| block.closer == ")") {
            self.open.pop();
            self.has_words = true;
        } else {
            self.unclear_from(self.line);
        }
    }

    // --- case ---

    fn is_pattern(&self) -> bool {
        self.open.last().is_some_and(|block| block.is_pattern)
    }

    fn expect_pattern(&mut self) {
        if let Some(block) = self.open.last_mut() {
            block.is_pattern = true;
        }
    }

    fn pattern(&mut self, letter: char) {
        self.word = None;
        if let Some(block) = self.open.last_mut().filter(|_| letter == ')') {
            block.is_pattern = false;
            self.is_guarded = false;
        }
    }

    fn end_case(&mut self, word: String) {
        if word == "esac" {
            self.close(word);
            self.has_words = true;
        }
    }

    fn end_arm(&mut self) {
        self.takes('&');
        self.end_command(Separator::Then);
        if self.open.last().is_some_and(|block| block.closer == "esac") {
            self.expect_pattern();
        } else {
            self.unclear_from(self.line);
        }
    }

    // --- redirections ---

    fn redirect(&mut self, letter: char) {
        self.begin();
        // A number before it is that of the stream.
        if self
            .word
            .as_ref()
            .is_none_or(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
        {
            self.word = None;
        }
        self.end_word();
        self.has_words = true;
        let is_document = letter == '<' && self.takes('<') && !self.takes('<');
        if is_document {
            let has_tabs = self.takes('-');
            while self.takes(' ') || self.takes('\t') {}
            let mut end = String::new();
            while let Some(letter) = self
                .rest
                .next_if(|next| !next.is_whitespace() && !";&|<>()".contains(*next))
            {
                if !"\\'\"".contains(letter) {
                    end.push(letter);
                }
            }
            self.documents.push((end, has_tabs));
        } else {
            while self.rest.next_if(|next| "<>&|".contains(*next)).is_some() {}
            self.is_target = true;
        }
    }

    fn skip_documents(&mut self) {
        let start = self.line;
        for (end, has_tabs) in std::mem::take(&mut self.documents) {
            loop {
                let mut line = String::new();
                while let Some(letter) = self.rest.next_if(|next| *next != '\n') {
                    line.push(letter);
                }
                let bare = if has_tabs { line.trim_start_matches('\t') } else { &line };
                let is_end = bare.trim_end_matches('\r') == end;
                if self.next().is_none() && !is_end {
                    self.unclear_from(start.saturating_sub(1));
                    return;
                }
                if is_end {
                    break;
                }
            }
        }
    }

    // --- ends ---

    /// A list goes on behind `&&`, `||` and `|`.
    fn end_line(&mut self) {
        self.end_word();
        if self.has_words || self.separator == Separator::Then {
            self.end_command(Separator::Then);
        }
    }

    fn end_command(&mut self, separator: Separator) {
        self.end_word();
        self.is_target = false;
        let mut words = std::mem::take(&mut self.words);
        if std::mem::take(&mut self.has_assignment) && words.is_empty() {
            words.push(ASSIGNMENT.to_owned());
        }
        let first = words.first().map(String::as_str);
        let is_closer = matches!(first, Some("fi" | "done" | "esac" | "}"));
        let is_output = matches!(first, Some("echo" | "printf"));
        let (is_any, was_guarded) = (first.is_some(), self.is_guarded);
        if is_any && !is_closer {
            let inner = self.open.iter().rev();
            let mut own = inner.clone().take_while(|block| block.function == 0);
            let body = inner.clone().find(|block| block.function != 0);
            self.found.push(SimpleCommand {
                words,
                line: self.lines.1,
                above: self.above,
                function: body.map_or(0, |block| block.function),
                is_certain: self.separator == Separator::Then
                    && separator != Separator::Pipe
                    && own.all(|block| block.is_certain),
                is_arm: self.open.iter().any(|block| block.closer == "esac"),
                is_subshell: self.open.iter().any(|block| block.closer == ")"),
                is_after_failure: self.separator == Separator::Or,
                is_guarded: was_guarded,
            });
        }
        let is_list = matches!(separator, Separator::And | Separator::Or);
        self.is_guarded = is_list || (was_guarded && (!is_any || is_output));
        self.separator = separator;
        self.has_words = false;
    }
}

fn is_name(word: &str) -> bool {
    let mut letters = word.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}
