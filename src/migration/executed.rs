//! SQL that a migration runs: its text, and the literals in the source that each part comes from.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use crate::naming::Dialect;
use crate::python::values::{Text, Value};
use crate::python::{Call, Expr, Literals};
use crate::source::{SourceFile, Span};

use super::When;

/// One call that runs SQL: `op.execute(...)`, or `execute` of the connection that Alembic gives.
#[derive(Debug, Clone)]
pub struct Execution<'m> {
    /// The call.
    pub(crate) call: &'m Call,
    /// The argument with the SQL.
    pub argument: Span,
    /// The SQL, one text for each round of a loop over literals; none if it can't be read.
    pub texts: Vec<SqlText>,
    /// Whether it is a statement built with SQLAlchemy that moves rows and changes no table.
    pub moves_data: bool,
    /// When it runs. The rounds of a loop over literals have a text each, and count as one.
    pub when: When<'m>,
    /// What the conditions around it say of the database.
    pub guard: Guard,
}

/// What the conditions around a statement say of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Nothing.
    None,
    /// It runs on this one.
    On(Dialect),
    /// They test for the database in a way that is not understood.
    Doubtful,
}

/// SQL text with the place of each of its parts.
#[derive(Debug, Clone)]
pub struct SqlText {
    text: Rc<Text>,
    /// The body of the function that runs it.
    body: Option<Span>,
    /// The literals that are part of other rounds' texts as well.
    shared: Rc<HashSet<Span>>,
    literals: Literals,
}

impl SqlText {
    /// A text for each value, one for each round of a loop; none if one of them is not known.
    pub(super) fn of(values: &[Value<'_>], body: Option<Span>, literals: &Literals) -> Vec<Self> {
        let texts: Option<Vec<Rc<Text>>> = values
            .iter()
            .map(|value| match value {
                Value::Text(text) if !text.is_blank() => Some(text.clone()),
                _ => None,
            })
            .collect();
        let texts = texts.unwrap_or_default();
        let shared = Rc::new(shared(&texts));
        let one = |text| Self {
            text,
            body,
            shared: shared.clone(),
            literals: literals.clone(),
        };
        texts.into_iter().map(one).collect()
    }

    /// The text, with a placeholder for each part that is known only at run time.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The edit of the source that replaces these bytes by `new`.
    ///
    /// Nothing if they come from several literals, from none, or from one that is used elsewhere too.
    #[must_use]
    pub fn replace(&self, file: &SourceFile, range: Range<usize>, new: &str) -> Option<(Span, String)> {
        let serves_once = |name: &str, value: Span| !self.is_used_again(file, name, value);
        let (span, written) = self.text.replace(file, range, new, &self.literals, &serves_once)?;
        let is_shared = self.shared.iter().any(|literal| literal.contains(span));
        (!is_shared).then_some((span, written))
    }

    /// Where these bytes are in the file, to point at.
    #[must_use]
    pub fn place(&self, file: &SourceFile, range: Range<usize>) -> Option<Span> {
        self.text.place(file, range, &self.literals)
    }

    /// Whether a name is used anywhere else.
    fn is_used_again(&self, file: &SourceFile, name: &str, value: Span) -> bool {
        let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        let all = Span::new(0, file.text().len());
        // What a function binds is its own.
        let extent = self.body.filter(|body| body.contains(value)).unwrap_or(all);
        let text = file.slice(extent);
        let mut words = text.match_indices(name).filter(|(at, _)| {
            let after = text[at + name.len()..].chars().next();
            !in_word(text[..*at].chars().next_back()) && !in_word(after)
        });
        words.nth(2).is_some()
    }
}

/// The literals that are part of several texts, so that they can't be changed for one.
fn shared(texts: &[Rc<Text>]) -> HashSet<Span> {
    let mut seen = HashSet::new();
    let mut shared = HashSet::new();
    for text in texts {
        let literals: HashSet<Span> = text.literals().collect();
        shared.extend(literals.iter().filter(|literal| seen.contains(*literal)).copied());
        seen.extend(literals);
    }
    shared
}

/// What a condition says of the database, by the names in it.
pub(super) fn guard(test: &Expr, source: &str) -> Guard {
    if !source.contains("dialect") {
        return Guard::None;
    }
    let mut named = Vec::new();
    strings(test, &mut named);
    let dialects: Option<Vec<Dialect>> = named.iter().map(|name| Dialect::from_name(name)).collect();
    let is_plain = (source.contains("==") || source.contains(" in ") || source.contains("startswith"))
        && !source.contains("!=")
        && !source.contains("not ")
        && !source.contains(" or ");
    let of_mysql = |dialect: &Dialect| matches!(dialect, Dialect::Mysql | Dialect::Mariadb);
    match dialects.as_deref() {
        Some([dialect]) if is_plain => Guard::On(*dialect),
        Some(all @ [_, _, ..]) if is_plain && all.iter().all(of_mysql) => Guard::On(Dialect::Mysql),
        _ => Guard::Doubtful,
    }
}

fn strings<'e>(expr: &'e Expr, found: &mut Vec<&'e str>) {
    found.extend(expr.as_str());
    for child in expr.children() {
        strings(child, found);
    }
}
