//! The names of tables between the upgrade and the downgrade, where one of them renames a table.

use std::collections::HashMap;

use super::super::{Direction, Known, Operation, Step};

/// The name of each operation's table after the upgrade and before the downgrade, by the operation's place, if that is another one.
///
/// Renames in a branch, a loop or another function than the operation's are not followed, nor schemas.
pub(super) fn tables(operations: &[Operation<'_>], steps: &[Step<'_>]) -> HashMap<usize, String> {
    let renames: Vec<Rename<'_>> = steps.iter().filter_map(Rename::of).collect();
    if renames.is_empty() {
        return HashMap::new();
    }
    let of = |wanted| move |(_, operation): &(usize, &Operation<'_>)| operation.when.direction == wanted;
    let renames_of = |wanted| renames.iter().filter(move |rename| rename.direction == wanted);
    let mut found = follow(
        operations.iter().enumerate().rev().filter(of(Direction::Upgrade)),
        renames_of(Direction::Upgrade).rev().map(|one| (one, one.old, one.new)),
        |operation, at| at > operation,
    );
    found.extend(follow(
        operations.iter().enumerate().filter(of(Direction::Downgrade)),
        renames_of(Direction::Downgrade).map(|one| (one, one.new, one.old)),
        |operation, at| at < operation,
    ));
    found
}

struct Rename<'s> {
    old: &'s str,
    new: &'s str,
    direction: Direction,
    block: usize,
    at: usize,
}

impl<'s> Rename<'s> {
    fn of(step: &'s Step<'_>) -> Option<Self> {
        if step.method != "rename_table" || !step.when.is_once() {
            return None;
        }
        let argument = step.call.argument(Some(1), "new_table_name").ok()??;
        Some(Self {
            old: step.table.known()?,
            new: argument.value.as_str()?,
            direction: step.when.direction,
            block: step.when.block,
            at: step.call.span.start,
        })
    }
}

/// Visits the operations from the border between the directions outwards; each rename in between changes the names.
fn follow<'s>(
    operations: impl Iterator<Item = (usize, &'s Operation<'s>)>,
    renames: impl Iterator<Item = (&'s Rename<'s>, &'s str, &'s str)>,
    is_between: impl Fn(usize, usize) -> bool,
) -> HashMap<usize, String> {
    let mut renames = renames.peekable();
    let mut at_border: HashMap<(usize, &str), &str> = HashMap::new();
    let mut found = HashMap::new();
    for (place, operation) in operations {
        let start = operation.call.span.start;
        while let Some((rename, far, near)) = renames.next_if(|(rename, ..)| is_between(start, rename.at)) {
            let near = at_border.remove(&(rename.block, near)).unwrap_or(near);
            at_border.insert((rename.block, far), near);
        }
        let Known::Is(table) = &operation.table else { continue };
        if let Some(name) = at_border.get(&(operation.when.block, table.as_str())) {
            found.insert(place, (*name).to_owned());
        }
    }
    found
}
