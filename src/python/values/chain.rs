//! The scopes that a place sees, innermost first, and what a call has put into them.

use std::rc::Rc;

use super::super::Module;
use super::super::scopes::{Binding, Scope};
use super::imports::relative_folder;
use super::value::{Class, ModuleName, Value};

/// The scopes around a place.
#[derive(Clone)]
pub(crate) struct Chain<'m>(Rc<Link<'m>>);

/// One scope, and those around it.
pub(crate) struct Link<'m> {
    /// Its names.
    pub(crate) scope: Rc<Scope<'m>>,
    /// The module that it stands in.
    pub(crate) module: &'m Module,
    /// The scopes around it.
    pub(crate) outer: Option<Chain<'m>>,
    /// What the call gave, where it is the scope of a function that is called.
    pub(crate) call: Option<Call<'m>>,
    /// The items that loops are at, by the place of what they go through.
    pub(crate) rounds: Vec<(usize, usize)>,
    /// The class whose body it is, or whose method.
    pub(crate) class: Option<Rc<Class<'m>>>,
    pub(super) id: usize,
}

/// What a call has put into the scope of a function.
#[derive(Clone)]
pub(crate) struct Call<'m> {
    /// The values of the parameters.
    pub(crate) parameters: Vec<(&'m str, Value<'m>)>,
    /// The object that the method is called on.
    pub(crate) receiver: Option<Value<'m>>,
    /// The byte of the module up to which it was executed when the call was made; nothing when all of it was.
    pub(crate) until: Option<usize>,
}

impl<'m> Chain<'m> {
    pub(super) fn new(link: Link<'m>) -> Self {
        Self(Rc::new(link))
    }

    /// Something that no other chain has.
    pub(crate) fn id(&self) -> usize {
        self.0.id
    }

    /// Whether a name is a parameter or the variable of a loop, whose value depends on the call or the round.
    pub(crate) fn is_variable(&self, name: &str) -> bool {
        let mut link = Some(self);
        while let Some(chain) = link {
            if let Some(site) = chain.scope.sites(name).last() {
                return matches!(site.binding, Binding::Round(..));
            }
            if chain.scope.parameters().iter().any(|one| one.name == name) {
                return true;
            }
            link = chain.outer.as_ref();
        }
        false
    }

    /// The module that `from ..module import` means here; none where the dots lead out of the repository.
    pub(crate) fn imported_from(&self, module: &str, level: u32) -> Option<ModuleName> {
        let folder = match level {
            0 => None,
            _ => Some(relative_folder(self.module.file().path(), level)?),
        };
        Some(ModuleName {
            folder,
            dotted: module.to_owned(),
        })
    }
}

impl<'m> std::ops::Deref for Chain<'m> {
    type Target = Link<'m>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
