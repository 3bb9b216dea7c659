//! The metadata that an environment migrates, and its naming convention.

use std::rc::Rc;

use super::Place;
use super::ineffective::ineffective;
use super::late::{self, Early};
use crate::libraries::kinds;
use crate::libraries::sqlalchemy::{self, Setting};
use crate::naming::{Convention, Key, Value as Template};
use crate::python::values::{Dict, Made, Reader, Value};

/// What an environment passes to Alembic as `target_metadata`.
#[derive(Debug, Clone)]
pub enum Target {
    /// `None`: autogenerate sees no models, and no convention is applied.
    Nothing,
    /// A metadata.
    Metadata(MetadataFacts),
    /// Several; Alembic applies no convention of theirs to a migration's operations.
    Several(Vec<MetadataFacts>),
    /// One for each database, by the database's name, as in Alembic's template for several databases.
    ByDatabase(Vec<(String, MetadataFacts)>),
    /// It is known only at run time; why.
    Unknown(String),
}

impl Target {
    /// Each metadata of it.
    pub(super) fn metadata(&self) -> Vec<&MetadataFacts> {
        match self {
            Self::Metadata(facts) => vec![facts],
            Self::Several(several) => several.iter().collect(),
            Self::ByDatabase(databases) => databases.iter().map(|(_, facts)| facts).collect(),
            Self::Nothing | Self::Unknown(_) => Vec::new(),
        }
    }
}

/// A metadata as far as it is known.
#[derive(Debug, Clone)]
pub struct MetadataFacts {
    /// How the source makes it: `MetaData`, `DeclarativeBase`, `SQLAlchemy`, ...
    pub maker: String,
    /// Where the source makes it; nothing when a library does.
    pub place: Option<Place>,
    /// Its convention.
    pub convention: ConventionFacts,
    /// Where a convention is written without effect, and why.
    pub ineffective: Vec<(Place, String)>,
    /// Where its convention is set too late, and the first table defined before.
    pub late: Option<Box<(Place, Early)>>,
    /// For the metadata of a library: the statement that first defines or imports a table. A convention must be assigned above it.
    pub first_statement: Option<Place>,
    /// Whether all its tables are reflected from a database.
    pub is_reflected: bool,
}

impl MetadataFacts {
    /// Whether a library makes it, and the project configures it.
    #[must_use]
    pub fn is_configurable(&self) -> bool {
        self.place.is_none() && self.maker == "SQLModel"
    }

    /// How this project would write a convention for it.
    #[must_use]
    pub fn spelling(&self) -> Spelling {
        match self.maker.as_str() {
            _ if self.is_configurable() => Spelling::Assigned("SQLModel.metadata.naming_convention".to_owned()),
            "DeclarativeBase" | "DeclarativeMeta" => Spelling::InClass,
            "as_declarative" => Spelling::Argument("@as_declarative".to_owned()),
            "SQLAlchemy" | "declarative_base" | "automap_base" | "registry" => Spelling::Argument(self.callee()),
            "Gino" => Spelling::Own(self.callee()),
            _ => Spelling::Own("MetaData".to_owned()),
        }
    }

    /// What the source calls to make it.
    fn callee(&self) -> String {
        let code = self.place.as_ref().map(|place| place.file.slice(place.span));
        let callee = code.and_then(|code| Some(code.split_once('(')?.0.trim_end()));
        let is_dotted = |code: &&str| {
            code.chars()
                .all(|one| one.is_alphanumeric() || matches!(one, '_' | '.'))
        };
        callee.filter(is_dotted).unwrap_or(&self.maker).to_owned()
    }
}

/// How a project writes the naming convention of a metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spelling {
    /// `metadata = MetaData(naming_convention=...)`, in the body of the declarative base.
    InClass,
    /// `SQLAlchemy(metadata=MetaData(naming_convention=...))`: what is called.
    Argument(String),
    /// `MetaData(naming_convention=...)`: what is called.
    Own(String),
    /// `SQLModel.metadata.naming_convention = ...`: what is assigned to, before any table is defined.
    Assigned(String),
}

