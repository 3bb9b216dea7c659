//! Histories in which the last revision drops a name that a database chose, and others in which somebody gave it.

use super::RULE;
use crate::check::examine;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::project::Project;
use crate::rules::harness::{ENV, check, check_at, check_last, fixed, history_of, models, revision, shown};
use crate::snapshot::MemorySnapshot;
use crate::source::SourceFile;

const NO_CONVENTION: &str = "target_metadata = None\n";
const TABLE: &str = "op.create_table('order', sa.Column('id', sa.Integer()), sa.Column('invoice_id', sa.ForeignKey('invoice.id')), sa.Column('code', sa.Text(), unique=True), sa.CheckConstraint('amount > 0'))";
const KEY: &str = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
const DROP: &str = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";

/// The revisions of a history, written as `first / second`.
fn revisions(history: &str) -> Vec<String> {
    let with_constants = |revision: &str| {
        let revision = revision.replace("{table}", TABLE).replace("{key}", KEY);
        revision.replace("{drop}", DROP)
    };
    history.split(" / ").map(with_constants).collect()
}

fn own(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.retain(|one| one.rule == &RULE);
    found
}

#[track_caller]
fn across<R: AsRef<str>>(models: &str, revisions: &[R]) -> Vec<Diagnostic> {
    let revisions: Vec<&str> = revisions.iter().map(AsRef::as_ref).collect();
    own(check_last(models, &revisions))
}

#[track_caller]
fn assert_nothing_across(histories: &[&str]) {
    for history in histories {
        assert!(across(NO_CONVENTION, &revisions(history)).is_empty(), "{history}");
    }
}

