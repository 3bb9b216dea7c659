//! SQL that a migration runs: the text that stands in the source, put together as Python would, with the way back to each literal.

use std::ops::Range;

use crate::naming::Dialect;
use crate::order;
use crate::python::{ArgumentKind, Call, Expr, ExprKind, FStringPart, Literal, Operator};
use crate::source::{SourceFile, Span};
use crate::sql::HOLE;

use super::Half;
use super::constants::Lookup;

/// One call that runs SQL: `op.execute(...)`, or `execute` of the connection that Alembic gives.
#[derive(Debug, Clone)]
pub struct Execution<'m> {
    /// The call.
    pub call: &'m Call,
    /// Where its SQL is given.
    pub argument: Span,
    /// What it runs, one for each round of a loop over literals; nothing where that cannot be read.
    pub texts: Vec<SqlText>,
    /// Whether it is a statement built with SQLAlchemy that moves rows and leaves tables as they are.
    pub moves_data: bool,
    /// Which half of the revision it runs in.
    pub half: Half,
    /// The name of the function that holds it; nothing at module level.
    pub function: Option<&'m str>,
    /// Whether a text may run more than once.
    pub repeated: bool,
    /// What a condition around it says of the database.
    pub guard: Guard,
}

/// What the conditions around a statement say of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    None,
    /// It runs on this one.
    On(Dialect),
    /// They ask for the database, and the answer is not clear.
    Doubtful,
}

/// SQL text with the place of each of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlText {
    text: String,
    runs: Vec<Run>,
}

/// A part of the text that comes from one place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    at: usize,
    length: usize,
    origin: Option<Origin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    /// The string literal.
    literal: Span,
    /// Where the run starts in what the literal holds.
    offset: usize,
    /// Whether the literal is the left side of a `%`.
    percents: bool,
    /// Whether the literal is what `format` fills.
    braces: bool,
    /// Whether the literal serves other texts as well.
    shared: bool,
}

/// More text than any migration has; ends constants that double each other.
const MAX_TEXT: usize = 1 << 20;
/// How far a text may be put together from others.
const MAX_DEPTH: usize = 40;
/// The most rounds of a loop that are followed.
const MAX_ROUNDS: usize = 64;

impl SqlText {
    /// The text, with `HOLE` for what is put in when it runs.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where these bytes stand in the file, and what to write there so that `new` is run in their stead.
    ///
    /// Nothing where they come from several literals, from one that is used elsewhere too, or from none.
    #[must_use]
    pub fn replace(&self, file: &SourceFile, range: Range<usize>, new: &str) -> Option<(Span, String)> {
        let holds = |run: &&Run| run.at <= range.start && range.start < run.at + run.length;
        let run = self.runs.iter().find(holds)?;
        let origin = run.origin.filter(|origin| !origin.shared)?;
        if range.end > run.at + run.length {
            return None;
        }
        let mut new = new.to_owned();
        if origin.percents {
            new = new.replace('%', "%%");
        }
        if origin.braces {
            new = new.replace('{', "{{").replace('}', "}}");
        }
        let start = origin.offset + range.start - run.at;
        Literal::read(file, origin.literal)?.replace(start..start + range.len(), &new)
    }

    /// The place in the file of these bytes, for pointing at it.
    #[must_use]
    pub fn place(&self, file: &SourceFile, range: Range<usize>) -> Option<Span> {
        let run = self
            .runs
            .iter()
            .find(|run| run.at <= range.start && range.start < run.at + run.length)?;
        let origin = run.origin?;
        let start = origin.offset + range.start - run.at;
        let end = (start + range.len()).min(origin.offset + run.length);
        let (span, _) = Literal::read(file, origin.literal)?.replace(start..end, "")?;
        Some(span)
    }

    fn push(&mut self, text: &str, origin: Option<Origin>) {
        if self.text.len() + text.len() > MAX_TEXT {
            return self.hole();
        }
        self.runs.push(Run {
            at: self.text.len(),
            length: text.len(),
            origin,
        });
        self.text.push_str(text);
    }

    fn hole(&mut self) {
        if !self.text.ends_with(HOLE) {
            self.text.push(HOLE);
        }
    }

