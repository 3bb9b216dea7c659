//! The convention to adopt, written into the module that makes the metadata.

use regex::Regex;

use super::error::AdoptError;
use super::find::Adopter;
use crate::constraints::convention_code::write_convention;
use crate::fix::{FixedFile, apply};
use crate::naming::{ConstraintKind, Convention, Key, Value};
use crate::project::{ConventionFacts, Given, Place, Project, Target};
use crate::snapshot::Overlay;
use crate::source::SourceFile;

/// How many places are named.
const MOST_PLACES: usize = 3;

/// Leaves the template for checks out where it would fail, or might; and says why.
pub(super) fn for_checks(convention: Convention, given: &Given) -> (Convention, Option<String>) {
    let Some(template) = check_template(&convention) else {
        return (convention, None);
    };
    let start = template.split('%').next().unwrap_or_default();
    let looks_finished = |name: &str| !start.is_empty() && name.starts_with(start);
    let doubled = given.checks.iter().filter(|(name, _)| looks_finished(name));
    let mut places: Vec<&Place> = given
        .unclear_checks
        .iter()
        .chain(doubled.map(|(_, place)| place))
        .collect();
    let why = if let [_, ..] = places.as_slice() {
        let has_more = places.len() > MOST_PLACES;
        places.truncate(MOST_PLACES);
        let shown: Vec<String> = places.into_iter().map(shown).collect();
        let more = if has_more { " and more" } else { "" };
        format!(
            "`ck` is left out of the convention: a check without a name would fail under it on every new database, and one whose plain \
             name is dropped or begins like the template would get another ({}{more})",
            shown.join(", ")
        )
    } else if given.is_partial {
        "`ck` is left out of the convention: some modules cannot be read, and a check without a name would fail under it".to_owned()
    } else {
        return (convention, None);
    };
    (convention.without(ConstraintKind::Check), Some(why))
}

/// The template for checks, if it contains their names.
pub(super) fn check_template(convention: &Convention) -> Option<&str> {
    match convention.template_for(ConstraintKind::Check)? {
        Value::Template(template) if template.contains("constraint_name") => Some(template),
        _ => None,
    }
}

pub(super) fn shown(place: &Place) -> String {
    let line = place.file.position(place.span.start).line;
    format!("{}:{line}", place.file.path())
}

/// Writes the convention into the module, in memory; read again, the metadata must have it.
pub(super) fn write(
    adopter: &Adopter,
    project: &Project<'_>,
    convention: &Convention,
) -> Result<FixedFile, AdoptError> {
    let no_place = || AdoptError::NoPlace(adopter.path_of(None));
    let (file, judged) = adopter.judged().ok_or_else(no_place)?;
    let module = project.modules().parse(&file);
    let fix = write_convention(&judged, module, || convention.clone()).ok_or_else(no_place)?;
    let after = SourceFile::new(file.path().clone(), apply(&file, [&fix]));
    let changed = Overlay::new(project.snapshot(), &after);
    let naming = project
        .changed(&changed, file.path())
        .naming_of(adopter.environment.clone());
    let has_it = match &naming.target {
        Target::Metadata(facts) => {
            matches!(&facts.convention, ConventionFacts::Known(known, _) if known == convention) && facts.late.is_none()
        }
        _ => false,
    };
    if !has_it {
        return Err(no_place());
    }
    Ok(FixedFile {
        before: file,
        after,
        left: Vec::new(),
        fixed: 1,
    })
}

/// The entries as texts; `None` where one is none.
pub(super) fn entries<'c>(convention: &'c Convention) -> Option<Vec<(&'c str, Option<&'c str>)>> {
    let entry = |(key, value): (&'c Key, &'c Value)| match (key, value) {
        (Key::Text(key), Value::Template(template)) => Some((key.as_str(), Some(template.as_str()))),
        (Key::Text(key), Value::Nothing) => Some((key.as_str(), None)),
        _ => None,
    };
    convention.entries().map(entry).collect()
}

/// The names that the convention may give, for any table and columns.
pub(super) struct Shapes(Vec<Regex>);

impl Shapes {
    pub(super) fn of(convention: &Convention) -> Self {
        let kinds = [ConstraintKind::PrimaryKey, ConstraintKind::Unique, ConstraintKind::ForeignKey];
        let templates = kinds
            .into_iter()
            .filter_map(|kind| match convention.template_for(kind)? {
                Value::Template(template) => Some(template),
                _ => None,
            });
        Self(templates.filter_map(|template| shape(template)).collect())
    }

    pub(super) fn fit(&self, name: &str) -> bool {
        self.0.iter().any(|shape| shape.is_match(name))
    }
}

fn shape(template: &str) -> Option<Regex> {
    let mut pattern = String::from("^(?s)");
    let mut rest = template;
    while let Some((before, token)) = rest.split_once("%(") {
        pattern.push_str(&regex::escape(before));
        pattern.push_str(".+");
        rest = token
            .split_once(')')
            .and_then(|(_, rest)| rest.get(1..))
            .unwrap_or_default();
    }
    pattern.push_str(&regex::escape(rest));
    pattern.push('$');
    Regex::new(&pattern).ok()
}
