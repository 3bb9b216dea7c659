//! The fix: moves the drop of a key before that of its index. Whole statements move, with the comments above them.

use std::collections::HashMap;

use super::{KeyDrops, Refused};
use crate::constraints::MigrationFile;
use crate::constraints::edits::{drop_arguments, table_arguments};
use crate::constraints::tables::Key;
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Operation, Receiver};
use crate::naming::ConstraintKind;
use crate::python::{Call, Expr, ExprKind, Stmt, StmtKind};
use crate::source::{SourceFile, Span};

/// The statements around a call, from the outermost to its own, each as an index into its block.
pub(super) struct CallPath<'m> {
    steps: Vec<(&'m [Stmt], usize)>,
}

impl<'m> CallPath<'m> {
    /// `None` if the call may not run, or may fail without harm: in `try`, `if`, `with suppress(...)`.
    pub(super) fn to(module: &'m [Stmt], call: Span) -> Option<Self> {
        let mut steps = Vec::new();
        let mut body = module;
        loop {
            let at = body
                .partition_point(|statement| statement.span.start <= call.start)
                .checked_sub(1)?;
            let statement = body.get(at).filter(|statement| statement.span.contains(call))?;
            steps.push((body, at));
            body = match &statement.kind {
                StmtKind::Function(function) => &function.body,
                StmtKind::With { items, body } if items.iter().all(|item| is_block(&item.value)) => body,
                StmtKind::Expr(_) | StmtKind::Assign { .. } => return Some(Self { steps }),
                _ => return None,
            };
        }
    }

    /// The statement at a depth, if it holds the call and nothing else.
    fn unit_in(&self, depth: usize, call: &Call) -> Option<&'m Stmt> {
        let [.., (run, at)] = self.steps.as_slice() else {
            return None;
        };
        let is_alone = matches!(&run.get(*at)?.kind, StmtKind::Expr(expr) if expr.span == call.span);
        let around = self.steps.get(depth + 1..)?;
        let holds_nothing_else = around.iter().all(|(run, _)| run.len() == 1);
        let (run, at) = self.steps.get(depth)?;
        let unit = run.get(*at)?;
        (is_alone && holds_nothing_else && is_free(call) && is_free_block(unit)).then_some(unit)
    }
}

fn is_block(expr: &Expr) -> bool {
    expr.as_call().and_then(Call::name) == Some("batch_alter_table")
}

/// Whether a statement means the same wherever it stands in its function.
fn is_free_block(unit: &Stmt) -> bool {
    match &unit.kind {
        StmtKind::With { items, .. } => items.iter().all(|item| item.value.as_call().is_some_and(is_free)),
        _ => true,
    }
}

fn is_free(call: &Call) -> bool {
    fn is_literal(expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::None | ExprKind::Bool(_) | ExprKind::String(_) => true,
            ExprKind::Call(inner) => {
                inner.name() == Some("f") && inner.arguments.iter().all(|one| one.value.as_str().is_some())
            }
            _ => false,
        }
    }
    call.arguments.iter().all(|argument| is_literal(&argument.value))
}

/// What to write where, for all refused drops of a migration.
pub(super) struct KeyFirst<'a, 'f> {
    file: &'a MigrationFile<'f>,
    drops: &'a KeyDrops<'a>,
    /// By the place of a key's drop: the first drop that must come after it.
    first: HashMap<usize, (&'a Refused<'a>, &'a Operation<'a>)>,
    /// By the place of a key that nothing drops: the first drop that must come after its drop.
    left: HashMap<Span, &'a Refused<'a>>,
}