    /// Adds a part of another text, as it is after a template was filled in.
    fn push_part(&mut self, other: &Self, range: Range<usize>, mark: fn(&mut Origin)) {
        let mut at = range.start;
        while at < range.end {
            let run = other.runs.iter().find(|run| run.at <= at && at < run.at + run.length);
            let end = match run {
                Some(run) => range.end.min(run.at + run.length),
                // Between two runs there are only holes.
                None => at + HOLE.len_utf8(),
            };
            let origin = run.and_then(|run| {
                let mut origin = run.origin?;
                origin.offset += at - run.at;
                mark(&mut origin);
                Some(origin)
            });
            match (run, other.text.get(at..end)) {
                (Some(_), Some(text)) => self.push(text, origin),
                _ => self.hole(),
            }
            at = end;
        }
    }
}

/// Reads what an expression is as SQL.
pub(super) struct Composer<'l, 'm> {
    pub(super) lookup: Lookup<'l, 'm>,
    pub(super) file: &'m SourceFile,
    /// The body of the innermost function.
    pub(super) body: Option<Span>,
}

/// The loops over literals that a text depends on, by the place of what each goes through.
type Loops<'m> = Vec<(Span, &'m [Expr])>;

/// Which item each of them is at.
type Rounds<'m> = Vec<(Span, (&'m Expr, usize))>;

fn at_place<T: Copy>(all: &[(Span, T)], place: Span) -> Option<T> {
    all.iter().find(|(known, _)| *known == place).map(|(_, found)| *found)
}

