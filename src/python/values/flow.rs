//! Control flow: which statements are executed before a place, and which values reach it.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::chain::Chain;
use super::reader::Reader;
use super::value::{Choices, Value};
use crate::python::scopes::{BlockId, Scope, Site, When};
use crate::source::Span;

/// Whether a block is executed before a place is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Never,
    Perhaps,
    /// Only if something is not installed.
    NotInstalled,
    Always,
}

impl Reach {
    /// Whether it is executed, if that is known.
    pub(super) fn known(self) -> Option<bool> {
        match self {
            Self::Always => Some(true),
            Self::Never => Some(false),
            Self::Perhaps | Self::NotInstalled => None,
        }
    }
}

impl<'m> Reader<'m> {
    /// Adds the values of the sites that reach a byte. Whether one of them certainly does.
    pub(super) fn reaching(
        &mut self,
        name: &str,
        sites: &[Site<'m>],
        chain: &Chain<'m>,
        at: usize,
        choices: &mut Choices<'m>,
    ) -> bool {
        let scope = chain.scope.clone();
        let mut cover = Cover::default();
        let mut not_installed = Vec::new();
        let (before, after) = sites.split_at(sites.partition_point(|site| site.from <= at));
        if !self.add_from_earlier_rounds(name, before, after, chain, at, choices) {
            return true;
        }
        for site in before.iter().rev() {
            if choices.is_full() || !self.spend(1, Span::new(site.from, site.from), chain.module) {
                return true;
            }
            if cover.covers(&scope, site.block) {
                continue;
            }
            match self.reach(site.block, chain, Some(at)) {
                Reach::Never => {}
                Reach::NotInstalled => not_installed.push(site),
                Reach::Perhaps => {
                    choices.add(self.bound(name, site, chain));
                    let ends = |id| scope.holds(id, at);
                    let is_open = |id| !scope.block(id).leaves;
                    if self.add_cover(&mut cover, site.block, chain, &ends, &is_open) {
                        return true;
                    }
                }
                Reach::Always => {
                    choices.add(self.bound(name, site, chain));
                    return true;
                }
            }
        }
        if choices.is_empty() {
            for site in not_installed {
                choices.add(self.bound(name, site, chain));
            }
        }
        false
    }

    /// Adds the values that later statements of the same loop bind, which the next round sees. False where no more values can be added.
    fn add_from_earlier_rounds(
        &mut self,
        name: &str,
        before: &[Site<'m>],
        after: &[Site<'m>],
        chain: &Chain<'m>,
        at: usize,
        choices: &mut Choices<'m>,
    ) -> bool {
        let Some((start_of_round, end_of_loop)) = loops_around(&chain.scope, at) else {
            return true;
        };
        let is_bound_in_round = before.last().is_some_and(|site| {
            start_of_round <= site.from && self.reach(site.block, chain, Some(at)) == Reach::Always
        });
        if is_bound_in_round {
            return true;
        }
        for site in after.iter().take_while(|site| site.from <= end_of_loop) {
            if choices.is_full() || !self.spend(1, Span::new(site.from, site.from), chain.module) {
                return false;
            }
            choices.add(self.bound(name, site, chain));
        }
        true
    }

    /// Whether a block that has been executed leads to a byte; without a byte, whether it is executed at all, as long as nothing returns before
    /// it.
    pub(super) fn reach(&mut self, block: BlockId, chain: &Chain<'m>, at: Option<usize>) -> Reach {
        let scope = chain.scope.clone();
        let mut reach = Reach::Always;
        for (id, block, fork) in scope.blocks_around(block) {
            let mut is_same_statement = false;
            if let Some(at) = at {
                if scope.holds(id, at) {
                    break;
                }
                if block.leaves {
                    return Reach::Never;
                }
                let span = scope.fork(fork).span;
                is_same_statement = span.start <= at && at < span.end;
            }
            match block.when {
                When::Branch(_) | When::Pattern if is_same_statement => return Reach::Never,
                When::Branch(branch) => match self.decided(fork, chain)[branch] {
                    Some(true) => {}
                    Some(false) => return Reach::Never,
                    None => reach = Reach::Perhaps,
                },
                When::Always => {}
                When::Tried if is_same_statement || at.is_none() => {}
                When::NotInstalled if at.is_some() => return Reach::NotInstalled,
                When::Round | When::Pattern | When::Failure | When::Tried | When::NotInstalled => {
                    reach = Reach::Perhaps;
                }
            }
        }
        reach
    }

    /// Which branches of an `if` are taken, if that is known.
    fn decided(&mut self, fork: usize, chain: &Chain<'m>) -> Rc<[Option<bool>]> {
        let key = (chain.id(), fork);
        if let Some(known) = self.decisions.get(&key) {
            return known.clone();
        }
        let scope = chain.scope.clone();
        let tests = &scope.fork(fork).tests;
        // A condition may ask for what the branches bind.
        self.decisions.insert(key, vec![None; tests.len()].into());
        let mut decisions = Vec::with_capacity(tests.len());
        let (mut is_over, mut is_unsure) = (false, false);
        for test in tests {
            let holds = match test {
                _ if is_over => Some(false),
                None => Some(true),
                Some(test) => self.truth(test, chain),
            };
            is_over |= holds == Some(true);
            decisions.push(holds.filter(|holds| !(*holds && is_unsure)));
            is_unsure |= holds.is_none();
        }
        let decisions: Rc<[Option<bool>]> = decisions.into();
        self.decisions.insert(key, decisions.clone());
        decisions
    }

    /// Covers a block: it binds the name, or returns. Whether every path up to a block where it `ends` is covered now. Of a fork, the branches
    /// count that may be taken and are `open`.
    fn add_cover(
        &mut self,
        cover: &mut Cover,
        block: BlockId,
        chain: &Chain<'m>,
        ends: &dyn Fn(BlockId) -> bool,
        is_open: &dyn Fn(BlockId) -> bool,
    ) -> bool {
        let scope = chain.scope.clone();
        let mut id = block;
        loop {
            let is_new = cover.blocks.insert(id);
            if ends(id) {
                return true;
            }
            if !is_new {
                return false;
            }
            let Some((around, fork)) = scope.block(id).parent else {
                return true;
            };
            match scope.block(id).when {
                When::Always => {}
                When::Branch(_) => {
                    if let Entry::Vacant(open) = cover.open.entry(fork) {
                        let decided = self.decided(fork, chain);
                        let branches = scope.fork(fork).branches.iter().enumerate();
                        let counts = |(at, id): &(usize, &BlockId)| decided[*at] != Some(false) && is_open(**id);
                        open.insert(branches.filter(counts).count());
                    }
                    if !cover.takes_branch(fork) || !scope.fork(fork).has_else() {
                        return false;
                    }
                }
                _ => return false,
            }
            id = around;
        }
    }

    /// What a function returns.
    pub(super) fn returns(&mut self, chain: &Chain<'m>) -> Value<'m> {
        let scope = chain.scope.clone();
        let mut choices = Choices::default();
        let mut cover = Cover::default();
        let mut is_complete = false;
        let returning: FxHashSet<BlockId> = scope.returns.iter().map(|one| one.block).collect();
        for one in &scope.returns {
            if choices.is_full() || is_complete || !self.spend(1, Span::default(), chain.module) {
                break;
            }
            let reach = self.reach(one.block, chain, None);
            if reach == Reach::Never || cover.covers(&scope, one.block) {
                continue;
            }
            choices.add(one.value.map_or(Value::None, |value| self.value(value, chain)));
            // A branch that only raises returns nothing.
            let is_open = |id| !scope.block(id).leaves || returning.contains(&id);
            is_complete = reach == Reach::Always || self.add_cover(&mut cover, one.block, chain, &|_| false, &is_open);
        }
        let ends_by_raising = scope.block(0).leaves;
        if !is_complete && (!ends_by_raising || choices.is_empty()) {
            choices.add(Value::None);
        }
        choices.finish()
    }

    /// Whether a block is executed whenever its scope is, if that is known.
    pub(crate) fn is_executed(&mut self, block: BlockId, chain: &Chain<'m>) -> Option<bool> {
        self.reach(block, chain, None).known()
    }

    /// Where a scope certainly ends before its last statement: at a `return` or `raise` that is always executed.
    pub(crate) fn certain_end(&mut self, chain: &Chain<'m>) -> Option<usize> {
        let scope = chain.scope.clone();
        self.charge(scope.blocks().len(), Span::default(), chain);
        let leaving = (1..scope.blocks().len()).filter(|id| scope.block(*id).leaves);
        let mut ends = leaving.filter(|id| self.is_executed(*id, chain) == Some(true));
        ends.next().map(|id| scope.block(id).span.end)
    }
}

/// Where a round of the innermost loop around a byte starts, and where the outermost loop ends.
fn loops_around(scope: &Scope<'_>, at: usize) -> Option<(usize, usize)> {
    if at == usize::MAX {
        return None;
    }
    let around = scope.blocks_around(scope.block_at(at));
    let mut rounds = around.filter(|(_, block, _)| block.when == When::Round);
    let (_, innermost, fork) = rounds.next()?;
    let outermost = rounds.last().map_or(fork, |(.., fork)| fork);
    Some((innermost.span.start, scope.fork(outermost).span.end))
}

/// Blocks that bind a name, or return.
#[derive(Default)]
struct Cover {
    blocks: FxHashSet<BlockId>,
    /// How many branches of each fork are not covered.
    open: FxHashMap<usize, usize>,
}

impl Cover {
    /// Covers one more branch of a fork. Whether all of them are covered.
    fn takes_branch(&mut self, fork: usize) -> bool {
        let open = self.open.entry(fork).or_default();
        *open = open.saturating_sub(1);
        *open == 0
    }

    fn covers(&self, scope: &Scope<'_>, block: BlockId) -> bool {
        self.blocks.contains(&block)
            || scope
                .blocks_around(block)
                .filter_map(|(_, block, _)| block.parent)
                .any(|(around, _)| self.blocks.contains(&around))
    }
}
