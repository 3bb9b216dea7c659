//! Finds what is wrong with a naming convention by itself: templates that fail for every constraint of a kind, keys that SQLAlchemy silently
//! ignores, and templates that give two constraints one name.

use std::collections::HashSet;

use super::template::{self, Piece};
use super::token::{self, Token};
use super::{ConstraintKind, Convention, Key, Problem, ProblemKind, Value};

/// Everything that is wrong with a convention, in the order of its entries.
///
/// See `ConventionDict` and `_get_convention` in `sqlalchemy/sql/naming.py`.
#[must_use]
pub(crate) fn problems(convention: &Convention) -> Vec<Problem> {
    let asked: Vec<(ConstraintKind, &Key)> = ConstraintKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, &convention.entry_for(kind)?.0)))
        .collect();
    let used = used(convention);
    let mut found: Vec<Problem> = Vec::new();
    for (key, value) in convention.entries() {
        // No key comes twice, so that the problems of another cannot be the same.
        let first = found.len();
        for kind in entry_problems(convention, (&asked, &used), key, value) {
            let problem = Problem { key: key.clone(), kind };
            if !found[first..].contains(&problem) {
                found.push(problem);
            }
        }
    }
    found
}

/// The tokens that any template uses.
fn used(convention: &Convention) -> HashSet<String> {
    let templates = convention.entries().filter_map(|(_, value)| match value {
        Value::Template(template) => Some(template),
        Value::Token | Value::Nothing | Value::Unknown(_) => None,
    });
    let pieces = templates.flat_map(|template| template::pieces(template));
    let tokens = pieces.filter_map(|piece| match piece {
        Ok(Piece::Field { key, .. }) => Some(key.to_owned()),
        _ => None,
    });
    tokens.collect()
}

fn entry_problems(
    convention: &Convention,
    (asked, used): (&[(ConstraintKind, &Key)], &HashSet<String>),
    key: &Key,
    value: &Value,
) -> Vec<ProblemKind> {
    let is_own = asked.iter().filter(|(_, known)| *known == key);
    let named: Vec<ConstraintKind> = is_own.map(|(kind, _)| *kind).collect();
    if named.is_empty() {
        return ignored_key(used, key, value).into_iter().collect();
    }
    let problems_for = |kind: ConstraintKind| match value {
        Value::Template(template) => template_problems(kind, template, |token| convention.text_entry(token)),
        Value::Token => vec![ProblemKind::NotATemplate(kind)],
        Value::Nothing | Value::Unknown(_) => Vec::new(),
    };
    named.into_iter().flat_map(problems_for).collect()
}

/// A text as a key that is neither a prefix nor a token in use. A function under such a key is a token that nobody
/// uses, which is no mistake unless the key reads like a prefix.
fn ignored_key(used: &HashSet<String>, key: &Key, value: &Value) -> Option<ProblemKind> {
    let Key::Text(text) = key else { return None };
    let is_used = used.contains(text);
    let template = if let Value::Template(template) = value {
        Some(template.as_str())
    } else {
        None
    };
    let meant = kind_meant(text, template);
    let is_ignored = match value {
        Value::Template(_) => true,
        Value::Token | Value::Unknown(_) => meant.is_some(),
        Value::Nothing => false,
    };
    (is_ignored && !is_used).then_some(ProblemKind::IgnoredKey(meant))
}

/// The kind that an ignored key was meant for, by its spelling or by the beginning of its template.
pub(crate) fn kind_meant(key: &str, template: Option<&str>) -> Option<ConstraintKind> {
    let letters: String = key
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    let singular = letters
        .strip_suffix("es")
        .or_else(|| letters.strip_suffix('s'))
        .unwrap_or(&letters);
    let stem = singular
        .strip_suffix("constraint")
        .filter(|stem| !stem.is_empty())
        .unwrap_or(singular);
    match stem {
        "fk" | "fkey" | "foreign" | "foreignkey" => Some(ConstraintKind::ForeignKey),
        "uq" | "uk" | "un" | "uc" | "uniq" | "unique" | "uniqu" | "uniquekey" => Some(ConstraintKind::Unique),
        "ck" | "chk" | "check" | "cc" => Some(ConstraintKind::Check),
        "pk" | "pkey" | "primary" | "primarykey" => Some(ConstraintKind::PrimaryKey),
        "ix" | "idx" | "index" | "indic" | "ind" => Some(ConstraintKind::Index),
        _ => ConstraintKind::from_prefix(template?.split_once('_')?.0),
    }
}