impl<'m> Composer<'_, 'm> {
    /// The texts that an expression may be, one for each round of the loops it depends on, and how many loops these are.
    pub(super) fn texts(&self, expr: &'m Expr) -> (Vec<SqlText>, usize) {
        let mut loops = Loops::new();
        self.loops(expr, &mut loops, MAX_DEPTH);
        order::sort_by_key(&mut loops, |(place, _)| *place);
        let counts = loops.iter().map(|(_, items)| items.len());
        let product = counts.fold(1_usize, usize::saturating_mul);
        if product == 0 || product > MAX_ROUNDS {
            return (Vec::new(), 0);
        }
        let mut texts = Vec::new();
        for number in 0..product {
            let mut rest = number;
            let mut rounds = Rounds::new();
            for (place, items) in &loops {
                if let Some(item) = items.get(rest % items.len()) {
                    rounds.push((*place, (item, rest % items.len())));
                }
                rest /= items.len();
            }
            let mut text = SqlText::default();
            self.compose(expr, &rounds, false, MAX_DEPTH, &mut text);
            // Nothing but what is put in later.
            if text.runs.is_empty() {
                return (Vec::new(), 0);
            }
            texts.push(text);
        }
        share(&mut texts);
        (texts, loops.len())
    }

    /// The loops over literals whose names occur in an expression.
    fn loops(&self, expr: &'m Expr, found: &mut Loops<'m>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if let Some(name) = expr.as_name() {
            let value = self.lookup.value(expr);
            if let Some((iterable, _)) = self.lookup.round(name) {
                if let ExprKind::List(items) | ExprKind::Tuple(items) = &self.lookup.value(iterable).kind {
                    if at_place(found, iterable.span).is_none() {
                        found.push((iterable.span, items));
                    }
                    for item in items {
                        self.loops(item, found, depth);
                    }
                }
            } else if value != expr {
                self.loops(value, found, depth);
            }
        }
        for child in expr.children() {
            self.loops(child, found, depth);
        }
    }

    fn compose(&self, expr: &'m Expr, rounds: &Rounds<'m>, shared: bool, depth: usize, out: &mut SqlText) {
        let Some(depth) = depth.checked_sub(1) else {
            return out.hole();
        };
        match &expr.kind {
            ExprKind::String(text) => out.push(text, Some(Origin::of(expr, 0, shared))),
            ExprKind::Integer(number) => out.push(&number.to_string(), None),
            ExprKind::FString(parts) => {
                let mut offset = 0;
                for part in parts {
                    match part {
                        FStringPart::Text(text) => {
                            out.push(text, Some(Origin::of(expr, offset, shared)));
                            offset += text.len();
                        }
                        FStringPart::Value { value, plain: true } => self.compose(value, rounds, shared, depth, out),
                        FStringPart::Value { .. } => out.hole(),
                    }
                }
            }
            ExprKind::Binary { left, operator, right } => match operator {
                Operator::Add => {
                    self.compose(left, rounds, shared, depth, out);
                    self.compose(right, rounds, shared, depth, out);
                }
                Operator::Modulo => {
                    let mut template = SqlText::default();
                    self.compose(left, rounds, shared, depth, &mut template);
                    let values = Values::of_percent(right);
                    self.fill_percents(&template, &values, rounds, depth, out);
                }
                _ => out.hole(),
            },
            ExprKind::Name(name) => self.name(expr, name, rounds, shared, depth, out),
            ExprKind::Call(call) => self.call(call, rounds, shared, depth, out),
            _ => out.hole(),
        }
    }

    fn name(&self, expr: &'m Expr, name: &str, rounds: &Rounds<'m>, shared: bool, depth: usize, out: &mut SqlText) {
        if let Some((iterable, index)) = self.lookup.round(name) {
            let shared = shared
                || iterable
                    .as_name()
                    .is_some_and(|name| self.is_used_again(name, iterable.span));
            let item = at_place(rounds, iterable.span).map(|(item, _)| item);
            let item = item.and_then(|item| match (index, &item.kind) {
                (None, _) => Some(item),
                (Some(index), ExprKind::Tuple(parts) | ExprKind::List(parts)) => parts.get(index),
                _ => None,
            });
            return match item {
                Some(item) => self.compose(item, rounds, shared, depth, out),
                None => out.hole(),
            };
        }
        let value = self.lookup.value(expr);
        if value == expr {
            return out.hole();
        }
        self.compose(
            value,
            rounds,
            shared || self.is_used_again(name, value.span),
            depth,
            out,
        );
    }

    /// Whether a name is written anywhere but where it is bound and where it is used here.
    fn is_used_again(&self, name: &str, value: Span) -> bool {
        let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        let all = Span::new(0, self.file.text().len());
        // What a function binds is its own.
        let extent = self.body.filter(|body| body.contains(value)).unwrap_or(all);
        let text = self.file.slice(extent);
        let mut words = text.match_indices(name).filter(|(at, _)| {
            let after = text[at + name.len()..].chars().next();
            !in_word(text[..*at].chars().next_back()) && !in_word(after)
        });
        words.nth(2).is_some()
    }

    fn call(&self, call: &'m Call, rounds: &Rounds<'m>, shared: bool, depth: usize, out: &mut SqlText) {
        let first = call
            .arguments
            .first()
            .filter(|first| first.kind == ArgumentKind::Positional);
        match (&call.callee.kind, call.name()) {
            // What these do to white space is nothing to SQL.
            (_, Some("text" | "dedent" | "cleandoc")) => match first {
                Some(first) => self.compose(&first.value, rounds, shared, depth, out),
                None => out.hole(),
            },
            (_, Some("DDL")) => match first {
                Some(first) => {
                    let mut template = SqlText::default();
                    self.compose(&first.value, rounds, shared, depth, &mut template);
                    self.fill_percents(&template, &Values::default(), rounds, depth, out);
                }
                None => out.hole(),
            },
            (ExprKind::Attribute { value, .. }, Some("strip" | "lstrip" | "rstrip")) if call.arguments.is_empty() => {
                self.compose(value, rounds, shared, depth, out);
            }
            (ExprKind::Attribute { value, .. }, Some("bindparams" | "execution_options")) => {
                self.compose(value, rounds, shared, depth, out);
            }
            (ExprKind::Attribute { value, .. }, Some("format")) => {
                let mut template = SqlText::default();
                self.compose(value, rounds, shared, depth, &mut template);
                self.fill_braces(&template, &Values::of_format(call), rounds, depth, out);
            }
            _ => out.hole(),
        }
    }

    /// `"..." % values`
    fn fill_percents(
        &self,
        template: &SqlText,
        values: &Values<'m>,
        rounds: &Rounds<'m>,
        depth: usize,
        out: &mut SqlText,
    ) {
        let mut next = 0;
        let mut at = 0;
        while let Some(found) = template.text.get(at..).and_then(|rest| rest.find('%')) {
            let percent = at + found;
            template_part(template, at..percent, |origin| origin.percents = true, out);
            let rest = &template.text[percent + 1..];
            let (length, key) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                Some((key, _)) => (key.len() + 2, Some(key)),
                None => (0, None),
            };
            match rest.get(length..).and_then(|rest| rest.chars().next()) {
                Some('%') if key.is_none() => {
                    template_part(template, percent..percent + 1, |origin| origin.percents = true, out);
                    at = percent + 2;
                    continue;
                }
                Some('s' | 'd') => self.put_in(values.get(key, &mut next), rounds, depth, out),
                _ => out.hole(),
            }
            let conversion = rest
                .get(length..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
            at = percent + 1 + length + conversion;
        }
        template_part(template, at..template.text.len(), |origin| origin.percents = true, out);
    }

    /// `"...".format(values)`
    fn fill_braces(
        &self,
        template: &SqlText,
        values: &Values<'m>,
        rounds: &Rounds<'m>,
        depth: usize,
        out: &mut SqlText,
    ) {
        let mut next = 0;
        let mut at = 0;
        while let Some(found) = template.text.get(at..).and_then(|rest| rest.find(['{', '}'])) {
            let brace = at + found;
            template_part(template, at..brace, |origin| origin.braces = true, out);
            let rest = &template.text[brace..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                template_part(template, brace..brace + 1, |origin| origin.braces = true, out);
                at = brace + 2;
                continue;
            }
            let Some((field, _)) = rest[1..].split_once('}') else {
                return out.hole();
            };
            if field.is_empty() {
                self.put_in(values.get(None, &mut next), rounds, depth, out);
            } else {
                self.put_in(values.get(Some(field), &mut next), rounds, depth, out);
            }
            at = brace + field.len() + 2;
        }
        template_part(template, at..template.text.len(), |origin| origin.braces = true, out);
    }

    fn put_in(&self, value: Option<&'m Expr>, rounds: &Rounds<'m>, depth: usize, out: &mut SqlText) {
        match value {
            Some(value) => self.compose(value, rounds, false, depth, out),
            None => out.hole(),
        }
    }

    /// Whether an expression is a statement of SQLAlchemy's that moves rows.
    pub(super) fn moves_data(&self, expr: &'m Expr) -> bool {
        let mut current = self.lookup.value(expr);
        while let Some(call) = current.as_call() {
            if let Some("update" | "insert" | "delete" | "select" | "values" | "where") = call.name() {
                return true;
            }
            let ExprKind::Attribute { value, .. } = &call.callee.kind else {
                break;
            };
            current = self.lookup.value(value);
        }
        false
    }
}

