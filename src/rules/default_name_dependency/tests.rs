//! Revisions that follow each other.

use crate::check::examine;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::apply;
use crate::project::Project;
use crate::rules::harness::{ENV, check_last, history_of};
use crate::snapshot::MemorySnapshot;
use crate::source::SourceFile;

const PLAIN: &str = "target_metadata = None\n";
const CONVENTION: &str = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'uq': 'uq_%(table_name)s_%(column_0_name)s', 'pk': 'pk_%(table_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s', 'ix': 'ix_%(column_0_label)s'})\n";
const TABLE: &str = "op.create_table('member', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('email', sa.Text(), unique=True))";

/// What this rule finds in the last of several revisions.
fn across_revisions(models: &str, revisions: &[&str]) -> Vec<Diagnostic> {
    let mut found = check_last(models, revisions);
    found.retain(|one| one.rule == &super::RULE);
    found
}

#[test]
fn sql_and_renames_fail_where_the_convention_names_it() {
    for change in [
        "op.execute('ALTER TABLE member RENAME CONSTRAINT member_email_key TO uq_member_email')",
        "op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
        "op.execute('ALTER INDEX member_email_key RENAME TO uq_member_email')",
        "op.drop_constraint('member_email_key', 'member', type_='unique')",
        "op.drop_constraint('member_pkey', 'member', type_='primary')",
        "op.execute('ALTER TABLE member RENAME CONSTRAINT member_pkey TO pk_member')",
    ] {
        let under = across_revisions(CONVENTION, &[TABLE, change]);
        let [only] = under.as_slice() else {
            panic!("{change}: {under:?}")
        };
        assert_eq!(only.severity, Severity::Error, "{change}");
        assert!(only.focus.text.contains("by your convention"), "{change}");
        // Without one only the databases differ, and SQL is written for one of them.
        let count = usize::from(change.contains("drop_constraint('member_email_key'"));
        assert_eq!(across_revisions(PLAIN, &[TABLE, change]).len(), count, "{change}");
    }
}

/// What the downgrade gives back is not there when the upgrade runs.
#[test]
fn a_rename_that_the_downgrade_takes_back_is_found_all_the_same() {
    for (upgrade, downgrade) in [
        (
            "RENAME CONSTRAINT member_email_key TO uq_member_email",
            "RENAME CONSTRAINT uq_member_email TO member_email_key",
        ),
        ("DROP CONSTRAINT member_email_key", "ADD CONSTRAINT member_email_key UNIQUE (email)"),
    ] {
        let sql = |action: &str| format!("    op.execute('ALTER TABLE member {action}')\n");
        let revision = format!(
            "from alembic import op\n{{0}}\ndef upgrade():\n{}def downgrade():\n{}",
            sql(upgrade),
            sql(downgrade)
        );
        assert_eq!(across_revisions(CONVENTION, &[TABLE, &revision]).len(), 1, "{upgrade}");
    }
}

#[test]
fn what_may_be_missing_or_is_looked_for_is_left_alone() {
    for change in [
        "op.execute('ALTER TABLE member DROP CONSTRAINT IF EXISTS member_email_key')",
        "op.execute('ALTER INDEX IF EXISTS member_email_key RENAME TO uq_member_email')",
        "op.execute('ALTER TABLE other DROP CONSTRAINT member_email_key')",
        "op.execute('ALTER TABLE member DROP CONSTRAINT member_name_key')",
        "op.execute('ALTER TABLE member DROP CONSTRAINT uq_member_email')",
        "op.execute('ALTER TABLE member ADD CONSTRAINT member_email_key UNIQUE (email)'); op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
        "op.execute(sql()); op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
        "if named():\n        op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
    ] {
        assert!(across_revisions(CONVENTION, &[TABLE, change]).is_empty(), "{change}");
    }
}

#[test]
fn a_name_that_the_earlier_revision_gives_is_not_the_databases() {
    let named = "op.create_foreign_key('fk_a', 'order', 'invoice', ['invoice_id'], ['id'])";
    let drop = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";
    let under = across_revisions(PLAIN, &[named, drop]);
    let [only] = under.as_slice() else { panic!("{under:?}") };
    assert_eq!(
        (only.severity, only.message.as_str()),
        (Severity::Error, "no revision gives the name `order_invoice_id_fkey`")
    );
    for revisions in [
        &[named, "op.drop_constraint('fk_a', 'order', type_='foreignkey')", drop][..],
        &[named, "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT fk_a TO order_invoice_id_fkey')", drop],
        &[named, "op.drop_constraint('order_invoice_id_fkey1', 'order', type_='foreignkey')"],
        &[named, "op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')"],
    ] {
        assert!(across_revisions(PLAIN, revisions).is_empty(), "{revisions:?}");
    }
}

