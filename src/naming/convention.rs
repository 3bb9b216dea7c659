//! A naming convention: which template names a constraint, and the name it gives.
//!
//! Follows `_get_convention` and `_constraint_name_for_table` in `sqlalchemy/sql/naming.py`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::work;

use super::token::Token;
use super::{ConstraintKind, Name, NamingError, Subject, template};

/// What SQLAlchemy puts in place of a missing or empty convention (`sqlalchemy/sql/schema.py`,
/// `DEFAULT_NAMING_CONVENTION`).
const DEFAULT_INDEX: &str = "ix_%(column_0_label)s";

/// What the dict given as `naming_convention=` holds, in source order.
///
/// Cheap to clone: each constraint is asked what it is called by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    entries: Arc<Entries>,
}

/// The entries, and where each key stands among them.
#[derive(Debug, PartialEq, Eq)]
struct Entries {
    all: Vec<(Key, Value)>,
    places: HashMap<Key, usize>,
}

impl Entries {
    fn new(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let mut all: Vec<(Key, Value)> = Vec::new();
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (key, value) in entries {
            let place = *places.entry(key.clone()).or_insert(all.len());
            match all.get_mut(place) {
                Some(entry) => entry.1 = value,
                None => all.push((key, value)),
            }
        }
        Self { all, places }
    }
}

/// A key of the dict.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A text: a kind's prefix such as `fk`, or the name of a token of the project's own.
    Text(String),
    /// A class object, by its own name without a module: `ForeignKeyConstraint`, `Constraint`.
    Class(String),
}

/// A value of the dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A template, or the text that stands in a template's place.
    Template(String),
    /// A function: the text of a token of the project's own, which only Python can tell.
    Token,
    /// `None`: the kind is left unnamed, and no base class is asked.
    Nothing,
    /// Something that cannot be read from the code, and why.
    Unknown(String),
}

impl Default for Convention {
    /// The convention of a metadata that was given none: it names indexes and nothing else.
    fn default() -> Self {
        let index = (Key::Text("ix".to_owned()), Value::Template(DEFAULT_INDEX.to_owned()));
        Self {
            entries: Arc::new(Entries::new([index])),
        }
    }
}

impl Convention {
    /// A convention of these entries. A key that comes again keeps its place and takes the later value, as in Python.
    ///
    /// No entry at all gives [`Convention::default`], as `MetaData(naming_convention={})` does.
    pub fn new(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let entries = Entries::new(entries);
        if entries.all.is_empty() {
            Self::default()
        } else {
            Self {
                entries: Arc::new(entries),
            }
        }
    }

    /// The five templates that SQLAlchemy's documentation recommends ("Configuring Constraint Naming Conventions").
    #[must_use]
    pub fn sqlalchemy_documented() -> Self {
        Self::of_templates([
            ("ix", DEFAULT_INDEX),
            ("uq", "uq_%(table_name)s_%(column_0_name)s"),
            ("ck", "ck_%(table_name)s_%(constraint_name)s"),
            ("fk", "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s"),
            ("pk", "pk_%(table_name)s"),
        ])
    }

    /// The same with all columns in the place of the first, for constraints of one table that begin with the same column.
    #[must_use]
    pub fn sqlalchemy_documented_with_all_columns() -> Self {
        Self::of_templates([
            ("uq", "uq_%(table_name)s_%(column_0_N_name)s"),
            ("fk", "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s"),
        ])
    }

    /// The names that PostgreSQL would choose itself, as nearly as templates can say them, and what SQLAlchemy has named so far: a live
    /// database is left as it is.
    ///
    /// So indexes keep SQLAlchemy's own template, and checks have none: it would be applied to the names that they have in the models.
    ///
    /// [`default_names::postgresql`](super::default_names::postgresql) is exact; templates differ from it in that
    /// * a long name is shortened at its end with a hash, where PostgreSQL shortens the table and the columns,
    /// * a name already taken is not numbered.
    #[must_use]
    pub fn postgresql_defaults() -> Self {
        Self::of_templates([
            ("ix", DEFAULT_INDEX),
            ("uq", "%(table_name)s_%(column_0_N_name)s_key"),
            ("fk", "%(table_name)s_%(column_0_N_name)s_fkey"),
            ("pk", "%(table_name)s_pkey"),
        ])
    }