#[test]
fn the_create_is_shown_with_the_drop() {
    insta::assert_snapshot!(shown(&across(NO_CONVENTION, &[KEY, DROP])), @r"
    6:24 warning[default-name-dependency]: the name `order_invoice_id_fkey` holds on PostgreSQL only
      'order_invoice_id_fkey': PostgreSQL chose it; MariaDB may call it `order_ibfk_1`, and SQLite gives no name: there this upgrade fails
      migrations/versions/r0.py:6:27: made here without a name
      help: write `order_invoice_id_fkey` into `migrations/versions/r0.py` too: what ran it on PostgreSQL has that name, and every new database will; or look the name up when this runs: `sa.inspect(op.get_bind()).get_foreign_keys('order')`
    ");
}

#[test]
fn a_name_that_a_database_chose_is_found_in_a_later_upgrade() {
    for (labels, histories) in [
        (
            "PostgreSQL",
            &[
                "{key} / pass / {drop}",
                "{table} / pass / {drop}",
                "{key} / pass / op.drop_constraint(op.f('order_invoice_id_fkey'), 'order', 'foreignkey')",
                "{key} / pass / op.drop_constraint('order_invoice_id_fkey', 'order')",
                "{key} / pass / op.drop_constraint('order_invoice_id_fkey1', 'order', type_='foreignkey')",
                "{key} / pass / with op.batch_alter_table('order') as b: b.drop_constraint('order_invoice_id_fkey', type_='foreignkey')",
                "with op.batch_alter_table('order') as b: b.create_foreign_key(None, 'invoice', ['invoice_id'], ['id']) / pass / {drop}",
                "op.add_column('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id'))) / pass / {drop}",
                "column = sa.Column('invoice_id', sa.ForeignKey('invoice.id')); op.add_column('order', column) / pass / {drop}",
                "op.create_foreign_key(None, 'order', 'invoice', columns(), ['id']) / pass / {drop}",
                "{table} / pass / op.drop_constraint('order_code_key', 'order', type_='unique')",
                "{table} / pass / op.drop_constraint('order_amount_check', 'order', type_='check')",
                "op.create_foreign_key('fk_other', 'order', 'other', ['other_id'], ['id']); {key} / pass / {drop}",
                "op.execute(\"UPDATE \\\"order\\\" SET x = 1\"); {key} / pass / {drop}",
            ][..],
        ),
        (
            "MySQL and MariaDB",
            &[
                "{key} / pass / op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')",
                "{table} / pass / op.drop_constraint('code', 'order', type_='unique')",
            ][..],
        ),
        ("MariaDB", &["{table} / pass / op.drop_constraint('CONSTRAINT_1', 'order', type_='check')"][..]),
        ("MySQL", &["{table} / pass / op.drop_constraint('order_chk_1', 'order', type_='check')"][..]),
        (
            "SQL Server",
            &["{table} / pass / op.drop_constraint('FK__order__invoic__3A81B327', 'order', type_='foreignkey')"][..],
        ),
        ("Oracle", &["{table} / pass / op.drop_constraint('SYS_C0012345', 'order', type_='foreignkey')"][..]),
    ] {
        for history in histories {
            let found = across(NO_CONVENTION, &revisions(history));
            let [one] = found.as_slice() else {
                panic!("{history}: {found:?}")
            };
            let text = &one.focus.text;
            assert!(text.starts_with(&format!("{labels} chose it")), "{text}");
            assert_eq!(one.related[0].place.file.path().display(), "migrations/versions/r0.py");
            assert!(one.help.as_ref().unwrap().contains("look the name up"), "{one:?}");
        }
    }
}

#[test]
fn the_nearest_create_is_shown() {
    let found = across(NO_CONVENTION, &[KEY, KEY, DROP]);
    let nearest = found[0].related[0].place.file.path();
    assert_eq!(nearest.display(), "migrations/versions/r1.py");
}

#[test]
fn a_name_that_an_operation_or_sql_or_code_may_have_given_is_left_alone() {
    assert_nothing_across(&[
        "op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id']) / {key} / {drop}",
        "op.create_table('order', sa.Column('invoice_id', sa.ForeignKey('invoice.id', name='order_invoice_id_fkey'))) / {key} / {drop}",
        "{key} / op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT a TO order_invoice_id_fkey') / {drop}",
        "{key} / op.execute('alter  table \"order\" add constraint order_invoice_id_fkey foreign key (a) references b') / {drop}",
        "{key} / for table in ['order']:\n        op.create_foreign_key(name(table), table, 'invoice', ['invoice_id'], ['id']) / {drop}",
        "def add(name=None):\n        op.create_foreign_key(name, 'order', 'invoice', ['invoice_id'], ['id'])\n    add()\n    add('order_invoice_id_fkey') / {drop}",
        "{key} / op.create_foreign_key(name(), 'order', 'invoice', ['invoice_id'], ['id']) / {drop}",
        "{key} / from app.helpers import name_keys; name_keys('order') / pass / {drop}",
        "{key} / {0}\nfrom app.helpers import name_keys\ndef upgrade():\n    name_keys('order') / {drop}",
        "{key} / op.rename_table('orders', 'order') / {drop}",
        "{key} / op.rename_table('order', 'orders') / {drop}",
        "{key} / for one in sa.inspect(op.get_bind()).get_foreign_keys(t): rename(one) / {drop}",
        "Base.metadata.create_all(op.get_bind()) / {key} / {drop}",
        "op.execute(open('schema.sql').read()) / {key} / {drop}",
        "op.create_table('order', *columns()) / {key} / {drop}",
        "op.create_table('order', key()) / {key} / {drop}",
        "op.add_column('order', column()) / {key} / {drop}",
        "{key} / op.drop_table('order') / {drop}",
        "{key} / op.drop_column('order', 'invoice_id') / {drop}",
    ]);
}

#[test]
fn a_name_of_another_table_kind_column_or_schema_is_left_alone() {
    assert_nothing_across(&[
        "pass / {drop}",
        "op.create_foreign_key(None, 'orders', 'invoice', ['invoice_id'], ['id']) / {drop}",
        "op.create_unique_constraint(None, 'order', ['invoice_id']) / {drop}",
        "op.create_foreign_key(None, 'order', 'invoice', ['other_id'], ['id']) / {drop}",
        "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'], source_schema='s') / {drop}",
        "if x:\n        {key} / {drop}",
        "{0}\nfrom alembic import op\ndef upgrade(): pass\ndef downgrade():\n    {key} / {drop}",
    ]);
}

#[test]
fn a_drop_that_knows_what_it_does_is_left_alone() {
    assert_nothing_across(&[
        "{key} / op.drop_constraint('fk_x', 'order', type_='foreignkey')",
        "{key} / op.drop_constraint(f'{t}_invoice_id_fkey', 'order', type_='foreignkey')",
        "{key} / op.drop_constraint('order_invoice_id_fkey', t, type_='foreignkey')",
        "{key} / op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey', if_exists=True)",
        "{key} / if x: {drop}",
        "{key} / for n in x: {drop}",
        "{key} / if op.get_bind().dialect.name == 'sqlite': return\n    {drop}",
        "{key} / try:\n        {drop}\n    except E: pass",
        "{key} / with op.batch_alter_table('order', naming_convention=N) as b: b.drop_constraint('order_invoice_id_fkey', type_='foreignkey')",
        "{key} / op.execute('ALTER TABLE \"order\" ADD CONSTRAINT order_invoice_id_fkey CHECK (x)'); {drop}",
        "{key} / op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id']); {drop}",
        "{key} / {0}\nfrom alembic import op\ndef upgrade(): pass\ndef downgrade():\n    {drop}",
        "op.create_primary_key(None, 'order', ['id']) / op.drop_constraint('order_pkey', 'order', type_='primary')",
        "op.create_exclude_constraint(None, 'order', ('a', '=')) / op.drop_constraint('order_a_excl', 'order')",
    ]);
}

#[test]
fn nothing_is_found_in_a_history_that_is_not_whole() {
    assert_nothing_across(&[
        "{key} / {0}\ndown_revision = 'elsewhere'\ndef upgrade(): pass / {drop}",
        "{key} / {0}\ndepends_on = 'elsewhere'\ndef upgrade(): pass / {drop}",
        "{key} / {0}\nx = = 1\ndef upgrade():\n    'order' / {drop}",
    ]);
}

#[test]
fn a_convention_that_gives_the_name_makes_it_the_projects_own() {
    let with = |template: &str| models(&format!("{{'ix': 'ix_%(column_0_label)s', 'fk': '{template}'}}"));
    let revisions = [KEY, DROP];
    assert!(across(&with("%(table_name)s_%(column_0_name)s_fkey"), &revisions).is_empty());
    assert!(across("from elsewhere import target_metadata\n", &revisions).is_empty());
    let found = across(&with("fk_%(table_name)s_%(column_0_name)s"), &revisions);
    assert!(
        found[0]
            .focus
            .text
            .contains("a new database has `fk_order_invoice_id` by your convention"),
        "{}",
        found[0].focus.text
    );
    // Who says which database it is takes its names as they are.
    let of_dialect = |dialect: &str, models: &str| {
        let (mut files, last) = history_of(models, &revisions);
        files.push(("alembic-named.toml".to_owned(), format!("dialect = '{dialect}'\n")));
        own(check(&files, &last.path().display())).len()
    };
    let changed = with("fk_%(table_name)s_%(column_0_name)s");
    assert_eq!(of_dialect("postgresql", &changed), 1);
    assert_eq!(of_dialect("postgresql", NO_CONVENTION), 0);
    assert_eq!(of_dialect("sqlite", NO_CONVENTION), 1);
}

/// The usual revision costs no look at the others, and a run looks at them once.
#[test]
fn the_history_is_read_only_for_a_name_that_looks_chosen_and_only_once() {
    let (files, _) = history_of(NO_CONVENTION, &[KEY, "pass", DROP]);
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/top");
    let reads_of_revisions = |upgrade: &str| {
        let before = snapshot.reads().len();
        let text = revision(upgrade, DROP).replace("'a'", "'r1'");
        let file = SourceFile::new("migrations/versions/new.py".into(), text);
        let found = examine(&file, false, &project, &Config::default()).diagnostics;
        let reads = snapshot.reads().split_off(before);
        let in_versions = reads
            .iter()
            .filter(|path| path.display().contains("versions/r"))
            .count();
        (found.len(), in_versions)
    };
    for usual in [
        "op.add_column('order', c)",
        "op.create_foreign_key('fk_order', 'order', 'invoice', ['invoice_id'], ['id'])",
        "op.drop_constraint('fk_order', 'order', type_='foreignkey')",
        "op.drop_constraint('uq_order_code', 'order', type_='unique')",
        "op.drop_index('ix_order', table_name='order')",
    ] {
        assert_eq!(reads_of_revisions(usual).1, 0, "{usual}");
    }
    assert_eq!(reads_of_revisions(DROP), (1, 3));
    assert_eq!(reads_of_revisions(DROP), (1, 0));
}

const CONVENTION: &str = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'uq': 'uq_%(table_name)s_%(column_0_name)s', 'pk': 'pk_%(table_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s', 'ix': 'ix_%(column_0_label)s'})\n";
const MEMBER: &str = "op.create_table('member', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('email', sa.Text(), unique=True))";

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
        let under = across(CONVENTION, &[MEMBER, change]);
        let [only] = under.as_slice() else {
            panic!("{change}: {under:?}")
        };
        assert_eq!(only.severity, Severity::Error, "{change}");
        assert!(only.focus.text.contains("by your convention"), "{change}");
        // Without one only the databases differ, and SQL is written for one of them.
        let count = usize::from(change.contains("drop_constraint('member_email_key'"));
        assert_eq!(across(NO_CONVENTION, &[MEMBER, change]).len(), count, "{change}");
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
        assert_eq!(across(CONVENTION, &[MEMBER, &revision]).len(), 1, "{upgrade}");
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
        assert!(across(CONVENTION, &[MEMBER, change]).is_empty(), "{change}");
    }
}

