//! What the source says about the names of a scope: where each is bound or changed in place, and in which block. Nothing is evaluated.

mod build;
mod index;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::tree::{Call, Class, Expr, Function, Operator, Parameter, Stmt};
use crate::source::Span;

pub(crate) use build::CHANGING_METHODS;
pub(crate) use index::{AttributeAssignment, Definition, Index};

/// The scope of a module, a class, a function, a lambda or a comprehension.
#[derive(Debug, Default)]
pub(crate) struct Scope<'m> {
    pub(crate) kind: ScopeKind<'m>,
    names: FxHashMap<&'m str, Name<'m>>,
    /// `from module import *`, in order.
    pub(crate) stars: Vec<Site<'m>>,
    /// The names declared `global`.
    pub(crate) globals: FxHashSet<&'m str>,
    /// The names declared `global` or `nonlocal`.
    pub(crate) outer: FxHashSet<&'m str>,
    /// In order.
    pub(crate) returns: Vec<Return<'m>>,
    /// Each before the blocks inside it.
    blocks: Vec<Block>,
    forks: Vec<Fork<'m>>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) enum ScopeKind<'m> {
    #[default]
    Module,
    /// A class body. The functions inside it do not see its names.
    Class(&'m Class),
    Function(&'m Arc<Function>),
    /// The parameters of a lambda.
    Lambda(&'m [Parameter]),
    /// Each target of a comprehension with its iterable.
    Comprehension(&'m [(Expr, Expr)]),
}

#[derive(Debug, Default)]
pub(crate) struct Name<'m> {
    /// Where it is bound, in order.
    pub(crate) sites: Vec<Site<'m>>,
    /// Where its value is changed in place, in order.
    pub(crate) changes: Vec<Change<'m>>,
}

/// A place where a name is bound.
#[derive(Debug)]
pub(crate) struct Site<'m> {
    /// The byte after which the name has the value.
    pub(crate) from: usize,
    pub(crate) block: BlockId,
    pub(crate) binding: Binding<'m>,
}

/// What a name is bound to. A path leads into nested tuples: `[1, 0]` for `b` in `a, (b, c) = value`.
#[derive(Debug)]
pub(crate) enum Binding<'m> {
    /// The value of an expression, or the part of it at a path.
    Value(&'m Expr, Vec<usize>),
    /// An item of the iterable of a `for`, or the part of it at a path.
    Round(&'m Expr, Vec<usize>),
    /// The `as` of a `with`.
    Entered(&'m Expr),
    /// `import dotted`: the module, or the first package of the name.
    Import(&'m str),
    /// `from module import name`
    ImportFrom {
        /// Without its dots.
        module: &'m str,
        /// How many dots.
        level: u32,
        /// `*` for all names.
        name: &'m str,
        span: Span,
    },
    Function(&'m Arc<Function>),
    Class(&'m Class),
    /// An exception, a part of a pattern, or the like.
    Other,
}

/// A place where the value of a name is changed in place.
#[derive(Debug)]
pub(crate) struct Change<'m> {
    /// The byte after which it is changed.
    pub(crate) from: usize,
    pub(crate) block: BlockId,
    /// The attributes after the name: `["b"]` for `a.b[0] = 1`.
    pub(crate) path: Vec<&'m str>,
    pub(crate) kind: ChangeKind<'m>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ChangeKind<'m> {
    /// `x[index] = value`
    Item(&'m Expr, &'m Expr),
    /// `x operator= value`
    Augmented(Operator, &'m Expr),
    /// `x.update(...)` or another of [`CHANGING_METHODS`].
    Call(&'m str, &'m Call),
    /// `del x[index]`
    Removed(&'m Expr),
    /// `function(x)` as a statement. A function of the project may change it.
    Handed(&'m Call),
    /// A change through another name of the same object: `y = x`, `y.append(...)`.
    Shared,
}

#[derive(Debug)]
pub(crate) struct Return<'m> {
    pub(crate) value: Option<&'m Expr>,
    pub(crate) block: BlockId,
}

/// An index into the blocks of a [`Scope`].
pub(crate) type BlockId = usize;

/// A list of statements that are executed together.
#[derive(Debug)]
pub(crate) struct Block {
    /// The block around the compound statement, and the index of that statement's [`Fork`]; none for the body of the scope.
    pub(crate) parent: Option<(BlockId, usize)>,
    pub(crate) span: Span,
    pub(crate) when: When,
    /// Whether it ends in `return` or `raise`.
    pub(crate) leaves: bool,
}

/// When a block is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Whenever the block around it is.
    Always,
    /// In this branch of an `if`.
    Branch(usize),
    /// In each round of a loop, perhaps never.
    Round,
    /// The body of a `try` whose handler goes on.
    Tried,
    /// A handler of a `try`.
    Failure,
    /// The handler of an `ImportError`.
    NotInstalled,
    /// A `case`.
    Pattern,
}

/// A compound statement.
#[derive(Debug)]
pub(crate) struct Fork<'m> {
    pub(crate) span: Span,
    /// The test of each branch of an `if`; none for `else`.
    pub(crate) tests: Vec<Option<&'m Expr>>,
    /// The blocks of those branches.
    pub(crate) branches: Vec<BlockId>,
}

impl Fork<'_> {
    pub(crate) fn has_else(&self) -> bool {
        self.tests.last().is_some_and(Option::is_none)
    }
}

impl<'m> Scope<'m> {
    /// Reads a scope. `has_walrus` is whether its module has a `:=` anywhere.
    pub(crate) fn of(kind: ScopeKind<'m>, body: &'m [Stmt], has_walrus: bool) -> Self {
        build::scope(kind, body, has_walrus)
    }

    pub(crate) fn name(&self, name: &str) -> Option<&Name<'m>> {
        self.names.get(name)
    }

    /// Where a name is bound, in order.
    pub(crate) fn sites(&self, name: &str) -> &[Site<'m>] {
        self.name(name).map(|known| known.sites.as_slice()).unwrap_or_default()
    }

    /// Where the value of a name is changed in place, in order.
    pub(crate) fn changes(&self, name: &str) -> &[Change<'m>] {
        self.name(name)
            .map(|known| known.changes.as_slice())
            .unwrap_or_default()
    }

    /// In no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'m str, &Name<'m>)> {
        self.names.iter().map(|(name, what)| (*name, what))
    }

    pub(crate) fn parameters(&self) -> &'m [Parameter] {
        match self.kind {
            ScopeKind::Function(function) => &function.parameters,
            ScopeKind::Lambda(parameters) => parameters,
            ScopeKind::Module | ScopeKind::Class(_) | ScopeKind::Comprehension(_) => &[],
        }
    }

    /// In the order in which they begin.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(crate) fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id]
    }

    pub(crate) fn fork(&self, id: usize) -> &Fork<'m> {
        &self.forks[id]
    }

    /// A block and the blocks around it, innermost first, without the body of the scope; each with its fork.
    pub(crate) fn blocks_around(&self, id: BlockId) -> impl Iterator<Item = (BlockId, &Block, usize)> {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let id = next?;
            let block = &self.blocks[id];
            let (around, fork) = block.parent?;
            next = Some(around);
            Some((id, block, fork))
        })
    }

    /// The innermost block around a byte.
    pub(crate) fn block_at(&self, at: usize) -> BlockId {
        let after = self.blocks.partition_point(|block| block.span.start <= at);
        let mut id = after.saturating_sub(1);
        while let Some((around, _)) = self.blocks[id].parent
            && !self.holds(id, at)
        {
            id = around;
        }
        id
    }

    /// Whether a byte is in a block; the body of the scope holds all.
    pub(crate) fn holds(&self, id: BlockId, at: usize) -> bool {
        let block = &self.blocks[id];
        block.parent.is_none() || block.span.start <= at && at < block.span.end
    }
}
