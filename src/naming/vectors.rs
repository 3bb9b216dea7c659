//! Compares the names with those that SQLAlchemy gave, as recorded in tests/data.

use serde_json::Value as Json;

use super::{
    ColumnRef, ConstraintKind, Convention, Dialect, Explicit, Key, Name, NamingError, Referred, Subject, Value,
};

struct Vector<'v>(&'v Json);

impl<'v> Vector<'v> {
    fn text(&self, key: &str) -> Option<&'v str> {
        self.0.get(key).and_then(Json::as_str)
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| value == true)
    }

    fn texts(&self, key: &str) -> Vec<&'v str> {
        let list = self.0.get(key).and_then(Json::as_array);
        list.map(|list| list.iter().map(|text| text.as_str().unwrap()).collect())
            .unwrap_or_default()
    }

    fn convention(&self) -> Convention {
        let entries = self.0["convention"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| {
                let value = match value {
                    Json::String(template) => Value::Template(template.to_owned()),
                    Json::Null => Value::Nothing,
                    Json::Object(callable) if callable.contains_key("callable") => Value::Token,
                    other => panic!("a value of a kind not seen before: {other}"),
                };
                (Key::read(key), value)
            });
        Convention::new(entries)
    }

    /// A check has columns only where its condition is an expression: not as text, and not through an operation, where
    /// the recorded ones are text, too.
    fn columns(&self) -> Vec<ColumnRef<'v>> {
        if self.text("kind") == Some("ck") && self.text("check_form") != Some("expr") {
            return Vec::new();
        }
        let keys = self.0.get("column_keys");
        let key = |name| keys.and_then(|keys| keys.get(name)).and_then(Json::as_str);
        self.texts("columns")
            .into_iter()
            .map(|name| ColumnRef { name, key: key(name) })
            .collect()
    }

    fn name(&self) -> Result<Option<Name>, NamingError> {
        let (columns, referred_columns) = (self.columns(), self.texts("referred_columns"));
        let subject = Subject {
            kind: ConstraintKind::from_prefix(self.text("kind").unwrap()).unwrap(),
            table: self.text("table").unwrap(),
            schema: self.text("schema"),
            columns: &columns,
            columns_unknown: false,
            referred: self.text("referred_table").map(|table| Referred {
                table,
                columns: &referred_columns,
            }),
            explicit: self.text("explicit_name").map(|name| Explicit {
                name,
                is_conv: self.flag("explicit_is_conv"),
            }),
        };
        self.convention().name(&subject)
    }

    /// What disagrees; nothing where all is well.
    fn disagreement(&self) -> Option<String> {
        let (dialect, name) = (Dialect::from_name(self.text("dialect").unwrap()).unwrap(), self.name());
        if let Err(NamingError::UserToken(_)) = name {
            // Only Python can call the function; the convention must hold one.
            let has_function = self.convention().entries().any(|(_, value)| *value == Value::Token);
            return (!has_function).then(|| format!("no function to call, but {name:?}"));
        }
        if let Some(error) = self.0.get("expected_error") {
            return self.error_disagreement(dialect, &name, error);
        }
        let Ok(name) = name else {
            return Some(format!("{name:?}"));
        };
        let in_database = name.as_ref().map(|name| dialect.in_database(name));
        let metadata_name = self.0.get("metadata_name").map(Json::as_str);
        let is_metadata_name =
            metadata_name.is_none_or(|expected| expected == name.as_ref().map(|name| name.text.as_str()));
        let is_sent = name.as_ref().is_none_or(|name| !dialect.is_refused(name));
        let holds = is_metadata_name && is_sent && in_database.as_deref() == self.text("expected_name");
        (!holds).then(|| format!("{name:?}, in the database {in_database:?}"))
    }

    fn error_disagreement(
        &self,
        dialect: Dialect,
        name: &Result<Option<Name>, NamingError>,
        error: &Json,
    ) -> Option<String> {
        // Which table fails is not what a vector says, only how.
        let name = match name {
            Err(NamingError::PrimaryKey(inner)) => Err(&**inner),
            other => other.as_ref(),
        };
        let holds = match (error["error_class"].as_str().unwrap(), name) {
            ("KeyError", Err(error)) => {
                matches!(error, NamingError::UnknownToken(_) | NamingError::ReferredOutsideForeignKey(..))
            }
            ("AttributeError", Err(error)) => matches!(error, NamingError::ReferredOutsideForeignKey(..)),
            ("IndexError", Err(error)) => matches!(error, NamingError::ReferredOutOfRange(_)),
            ("ValueError", Err(error)) => matches!(error, NamingError::BrokenFormat(_)),
            ("TypeError", Err(error)) => matches!(
                error,
                NamingError::BrokenFormat(_) | NamingError::TokenNotCallable(_) | NamingError::NotATemplate(_)
            ),
            ("sqlalchemy.InvalidRequestError", Err(error)) => *error == NamingError::ExplicitNameNeeded,
            // An index that stays without a name cannot be written as SQL.
            ("AssertionError", Ok(None)) => self.text("kind") == Some("ix"),
            ("sqlalchemy.IdentifierError", Ok(Some(name))) => dialect.is_refused(name),
            _ => false,
        };
        (!holds).then(|| format!("{name:?}"))
    }
}

#[test]
fn every_recorded_answer_is_given() {
    let file = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/naming_vectors.json"));
    let file: Json = serde_json::from_str(file).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 299, "only {} vectors", vectors.len());
    let wrong: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            Vector(vector)
                .disagreement()
                .map(|found| format!("{found}\n    for {vector}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}