impl Spelling {
    /// As code, with this as the dict.
    #[must_use]
    pub fn around(&self, convention: &str) -> String {
        match self {
            Self::InClass => format!("metadata = MetaData(naming_convention={convention})"),
            Self::Argument(callee) => format!("{callee}(metadata=MetaData(naming_convention={convention}))"),
            Self::Own(callee) => format!("{callee}(naming_convention={convention})"),
            Self::Assigned(target) => format!("{target} = {convention}"),
        }
    }
}

/// What is known of a naming convention.
#[derive(Debug, Clone)]
pub enum ConventionFacts {
    /// None was given: only indexes get names.
    Default,
    /// This one, written here.
    Known(Convention, Option<Place>),
    /// One was given whose content is unknown; why, and where.
    Unknown(String, Option<Place>),
}

pub(super) fn target<'m>(reader: &mut Reader<'m>, value: &Value<'m>) -> Target {
    match value {
        Value::None => Target::Nothing,
        Value::Made(made) if made.kind == kinds::METADATA => Target::Metadata(facts(reader, made)),
        Value::List(items) => {
            let mut several = Vec::new();
            for item in items.iter() {
                if let Some(metadata) = as_metadata(item) {
                    several.push(facts(reader, metadata));
                }
            }
            Target::Several(several)
        }
        Value::Dict(dict) => by_database(reader, dict),
        Value::Either(values) => either(reader, values),
        Value::Unknown(reason) => Target::Unknown(reason.to_string()),
        Value::External(name) => Target::Unknown(format!("`{name}` is not part of this repository")),
        _ => Target::Unknown("`target_metadata` is something that cannot be followed".to_owned()),
    }
}

/// The one metadata that it is, where that is known.
pub(super) fn only<'m>(value: &Value<'m>) -> Option<Rc<Made<'m>>> {
    let mut metadata = value.choices().iter().filter_map(as_metadata);
    metadata.next().filter(|_| metadata.next().is_none()).cloned()
}

pub(super) fn as_metadata<'v, 'm>(value: &'v Value<'m>) -> Option<&'v Rc<Made<'m>>> {
    match value {
        Value::Made(made) if made.kind == kinds::METADATA => Some(made),
        _ => None,
    }
}

/// Alembic's template for several databases passes `target_metadata[name]` when it runs `upgrade_<name>()`.
fn by_database<'m>(reader: &mut Reader<'m>, dict: &Dict<'m>) -> Target {
    let mut databases = Vec::new();
    for (key, value) in dict.items() {
        let metadata = match value {
            Value::List(items) if items.len() == 1 => items.first().and_then(as_metadata),
            value => as_metadata(value),
        };
        if let (Some(name), Some(metadata)) = (key.as_text(), metadata) {
            databases.push((name.to_owned(), facts(reader, metadata)));
        }
    }
    match &dict.unknown {
        // As `alembic init -t multidb` writes it.
        None if dict.items().is_empty() => Target::Nothing,
        None if databases.len() == dict.items().len() && !databases.is_empty() => Target::ByDatabase(databases),
        _ => Target::Unknown("the metadata of some databases cannot be followed".to_owned()),
    }
}

/// One metadata among several possible values counts: the others are `None` or unknown.
fn either<'m>(reader: &mut Reader<'m>, values: &[Value<'m>]) -> Target {
    let metadata: Vec<_> = values.iter().filter_map(as_metadata).collect();
    if let [one] = metadata[..] {
        return Target::Metadata(facts(reader, one));
    }
    let unknown = values.iter().find_map(|value| match value {
        Value::Unknown(reason) => Some(&**reason),
        _ => None,
    });
    let unknown = unknown.filter(|_| metadata.is_empty());
    Target::Unknown(
        unknown
            .unwrap_or("which metadata it is depends on something known only at run time")
            .to_owned(),
    )
}

pub(super) fn facts<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> MetadataFacts {
    let setting = sqlalchemy::convention(reader, metadata);
    let convention = match &setting {
        Setting::Default => ConventionFacts::Default,
        Setting::Given(value, place) => convention(value, place.as_ref()),
    };
    MetadataFacts {
        maker: metadata.maker.to_string(),
        place: metadata.place.clone(),
        convention,
        ineffective: ineffective(reader, metadata),
        late: late(reader, metadata),
        first_statement: None,
        is_reflected: late::is_reflected(reader, metadata),
    }
}