    /// The same without a template for one kind.
    #[must_use]
    pub fn without(self, kind: ConstraintKind) -> Self {
        let is_kind = |key: &Key| matches!(key, Key::Text(text) if Some(text.as_str()) == kind.prefix());
        Self::new(self.entries.all.iter().filter(|(key, _)| !is_kind(key)).cloned())
    }

    fn of_templates<const N: usize>(templates: [(&str, &str); N]) -> Self {
        let entry = |(key, template): (&str, &str)| (Key::Text(key.to_owned()), Value::Template(template.to_owned()));
        Self {
            entries: Arc::new(Entries::new(templates.map(entry))),
        }
    }

    /// The entries in source order, with what an empty dict stands for.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.entries.all.iter().map(|(key, value)| (key, value))
    }

    /// Whether this is no more than what SQLAlchemy does without any convention.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The template that names a kind of constraint; `None` where the kind is left unnamed.
    ///
    /// The nearest class wins, and for a class its prefix wins over the class object. `None` and an empty text as
    /// values leave the kind unnamed, without a look at its base classes. An [`Value::Unknown`] may still turn out to
    /// be `None`.
    #[must_use]
    pub fn template_for(&self, kind: ConstraintKind) -> Option<&Value> {
        self.entry_for(kind)
            .map(|(_, value)| value)
            .filter(|value| match value {
                Value::Template(text) => !text.is_empty(),
                Value::Nothing => false,
                Value::Token | Value::Unknown(_) => true,
            })
    }

    /// The entry that SQLAlchemy asks for a kind, even one that says to leave it unnamed.
    pub(super) fn entry_for(&self, kind: ConstraintKind) -> Option<&(Key, Value)> {
        let of_class = |class: &str| self.find(&Key::Class(class.to_owned()));
        let by_prefix = kind.prefix().and_then(|prefix| self.find_text(prefix));
        by_prefix.or_else(|| kind.classes().find_map(of_class))
    }

    /// The value under a text, whether it is meant as a template or as a token.
    pub(super) fn text_entry(&self, text: &str) -> Option<&Value> {
        self.find_text(text).map(|(_, value)| value)
    }

    fn find_text(&self, text: &str) -> Option<&(Key, Value)> {
        self.find(&Key::Text(text.to_owned()))
    }

    fn find(&self, key: &Key) -> Option<&(Key, Value)> {
        work::step();
        self.entries.all.get(*self.entries.places.get(key)?)
    }

    /// The name of a constraint, as SQLAlchemy computes it when the constraint joins its table.
    ///
    /// `Ok(None)` where the convention leaves it unnamed: the database then invents a name, except that SQLAlchemy
    /// cannot create an index at all without one. A finished name (`op.f()`) stays as it is; a plain one does so unless
    /// the template mentions `constraint_name`. An explicit empty text is a name like any other.
    ///
    /// Every table gets a primary key without a name before anything else, so a template for primary keys that fails is
    /// an error for every constraint.
    ///
    /// # Errors
    /// [`NamingError`] where SQLAlchemy would raise, or where the name depends on what the code does not show.
    pub fn name(&self, subject: &Subject<'_>) -> Result<Option<Name>, NamingError> {
        self.check_implicit_primary_key(subject)?;
        self.apply(subject)
    }

    fn check_implicit_primary_key(&self, subject: &Subject<'_>) -> Result<(), NamingError> {
        let Subject { table, schema, .. } = *subject;
        let implicit = Subject {
            kind: ConstraintKind::PrimaryKey,
            table,
            schema,
            ..Subject::default()
        };
        match self.apply(&implicit) {
            Err(error) if error.is_raised() && subject.kind == ConstraintKind::PrimaryKey => Err(error),
            Err(error) if error.is_raised() => Err(NamingError::PrimaryKey(Box::new(error))),
            _ => Ok(()),
        }
    }

    fn apply(&self, subject: &Subject<'_>) -> Result<Option<Name>, NamingError> {
        let kept = subject.explicit.map(|explicit| Name {
            text: explicit.name.to_owned(),
            conv: explicit.is_conv,
        });
        if subject.explicit.is_some_and(|explicit| explicit.is_conv) {
            return Ok(kept);
        }
        let template = match self.entry_for(subject.kind).map(|(_, value)| value) {
            None | Some(Value::Nothing) => return Ok(kept),
            Some(Value::Token) => return Err(NamingError::NotATemplate(subject.kind)),
            Some(Value::Unknown(reason)) => return Err(NamingError::TemplateNotKnowable(reason.clone())),
            Some(Value::Template(template)) => template,
        };
        if kept.is_some() && !template.contains("constraint_name") {
            return Ok(kept);
        }
        let text = template::render(template, |key| self.token_text(key, subject))?;
        Ok((!text.is_empty()).then_some(Name { text, conv: true }))
    }

    /// A token's text. A key of the convention itself hides the token that SQLAlchemy would know.
    fn token_text(&self, key: &str, subject: &Subject<'_>) -> Result<String, NamingError> {
        match self.text_entry(key) {
            Some(Value::Token) => Err(NamingError::UserToken(key.to_owned())),
            Some(Value::Unknown(reason)) => Err(NamingError::NotKnowable {
                reason: format!("the convention's own token `%({key})s` cannot be read: {reason}"),
            }),
            Some(Value::Template(_) | Value::Nothing) => Err(NamingError::TokenNotCallable(key.to_owned())),
            None => match Token::parse(key) {
                Some(token) => token.resolve(key, subject),
                None => Err(NamingError::UnknownToken(key.to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnRef, Explicit, FormatError, Referred};
    use super::*;

    fn convention(entries: &[(&str, &str)]) -> Convention {
        Convention::new(entries.iter().map(|(key, template)| {
            let key = match key.strip_prefix("class:") {
                Some(class) => Key::Class(class.to_owned()),
                None => Key::Text((*key).to_owned()),
            };
            (key, Value::Template((*template).to_owned()))
        }))
    }

    const COLUMNS: [ColumnRef<'static>; 2] = [
        ColumnRef { name: "a", key: None },
        ColumnRef {
            name: "b",
            key: Some("bee"),
        },
    ];

    fn subject(kind: ConstraintKind) -> Subject<'static> {
        let referred = Referred {
            table: "invoice",
            schema: None,
            columns: &["x", "y"],
        };
        let referred = (kind == ConstraintKind::ForeignKey).then_some(referred);
        Subject {
            kind,
            table: "order",
            columns: &COLUMNS,
            referred,
            ..Subject::default()
        }
    }

    fn text(convention: &Convention, subject: &Subject<'_>) -> Result<Option<String>, NamingError> {
        convention.name(subject).map(|name| name.map(|name| name.text))
    }

    #[track_caller]
    fn assert_named(entries: &[(&str, &str)], kind: ConstraintKind, expected: Option<&str>) {
        assert_eq!(
            text(&convention(entries), &subject(kind)),
            Ok(expected.map(str::to_owned))
        );
    }

    #[test]
    fn an_empty_dict_names_indexes_only() {
        assert!(convention(&[]).is_default());
        assert_eq!(convention(&[]), Convention::default());
        assert_named(&[], ConstraintKind::Index, Some("ix_order_a"));
        assert_named(&[], ConstraintKind::ForeignKey, None);
        assert_named(&[("fk", "fk")], ConstraintKind::Index, None);
    }

    #[test]
    fn a_later_key_wins_in_the_earlier_place() {
        let convention = convention(&[("fk", "one"), ("uq", "two"), ("fk", "three")]);
        let keys: Vec<_> = convention.entries().map(|(key, _)| key.clone()).collect();
        assert_eq!(keys, [Key::Text("fk".to_owned()), Key::Text("uq".to_owned())]);
        assert_eq!(
            convention.template_for(ConstraintKind::ForeignKey),
            Some(&Value::Template("three".to_owned()))
        );
    }

    #[test]
    fn a_prefix_beats_its_class_and_a_class_beats_its_bases() {
        let both = [
            ("class:Constraint", "base"),
            ("class:UniqueConstraint", "class"),
            ("uq", "prefix"),
        ];
        assert_named(&both, ConstraintKind::Unique, Some("prefix"));
        assert_named(&both[..2], ConstraintKind::Unique, Some("class"));
        assert_named(&both, ConstraintKind::Exclude, Some("base"));
        assert_named(&both, ConstraintKind::Index, None);
        assert_named(&[("class:SchemaItem", "all")], ConstraintKind::Index, Some("all"));
    }

    #[test]
    fn none_and_an_empty_text_hide_the_base_classes() {
        let base = (Key::Class("Constraint".to_owned()), Value::Template("base".to_owned()));
        for nothing in [Value::Nothing, Value::Template(String::new())] {
            let convention = Convention::new([(Key::Text("fk".to_owned()), nothing), base.clone()]);
            assert_eq!(text(&convention, &subject(ConstraintKind::ForeignKey)), Ok(None));
            assert_eq!(convention.template_for(ConstraintKind::ForeignKey), None);
            assert_eq!(
                text(&convention, &subject(ConstraintKind::Unique)),
                Ok(Some("base".to_owned()))
            );
        }
    }

    #[test]
    fn only_a_template_that_mentions_constraint_name_changes_a_plain_name() {
        let mut positive = subject(ConstraintKind::Check);
        positive.explicit = Some(Explicit {
            name: "positive",
            is_conv: false,
        });
        let named = |template: &str, subject: &Subject<'_>| convention(&[("ck", template)]).name(subject);
        let name = |text: &str, conv| {
            Ok(Some(Name {
                text: text.to_owned(),
                conv,
            }))
        };
        assert_eq!(named("ck_%(table_name)s", &positive), name("positive", false));
        assert_eq!(
            named("ck_%(table_name)s_%(constraint_name)s", &positive),
            name("ck_order_positive", true)
        );
        assert_eq!(named("ck_constraint_name", &positive), name("ck_constraint_name", true));
        assert_eq!(named("%(constraint_name).0s", &positive), Ok(None));
        positive.explicit = Some(Explicit {
            name: "positive",
            is_conv: true,
        });
        assert_eq!(
            named("ck_%(table_name)s_%(constraint_name)s", &positive),
            name("positive", true)
        );
        positive.explicit = Some(Explicit {
            name: "",
            is_conv: false,
        });
        assert_eq!(
            named("ck_%(table_name)s_%(constraint_name)s", &positive),
            name("ck_order_", true)
        );
        assert_eq!(named("ck_%(table_name)s", &positive), name("", false));
    }

    #[test]
    fn a_check_has_the_columns_that_its_expression_names() {
        let template = [("ck", "ck_%(table_name)s_%(column_0_name)s")];
        assert_named(&template, ConstraintKind::Check, Some("ck_order_a"));
        let written_as_text = Subject {
            columns: &[],
            ..subject(ConstraintKind::Check)
        };
        assert_eq!(
            text(&convention(&template), &written_as_text),
            Ok(Some("ck_order_".to_owned()))
        );
    }

    #[test]
    fn a_broken_primary_key_template_breaks_every_table() {
        let convention = convention(&[("pk", "pk_%(constraint_name)s"), ("uq", "uq_%(table_name)s")]);
        let mut unique = subject(ConstraintKind::Unique);
        let broken = NamingError::PrimaryKey(Box::new(NamingError::ExplicitNameNeeded));
        assert_eq!(text(&convention, &unique), Err(broken.clone()));
        unique.explicit = Some(Explicit {
            name: "x",
            is_conv: true,
        });
        assert_eq!(text(&convention, &unique), Err(broken));
        let key = Subject {
            explicit: unique.explicit,
            ..subject(ConstraintKind::PrimaryKey)
        };
        assert_eq!(text(&convention, &key), Err(NamingError::ExplicitNameNeeded));
    }

    #[test]
    fn a_primary_key_template_of_the_projects_own_breaks_nothing() {
        let own = (Key::Text("own".to_owned()), Value::Token);
        let key = (Key::Text("pk".to_owned()), Value::Template("%(own)s".to_owned()));
        let unique = (
            Key::Text("uq".to_owned()),
            Value::Template("uq_%(table_name)s".to_owned()),
        );
        let convention = Convention::new([own, key, unique]);
        assert_eq!(
            text(&convention, &subject(ConstraintKind::Unique)),
            Ok(Some("uq_order".to_owned()))
        );
        let error = NamingError::UserToken("own".to_owned());
        assert_eq!(text(&convention, &subject(ConstraintKind::PrimaryKey)), Err(error));
    }

    #[test]
    fn the_projects_own_tokens_hide_known_ones() {
        let template = ("uq", "uq_%(table_name)s");
        let text_value = convention(&[template, ("table_name", "x")]);
        let error = NamingError::TokenNotCallable("table_name".to_owned());
        assert_eq!(text(&text_value, &subject(ConstraintKind::Unique)), Err(error));
        let entries = [
            (Key::Text("uq".to_owned()), Value::Template(template.1.to_owned())),
            (Key::Text("table_name".to_owned()), Value::Token),
        ];
        let error = text(&Convention::new(entries), &subject(ConstraintKind::Unique));
        assert_eq!(error, Err(NamingError::UserToken("table_name".to_owned())));
    }

    #[test]
    fn says_why_a_template_fails() {
        let failing = |kind, template: &str| {
            let key = ConstraintKind::prefix(kind).unwrap();
            text(&convention(&[(key, template)]), &subject(kind)).unwrap_err()
        };
        let unknown = failing(ConstraintKind::ForeignKey, "fk_%(column_name)s");
        assert_eq!(unknown, NamingError::UnknownToken("column_name".to_owned()));
        assert_eq!(
            unknown.to_string(),
            "the naming convention uses the token `%(column_name)s`, which SQLAlchemy does not know"
        );
        let broken = failing(ConstraintKind::ForeignKey, "fk_%(table_name)");
        assert_eq!(broken, NamingError::BrokenFormat(FormatError::Incomplete));
        let outside = failing(ConstraintKind::Unique, "uq_%(referred_table_name)s");
        assert_eq!(
            outside.to_string(),
            "the token `%(referred_table_name)s` speaks of a referred table, and this unique constraint refers to none"
        );
        let range = failing(ConstraintKind::ForeignKey, "fk_%(referred_column_2_name)s");
        assert_eq!(
            range,
            NamingError::ReferredOutOfRange("referred_column_2_name".to_owned())
        );
    }

    #[test]
    fn a_dropped_foreign_key_has_no_columns_to_name_it_by() {
        let dropped = Subject {
            kind: ConstraintKind::ForeignKey,
            table: "order",
            ..Subject::default()
        };
        let error = text(&Convention::sqlalchemy_documented(), &dropped);
        assert_eq!(
            error,
            Err(NamingError::ReferredOutOfRange("referred_table_name".to_owned()))
        );
        let by_table = convention(&[("fk", "fk_%(table_name)s")]);
        assert_eq!(text(&by_table, &dropped), Ok(Some("fk_order".to_owned())));
    }

    #[test]
    fn what_the_code_does_not_show_matters_only_where_it_is_asked_for() {
        let hidden = Subject {
            columns: &[],
            columns_unknown: true,
            referred: None,
            ..subject(ConstraintKind::Unique)
        };
        let documented = Convention::sqlalchemy_documented();
        assert!(matches!(
            text(&documented, &hidden),
            Err(NamingError::NotKnowable { .. })
        ));
        let key = Subject {
            kind: ConstraintKind::PrimaryKey,
            ..hidden
        };
        assert_eq!(text(&documented, &key), Ok(Some("pk_order".to_owned())));
        let fk = convention(&[("fk", "fk_%(referred_table_name)s_%(referred_column_0_N_name)s")]);
        let referred = Referred {
            table: "invoice",
            schema: None,
            columns: &["x", "y"],
        };
        let known = Subject {
            kind: ConstraintKind::ForeignKey,
            referred: Some(referred),
            ..hidden
        };
        assert_eq!(text(&fk, &known), Ok(Some("fk_invoice_x_y".to_owned())));
        let no_columns = Subject {
            referred: Some(Referred {
                columns: &[],
                ..referred
            }),
            ..known
        };
        assert!(matches!(text(&fk, &no_columns), Err(NamingError::NotKnowable { .. })));
        let nowhere = Subject {
            columns: &COLUMNS,
            columns_unknown: false,
            referred: None,
            ..known
        };
        assert!(matches!(text(&fk, &nowhere), Err(NamingError::NotKnowable { .. })));
    }

    #[test]
    fn a_referred_table_is_what_follows_its_last_dot() {
        let fk = convention(&[("fk", "fk_%(referred_table_name)s")]);
        for (table, schema, expected) in [
            ("invoice", Some("my.dotted"), "fk_invoice"),
            ("a.invoice", None, "fk_invoice"),
            ("invoice", None, "fk_invoice"),
        ] {
            let referred = Some(Referred {
                table,
                schema,
                columns: &["x", "y"],
            });
            let subject = Subject {
                referred,
                ..subject(ConstraintKind::ForeignKey)
            };
            assert_eq!(text(&fk, &subject), Ok(Some(expected.to_owned())));
        }
    }

    #[test]
    fn labels_carry_the_schema_and_keys_the_key() {
        let mut unique = subject(ConstraintKind::Unique);
        unique.schema = Some("my.dotted");
        let labelled = convention(&[("uq", "%(column_0_N_label)s|%(column_0N_key)s|%(column_2_name)s")]);
        assert_eq!(
            text(&labelled, &unique),
            Ok(Some("my_dotted_order_a_my_dotted_order_b|abee|".to_owned()))
        );
        unique.schema = Some("");
        assert_eq!(text(&labelled, &unique), Ok(Some("order_a_order_b|abee|".to_owned())));
    }

    #[test]
    fn the_presets_name_as_they_say() {
        let documented = Convention::sqlalchemy_documented();
        let postgresql = Convention::postgresql_defaults();
        for (kind, by_sqlalchemy, by_postgresql) in [
            (ConstraintKind::ForeignKey, "fk_order_a_invoice", "order_a_b_fkey"),
            (ConstraintKind::Unique, "uq_order_a", "order_a_b_key"),
            (ConstraintKind::PrimaryKey, "pk_order", "order_pkey"),
            (ConstraintKind::Index, "ix_order_a", "ix_order_a"),
        ] {
            assert_eq!(text(&documented, &subject(kind)), Ok(Some(by_sqlalchemy.to_owned())));
            assert_eq!(text(&postgresql, &subject(kind)), Ok(Some(by_postgresql.to_owned())));
        }
        let check = Subject {
            explicit: Some(Explicit {
                name: "qty",
                is_conv: false,
            }),
            ..subject(ConstraintKind::Check)
        };
        assert_eq!(text(&documented, &check), Ok(Some("ck_order_qty".to_owned())));
        // A name in a model stays what it is on a live database.
        assert_eq!(text(&postgresql, &check), Ok(Some("qty".to_owned())));
    }
}
