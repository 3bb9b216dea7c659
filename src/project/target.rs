//! What an environment's metadata is, and what can be said of its naming convention.

use std::rc::Rc;

use super::late::{self, Early};
use super::{Naming, Place};
use crate::libraries::sqlalchemy::{self, Setting};
use crate::libraries::{ignored_metadata, kinds};
use crate::naming::{Convention, Key, Value as Template};
use crate::python::values::{Class, Dict, Made, Reader, Value};
use crate::python::{Expr, ExprKind, Module, StmtKind};
use crate::source::SourceFile;

/// What an environment hands to Alembic as `target_metadata`.
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
    /// It cannot be told without running the project; why.
    Unknown(String),
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
    /// Where a convention was meant to be set without effect, and why there is none.
    pub ineffective: Vec<(Place, String)>,
    /// Where its convention is set after a table was defined, and the first such table.
    pub late: Option<Box<(Place, Early)>>,
    /// What an assignment to the metadata of a library must stand above: the statement that first defines a table, or imports one.
    pub first_statement: Option<Place>,
    /// Whether its tables all come from a database, names included.
    pub is_reflected: bool,
}

impl MetadataFacts {
    /// Whether a library makes it for all, and leaves its configuration to the project.
    #[must_use]
    pub fn is_configurable(&self) -> bool {
        self.place.is_none() && self.maker == "SQLModel"
    }

    /// How a convention is written where the source makes this metadata.
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
    /// As code, around what stands for the dict.
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
    /// One was given whose content cannot be told; why, and where.
    Unknown(String, Option<Place>),
}

/// A metadata of a changed module, with the place to point at.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The metadata; nothing when the environment hands over `None` or a list.
    pub target: Target,
    /// The place in the changed module.
    pub place: Place,
}

impl PartialEq for Judged {
    fn eq(&self, other: &Self) -> bool {
        self.place.file.path() == other.place.file.path() && self.place.span == other.place.span
    }
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

fn as_metadata<'v, 'm>(value: &'v Value<'m>) -> Option<&'v Rc<Made<'m>>> {
    match value {
        Value::Made(made) if made.kind == kinds::METADATA => Some(made),
        _ => None,
    }
}

/// Alembic's template for several databases hands over `target_metadata[name]`, and runs `upgrade_<name>()` under it.
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

/// One metadata among several possible values is the one that matters: the others are `None` and what is unknown.
///
/// Several that no convention tells from each other are as good as one.
fn either<'m>(reader: &mut Reader<'m>, values: &[Value<'m>]) -> Target {
    let mut metadata = values.iter().filter_map(as_metadata);
    let reason = || {
        let unknown = values.iter().find_map(|value| match value {
            Value::Unknown(reason) => Some(reason.to_string()),
            _ => None,
        });
        let several = values.iter().filter_map(as_metadata).count() > 1;
        let general = "which metadata it is depends on something known only at run time".to_owned();
        Target::Unknown(unknown.filter(|_| !several).unwrap_or(general))
    };
    match (metadata.next(), metadata.next()) {
        (Some(one), None) => Target::Metadata(facts(reader, one)),
        _ => reason(),
    }
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

/// Where the convention is set too late. One that is set again was set before.
fn late<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> Option<Box<(Place, Early)>> {
    const MOST: usize = 4;
    let sets = reader.sets_on(&Value::Made(metadata.clone()), "naming_convention");
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
                _ => ConventionFacts::Unknown(
                    "which convention it is depends on something known only at run time".to_owned(),
                    place.cloned(),
                ),
            }
        }
        Value::Unknown(reason) => ConventionFacts::Unknown(reason.to_string(), place.cloned()),
        Value::External(name) => {
            ConventionFacts::Unknown(format!("`{name}` is not part of this repository"), place.cloned())
        }
        _ => ConventionFacts::Unknown("it is computed".to_owned(), place.cloned()),
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

/// Conventions that stand where SQLAlchemy does not look for them.
fn ineffective<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    if let Some(class) = &metadata.class
        && let Some(span) = sqlalchemy::assigned_in_body(class, "naming_convention")
        && matches!(sqlalchemy::convention(reader, metadata), Setting::Default)
    {
        let place = Place {
            file: class.place.file.clone(),
            span,
        };
        found.push((
            place,
            "`MetaData.__init__` replaces a class attribute of this name".to_owned(),
        ));
    }
    for module in reader.asked().to_vec() {
        let text = module.file().text();
        if text.contains("naming_convention") || text.contains("__metadata_args__") {
            for class in classes(reader, module) {
                in_class_body(reader, metadata, &class, &mut found);
            }
        }
        if text.contains("model_class") {
            in_database(reader, metadata, module, &mut found);
        }
    }
    found
}