fn template_problems<'c>(
    kind: ConstraintKind,
    template: &str,
    own: impl Fn(&str) -> Option<&'c Value>,
) -> Vec<ProblemKind> {
    let mut found = Vec::new();
    let mut tells_apart = template.is_empty();
    for piece in template::pieces(template) {
        let (token, spec) = match piece {
            Ok(Piece::Text(_)) => continue,
            Ok(Piece::Field { key, spec }) => (key, spec),
            Err(error) => {
                found.push(ProblemKind::BrokenFormat(error));
                break;
            }
        };
        let own = own(token);
        tells_apart |= is_distinct(token, own);
        found.extend(token_problem(kind, token, own));
        // A text never fits a number, while a token of the project's own may well be one.
        if let Err(error) = spec.and_then(|spec| if own.is_some() { Ok(()) } else { spec.check_text() }) {
            found.push(ProblemKind::BrokenFormat(error));
            break;
        }
    }
    if found.is_empty() && !tells_apart && has_many_of(kind) {
        found.push(ProblemKind::SameName(kind));
    }
    found
}

fn token_problem(kind: ConstraintKind, token: &str, own: Option<&Value>) -> Option<ProblemKind> {
    let name = || token.to_owned();
    match (own, Token::parse(token)) {
        (Some(Value::Template(_) | Value::Nothing), _) => Some(ProblemKind::TokenNotCallable(name())),
        (None, Some(Token::ExplicitName)) if kind == ConstraintKind::PrimaryKey => {
            Some(ProblemKind::ExplicitNameInPrimaryKey)
        }
        (None, Some(known)) if known.is_referred() && kind != ConstraintKind::ForeignKey => {
            Some(ProblemKind::ReferredToken(name(), kind))
        }
        (None, None | Some(Token::EmptyAtMost)) => Some(ProblemKind::UnknownToken(name(), token::nearest(token))),
        (Some(Value::Token | Value::Unknown(_)), _) | (None, Some(_)) => None,
    }
}

/// Whether a token tells two constraints of one table apart. A function of the project's own is trusted to.
fn is_distinct(token: &str, own: Option<&Value>) -> bool {
    own.is_some() || Token::parse(token).is_some_and(|token| token.is_own_column() || token == Token::ExplicitName)
}

/// Whether one table can have several of a kind.
const fn has_many_of(kind: ConstraintKind) -> bool {
    !matches!(kind, ConstraintKind::PrimaryKey)
}

#[cfg(test)]
mod tests {
    use super::super::FormatError;
    use super::*;

    fn template(text: &str) -> Value {
        Value::Template(text.to_owned())
    }

    /// The problems of one template, in a convention without tokens of its own.
    fn token_problems(kind: ConstraintKind, template: &str) -> Vec<ProblemKind> {
        template_problems(kind, template, |_| None)
    }