/// What is found in the first of two revisions.
fn of_the_first(models: &str, revisions: [&str; 2], is_deployed: bool) -> Vec<Diagnostic> {
    let (files, _) = history_of(models, &revisions);
    let (path, text) = files.iter().find(|(path, _)| path.ends_with("r0.py")).unwrap().clone();
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let file = SourceFile::new(path.as_str().into(), text);
    examine(&file, is_deployed, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics
}

/// Under a convention the later drop fails as it stands, and one name in both corrects it.
#[test]
fn a_name_that_a_later_revision_knows_comes_before_the_convention() {
    let key = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
    let later = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";
    for (is_deployed, expected) in [(false, "order_invoice_id_fkey"), (true, "fk_order_invoice_id")] {
        let found = of_the_first(CONVENTION, [key, later], is_deployed);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(only.rule.name, "implicit-constraint-name");
        assert_eq!(only.suggested_name.as_deref(), Some(expected));
    }
}

/// The fix of a new revision, and what a later one drops by the database's name.
#[test]
fn a_fix_keeps_the_name_that_a_later_revision_knows() {
    let key = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
    let name = |later: &str| {
        let found = of_the_first(PLAIN, [key, later], false);
        let only = found
            .into_iter()
            .find(|one| one.rule.name == "unnamed-constraint")
            .unwrap();
        let fix = only.fix.as_ref().map(|fix| apply(&only.file, [fix]));
        (only.suggested_name.unwrap_or_default(), fix.unwrap_or(only.help.unwrap()))
    };
    for later in [
        "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
        "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT order_invoice_id_fkey TO fk_new')",
    ] {
        let (name, after) = name(later);
        assert_eq!(name, "order_invoice_id_fkey");
        assert!(after.contains("create_foreign_key(op.f('order_invoice_id_fkey')"), "{after}");
    }
    let (suggested, help) = name("op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')");
    assert_eq!(suggested, "fk_order_invoice_id_invoice");
    assert!(help.contains("`migrations/versions/r1.py` speaks of `order_ibfk_1`"), "{help}");
    let (suggested, after) = name("op.drop_constraint('order_code_key', 'order', type_='unique')");
    assert_eq!(suggested, "fk_order_invoice_id_invoice");
    assert!(after.contains("op.f('fk_order_invoice_id_invoice')"), "{after}");
}

const LATER: &str = "from alembic import op\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n    op.drop_constraint('t_c_fkey', 't', type_='foreignkey')\n";

/// What is found in a later revision, with these imports in the older one, models, requirements and database.
fn of_the_later(later: &str, import: &str, models: &str, requirements: &str, url: &str) -> Vec<Diagnostic> {
    let older = format!(
        "from alembic import op\n{import}\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.create_foreign_key(None, 't', 'u', ['c'], ['id'])\n"
    );
    let ini = format!("[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n");
    let snapshot = MemorySnapshot::from([
        ("alembic.ini", ini.as_str()),
        ENV,
        ("app/models.py", models),
        ("requirements.txt", requirements),
        ("migrations/versions/a.py", older.as_str()),
        ("migrations/versions/b.py", later),
    ]);
    let project = Project::new(&snapshot, "/top");
    let file = SourceFile::new("migrations/versions/b.py".into(), later.to_owned());
    let found = examine(&file, false, &project, &Config::default()).diagnostics;
    found.into_iter().filter(|one| one.rule == &super::RULE).collect()
}

#[test]
fn a_project_that_shows_its_only_database_may_use_the_names_of_that() {
    let named =
        "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'fk': 'fk_%(table_name)s'})\n";
    let pg = "from sqlalchemy.dialects import postgresql";
    for (import, models, requirements, url, expected) in [
        ("", PLAIN, "", "", true),
        (pg, PLAIN, "", "", false),
        ("", PLAIN, "psycopg2\n", "", false),
        (pg, PLAIN, "psycopg2\n", "postgresql://h/d", false),
        // What is written down for one database may be the developer's own.
        ("", PLAIN, "", "postgresql://h/d", true),
        (pg, PLAIN, "aiosqlite\n", "", true),
        (pg, PLAIN, "", "sqlite://", true),
        ("from sqlalchemy.dialects import mysql", PLAIN, "", "", true),
        (pg, named, "psycopg2\n", "", true),
    ] {
        let found = of_the_later(LATER, import, models, requirements, url);
        assert_eq!(!found.is_empty(), expected, "{import} {models} {requirements} {url}");
    }
}

/// A key that SQLite holds without a name is found in a batch by a convention only (seen with Alembic 1.20.1).
#[test]
fn a_batch_is_offered_a_convention_for_what_sqlite_does_not_name() {
    for (url, in_batch, expected) in
        [("", true, true), ("sqlite://", true, true), ("postgresql://h/d", true, false), ("", false, false)]
    {
        let later = if in_batch {
            LATER.replace(
                "    op.drop_constraint('t_c_fkey', 't',",
                "    with op.batch_alter_table('t') as b: b.drop_constraint('t_c_fkey',",
            )
        } else {
            LATER.to_owned()
        };
        let help = of_the_later(&later, "", PLAIN, "", url)[0].help.clone().unwrap();
        let proposed =
            "give the batch `naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}`";
        assert_eq!(help.contains(proposed), expected, "{url} {later}: {help}");
    }
}