/// The classes at the top of a module.
pub(super) fn classes<'m>(reader: &mut Reader<'m>, module: &'m Module) -> Vec<Rc<Class<'m>>> {
    let chain = reader.module(module);
    let trees = module.body().iter().filter_map(|statement| match &statement.kind {
        StmtKind::Class(class) => Some(class),
        _ => None,
    });
    trees.map(|tree| reader.class(tree, &chain)).collect()
}

fn in_class_body<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    class: &Rc<Class<'m>>,
    found: &mut Vec<(Place, String)>,
) {
    let is_this = |value: Option<Value<'m>>| value.is_some_and(|value| value.same(&Value::Made(metadata.clone())));
    for statement in &class.tree.body {
        let StmtKind::Assign {
            targets,
            value: Some(value),
            ..
        } = &statement.kind
        else {
            continue;
        };
        let reason = match targets.first().and_then(Expr::as_name) {
            Some("naming_convention") => {
                "SQLAlchemy does not read a class attribute `naming_convention`; it belongs to the `MetaData`"
            }
            Some("__metadata_args__") => {
                "SQLAlchemy has no `__metadata_args__`; the convention belongs to the `MetaData`"
            }
            Some("__table_args__") if mentions_convention(value) => {
                "a convention in `__table_args__` has no effect; it belongs to the `MetaData`"
            }
            Some("metadata") if !class.tree.decorators.is_empty() => {
                if let Some(place) = overwritten(reader, metadata, class) {
                    let reason =
                        "the decorator replaces a `metadata` in the class body; give it to the decorator instead";
                    found.push((place, reason.to_owned()));
                }
                continue;
            }
            _ => continue,
        };
        if is_this(reader.class_attribute(class, "metadata")) {
            let place = Place {
                file: class.place.file.clone(),
                span: statement.span,
            };
            found.push((place, reason.to_owned()));
        }
    }
}

/// The convention of a `metadata` in the body of a class whose decorator sets another one.
fn overwritten<'m>(reader: &mut Reader<'m>, metadata: &Rc<Made<'m>>, class: &Rc<Class<'m>>) -> Option<Place> {
    let imposed = reader.class_attribute(class, "metadata")?;
    let body = reader.class_chain(class);
    let Some(Value::Made(own)) = reader.in_scope("metadata", &body, usize::MAX) else {
        return None;
    };
    if !imposed.same(&Value::Made(metadata.clone())) || imposed.same(&Value::Made(own.clone())) {
        return None;
    }
    match sqlalchemy::convention(reader, &own) {
        Setting::Given(_, place) => place,
        Setting::Default => None,
    }
}