    fn sentences(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<String> {
        let convention = Convention::new(entries.into_iter().map(|(key, value)| (Key::read(key), value)));
        problems(&convention).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_presets_are_sound() {
        for convention in
            [Convention::default(), Convention::sqlalchemy_documented(), Convention::postgresql_defaults()]
        {
            assert_eq!(problems(&convention), []);
        }
    }

    #[test]
    fn finds_unknown_tokens() {
        assert_eq!(
            sentences([("fk", template("fk_%(column_name)s_%(schema)s_%(schema)s"))]),
            [
                "the template for `fk` uses `%(column_name)s`, a token that SQLAlchemy does not know; the nearest that it \
                 knows is `%(column_0_name)s`",
                "the template for `fk` uses `%(schema)s`, a token that SQLAlchemy does not know",
            ]
        );
        assert_eq!(
            token_problems(ConstraintKind::Unique, "uq_%(column_1N_name)s"),
            [ProblemKind::UnknownToken("column_1N_name".to_owned(), Some("column_0N_name"))]
        );
    }

    #[test]
    fn finds_referred_tokens_outside_foreign_keys() {
        assert_eq!(token_problems(ConstraintKind::ForeignKey, "%(column_0_name)s_%(referred_column_0_name)s"), []);
        assert_eq!(
            sentences([("uq", template("uq_%(column_0_name)s_%(referred_table_name)s"))]),
            ["the template for `uq` uses `%(referred_table_name)s`, but a unique constraint refers to no table"]
        );
        assert_eq!(
            sentences([("ix", template("ix_%(column_0_name)s_%(referred_column_0N_name)s"))]),
            ["the template for `ix` uses `%(referred_column_0N_name)s`, but an index refers to no table"]
        );
    }

    #[test]
    fn finds_what_breaks_every_table() {
        let expected = [ProblemKind::ExplicitNameInPrimaryKey];
        assert_eq!(token_problems(ConstraintKind::PrimaryKey, "pk_%(constraint_name)s"), expected);
        assert_eq!(token_problems(ConstraintKind::Check, "ck_%(constraint_name)s"), []);
        assert_eq!(token_problems(ConstraintKind::PrimaryKey, "pk_constraint_name"), []);
        let base = sentences([("class:Constraint", template("%(table_name)s_%(constraint_name)s"))]);
        assert_eq!(base.len(), 1, "{base:?}");
        assert!(base[0].starts_with("the template for `Constraint` builds on"), "{base:?}");
    }

    #[test]
    fn finds_broken_formats() {
        for (text, error) in [
            ("fk_%(table_name)_%(column_0_name)s", FormatError::UnsupportedCharacter('_')),
            ("fk_%(column_0_name)", FormatError::Incomplete),
            ("fk_100%", FormatError::Incomplete),
            ("fk_%(column_0_name", FormatError::IncompleteKey),
            ("fk_%(column_0_name)d", FormatError::NotText('d')),
            ("fk_%s", FormatError::WithoutToken('s')),
        ] {
            assert_eq!(token_problems(ConstraintKind::ForeignKey, text), [ProblemKind::BrokenFormat(error)], "{text}");
        }
        assert_eq!(token_problems(ConstraintKind::Unique, "uq_%(column_0_name)c"), []);
    }

    #[test]
    fn finds_keys_without_effect() {
        for (key, meant) in [
            ("FK", "fk"),
            ("foreign_key", "fk"),
            ("ForeignKeyConstraint", "fk"),
            ("fks", "fk"),
            ("unique", "uq"),
            ("UniqueConstraint", "uq"),
            ("check_constraints", "ck"),
            ("chk", "ck"),
            ("primary-key", "pk"),
            ("idx", "ix"),
            ("indexes", "ix"),
            ("indices", "ix"),
        ] {
            let found = sentences([(key, template("x_%(column_0_name)s"))]);
            let expected = format!("SQLAlchemy silently ignores the key `{key}`; the key that it reads is `{meant}`");
            assert_eq!(found, [expected]);
        }
        let by_template = sentences([("reference", template("fk_%(column_0_name)s"))]);
        assert_eq!(by_template, ["SQLAlchemy silently ignores the key `reference`; the key that it reads is `fk`"]);
        assert_eq!(sentences([("zz", template("x"))]), ["SQLAlchemy silently ignores the key `zz`"]);
        assert_eq!(sentences([("FK", Value::Token)]).len(), 1);
        assert_eq!(sentences([("constraint", Value::Token)]), [] as [&str; 0]);
    }

    #[test]
    fn knows_the_projects_own_tokens() {
        let nothing: [&str; 0] = [];
        let guid = ("fk_guid", Value::Token);
        assert_eq!(sentences([guid, ("fk", template("fk_%(fk_guid)d"))]), nothing);
        assert_eq!(sentences([("spare", Value::Token)]), nothing);
        assert_eq!(sentences([("table_name", Value::Token), ("uq", template("uq_%(table_name)s"))]), nothing);
        assert_eq!(
            sentences([("k", template("abc")), ("uq", template("uq_%(k)s"))]),
            [
                "the template for `uq` uses `%(k)s`, which the convention itself defines as a text where SQLAlchemy calls \
                 a function"
            ]
        );
        assert_eq!(sentences([("uq", Value::Token)]), ["`uq` holds a function, but SQLAlchemy needs a template there"]);
    }

    #[test]
    fn finds_templates_that_give_one_name_twice() {
        for (key, text, found) in [
            ("fk", "fk_%(table_name)s_%(referred_table_name)s", true),
            ("fk", "fk_%(table_name)s_%(referred_column_0_name)s", true),
            ("fk", "fk_%(column_0_key)s", false),
            ("fk", "fk_%(table_name)s_%(constraint_name)s", false),
            ("uq", "uq_%(table_name)s", true),
            ("uq", "uq_%(column_0_N_label)s", false),
            ("ix", "ix", true),
            ("ck", "ck_%(table_name)s", true),
            ("ck", "ck_%(table_name)s_%(constraint_name)s", false),
            ("pk", "pk_%(table_name)s", false),
            ("fk", "", false),
            ("class:UniqueConstraint", "uq_%(table_name)s", true),
        ] {
            assert_eq!(sentences([(key, template(text))]).len(), usize::from(found), "{key} {text}");
        }
        assert_eq!(
            sentences([("fk", template("fk_%(table_name)s_%(referred_table_name)s"))]),
            ["the template for `fk` names no column, so two foreign keys between the same two tables get one name"]
        );
    }

    #[test]
    fn what_nothing_asks_for_is_not_judged() {
        let shadowed =
            [("class:UniqueConstraint", template("%(nonsense)s")), ("uq", template("uq_%(column_0_label)s"))];
        assert_eq!(sentences(shadowed), [] as [&str; 0]);
        assert_eq!(sentences([("fk", Value::Nothing), ("uq", Value::Unknown("a call".to_owned()))]), [] as [&str; 0]);
    }
}