#[test]
fn a_name_that_the_earlier_revision_gives_is_not_the_databases() {
    let named = "op.create_foreign_key('fk_a', 'order', 'invoice', ['invoice_id'], ['id'])";
    let under = across(NO_CONVENTION, &[named, DROP]);
    let [only] = under.as_slice() else { panic!("{under:?}") };
    assert_eq!(
        (only.severity, only.message.as_str()),
        (Severity::Error, "no revision gives the name `order_invoice_id_fkey`")
    );
    for revisions in [
        &[named, "op.drop_constraint('fk_a', 'order', type_='foreignkey')", DROP][..],
        &[named, "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT fk_a TO order_invoice_id_fkey')", DROP],
        &[named, "op.drop_constraint('order_invoice_id_fkey1', 'order', type_='foreignkey')"],
        &[named, "op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')"],
    ] {
        assert!(across(NO_CONVENTION, revisions).is_empty(), "{revisions:?}");
    }
}

/// What is found in the first of two revisions.
fn of_the_first(models: &str, revisions: [&str; 2], is_deployed: bool) -> Vec<Diagnostic> {
    let (files, _) = history_of(models, &revisions);
    check_at(&files, "migrations/versions/r0.py", is_deployed)
}

/// Under a convention the later drop fails as it stands, and one name in both corrects it.
#[test]
fn a_name_that_a_later_revision_knows_comes_before_the_convention() {
    for (is_deployed, expected) in [(false, "order_invoice_id_fkey"), (true, "fk_order_invoice_id")] {
        let found = of_the_first(CONVENTION, [KEY, DROP], is_deployed);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(only.rule.name, "implicit-constraint-name");
        assert_eq!(only.suggested_name.as_deref(), Some(expected));
    }
}