fn in_database<'m>(
    reader: &mut Reader<'m>,
    metadata: &Rc<Made<'m>>,
    module: &'m Module,
    found: &mut Vec<(Place, String)>,
) {
    let chain = reader.module(module);
    let calls = module.body().iter().filter_map(|statement| match &statement.kind {
        StmtKind::Assign { value: Some(value), .. } if value.as_call()?.keyword("model_class").is_some() => Some(value),
        _ => None,
    });
    for call in calls {
        let Value::Made(database) = reader.value(call, &chain) else {
            continue;
        };
        if database.kind != kinds::DATABASE {
            continue;
        }
        let Some((effective, Value::Made(ignored))) = ignored_metadata(reader, &database) else {
            continue;
        };
        if effective.same(&Value::Made(metadata.clone()))
            && let Setting::Given(_, Some(place)) = sqlalchemy::convention(reader, &ignored)
        {
            let reason = "Flask-SQLAlchemy ignores `metadata=` when `model_class` is a declarative base";
            found.push((place, reason.to_owned()));
        }
    }
}

fn mentions_convention(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::String(text) if text == "naming_convention")
        || value.children().into_iter().any(mentions_convention)
}

/// What this environment migrates and a changed module makes, or states.
pub(super) fn judge(naming: &Naming, module: &SourceFile) -> Vec<Judged> {
    let here = |place: Option<&Place>| place.filter(|place| place.file.path() == module.path()).cloned();
    match &naming.target {
        Target::Metadata(facts) => judge_one(facts, naming, &here),
        Target::ByDatabase(databases) => databases
            .iter()
            .flat_map(|(_, facts)| judge_one(facts, naming, &here))
            .collect(),
        Target::Several(several) => {
            let mut judged: Vec<Judged> = several
                .iter()
                .flat_map(|facts| judge_one(facts, naming, &here))
                .collect();
            let has_convention = several.iter().any(|facts| convention_place(facts).is_some());
            judged.extend(
                here(naming.stated.as_ref())
                    .filter(|_| has_convention)
                    .map(|place| Judged {
                        target: naming.target.clone(),
                        place,
                    }),
            );
            judged
        }
        Target::Nothing => {
            let judged = |place| Judged {
                target: naming.target.clone(),
                place,
            };
            here(naming.stated.as_ref()).map(judged).into_iter().collect()
        }
        Target::Unknown(_) => Vec::new(),
    }
}

fn judge_one(facts: &MetadataFacts, naming: &Naming, here: &dyn Fn(Option<&Place>) -> Option<Place>) -> Vec<Judged> {
    let mut judged = Vec::new();
    let mut facts = facts.clone();
    // That a convention comes too late is said where it is assigned, which may be another module than the one it is written in.
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
        judged.push(Judged { target, place });
    }
    judged.extend(place_to_judge(&facts, naming, here).map(|place| Judged {
        target: Target::Metadata(facts),
        place,
    }));
    judged
}

fn place_to_judge(
    facts: &MetadataFacts,
    naming: &Naming,
    here: &dyn Fn(Option<&Place>) -> Option<Place>,
) -> Option<Place> {
    // One cause is one finding: what is wrong with a convention stands where that is written.
    if let Some(place) = convention_place(facts) {
        return here(Some(place));
    }
    // What a library makes for all can only be pointed at where the project takes it, and only where the project is meant to configure it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::ConstraintKind;
    use crate::project::Project;
    use crate::snapshot::MemorySnapshot;

    const ENV: &str = "from alembic import context\nfrom app.models import target_metadata\ndef run_migrations_online():\n    context.configure(connection=c, target_metadata=target_metadata)\n";

    fn naming(files: &[(&str, &str)]) -> Rc<Naming> {
        let snapshot = files.iter().copied().collect::<MemorySnapshot>();
        let project = Project::new(&snapshot, "/repo");
        project.naming(&SourceFile::new("migrations/versions/new.py".into(), String::new()))
    }

    /// Each file's first line says what SQLAlchemy really does with it.
    #[test]
    fn every_recorded_spelling_is_judged_as_sqlalchemy_does() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/convention_spellings");
        let mut wrong = Vec::new();
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let has_convention = text.lines().next().unwrap().contains("has-convention");
            let naming = naming(&[("migrations/env.py", ENV), ("app/models.py", &text)]);
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
        assert!(
            wrong.is_empty(),
            "{} of {seen} are wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
