//! Revisions whose downgrade drops what the upgrade creates, or does not.

use crate::check::examine;
use crate::config::Config;
use crate::fix::apply;
use crate::project::Project;
use crate::rules::harness::{history_of, of_migration};
use crate::snapshot::MemorySnapshot;
use crate::source::SourceFile;

#[test]
fn a_wrong_type_and_a_table_in_its_place_are_found() {
    let takes_no_table = "a batch operation takes no table";
    let twice = "this is `type_` a second time, so Python refuses the call";
    let taken_for_type = "Alembic takes it for `type_`, and refuses it when this runs";
    let refused = "Alembic refuses it when this runs";
    for (call, message, label) in [
        ("b.drop_constraint('n', 't', type_='unique')", takes_no_table, twice),
        ("b.drop_constraint('n', 'other', type_='unique')", takes_no_table, twice),
        ("b.drop_constraint('n', 't')", takes_no_table, taken_for_type),
        ("b.drop_constraint('n', type_='uniq')", "`uniq` is no type of constraint", refused),
        ("b.drop_constraint('n', 'uniq')", "`uniq` is no type of constraint", refused),
        ("op.drop_constraint('n', 't', 't')", "`t` is no type of constraint", refused),
    ] {
        let downgrade = format!("    with op.batch_alter_table('t') as b:\n        {call}\n");
        let found = of_migration("", "    pass\n", &downgrade, false);
        let found: Vec<_> = found.iter().filter(|one| one.rule == &super::RULE).collect();
        let [only] = found.as_slice() else {
            panic!("{call}: {found:?}")
        };
        assert_eq!(only.message, message, "{call}");
        assert_eq!(only.focus.text, label, "{call}");
    }
}

/// What a drop of a check is told to drop instead, under a convention that builds on names and without one; `None` if it is right.
fn meant(url: &str, convention: &str, upgrade: &str, drop: &str) -> Option<String> {
    let env = format!(
        "from alembic import context\nfrom app.models import metadata\nurl = '{url}'\ntarget_metadata = metadata\n"
    );
    let models = format!("from sqlalchemy import MetaData\nmetadata = MetaData(naming_convention={convention})\n");
    let snapshot = MemorySnapshot::from([("migrations/env.py", env.as_str()), ("app/models.py", &models)]);
    let project = Project::new(&snapshot, "/top");
    let found = |text: &str| {
        let file = SourceFile::new("migrations/versions/a.py".into(), text.to_owned());
        examine(&file, false, &project, &Config::default()).diagnostics
    };
    let text = format!(
        "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    {upgrade}\ndef downgrade():\n    op.drop_constraint({drop})\n"
    );
    let all = found(&text);
    let [only] = all.as_slice() else {
        assert!(all.is_empty(), "{all:?} in\n{text}");
        return None;
    };
    assert_eq!(only.rule.name, "mismatched-drop");
    let after = apply(&only.file, &only.fix);
    assert!(found(&after).is_empty(), "{after}");
    only.suggested_name.clone()
}

/// Each was run with Alembic 1.20 and SQLAlchemy 2.1 on PostgreSQL and MariaDB.
#[test]
fn a_check_inside_a_column_is_dropped_by_the_name_that_it_has() {
    const CK: &str = "{'ck': 'ck_%(table_name)s_%(constraint_name)s'}";
    const PG: &str = "postgresql://h/d";
    let own =
        "op.add_column('t', sa.Column('b', sa.Enum('x', name='b_enum', native_enum=False, create_constraint=True)))";
    let inline = "op.create_table('t', sa.Column('b', sa.Integer), sa.CheckConstraint('b > 0', name='b_enum'))";
    for upgrade in [own, inline] {
        for (convention, drop, expected) in [
            (CK, "'b_enum', 't', type_='check'", None),
            (CK, "op.f('ck_t_b_enum'), 't', type_='check'", None),
            (CK, "'b_enum', 't'", Some("ck_t_b_enum")),
            (CK, "op.f('b_enum'), 't', type_='check'", Some("ck_t_b_enum")),
            (CK, "'ck_t_b_enum', 't', type_='check'", Some("ck_t_b_enum")),
            ("None", "'ck_t_b_enum', 't', type_='check'", Some("b_enum")),
            ("None", "'b_enum', 't'", None),
            // Another one, of an older revision.
            (CK, "'other', 't', type_='check'", None),
            (CK, "'b_enum', 'u'", None),
            ("None", "'old_b_enum', 't', type_='check'", None),
        ] {
            assert_eq!(meant(PG, convention, upgrade, drop).as_deref(), expected, "{upgrade} {drop}");
        }
    }
    // On PostgreSQL the type is the database's own, and on MariaDB a column gets a check for it.
    let native = "op.add_column('t', sa.Column('b', sa.Boolean(create_constraint=True, name='b_bool')))";
    assert_eq!(meant(PG, CK, native, "op.f('b_bool'), 't', type_='check'"), None);
    let drop = "op.f('b_bool'), 't', type_='check'";
    assert_eq!(meant("mysql://h/d", CK, native, drop).as_deref(), Some("ck_t_b_bool"));
}