/// Where the convention is set too late: by each assignment, since an earlier one may be in time.
fn late<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> Option<Box<(Place, Early)>> {
    const MOST: usize = 4;
    let sets = reader.assignments(&Value::Made(metadata.clone()), "naming_convention");
    if sets.is_empty() || sqlalchemy::is_made_with_convention(reader, metadata) {
        return None;
    }
    let mut late = None;
    for set in sets.into_iter().take(MOST) {
        let early = late::first_table(reader, metadata, &set.place)?;
        late = Some(Box::new((set.place, early)));
    }
    late
}

fn convention(value: &Value<'_>, place: Option<&Place>) -> ConventionFacts {
    let unknown = |reason: &str| ConventionFacts::Unknown(reason.to_owned(), place.cloned());
    match value {
        Value::None => ConventionFacts::Default,
        Value::Dict(dict) => {
            let place = dict.place.clone().or_else(|| place.cloned());
            if let Some(reason) = &dict.unknown {
                return ConventionFacts::Unknown(reason.to_string(), place);
            }
            if dict.items().is_empty() {
                return ConventionFacts::Default;
            }
            let is_no_key = |key: &Value<'_>| matches!(key, Value::None | Value::Bool(_) | Value::Integer(_));
            let mut keys = dict.items().iter().map(|(key, _)| key);
            if keys.any(|key| convention_key(key).is_none() && !is_no_key(key)) {
                return ConventionFacts::Unknown("a key of it is computed".to_owned(), place);
            }
            let entries = dict.items().iter();
            let entries = entries.filter_map(|(key, value)| Some((convention_key(key)?, template(value))));
            ConventionFacts::Known(Convention::new(entries), place)
        }
        Value::Either(values) => {
            let mut given = values.iter().filter(|value| !matches!(value, Value::None));
            match (given.next(), given.next()) {
                (Some(one), None) => convention(one, place),
                _ => unknown("which convention it is depends on something known only at run time"),
            }
        }
        Value::Unknown(reason) => unknown(reason),
        Value::External(name) => unknown(&format!("`{name}` is not part of this repository")),
        _ => unknown("it is computed"),
    }
}

fn convention_key(key: &Value<'_>) -> Option<Key> {
    match key {
        Value::Text(text) => Some(Key::Text(text.known()?.to_owned())),
        Value::External(name) => Some(Key::Class(name.rsplit('.').next().unwrap_or(name).to_owned())),
        Value::Class(class) => Some(Key::Class(class.tree.name.to_string())),
        _ => None,
    }
}

fn template(value: &Value<'_>) -> Template {
    match value {
        Value::Text(text) => match text.known() {
            Some(text) => Template::Template(text.to_owned()),
            None => Template::Unknown("the text is put together at run time".to_owned()),
        },
        Value::Function(_) | Value::Partial(_) | Value::External(_) | Value::Method(_) => Template::Token,
        Value::None => Template::Nothing,
        Value::Unknown(reason) => Template::Unknown(reason.to_string()),
        _ => Template::Unknown("it is computed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::ConstraintKind;
    use crate::project::tests::naming;

    const ENV: &str = "from alembic import context\nfrom app.models import target_metadata\ndef run_migrations_online():\n    context.configure(connection=c, target_metadata=target_metadata)\n";

    /// Each file's first line says what SQLAlchemy does with it.
    #[test]
    fn every_recorded_spelling_is_judged_as_sqlalchemy_does() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/convention_spellings");
        let mut wrong = Vec::new();
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let has_convention = text.lines().next().unwrap().contains("has-convention");
            let files = [("migrations/env.py", ENV), ("app/models.py", &text)];
            let naming = naming(&files, "migrations/versions/new.py");
            let names_keys = match &naming.target {
                Target::Metadata(facts) => match &facts.convention {
                    ConventionFacts::Known(convention, _) => {
                        convention.template_for(ConstraintKind::ForeignKey).is_some()
                    }
                    ConventionFacts::Default => false,
                    ConventionFacts::Unknown(..) => !has_convention,
                },
                Target::Nothing => false,
                Target::Several(_) | Target::ByDatabase(_) | Target::Unknown(_) => !has_convention,
            };
            seen += 1;
            if names_keys != has_convention {
                wrong.push(format!("{}: {:?}", path.file_name().unwrap().display(), naming.target));
            }
        }
        assert!(seen >= 50, "only {seen} spellings were found");
        assert!(wrong.is_empty(), "{} of {seen} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}
