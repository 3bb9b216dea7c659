//! A naming convention that SQLAlchemy cannot use, or does not use as it was meant.

use std::collections::HashMap;

use crate::constraints::MetadataFile;
use crate::constraints::convention_code::key_spans;
use crate::constraints::convention_name::known_convention;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::naming::{ProblemKind, problems};

pub(super) static RULE: Rule = Rule {
    name: "invalid-naming-convention",
    summary: "a naming convention has keys or templates that SQLAlchemy cannot use",
    severity: Severity::Error,
    documentation: include_str!("../../docs/rules/invalid-naming-convention.md"),
};

pub(super) fn check(file: &MetadataFile<'_>) -> Vec<Diagnostic> {
    let Some((convention, place)) = known_convention(&file.judged.target) else {
        return Vec::new();
    };
    let source = file.module.file();
    let here = place.filter(|place| place.file.path() == source.path());
    let dict = here.map_or(file.judged.place.span, |place| place.span);
    let problems = problems(convention);
    let spans = if problems.is_empty() {
        HashMap::new()
    } else {
        key_spans(file.module.body(), dict)
    };
    problems
        .into_iter()
        .map(|problem| {
            let span = spans.get(&problem.key).copied().unwrap_or(dict);
            Diagnostic::new(&RULE, source, span, problem.to_string())
                .focus(span, consequence(&problem.kind))
                .help(help(&problem.kind))
        })
        .collect()
}

fn consequence(kind: &ProblemKind) -> &'static str {
    match kind {
        ProblemKind::IgnoredKey(_) => "SQLAlchemy does not look at it, and says nothing",
        ProblemKind::SameName(_) => "the second of two such constraints cannot be created",
        ProblemKind::ExplicitNameInPrimaryKey => "every table fails with it, before anything reaches the database",
        _ => "this fails as soon as such a constraint is built",
    }
}

fn help(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::UnknownToken(_, Some(nearest)) => format!("`%({nearest})s` may be what is meant"),
        ProblemKind::UnknownToken(_, None) => {
            "the tokens are table_name, column_0_name, column_0_label, column_0_N_name, referred_table_name, referred_column_0_name \
             and constraint_name"
                .to_owned()
        }
        ProblemKind::IgnoredKey(Some(meant)) => {
            format!("the key for this is `{}`", meant.prefix().unwrap_or_default())
        }
        ProblemKind::IgnoredKey(None) => "the keys are ix, uq, ck, fk and pk, or the classes of constraints".to_owned(),
        ProblemKind::SameName(_) => "put a token of the columns into it, such as `%(column_0_N_name)s`".to_owned(),
        ProblemKind::ExplicitNameInPrimaryKey => "leave `%(constraint_name)s` out: `pk_%(table_name)s`".to_owned(),
        ProblemKind::ReferredToken(..) => "only foreign keys refer to a table: leave the token out".to_owned(),
        _ => "see `alembic-named explain invalid-naming-convention`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::harness::{check_models, rules_of, shown};

    const MODELS: &str = "from sqlalchemy import MetaData\nNC = {'ix': 'ix_%(column_0_label)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s', 'ck': 'ck_%(constraint_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s', 'pk': 'pk_%(table_name)s'}\ntarget_metadata = MetaData(naming_convention=NC)\n";

    #[test]
    fn a_mistake_is_shown_at_its_key() {
        let found = check_models(&MODELS.replace("'fk_%(table_name)s_%(column_0_name)s'", "'fk_%(tabel_name)s'"));
        insta::assert_snapshot!(shown(&found), @r"
        2:115 error[invalid-naming-convention]: the template for `fk` uses `%(tabel_name)s`, a token that SQLAlchemy does not know; the nearest that it knows is `%(table_name)s`
          'fk': this fails as soon as such a constraint is built
          help: `%(table_name)s` may be what is meant
        ");
    }

    #[test]
    fn a_mistake_is_shown_at_its_key_below_other_statements() {
        let dict = "NC = {'uq': 'uq_%(column_0_N_label)s', 'fk': 'fk_%(tabel_name)s'}";
        for around in [
            format!("if version >= 2:\n    {dict}\n"),
            format!("if version < 2:\n    NC = None\nelse:\n    {dict}\n"),
            format!("try:\n    {dict}\nexcept ImportError:\n    pass\n"),
            format!("with warnings.catch_warnings():\n    {dict}\n"),
        ] {
            let models =
                format!("from sqlalchemy import MetaData\n{around}target_metadata = MetaData(naming_convention=NC)\n");
            for one in check_models(&models).iter().filter(|one| one.rule == &RULE) {
                let place = &one.focus.place;
                assert_eq!(place.file.slice(place.span), "'fk'", "{models}");
            }
        }
    }

    #[test]
    fn conventions_with_mistakes_are_told() {
        for (right, wrong) in [
            ("'fk_%(table_name)s_%(column_0_name)s'", "'fk_%(tabel_name)s'"),
            ("'pk_%(table_name)s'", "'pk_%(constraint_name)s'"),
            ("{'ix'", "{'foreign_key': 'x', 'ix'"),
        ] {
            assert!(MODELS.contains(right));
            let models = MODELS.replace(right, wrong);
            assert_eq!(rules_of(&check_models(&models)), [RULE.name].into(), "{models}");
        }
        assert!(check_models(MODELS).is_empty());
    }
}