/// What is said of a revision in a project with the documented convention, and without one.
fn of(upgrade: &str, downgrade: &str, convention: bool) -> Vec<String> {
    let models = if convention {
        "import sqlalchemy as sa\ntarget_metadata = sa.MetaData(naming_convention={'ck': 'ck_%(table_name)s_%(constraint_name)s', 'uq': 'uq_%(table_name)s_%(column_0_name)s'})\n"
    } else {
        "import sqlalchemy as sa\ntarget_metadata = sa.MetaData()\n"
    };
    let revision =
        format!("from alembic import op\n{{0}}\ndef upgrade():\n    {upgrade}\ndef downgrade():\n    {downgrade}\n");
    let (files, last) = history_of(models, &[&revision]);
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/top");
    let found = examine(&last, false, &project, &Config::default()).diagnostics;
    let found = found.iter().filter(|one| one.rule == &super::RULE);
    found
        .map(|one| {
            let fix = one.fix.as_ref().map(|fix| fix.edits[0].text.clone());
            [Some(one.message.clone()), one.help.clone(), fix]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect()
}

/// Each was run on PostgreSQL 15 with Alembic 1.20: what is found fails, and what is not passes.
#[test]
fn a_convention_knows_neither_sql_nor_a_drop_that_does_not_say_its_kind() {
    let sql = "op.execute('ALTER TABLE ping ADD CONSTRAINT ck_ping_q CHECK (q > 0)')";
    let plain = "op.create_check_constraint('q', 'ping', 'q > 0')";
    for (upgrade, downgrade, expected) in [
        (
            sql,
            "op.drop_constraint('ck_ping_q', 'ping', type_='check')",
            "`ck_ping_ck_ping_q` is dropped, and the upgrade creates `ck_ping_q` | drop `ck_ping_q` | op.f('ck_ping_q')",
        ),
        (sql, "op.drop_constraint(op.f('ck_ping_q'), 'ping', type_='check')", ""),
        (sql, "op.drop_constraint('ck_ping_q', 'ping')", ""),
        (sql, "op.drop_constraint('q', 'ping', type_='check')", ""),
        (sql, "op.execute('ALTER TABLE ping DROP CONSTRAINT ck_ping_q')", ""),
        (
            plain,
            "op.execute('ALTER TABLE ping DROP CONSTRAINT q')",
            "`q` is dropped, and the upgrade creates `ck_ping_q` | drop `ck_ping_q` | ck_ping_q",
        ),
        (plain, "op.execute('ALTER TABLE ping DROP CONSTRAINT ck_ping_q')", ""),
        (
            plain,
            "op.drop_constraint('q', 'ping')",
            "`q` is dropped, and the upgrade creates `ck_ping_q` | add `type_='check'`, so that the convention makes the name of both; or drop `ck_ping_q` | op.f('ck_ping_q')",
        ),
        (plain, "op.drop_constraint('ck_ping_q', 'ping')", ""),
        (plain, "op.drop_constraint('q', 'ping', type_='check')", ""),
        // No template builds on the name of a unique constraint.
        ("op.create_unique_constraint('u', 'ping', ['q'])", "op.drop_constraint('u', 'ping')", ""),
        (
            "op.execute('ALTER TABLE ping ADD CONSTRAINT u UNIQUE (q)')",
            "op.drop_constraint('u', 'ping', type_='unique')",
            "",
        ),
        (
            "op.create_unique_constraint('u', 'ping', ['q'])",
            "op.execute('ALTER TABLE ping DROP CONSTRAINT u')",
            "",
        ),
    ] {
        let found = of(upgrade, downgrade, true);
        assert_eq!(found.join("\n"), expected, "{upgrade}\n{downgrade}");
        let without = of(upgrade, downgrade, false);
        let fails = upgrade == plain && downgrade.contains("ck_ping_q");
        assert_eq!(without.len(), usize::from(fails), "{upgrade}\n{downgrade}\n{without:?}");
    }
}
