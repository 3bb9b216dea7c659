//! What a word quotes: single and double quotes, backquotes, `$(` and `${` (Shell Command Language, sections 2.2 and 2.6).

use super::{MOST_NESTED, Reader};

impl Reader<'_> {
    /// A character of a word, and all that it quotes.
    pub(super) fn letter(&mut self, letter: char) {
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
                // A line that is added below would continue this one.
                Some('\n') | None if self.rest.peek().is_none() => self.unclear_from(line),
                Some('\n') | None => {}
                Some(quoted) => word.push(quoted),
            },
            '\'' => {
                let start = word.len();
                self.single(&mut word);
                let is_escaped = word.get(start..).is_some_and(|quoted| quoted.contains('\\'));
                // Shells differ over `$'...'`.
                if is_escaped && start > 0 && word.get(..start).is_some_and(|before| before.ends_with('$')) {
                    self.unclear_from(line);
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
                None => return self.unclear_from(line),
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
                None => return self.unclear_from(line),
            }
        }
    }

    /// To the end of backquotes, in which other quotes come in pairs.
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
                None => return self.unclear_from(line),
            }
        }
        if quote.is_some() {
            self.unclear_from(line);
        }
    }

    /// The rest of `$(...)` and `${...}`.
    fn dollar(&mut self, word: &mut String, is_quoted: bool) {
        word.push('$');
        if self.takes('(') {
            self.nested('(', ')', false);
        } else if self.takes('{') {
            self.nested('{', '}', is_quoted);
        }
    }

    /// To the end of `$(` or `${`.
    pub(super) fn nested(&mut self, opener: char, closer: char, is_quoted: bool) {
        self.nesting += 1;
        if self.nesting > MOST_NESTED {
            self.unclear_from(self.line);
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
                return self.unclear_from(line);
            };
            match letter {
                '\\' => {
                    self.next();
                }
                '\'' if !is_quoted => self.single(&mut text),
                '"' => self.double(&mut text),
                '`' => self.backquote(&mut text),
                '#' if opener == '(' && " \t\n;(".contains(before) => self.skip_comment(),
                '<' if opener == '(' && before == '<' => self.unclear_from(line),
                '$' if opener == '{' => self.dollar(&mut text, is_quoted),
                _ if letter == opener => depth += 1,
                _ if letter == closer => depth -= 1,
                _ => {}
            }
            before = letter;
        }
    }
}
