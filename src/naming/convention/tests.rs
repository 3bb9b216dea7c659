use super::super::{ColumnRef, Explicit, FormatError, Referred};
use super::*;

fn convention(entries: &[(&str, &str)]) -> Convention {
    Convention::new(entries.iter().map(|(key, text)| (Key::read(key), template(text))))
}

fn template(text: &str) -> Value {
    Value::Template(text.to_owned())
}

const COLUMNS: [ColumnRef<'static>; 2] = [
    ColumnRef { name: "a", key: None },
    ColumnRef {
        name: "b",
        key: Some("bee"),
    },
];

const REFERRED: Referred<'static> = Referred {
    table: "invoice",
    columns: &["x", "y"],
};

fn explicit(name: &str, is_conv: bool) -> Explicit<'_> {
    Explicit { name, is_conv }
}

fn subject(kind: ConstraintKind) -> Subject<'static> {
    let referred = (kind == ConstraintKind::ForeignKey).then_some(REFERRED);
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
    assert_eq!(text(&convention(entries), &subject(kind)), Ok(expected.map(str::to_owned)));
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
    assert_eq!(keys, [Key::read("fk"), Key::read("uq")]);
    assert_eq!(convention.template_for(ConstraintKind::ForeignKey), Some(&template("three")));
}

#[test]
fn a_prefix_beats_its_class_and_a_class_beats_its_bases() {
    let both = [("class:Constraint", "base"), ("class:UniqueConstraint", "class"), ("uq", "prefix")];
    assert_named(&both, ConstraintKind::Unique, Some("prefix"));
    assert_named(&both[..2], ConstraintKind::Unique, Some("class"));
    assert_named(&both, ConstraintKind::Exclude, Some("base"));
    assert_named(&both, ConstraintKind::Index, None);
    assert_named(&[("class:SchemaItem", "all")], ConstraintKind::Index, Some("all"));
}

#[test]
fn none_and_an_empty_text_hide_the_base_classes() {
    let base = (Key::read("class:Constraint"), template("base"));
    for nothing in [Value::Nothing, Value::Template(String::new())] {
        let convention = Convention::new([(Key::read("fk"), nothing), base.clone()]);
        assert_eq!(text(&convention, &subject(ConstraintKind::ForeignKey)), Ok(None));
        assert_eq!(convention.template_for(ConstraintKind::ForeignKey), None);
        assert_eq!(text(&convention, &subject(ConstraintKind::Unique)), Ok(Some("base".to_owned())));
    }
}

#[test]
fn only_a_template_that_mentions_constraint_name_changes_a_plain_name() {
    let mut positive = subject(ConstraintKind::Check);
    positive.explicit = Some(explicit("positive", false));
    let named = |template: &str, subject: &Subject<'_>| convention(&[("ck", template)]).name(subject);
    let name = |text: &str, conv| {
        Ok(Some(Name {
            text: text.to_owned(),
            conv,
        }))
    };
    assert_eq!(named("ck_%(table_name)s", &positive), name("positive", false));
    assert_eq!(named("ck_%(table_name)s_%(constraint_name)s", &positive), name("ck_order_positive", true));
    assert_eq!(named("ck_constraint_name", &positive), name("ck_constraint_name", true));
    assert_eq!(named("%(constraint_name).0s", &positive), Ok(None));
    positive.explicit = Some(explicit("positive", true));
    assert_eq!(named("ck_%(table_name)s_%(constraint_name)s", &positive), name("positive", true));
    positive.explicit = Some(explicit("", false));
    assert_eq!(named("ck_%(table_name)s_%(constraint_name)s", &positive), name("ck_order_", true));
    assert_eq!(named("ck_%(table_name)s", &positive), name("", false));
}

#[test]
fn a_check_has_the_columns_that_its_expression_names() {
    let by_column = [("ck", "ck_%(table_name)s_%(column_0_name)s")];
    assert_named(&by_column, ConstraintKind::Check, Some("ck_order_a"));
    let written_as_text = Subject {
        columns: &[],
        ..subject(ConstraintKind::Check)
    };
    assert_eq!(text(&convention(&by_column), &written_as_text), Ok(Some("ck_order_".to_owned())));
}

#[test]
fn a_broken_primary_key_template_breaks_every_table() {
    let convention = convention(&[("pk", "pk_%(constraint_name)s"), ("uq", "uq_%(table_name)s")]);
    let mut unique = subject(ConstraintKind::Unique);
    let broken = NamingError::PrimaryKey(Box::new(NamingError::ExplicitNameNeeded));
    assert_eq!(text(&convention, &unique), Err(broken.clone()));
    unique.explicit = Some(explicit("x", true));
    assert_eq!(text(&convention, &unique), Err(broken));
    let key = Subject {
        explicit: unique.explicit,
        ..subject(ConstraintKind::PrimaryKey)
    };
    assert_eq!(text(&convention, &key), Err(NamingError::ExplicitNameNeeded));
}