fn template_part(template: &SqlText, range: Range<usize>, mark: fn(&mut Origin), out: &mut SqlText) {
    out.push_part(template, range, mark);
}

impl Origin {
    fn of(literal: &Expr, offset: usize, shared: bool) -> Self {
        Self {
            literal: literal.span,
            offset,
            percents: false,
            braces: false,
            shared,
        }
    }
}

/// A literal that is part of several rounds cannot be changed for one of them.
fn share(texts: &mut [SqlText]) {
    let mut used: Vec<Span> = Vec::new();
    for text in texts.iter() {
        let origins = text.runs.iter().filter_map(|run| run.origin);
        let mut literals: Vec<Span> = origins.map(|origin| origin.literal).collect();
        order::sort(&mut literals);
        literals.dedup();
        used.extend(literals);
    }
    order::sort(&mut used);
    let is_used_twice = |literal: Span| {
        let first = used.partition_point(|one| *one < literal);
        used.get(first + 1) == Some(&literal)
    };
    let origins = texts
        .iter_mut()
        .flat_map(|text| &mut text.runs)
        .filter_map(|run| run.origin.as_mut());
    for origin in origins {
        origin.shared |= is_used_twice(origin.literal);
    }
}

/// What a template is filled with.
#[derive(Default)]
struct Values<'m> {
    in_order: Vec<&'m Expr>,
    by_name: Vec<(&'m str, &'m Expr)>,
}

impl<'m> Values<'m> {
    fn of_percent(right: &'m Expr) -> Self {
        let mut values = Self::default();
        match &right.kind {
            ExprKind::Tuple(items) => values.in_order.extend(items),
            ExprKind::Dict(items) => {
                for item in items {
                    if let Some(key) = item.key.as_ref().and_then(Expr::as_str) {
                        values.by_name.push((key, &item.value));
                    }
                }
            }
            _ => values.in_order.push(right),
        }
        values
    }

    fn of_format(call: &'m Call) -> Self {
        let mut values = Self::default();
        for argument in &call.arguments {
            match &argument.kind {
                ArgumentKind::Positional => values.in_order.push(&argument.value),
                ArgumentKind::Keyword(name) => values.by_name.push((name, &argument.value)),
                // Nobody knows which places it takes.
                ArgumentKind::Spread => return Self::default(),
                ArgumentKind::KeywordSpread => {}
            }
        }
        values
    }

    fn get(&self, key: Option<&str>, next: &mut usize) -> Option<&'m Expr> {
        let Some(key) = key else {
            *next += 1;
            return self.in_order.get(*next - 1).copied();
        };
        if let Ok(position) = key.parse::<usize>() {
            return self.in_order.get(position).copied();
        }
        self.by_name
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    }
}

/// What a condition says of the database, by the names of databases in it.
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
