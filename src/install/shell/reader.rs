//! The commands of a shell script (Shell Command Language, sections 2.2 to 2.10).

use std::iter::Peekable;
use std::str::Chars;

use super::End;

/// What was read.
pub(super) struct Script {
    pub(super) commands: Vec<Simple>,
    /// What is not closed or not understood, and how many commands stand before it.
    pub(super) unclear: Option<(End, usize)>,
}

/// A command that is no compound one.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Simple {
    pub(super) words: Vec<String>,
    pub(super) line: usize,
    /// The first line of what it is part of.
    pub(super) above: usize,
    /// The function it is in; 0 is none.
    pub(super) function: usize,
    /// Whether it is reached whatever the commands before it in the function say. Of a `case` each arm is.
    pub(super) is_certain: bool,
    /// Whether it is in an arm of a `case`.
    pub(super) is_arm: bool,
    /// Whether it is in a shell of its own.
    pub(super) is_subshell: bool,
    /// Whether it is reached only when the one before it failed.
    pub(super) is_after_failure: bool,
    /// Whether a condition stands right before it, but for what is printed.
    pub(super) is_guarded: bool,
}

/// What stands for a command that only sets variables.
const ASSIGNMENT: &str = "=";

impl Simple {
    pub(super) fn is_assignment(&self) -> bool {
        self.words.first().is_some_and(|word| word == ASSIGNMENT)
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

/// What is open around a command.
struct Block {
    /// What closes it.
    closer: &'static str,
    /// Whether it is reached in any case.
    is_certain: bool,
    /// The function whose body it is; 0 is none.
    function: usize,
    /// In a `case`, the next words are patterns.
    is_pattern: bool,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    word: Option<String>,
    /// The line in which the word begins, and that of the first word of the command.
    lines: (usize, usize),
    /// The line in which begins what is not inside of anything.
    above: usize,
    words: Vec<String>,
    /// There was a word since the last command, if only an assignment or a target.
    has_words: bool,
    has_assignment: bool,
    joint: Joint,
    is_guarded: bool,
    open: Vec<Block>,
    /// The next word is the target of a redirection.
    is_target: bool,
    /// The next group is the body of a function.
    is_function: bool,
    functions: usize,
    /// The ends of here-documents that begin below this line, and whether tabs may stand before them.
    documents: Vec<(String, bool)>,
    found: Vec<Simple>,
    unclear: Option<(End, usize)>,
    /// How many `$(` and `${` are open.
    nesting: usize,
}

/// So many stand within each other, blocks as well; with more, the script is not read.
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
            joint: Joint::Then,
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
                '&' if self.takes('&') => self.end_command(Joint::And),
                ';' if self.takes(';') => self.end_arm(),
                ';' | '&' => self.end_command(Joint::Then),
                '|' if self.takes('|') => self.end_command(Joint::Or),
                '|' => self.end_command(Joint::Pipe),
                '<' | '>' => self.redirect(letter),
                '(' => self.open_paren(),
                ')' => self.close_paren(),
                other => self.letter(other),
            }
        }
        self.end_line();
        if self.joint != Joint::Then || !self.open.is_empty() || !self.documents.is_empty() || self.is_function {
            self.doubt(self.line);
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

    /// From here on it may be otherwise than it was read.
    fn doubt(&mut self, line: usize) {
        let above = self.above;
        let before = self.found.len();
        self.unclear.get_or_insert((End { line, above }, before));
    }

    fn skip_comment(&mut self) {
        while self.rest.next_if(|next| *next != '\n').is_some() {}
    }

    // --- words ---

    /// Whether something begins here that is not inside of anything.
    fn begin(&mut self) {
        if self.open.is_empty() && self.joint == Joint::Then && !self.has_words && !self.is_function {
            self.above = self.line;
        }
    }

    /// A letter of a word, with what it quotes.
    fn letter(&mut self, letter: char) {
        let line = self.line;
        let mut word = if let Some(word) = self.word.take() {
            word
        } else {
            self.begin();
            self.lines.0 = line;
            String::new()
        };
        match letter {
            '\\' => match self.next() {
                // The line goes on where another one is put below it.
                Some('\n') | None if self.rest.peek().is_none() => self.doubt(line),
                Some('\n') | None => {}
                Some(quoted) => word.push(quoted),
            },
            '\'' => {
                let start = word.len();
                self.single(&mut word);
                let is_escaped = word.get(start..).is_some_and(|quoted| quoted.contains('\\'));
                // Shells differ over `$'...'`.
                if is_escaped && start > 0 && word.get(..start).is_some_and(|before| before.ends_with('$')) {
                    self.doubt(line);
                }
            }
            '"' => self.double(&mut word),
            '`' => self.backquote(&mut word),
            '$' => self.dollar(&mut word, false),
            other => word.push(other),
        }
        self.word = Some(word);
    }

    /// To the end of single quotes.
    fn single(&mut self, word: &mut String) {
        let line = self.line;
        loop {
            match self.next() {
                Some('\'') => return,
                Some(inner) => word.push(inner),
                None => return self.doubt(line),
            }
        }
    }

    /// To the end of double quotes.
    fn double(&mut self, word: &mut String) {
        let line = self.line;
        loop {
            match self.next() {
                Some('"') => return,
                Some('\\') => match self.next() {
                    Some('\n') | None => {}
                    Some(quoted) if "$`\"\\".contains(quoted) => word.push(quoted),
                    Some(other) => word.extend(['\\', other]),
                },
                Some('`') => self.backquote(word),
                Some('$') => self.dollar(word, true),
                Some(inner) => word.push(inner),
                None => return self.doubt(line),
            }
        }
    }

    /// To the end of a command in backquotes, in which other quotes come in pairs.
    fn backquote(&mut self, word: &mut String) {
        let line = self.line;
        let mut quote = None;
        word.push('`');
        loop {
            match self.next() {
                Some('`') => break,
                Some('\\') => {
                    self.next();
                }
                Some(inner) if quote == Some(inner) => quote = None,
                Some(inner @ ('"' | '\'')) if quote.is_none() => quote = Some(inner),
                Some(_) => {}
                None => return self.doubt(line),
            }
        }
        if quote.is_some() {
            self.doubt(line);
        }
    }

    /// What stands behind a `$`.
    fn dollar(&mut self, word: &mut String, is_quoted: bool) {
        word.push('$');
        if self.takes('(') {
            self.nested('(', ')', false);
        } else if self.takes('{') {
            self.nested('{', '}', is_quoted);
        }
    }

    /// To the end of `$(` or `${`, with what is quoted or nested in it.
    fn nested(&mut self, opener: char, closer: char, is_quoted: bool) {
        self.nesting += 1;
        if self.nesting > MOST_NESTED {
            self.doubt(self.line);
            while self.next().is_some() {}
        } else {
            self.inside(opener, closer, is_quoted);
        }
        self.nesting -= 1;
    }

    fn inside(&mut self, opener: char, closer: char, is_quoted: bool) {
        let line = self.line;
        let (mut depth, mut before) = (1_usize, opener);
        let mut text = String::new();
        while depth > 0 {
            let Some(letter) = self.next() else {
                return self.doubt(line);
            };
            match letter {
                '\\' => {
                    self.next();
                }
                '\'' if !is_quoted => self.single(&mut text),
                '"' => self.double(&mut text),
                '`' => self.backquote(&mut text),
                '#' if opener == '(' && " \t\n;(".contains(before) => self.skip_comment(),
                '<' if opener == '(' && before == '<' => self.doubt(line),
                '$' if opener == '{' => self.dollar(&mut text, is_quoted),
                _ if letter == opener => depth += 1,
                _ if letter == closer => depth -= 1,
                _ => {}
            }
            before = letter;
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
                self.end_command(Joint::Then);
                self.expect_pattern();
            }
            return;
        }
        let is_certain = self.joint == Joint::Then;
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
            self.doubt(self.line);
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
        self.joint = Joint::Then;
        self.has_words = false;
    }

    fn close(&mut self, word: String) {
        if self.open.pop().is_none_or(|block| block.closer != word) {
            self.doubt(self.line);
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
        self.end_command(Joint::Then);
        if self.open.last().is_some_and(|block| block.closer == ")") {
            self.open.pop();
            self.has_words = true;
        } else {
            self.doubt(self.line);
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
        self.end_command(Joint::Then);
        if self.open.last().is_some_and(|block| block.closer == "esac") {
            self.expect_pattern();
        } else {
            self.doubt(self.line);
        }
    }

    // --- redirections ---

    fn redirect(&mut self, letter: char) {
        self.begin();
        // The number in front of it is the stream's.
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
                    self.doubt(start.saturating_sub(1));
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
        if self.has_words || self.joint == Joint::Then {
            self.end_command(Joint::Then);
        }
    }

    fn end_command(&mut self, joint: Joint) {
        self.end_word();
        self.is_target = false;
        let mut words = std::mem::take(&mut self.words);
        if std::mem::take(&mut self.has_assignment) && words.is_empty() {
            words.push(ASSIGNMENT.to_owned());
        }
        let first = words.first().map(String::as_str);
        let is_closer = matches!(first, Some("fi" | "done" | "esac" | "}"));
        let is_said = matches!(first, Some("echo" | "printf"));
        let (is_any, was_guarded) = (first.is_some(), self.is_guarded);
        if is_any && !is_closer {
            let inner = self.open.iter().rev();
            let mut own = inner.clone().take_while(|block| block.function == 0);
            let body = inner.clone().find(|block| block.function != 0);
            self.found.push(Simple {
                words,
                line: self.lines.1,
                above: self.above,
                function: body.map_or(0, |block| block.function),
                is_certain: self.joint == Joint::Then && joint != Joint::Pipe && own.all(|block| block.is_certain),
                is_arm: self.open.iter().any(|block| block.closer == "esac"),
                is_subshell: self.open.iter().any(|block| block.closer == ")"),
                is_after_failure: self.joint == Joint::Or,
                is_guarded: was_guarded,
            });
        }
        let is_list = matches!(joint, Joint::And | Joint::Or);
        self.is_guarded = is_list || (was_guarded && (!is_any || is_said));
        self.joint = joint;
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