#[test]
fn a_primary_key_template_of_the_projects_own_breaks_nothing() {
    let own = (Key::read("own"), Value::Token);
    let key = (Key::read("pk"), template("%(own)s"));
    let unique = (Key::read("uq"), template("uq_%(table_name)s"));
    let convention = Convention::new([own, key, unique]);
    assert_eq!(text(&convention, &subject(ConstraintKind::Unique)), Ok(Some("uq_order".to_owned())));
    let error = NamingError::UserToken("own".to_owned());
    assert_eq!(text(&convention, &subject(ConstraintKind::PrimaryKey)), Err(error));
}

#[test]
fn the_projects_own_tokens_hide_known_ones() {
    let unique = ("uq", "uq_%(table_name)s");
    let text_value = convention(&[unique, ("table_name", "x")]);
    let error = NamingError::TokenNotCallable("table_name".to_owned());
    assert_eq!(text(&text_value, &subject(ConstraintKind::Unique)), Err(error));
    let entries = [(Key::read("uq"), template(unique.1)), (Key::read("table_name"), Value::Token)];
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
    assert_eq!(range, NamingError::ReferredOutOfRange("referred_column_2_name".to_owned()));
}

#[test]
fn a_dropped_foreign_key_has_no_columns_to_name_it_by() {
    let dropped = Subject {
        kind: ConstraintKind::ForeignKey,
        table: "order",
        ..Subject::default()
    };
    let error = text(&Convention::sqlalchemy_documented(), &dropped);
    assert_eq!(error, Err(NamingError::ReferredOutOfRange("referred_table_name".to_owned())));
    let by_table = convention(&[("fk", "fk_%(table_name)s")]);
    assert_eq!(text(&by_table, &dropped), Ok(Some("fk_order".to_owned())));
}

#[test]
fn unknown_columns_matter_only_to_templates_that_use_them() {
    let hidden = Subject {
        columns: &[],
        columns_unknown: true,
        referred: None,
        ..subject(ConstraintKind::Unique)
    };
    let documented = Convention::sqlalchemy_documented();
    assert!(matches!(text(&documented, &hidden), Err(NamingError::NotKnowable(_))));
    let key = Subject {
        kind: ConstraintKind::PrimaryKey,
        ..hidden
    };
    assert_eq!(text(&documented, &key), Ok(Some("pk_order".to_owned())));
    let fk = convention(&[("fk", "fk_%(referred_table_name)s_%(referred_column_0_N_name)s")]);
    let known = Subject {
        kind: ConstraintKind::ForeignKey,
        referred: Some(REFERRED),
        ..hidden
    };
    assert_eq!(text(&fk, &known), Ok(Some("fk_invoice_x_y".to_owned())));
    let no_columns = Subject {
        referred: Some(Referred {
            columns: &[],
            ..REFERRED
        }),
        ..known
    };
    assert!(matches!(text(&fk, &no_columns), Err(NamingError::NotKnowable(_))));
    let nowhere = Subject {
        columns: &COLUMNS,
        columns_unknown: false,
        referred: None,
        ..known
    };
    assert!(matches!(text(&fk, &nowhere), Err(NamingError::NotKnowable(_))));
}

#[test]
fn a_referred_table_is_what_follows_its_last_dot() {
    let fk = convention(&[("fk", "fk_%(referred_table_name)s")]);
    for table in ["a.invoice", "invoice"] {
        let subject = Subject {
            referred: Some(Referred { table, ..REFERRED }),
            ..subject(ConstraintKind::ForeignKey)
        };
        assert_eq!(text(&fk, &subject), Ok(Some("fk_invoice".to_owned())));
    }
}

#[test]
fn labels_carry_the_schema_and_keys_the_key() {
    let mut unique = subject(ConstraintKind::Unique);
    unique.schema = Some("my.dotted");
    let labelled = convention(&[("uq", "%(column_0_N_label)s|%(column_0N_key)s|%(column_2_name)s")]);
    assert_eq!(text(&labelled, &unique), Ok(Some("my_dotted_order_a_my_dotted_order_b|abee|".to_owned())));
    unique.schema = Some("");
    assert_eq!(text(&labelled, &unique), Ok(Some("order_a_order_b|abee|".to_owned())));
}
