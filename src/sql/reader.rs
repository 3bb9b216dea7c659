//! Reads the words of one statement from left to right.

use crate::naming::Dialect;

use super::words::{Kind, PLACEHOLDER, Word};
use super::{Effect, Ident, Naming, Table};

/// A position in the words of a statement, and what has been read so far.
pub(super) struct Reader<'w> {
    pub(super) words: &'w [Word],
    pub(super) at: usize,
    pub(super) dialect: Option<Dialect>,
    pub(super) effects: Vec<Effect>,
}

impl<'w> Reader<'w> {
    pub(super) const fn new(words: &'w [Word], dialect: Option<Dialect>) -> Self {
        Self {
            words,
            at: 0,
            dialect,
            effects: Vec::new(),
        }
    }

    /// Adds an effect; one that cannot be read may be anything.
    pub(super) fn add(&mut self, effect: Option<Effect>) {
        self.effects.push(effect.unwrap_or(Effect::Unknown));
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<&'w Word> {
        self.words.get(self.at + ahead)
    }

    pub(super) fn sees(&self, keyword: &str) -> bool {
        self.peek(0).is_some_and(|word| word.is(keyword))
    }

    pub(super) fn sees_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.sees(keyword))
    }

    pub(super) fn sees_mark(&self, mark: char) -> bool {
        self.peek(0).is_some_and(|word| word.is_mark(mark))
    }

    /// Whether the next word is one that no value put in later can change.
    pub(super) fn sees_word(&self) -> bool {
        self.peek(0)
            .is_some_and(|word| word.kind == Kind::Bare && !word.text.contains(PLACEHOLDER))
    }

    /// Skips these keywords if all of them come next.
    pub(super) fn takes(&mut self, keywords: &[&str]) -> bool {
        let rest = self.words.get(self.at..).unwrap_or_default();
        let all = rest.len() >= keywords.len() && keywords.iter().zip(rest).all(|(keyword, word)| word.is(keyword));
        if all {
            self.at += keywords.len();
        }
        all
    }

    pub(super) fn takes_mark(&mut self, mark: char) -> bool {
        let is_next = self.sees_mark(mark);
        self.at += usize::from(is_next);
        is_next
    }

    /// Skips any of these keywords, in any order.
    pub(super) fn takes_any(&mut self, keywords: &[&str]) {
        while self.sees_any(keywords) {
            self.at += 1;
        }
    }

    pub(super) fn if_exists(&mut self) -> bool {
        self.takes(&["if", "exists"])
    }

    pub(super) fn if_not_exists(&mut self) {
        self.takes(&["if", "not", "exists"]);
    }

    /// A table or an index with its schema. A database before the schema does not matter here.
    pub(super) fn table(&mut self) -> Option<Table> {
        let mut parts = vec![self.name()?];
        while self.takes_mark('.') {
            parts.push(self.name()?);
        }
        let name = parts.pop()?;
        Some(Table {
            schema: parts.pop(),
            name,
        })
    }

    pub(super) fn name(&mut self) -> Option<Ident> {
        let name = self.peek(0).and_then(|word| self.ident(word))?;
        self.at += 1;
        Some(name)
    }

    pub(super) fn naming(&mut self) -> Naming {
        self.name().map_or(Naming::Doubtful, Naming::Named)
    }

    fn ident(&self, word: &Word) -> Option<Ident> {
        let text = word.text.clone();
        let (text, is_certain) = match (word.kind, self.dialect) {
            (Kind::Mark(_) | Kind::Other, _) => return None,
            // These store a name without quotes in lower case; Oracle's capitals are lower case to SQLAlchemy.
            (Kind::Bare, Some(Dialect::Postgresql | Dialect::Oracle)) => (text.to_lowercase(), true),
            (Kind::Bare, Some(Dialect::Other) | None) => {
                let is_lower = !text.contains(char::is_uppercase);
                (text, is_lower)
            }
            (Kind::Bare | Kind::Quoted, _) => (text, true),
        };
        Some(Ident {
            is_certain: is_certain && !text.contains(PLACEHOLDER),
            text,
            at: word.at.clone(),
        })
    }

    /// Column names in parentheses; `None` if one of them is more than a name.
    pub(super) fn columns(&mut self) -> Option<Vec<String>> {
        let start = self.at;
        self.skip_parentheses();
        let inside = self.words.get(start + 1..self.at.checked_sub(1)?)?;
        inside
            .split(|word| word.is_mark(','))
            .map(|column| match column {
                [word] => self.ident(word).filter(|name| name.is_certain).map(|name| name.text),
                _ => None,
            })
            .collect()
    }

    pub(super) fn skip_parentheses(&mut self) {
        let mut depth = 0;
        while let Some(word) = self.peek(0) {
            depth = depth_after(word, depth);
            if depth == 0 && !word.is_mark(')') {
                return;
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

/// How many parentheses are open behind a word, of which `depth` are open before it.
pub(super) const fn depth_after(word: &Word, depth: usize) -> usize {
    match word.kind {
        Kind::Mark('(') => depth + 1,
        Kind::Mark(')') => depth.saturating_sub(1),
        _ => depth,
    }
}
