//! The scopes that a place sees, innermost first, and what a call has put into them.

use std::rc::Rc;

use super::super::Module;
use super::super::scopes::Scope;
use super::value::{Class, Value};

/// The scopes around a place.
#[derive(Clone)]
pub struct Chain<'m>(Rc<Link<'m>>);

/// One scope, and those around it.
pub struct Link<'m> {
    /// Its names.
    pub scope: Rc<Scope<'m>>,
    /// The module that it stands in.
    pub module: &'m Module,
    /// The scopes around it.
    pub outer: Option<Chain<'m>>,
    /// What the call gave, where it is the scope of a function that is called.
    pub call: Option<Call<'m>>,
    /// The items that loops are at, by the place of what they go through.
    pub rounds: Vec<(usize, usize)>,
    /// The class whose body it is, or whose method.
    pub class: Option<Rc<Class<'m>>>,
    pub(super) id: usize,
}

/// What a call has put into the scope of a function.
#[derive(Clone)]
pub struct Call<'m> {
    /// The values of the parameters.
    pub parameters: Vec<(&'m str, Value<'m>)>,
    /// The object that the method is called on.
    pub receiver: Option<Value<'m>>,
    /// The byte of the module up to which it was executed when the call was made; nothing when all of it was.
    pub until: Option<usize>,
}

impl<'m> Chain<'m> {
    pub(super) fn new(link: Link<'m>) -> Self {
        Self(Rc::new(link))
    }

    /// Something that no other chain has.
    #[must_use]
    pub fn id(&self) -> usize {
        self.0.id
    }

    /// The chain of the module that the place stands in.
    #[must_use]
    pub fn of_module(&self) -> &Self {
        let mut chain = self;
        while let Some(outer) = &chain.0.outer {
            chain = outer;
        }
        chain
    }
}

impl<'m> std::ops::Deref for Chain<'m> {
    type Target = Link<'m>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
