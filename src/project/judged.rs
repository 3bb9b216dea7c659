//! The metadata of a changed module.

use std::rc::Rc;

use super::late::Early;
use super::target::{ConventionFacts, MetadataFacts, Target, as_metadata, facts};
use super::{Naming, Owner, Place};
use crate::libraries::kinds;
use crate::python::Module;
use crate::python::values::{Made, Reader, Value};
use crate::source::SourceFile;

/// A metadata, with the place to point at.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The metadata, or the `None` or list that the environment passes.
    pub target: Target,
    /// The place in the changed module.
    pub place: Place,
    /// The environment that migrates it, where the project was asked for it.
    pub owner: Option<Owner>,
}

impl PartialEq for Judged {
    fn eq(&self, other: &Self) -> bool {
        self.place.is(&other.place)
    }
}

/// What an environment migrates and a changed module makes or names.
pub(super) fn judge(naming: &Naming, module: &SourceFile) -> Vec<Judged> {
    let here = |place: Option<&Place>| place.filter(|place| place.file.path() == module.path()).cloned();
    let all = naming.target.metadata();
    let mut judged: Vec<Judged> = all.iter().flat_map(|facts| judge_one(facts, naming, &here)).collect();
    let is_at_fault = match naming.target {
        Target::Nothing => true,
        Target::Several(_) => all.iter().any(|facts| convention_place(facts).is_some()),
        Target::Metadata(_) | Target::ByDatabase(_) | Target::Unknown(_) => false,
    };
    let stated = here(naming.stated.as_ref()).filter(|_| is_at_fault);
    judged.extend(stated.map(|place| Judged {
        target: naming.target.clone(),
        place,
        owner: None,
    }));
    judged
}

fn judge_one(facts: &MetadataFacts, naming: &Naming, here: &dyn Fn(Option<&Place>) -> Option<Place>) -> Vec<Judged> {
    let mut judged = Vec::new();
    let mut facts = facts.clone();
    // A convention that comes too late is reported where it is assigned, maybe in another module than where it is written.
    let written = convention_place(&facts).map(|place| place.file.path().clone());
    let is_elsewhere = |late: &(Place, Early)| written.as_ref().is_some_and(|path| path != late.0.file.path());
    if let Some(late) = facts.late.take_if(|late| is_elsewhere(late))
        && let Some(place) = here(Some(&late.0))
    {
        let convention = ConventionFacts::Unknown("it is judged where it is written".to_owned(), None);
        let target = Target::Metadata(MetadataFacts {
            convention,
            late: Some(late),
            ..facts.clone()
        });
        judged.push(Judged {
            target,
            place,
            owner: None,
        });
    }
    judged.extend(place_to_judge(&facts, naming, here).map(|place| Judged {
        target: Target::Metadata(facts),
        place,
        owner: None,
    }));
    judged
}

fn place_to_judge(
    facts: &MetadataFacts,
    naming: &Naming,
    here: &dyn Fn(Option<&Place>) -> Option<Place>,
) -> Option<Place> {
    // One cause is one finding: a convention is judged where it is written.
    if let Some(place) = convention_place(facts) {
        return here(Some(place));
    }
    // The metadata of a library has its place where the project uses it, and counts only if the project configures it.
    let is_configurable = facts.is_configurable();
    let takes = |place: &Place| {
        let code = place.file.slice(place.span);
        let is_name = code.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        is_configurable && (is_name || code.contains("SQLModel"))
    };
    here(facts.place.as_ref()).or_else(|| here(naming.stated.as_ref()).filter(takes))
}

fn convention_place(facts: &MetadataFacts) -> Option<&Place> {
    match &facts.convention {
        ConventionFacts::Known(_, place) => place.as_ref(),
        ConventionFacts::Default | ConventionFacts::Unknown(..) => None,
    }
}

/// Every metadata that a module makes at module or class level.
pub(super) fn made_in<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Judged> {
    let chain = reader.module(module);
    let mut names: Vec<&str> = chain.scope.names().map(|(name, _)| name).collect();
    names.sort_unstable();
    let mut judged: Vec<Judged> = Vec::new();
    for name in names {
        let Some(value) = reader.in_scope(name, &chain, usize::MAX) else {
            continue;
        };
        for value in value.choices() {
            let Some(metadata) = metadata_of(reader, value) else {
                continue;
            };
            let place = metadata
                .place
                .clone()
                .filter(|place| place.file.path() == module.file().path());
            let Some(place) = place else { continue };
            if judged.iter().any(|known| known.place.is(&place)) {
                continue;
            }
            let facts = facts(reader, &metadata);
            if !facts.is_reflected {
                judged.push(Judged {
                    target: Target::Metadata(facts),
                    place,
                    owner: None,
                });
            }
        }
    }
    judged.sort_by_key(|one| one.place.span);
    judged
}

fn metadata_of<'m>(reader: &mut Reader<'m>, value: &Value<'m>) -> Option<Rc<Made<'m>>> {
    let found = match value {
        Value::Made(made) if made.kind == kinds::METADATA => return Some(made.clone()),
        Value::Made(made) if matches!(made.kind, kinds::REGISTRY | kinds::BASE | kinds::DATABASE) => {
            reader.attribute(value, "metadata")
        }
        Value::Class(class) => reader.class_attribute(class, "metadata")?,
        _ => return None,
    };
    as_metadata(&found).cloned()
}