/// The fix of a new revision, and what a later one drops by the database's name.
#[test]
fn a_fix_keeps_the_name_that_a_later_revision_knows() {
    let name = |later: &str| {
        let found = of_the_first(NO_CONVENTION, [KEY, later], false);
        let only = found.iter().find(|one| one.rule.name == "unnamed-constraint").unwrap();
        let after = only.fix.as_ref().map(|_| fixed(&found).text().to_owned());
        (only.suggested_name.clone().unwrap(), after.or(only.help.clone()).unwrap())
    };
    for later in [DROP, "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT order_invoice_id_fkey TO fk_new')"] {
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
    let files = [
        ("alembic.ini", ini.as_str()),
        ENV,
        ("app/models.py", models),
        ("requirements.txt", requirements),
        ("migrations/versions/a.py", older.as_str()),
        ("migrations/versions/b.py", later),
    ];
    own(check(&files, "migrations/versions/b.py"))
}

#[test]
fn a_project_that_shows_its_only_database_may_use_the_names_of_that() {
    let named = &models("{'fk': 'fk_%(table_name)s'}");
    let pg = "from sqlalchemy.dialects import postgresql";
    for (import, models, requirements, url, expected) in [
        ("", NO_CONVENTION, "", "", true),
        (pg, NO_CONVENTION, "", "", false),
        ("", NO_CONVENTION, "psycopg2\n", "", false),
        (pg, NO_CONVENTION, "psycopg2\n", "postgresql://h/d", false),
        // What is written down for one database may be the developer's own.
        ("", NO_CONVENTION, "", "postgresql://h/d", true),
        (pg, NO_CONVENTION, "aiosqlite\n", "", true),
        (pg, NO_CONVENTION, "", "sqlite://", true),
        ("from sqlalchemy.dialects import mysql", NO_CONVENTION, "", "", true),
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
        let help = of_the_later(&later, "", NO_CONVENTION, "", url)[0]
            .help
            .clone()
            .unwrap();
        let proposed =
            "give the batch `naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}`";
        assert_eq!(help.contains(proposed), expected, "{url} {later}: {help}");
    }
}