impl<'a, 'f> KeyFirst<'a, 'f> {
    pub(super) fn new(file: &'a MigrationFile<'f>, drops: &'a KeyDrops<'a>, refused: &'a [Refused<'a>]) -> Self {
        let (mut first, mut left) = (HashMap::new(), HashMap::new());
        for one in refused {
            let is_left = |key: &&Key| drops.drop_of(key, one.moment.drop).is_none();
            for key in one.moment.keys.iter().filter(is_left) {
                left.entry(key.place.span).or_insert(one);
            }
            for drop in one
                .moment
                .keys
                .iter()
                .filter_map(|key| drops.drop_of(key, one.moment.drop))
            {
                first.entry(drop.call.span.start).or_insert((one, drop));
            }
        }
        Self {
            file,
            drops,
            first,
            left,
        }
    }

    pub(super) fn fix(&self, refused: &Refused<'_>) -> Option<Fix> {
        let drop = refused.moment.drop;
        let goes_with_table = |key: &&Key| {
            key.table == refused.moment.table
                && self.drops.drop_of(key, drop).is_none()
                && self.drops.drop_of_table(key, drop).is_some()
        };
        if refused.moment.keys.iter().any(|key| goes_with_table(&key)) {
            let edit = self.left_out(refused)?;
            let title = format!("leave the drop of `{}` to `drop_table`", refused.moment.name);
            return Some(Fix::new(title, Safety::unless(self.file.is_deployed), vec![edit]));
        }
        let mut edits = Vec::new();
        let mut needs_review = self.file.is_deployed;
        for key in &refused.moment.keys {
            if let Some(dropped) = self.drops.drop_of(key, drop) {
                edits.extend(self.moved(dropped)?);
            } else {
                edits.push(self.inserted(key)?);
                needs_review = true;
            }
        }
        Some(Fix::new("drop the foreign key first", Safety::unless(needs_review), edits))
    }

    /// If two drops need the key dropped, it moves before the first, and both have the same fix.
    fn moved(&self, dropped: &Operation<'_>) -> Option<[Edit; 2]> {
        let (before, dropped) = self.first.get(&dropped.call.span.start)?;
        let path = CallPath::to(self.file.migration.module.body(), dropped.call.span)?;
        let pairs = path.steps.iter().zip(&before.path.steps);
        let depth = pairs
            .take_while(|((one, _), (other, _))| std::ptr::eq(*one, *other))
            .count()
            .checked_sub(1)?;
        let unit = path.unit_in(depth, dropped.call)?;
        let (run, at) = before.path.steps.get(depth)?;
        let source = self.file.file();
        let (from, to) = (lines_of(self.file, unit)?, lines_of(self.file, run.get(*at)?)?);
        if to.end > from.start {
            return None;
        }
        let is_block = matches!(unit.kind, StmtKind::With { .. });
        let blank = if is_block { source.line_ending() } else { "" };
        Some([
            Edit::insert(source, to.start, format!("{}{blank}", source.slice(from))),
            Edit::replace(source, without_gap(source, from), ""),
        ])
    }

    fn left_out(&self, refused: &Refused<'_>) -> Option<Edit> {
        let source = self.file.file();
        let [.., around, (run, at)] = refused.path.steps.as_slice() else {
            return None;
        };
        let statement = run.get(*at)?;
        if !matches!(&statement.kind, StmtKind::Expr(expr) if expr.span == refused.moment.drop.call.span) {
            return None;
        }
        let block = around.0.get(around.1)?;
        // A block must not become empty; all that it drops is dropped with its table.
        let goes_along = |statement: &Stmt| matches!(&statement.kind, StmtKind::Expr(expr) if matches!(expr.as_call().and_then(Call::name), Some("drop_index" | "drop_constraint" | "drop_column")));
        let goes = match &block.kind {
            StmtKind::With { .. } if run.iter().all(goes_along) => block,
            _ => statement,
        };
        let lines = lines_of(self.file, goes)?;
        Some(Edit::replace(source, without_gap(source, lines), ""))
    }

    /// Drops a key that nothing drops.
    fn inserted(&self, key: &Key) -> Option<Edit> {
        let refused = self.left.get(&key.place.span)?;
        let drop = refused.moment.drop;
        let source = self.file.file();
        let is_own = key.place.file.path() == source.path() && key.table == refused.moment.table;
        let name = key.name.as_deref().filter(|_| is_own && !key.is_chosen)?;
        let (run, at) = refused.path.steps.last()?;
        let statement = run.get(*at)?;
        let to = lines_of(self.file, statement)?;
        let indent = source.slice(Span::new(source.line_span(statement.span.start).start, statement.span.start));
        let arguments =
            |table| drop_arguments(self.file, drop.receiver, drop.call, name, table, ConstraintKind::ForeignKey);
        let call = match (drop.receiver, &key.table) {
            (Receiver::Operations(op), (table, None)) => {
                let table = table_arguments(self.file, drop.call, table, None)?;
                format!("{op}.drop_constraint({})", arguments(Some(&table))?)
            }
            (Receiver::Batch { spelling, .. }, _) => format!("{spelling}.drop_constraint({})", arguments(None)?),
            _ => return None,
        };
        let line = format!("{indent}{call}{}", source.line_ending());
        Some(Edit::insert(source, to.start, line))
    }
}

/// The lines of a statement and of the comments right above it, except Alembic's own; `None` if it shares a line with another.
fn lines_of(file: &MigrationFile<'_>, statement: &Stmt) -> Option<Span> {
    let source = file.file();
    let text = source.text();
    let first = source.line_span(statement.span.start);
    let last = source.line_span(statement.span.end);
    let rest = text.get(statement.span.end..last.end)?.trim();
    let is_alone = text.get(first.start..statement.span.start)?.trim().is_empty();
    if !is_alone || !(rest.is_empty() || rest.starts_with('#')) {
        return None;
    }
    let comments = file.migration.module.comments();
    let mut start = first.start;
    let mut next = comments.partition_point(|comment| comment.end <= start);
    while let Some(comment) = next.checked_sub(1).and_then(|at| comments.get(at)) {
        let line = source.line_span(comment.start);
        let stands_alone = text.get(line.start..comment.start)?.trim().is_empty();
        let is_above = source.next_line(line.start) == Some(start);
        if !stands_alone || !is_above || source.slice(*comment).starts_with("# ###") {
            break;
        }
        start = line.start;
        next -= 1;
    }
    Some(Span::new(start, source.next_line(last.start)?))
}

/// The lines with the blank line after them, if there is one before them too.
fn without_gap(source: &SourceFile, lines: Span) -> Span {
    let is_blank = |line: Span| source.slice(line).trim().is_empty();
    let above = lines.start.checked_sub(1).map(|at| source.line_span(at));
    let below = source.line_span(lines.end);
    let end = source
        .next_line(lines.end)
        .filter(|_| is_blank(below) && above.is_none_or(is_blank));
    Span::new(lines.start, end.unwrap_or(lines.end))
}
