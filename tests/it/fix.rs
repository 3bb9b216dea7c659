//! `--fix` on real files: what changes and what never does, the working tree and the index, and what happens when it cannot be done.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::{Command, Stdio};

use crate::support::{
    NAMED, PROGRAM, Repo, SUGGESTED, UNNAMED, as_nobody, both_texts, git_on_nobody, hand_over, is_root, leftovers,
    migration, take_back, words,
};
use assert_cmd::assert::Assert;

const FILE: &str = "migrations/versions/add_invoice.py";
const OTHER: &str = "migrations/versions/another.py";

/// The end of a failed assertion's story.
fn said(assert: &Assert) -> String {
    words(assert.get_output())
}

/// Runs the program at the top of a repository.
fn run(repo: &Repo, arguments: &[&str]) -> Assert {
    let mut command = repo.command(PROGRAM);
    command.args(arguments);
    assert_cmd::Command::from_std(command).assert()
}

/// The program must end like this.
#[track_caller]
fn ends(repo: &Repo, arguments: &[&str], status: i32) -> String {
    let assert = run(repo, arguments);
    let said = said(&assert);
    assert_eq!(
        assert.get_output().status.code(),
        Some(status),
        "{arguments:?} said: {said}"
    );
    said
}

/// A repository with a first commit and an unnamed foreign key staged.
fn staged() -> Repo {
    let repo = Repo::new();
    repo.stage("README.md", "a shop\n");
    repo.commit("first");
    repo.stage(FILE, migration(UNNAMED));
    repo
}

#[test]
fn commands_are_written_for_the_folder_they_are_typed_in() {
    let repo = staged();
    let versions = |program: &str, arguments: &[&str]| -> String {
        let mut command = repo.command(program);
        let output = command
            .args(arguments)
            .current_dir(repo.join("migrations/versions"))
            .output();
        words(&output.unwrap())
    };
    let said = versions(PROGRAM, &["fix", "--staged"]);
    assert!(said.contains("stage it again: git add add_invoice.py\n"), "{said}");
    assert_eq!(versions("git", &["add", "add_invoice.py"]), "");
    repo.stage("alembic-named.toml", "deployed = false\n");
    repo.git(&["commit", "--quiet", "-m", "named"]);

    // A hook runs at the top, and after `commit -a` or `commit PATH` nothing is staged.
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged"));
    repo.write(FILE, migration(UNNAMED));
    for what in ["-a", "add_invoice.py"] {
        let said = versions("git", &["commit", "-m", "more", what]);
        assert!(said.contains("alembic-named fix add_invoice.py"), "{what}: {said}");
        assert!(!said.contains("--staged"), "{what}: {said}");
    }
    versions(PROGRAM, &["fix", "add_invoice.py"]);
    assert_eq!(std::fs::read_to_string(repo.join(FILE)).unwrap(), migration(NAMED));
    repo.stage(FILE, migration(UNNAMED));
    let said = versions("git", &["commit", "-m", "more"]);
    assert!(said.contains("alembic-named fix --staged"), "{said}");

    // What is not so in the working tree cannot be fixed there.
    repo.write(FILE, migration(NAMED)).write("README.md", "more\n");
    let said = words(&repo.try_git(&["commit", "-m", "more", "-i", "README.md"]));
    assert!(said.contains(&format!("stage it with `git add {FILE}`")), "{said}");

    // Managers give names as seen from the top, and some change the folder.
    repo.stage(FILE, migration(UNNAMED));
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged {FILE}"));
    let said = versions("git", &["commit", "-m", "more"]);
    assert!(said.contains("alembic-named fix --staged add_invoice.py"), "{said}");
    repo.hook("pre-commit", &format!("cd migrations && exec '{PROGRAM}' fix --staged"));
    let said = words(&repo.try_git(&["commit", "-m", "more"]));
    assert!(said.contains(&format!("git add {FILE}\n")), "{said}");
}

/// What the index holds, byte for byte.
#[track_caller]
fn in_index(repo: &Repo, path: &str) -> String {
    let output = repo.try_git(&["cat-file", "blob", &format!(":{path}")]);
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What a commit holds, byte for byte.
#[track_caller]
fn in_head(repo: &Repo, path: &str) -> String {
    let output = repo.try_git(&["cat-file", "blob", &format!("HEAD:{path}")]);
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The text with `[[before=>after]]` in it is fixed by the arguments, in the working tree and by `git apply`; twice is once.
#[track_caller]
fn fixes_with(template: &str, arguments: &[&str]) {
    let (before, after) = both_texts(template);
    assert_ne!(before, after);
    let repo = Repo::new();
    repo.stage("README.md", "");
    repo.commit("first");
    repo.stage(FILE, &before);

    let diff = run(&repo, &[&["--staged", "--diff"], arguments].concat());
    assert_eq!(diff.get_output().status.code(), Some(1), "{}", said(&diff));
    assert_eq!(repo.read(FILE), before, "--diff changed the file");
    let patch = String::from_utf8(diff.get_output().stdout.clone()).unwrap();
    assert_eq!(
        patch.contains('\u{1b}'),
        before.contains('\u{1b}'),
        "a pipe takes no colour\n{patch}"
    );
    repo.git_with_input(&["apply", "--check"], patch.as_bytes());
    repo.git_with_input(&["apply"], patch.as_bytes());
    assert_eq!(repo.read(FILE), after, "by git apply\n{patch}");
    repo.write(FILE, &before);

    ends(&repo, &[&["fix", "--staged"], arguments].concat(), 1);
    assert_eq!(repo.read(FILE), after, "by --fix");
    assert_eq!(in_index(&repo, FILE), before, "--fix staged something");
    repo.git(&["add", "-A"]);
    ends(&repo, &[&["fix", "--staged"], arguments].concat(), 0);
    assert_eq!(repo.read(FILE), after, "by --fix once more");
    assert_eq!(leftovers(&repo), Vec::<String>::new());
}

/// A migration of these two bodies.
fn halves(upgrade: &str, downgrade: &str) -> String {
    format!(
        "\"\"\"a step\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = '1a2b'\ndown_revision = None\n\n\n\
         def upgrade() -> None:\n{upgrade}\n\n\ndef downgrade() -> None:\n{downgrade}\n"
    )
}

#[track_caller]
fn fixes(upgrade: &str, downgrade: &str) {
    fixes_with(&halves(upgrade, downgrade), &[]);
}

/// Nothing is guessed: `[[before=>after]]` may still be fixed, the rest stays with `reason` said.
#[track_caller]
fn leaves(upgrade: &str, downgrade: &str, reason: &str) {
    let (before, after) = both_texts(&halves(upgrade, downgrade));
    let repo = Repo::new();
    repo.stage(FILE, &before);
    let said = ends(&repo, &["fix", "--staged", "--unsafe-fixes"], 1);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(repo.read(FILE), after, "{said}");
    assert!(said.contains(reason), "expected `{reason}` in: {said}");
}

// What is written.

#[test]
fn several_keys_between_two_tables() {
    fixes(
        "    op.create_foreign_key([[None=>op.f('fk_order_billing_id_address')]], 'order', 'address', ['billing_id'], ['id'])\n    \
         op.create_foreign_key([[None=>op.f('fk_order_shipping_id_address')]], 'order', 'address', ['shipping_id'], ['id'])",
        "    op.drop_constraint([[None=>op.f('fk_order_shipping_id_address')]], 'order', type_='foreignkey')\n    \
         op.drop_constraint([[None=>op.f('fk_order_billing_id_address')]], 'order', type_='foreignkey')",
    );
}

#[test]
fn a_key_whose_ondelete_changed() {
    fixes(
        "    op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')\n    \
         op.create_foreign_key([[None=>op.f('fk_order_invoice_id_invoice')]], 'order', 'invoice', ['invoice_id'], ['id'], ondelete='CASCADE')",
        "    op.drop_constraint([[None=>op.f('fk_order_invoice_id_invoice')]], 'order', type_='foreignkey')\n    \
         op.create_foreign_key('order_invoice_id_fkey', 'order', 'invoice', ['invoice_id'], ['id'])",
    );
}

#[test]
fn what_sqlite_reflects_without_a_name() {
    let convention = "[[=>, naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}]]";
    let key = "op.f('fk_order_invoice_id_invoice')".replace("op.", "batch_op.");
    fixes_with(
        &halves(
            &format!(
                "    with op.batch_alter_table('order', schema=None{convention}) as batch_op:\n        \
                 batch_op.drop_constraint([[None=>{key}]], type_='foreignkey')"
            ),
            &format!(
                "    with op.batch_alter_table('order', schema=None) as batch_op:\n        \
                 batch_op.create_foreign_key([[None=>{key}]], 'invoice', ['invoice_id'], ['id'])"
            ),
        ),
        &["--unsafe-fixes"],
    );
}

#[test]
fn helper_functions_and_several_tables() {
    let key = "[[None=>op.f('fk_order_invoice_id_invoice')]]";
    let unique = "[[None=>op.f('uq_line_code')]]";
    fixes(
        &format!(
            "    order()\n    op.create_unique_constraint({unique}, 'line', ['code'])\n\n\ndef order():\n    \
             op.create_foreign_key({key}, 'order', 'invoice', ['invoice_id'], ['id'])\n\n\ndef no_order():\n    \
             op.drop_constraint({key}, 'order', type_='foreignkey')"
        ),
        &format!("    op.drop_constraint({unique}, 'line', type_='unique')\n    no_order()"),
    );
}

#[test]
fn a_table_of_another_schema() {
    fixes(
        "    op.create_unique_constraint([[None=>op.f('uq_order_code')]], 'order', ['code'])\n    \
         op.create_unique_constraint([[None=>op.f('uq_order_number')]], 'order', ['number'], schema='other')",
        "    op.drop_constraint([[None=>op.f('uq_order_code')]], 'order', type_='unique')\n    \
         op.drop_constraint([[None=>op.f('uq_order_number')]], 'order', schema='other', type_='unique')",
    );
}

#[test]
fn batch_operations_by_any_name() {
    fixes(
        "    with op.batch_alter_table('order', schema=None) as b:\n        \
         b.create_foreign_key([[None=>b.f('fk_order_invoice_id_invoice')]], 'invoice', ['invoice_id'], ['id'])\n        \
         b.create_unique_constraint([[None=>b.f('uq_order_code')]], ['code'])",
        "    with op.batch_alter_table('order', schema=None) as batch_op:\n        \
         batch_op.drop_constraint([[None=>batch_op.f('uq_order_code')]], type_='unique')\n        \
         batch_op.drop_constraint([[None=>batch_op.f('fk_order_invoice_id_invoice')]], type_='foreignkey')",
    );
}

#[test]
fn op_by_another_name() {
    let imported = |how: &str, spelling: &str| {
        let text = halves(
            &format!(
                "    {spelling}.create_unique_constraint([[None=>{spelling}.f('uq_order_code')]], 'order', ['code'])"
            ),
            &format!(
                "    {spelling}.drop_constraint([[None=>{spelling}.f('uq_order_code')]], 'order', type_='unique')"
            ),
        );
        fixes_with(&text.replace("from alembic import op", how), &[]);
    };
    imported("from alembic import op as o", "o");
    imported("import alembic.op", "alembic.op");
    imported("import alembic as a", "a.op");
}

#[test]
fn a_function_imported_by_its_own_name_gets_a_plain_string() {
    // No `f` was imported, and no template is applied to a name that is given.
    let text = halves(
        "    create_foreign_key([[None=>'fk_order_invoice_id_invoice']], 'order', 'invoice', ['invoice_id'], ['id'])",
        "    drop_constraint([[None=>'fk_order_invoice_id_invoice']], 'order', type_='foreignkey')",
    );
    for import in [
        "from alembic.op import create_foreign_key, drop_constraint",
        "from alembic.op import *",
    ] {
        fixes_with(&text.replace("from alembic import op", import), &[]);
    }
}

#[test]
fn a_receiver_that_binds_a_name_is_not_bound_again() {
    fixes(
        "    (o := op).create_unique_constraint([[None=>o.f('uq_order_code')]], 'order', ['code'])",
        "    op.drop_constraint([[None=>op.f('uq_order_code')]], 'order', type_='unique')",
    );
}

#[test]
fn the_quotes_of_the_file_are_kept() {
    let double = "[[None=>op.f(\"uq_order_code\")]]";
    fixes(
        &format!("    op.create_unique_constraint({double}, \"order\", [\"code\"])"),
        &format!("    op.drop_constraint({double}, \"order\", type_=\"unique\")"),
    );
    // A comment's apostrophe is no quote.
    fixes(
        &format!("    op.create_unique_constraint(  # it isn't named\n        {double}, \"order\", [\"code\"]\n    )"),
        &format!("    op.drop_constraint({double}, \"order\", type_=\"unique\")"),
    );
    // A call without any string is written like the others.
    let constants = halves(
        &format!("    op.create_unique_constraint({double}, TABLE, COLUMNS)"),
        &format!("    op.drop_constraint({double}, TABLE, type_=\"unique\")"),
    )
    .replace("'1a2b'", "\"1a2b\"\nTABLE = \"order\"\nCOLUMNS = (\"code\",)");
    fixes_with(&constants, &[]);
}

#[test]
fn keyword_arguments_and_every_spelling_of_nothing() {
    let name = "op.f('uq_order_code')";
    for nothing in ["None", "''", "op.f(None)", "\"\""] {
        let name = if nothing == "\"\"" {
            "op.f(\"uq_order_code\")"
        } else {
            name
        };
        fixes(
            &format!(
                "    op.create_unique_constraint(columns=['code'], constraint_name=[[{nothing}=>op.f('uq_order_code')]], table_name='order')"
            ),
            &format!(
                "    op.drop_constraint( constraint_name = [[{nothing}=>{name}]] , table_name = 'order', type_ = 'unique', )"
            ),
        );
    }
}

#[test]
fn the_warning_of_alembic_goes_with_its_reason() {
    let warning = "    # WARNING: constraint name is None; this directive will fail as\n    # rendered.  Add a name, or use a naming \
                   convention; see\n    # https://alembic.sqlalchemy.org/en/latest/naming.html\n";
    fixes(
        "    # ### commands auto generated by Alembic - please adjust! ###\n    \
         op.create_unique_constraint([[None=>op.f('uq_order_code')]], 'order', ['code'])\n    # ### end Alembic commands ###",
        &format!(
            "    # ### commands auto generated by Alembic - please adjust! ###\n[[{warning}=>]]    \
             op.drop_constraint([[None=>op.f('uq_order_code')]], 'order', type_='unique')\n    # WARNING: mine stays\n    \
             # ### end Alembic commands ###"
        ),
    );
}

#[test]
fn bytes_outside_of_the_edits_stay() {
    let text = halves(
        "    op.create_unique_constraint(\n          # the order's\n      [[None=>op.f('uq_order_code')]] ,  # no name\n  'order',\n\n\t['code'])   ",
        "    if True:\n\t op.drop_constraint([[None=>op.f('uq_order_code')]],'order',type_ =\\\n'unique') ; pass  # \u{e4}\u{1f600}",
    );
    fixes_with(&text, &[]);
    fixes_with(&format!("\u{feff}{text}"), &[]);
    fixes_with(&text.replace('\n', "\r\n"), &[]);
    fixes_with(text.trim_end_matches('\n'), &[]);
    fixes_with(&text.trim_end_matches('\n').replace('\n', "\r\n"), &[]);
    fixes_with(&text.replace("    ", "\t").replace("\t\t ", "\t\t"), &[]);
    fixes_with(
        &text
            .replace("# no name\n", "# no name\r\n")
            .replace("'order',\n", "'order',\r"),
        &[],
    );
    // Python ends a line at a lone carriage return, git does not.
    fixes_with(&text.replace("=\\\n", "= ").replace('\n', "\r"), &[]);
    // A form feed, and characters that would steer a terminal.
    fixes_with(
        &text.replace("# the order's", "# \u{c}\u{1b}[31m \u{b}\u{7f}\u{7}\u{9b}"),
        &[],
    );
}

#[test]
fn nothing_is_guessed_where_a_pair_is_not_certain() {
    let key = |columns: &str| format!("    op.create_foreign_key(None, 'order', 'address', [{columns}], ['id'])\n");
    let drop = "    op.drop_constraint(None, 'order', type_='foreignkey')\n";
    let doubt = "which drop belongs to it is not certain";
    leaves(&format!("{}{}", key("'a'"), key("'b'")), drop, doubt);
    leaves(&key("'a'"), &format!("{drop}{drop}"), doubt);
    // Each branch has one, and the order of the source says nothing.
    let branches = |one: &str, other: &str| format!("    if old:\n    {one}    else:\n    {other}");
    leaves(&branches(&key("'a'"), &key("'b'")), &branches(drop, drop), doubt);
    // Two functions may be called in any order.
    leaves(
        &format!(
            "    two()\n    one()\n\ndef one():\n{}\ndef two():\n{}",
            key("'a'"),
            key("'b'")
        ),
        &format!("{drop}{drop}"),
        doubt,
    );
    // A loop needs a name for each round.
    leaves(
        "    for column in columns:\n        op.create_unique_constraint(None, 'order', [column])\n",
        "    for column in columns:\n        op.drop_constraint(None, 'order', type_='unique')\n",
        "runs in a loop",
    );
    leaves(
        "    [op.create_unique_constraint(None, 'order', ['code']) for _ in tables]\n",
        "    for _ in tables:\n        op.drop_constraint(None, 'order', type_='unique')\n",
        "runs in a loop",
    );
    // What a function of both halves does is not known.
    leaves(
        &format!(
            "    both(True)\n\ndef both(up):\n    if up:\n    {}    else:\n    {drop}",
            key("'a'")
        ),
        "    both(False)",
        doubt,
    );
    // A table that is computed may be this one.
    leaves(
        &key("'a'"),
        "    op.drop_constraint(None, table(), type_='foreignkey')\n",
        doubt,
    );
    // A drop that does not say what it drops may be of either.
    leaves(
        &format!("{}    op.create_unique_constraint(None, 'order', ['b'])\n", key("'a'")),
        "    op.drop_constraint(None, 'order')\n",
        doubt,
    );
}

#[test]
fn two_constraints_never_get_one_name() {
    // The template has the first column only, and both keys begin with the same.
    fixes(
        "    op.create_foreign_key([[None=>op.f('fk_line_article_region_price')]], 'line', 'price', ['article', 'region'], ['a', 'r'])\n    \
         op.create_foreign_key([[None=>op.f('fk_line_article_period_price')]], 'line', 'price', ['article', 'period'], ['a', 'p'])",
        "    op.drop_constraint([[None=>op.f('fk_line_article_period_price')]], 'line', type_='foreignkey')\n    \
         op.drop_constraint([[None=>op.f('fk_line_article_region_price')]], 'line', type_='foreignkey')",
    );
    leaves(
        "    op.create_foreign_key(None, 'line', 'price', ['article'], ['a'])\n    \
         op.create_foreign_key(None, 'line', 'price', ['article'], ['b'])",
        "    op.drop_constraint(None, 'line', type_='foreignkey')\n    op.drop_constraint(None, 'line', type_='foreignkey')",
        "would have the same name",
    );
}

#[test]
fn what_has_no_other_half_is_still_named() {
    fixes(
        "    op.create_unique_constraint([[None=>op.f('uq_order_code')]], 'order', ['code'])",
        "    raise NotImplementedError",
    );
    // The drop of something else takes nothing away from it.
    leaves(
        "    op.create_unique_constraint([[None=>op.f('uq_order_code')]], 'order', ['code'])",
        "    op.drop_constraint(None, 'line', type_='unique')\n    op.drop_column('order', 'code')",
        "no create of this migration certainly belongs to it",
    );
}

#[test]
fn an_index_that_is_dropped_by_name_belongs_to_that_drop() {
    leaves(
        "    op.create_index('ix_order_code', 'order', ['code'])",
        "    op.drop_index(None, table_name='order')\n    op.drop_index('ix_order_code', table_name='order')",
        "no create of this migration certainly belongs to it",
    );
    fixes(
        "    op.create_index(op.f('ix_order_code'), 'order', ['code'])",
        "    op.drop_index([[None=>op.f('ix_order_code')]], table_name='order')",
    );
}

// Commands and exit statuses.

#[test]
fn staged_files_must_be_staged_again() {
    for arguments in [
        ["fix", "--staged"].as_slice(),
        &["fix"],
        &["--fix"],
        &["check", "--fix", "--staged"],
        &["--staged", "--fix", FILE],
    ] {
        let repo = staged();
        let said = ends(&repo, arguments, 1);
        assert!(said.contains(&format!("git add {FILE}")), "{said}");
        assert_eq!(repo.read(FILE), migration(NAMED));
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
        repo.git(&["add", "-A"]);
        ends(&repo, arguments, 0);
    }
}

#[test]
fn named_files_are_done_when_they_are_fixed() {
    for arguments in [
        ["fix", FILE].as_slice(),
        &["--fix", FILE],
        &["fix", "migrations"],
        &["fix", "."],
    ] {
        let repo = staged();
        ends(&repo, arguments, 0);
        assert_eq!(repo.read(FILE), migration(NAMED));
        assert_eq!(
            in_index(&repo, FILE),
            migration(UNNAMED),
            "only the working file is written"
        );
        ends(&repo, arguments, 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let outside = Repo::at(folder.path());
    outside.write("m.py", migration(UNNAMED));
    ends(&outside, &["fix", "m.py"], 0);
    assert_eq!(outside.read("m.py"), migration(NAMED));
}

#[test]
fn a_finding_that_is_left_blocks() {
    let (before, after) = both_texts(&halves(
        "    op.create_unique_constraint([[None=>op.f('uq_order_code')]], 'order', ['code'])",
        "    op.drop_constraint([[None=>op.f('uq_order_code')]], 'order', type_='unique')\n    op.drop_index(None)",
    ));
    for (arguments, staged) in [
        (["fix", FILE].as_slice(), false),
        (&["fix", "--staged", "--restage"], true),
    ] {
        let repo = Repo::new();
        repo.stage(FILE, &before);
        let said = ends(&repo, arguments, 1);
        assert!(
            said.contains("error[unnamed-drop]") && !said.contains("error[unnamed-constraint]"),
            "{said}"
        );
        assert_eq!(repo.read(FILE), after);
        assert_eq!(
            in_index(&repo, FILE),
            if staged { after.clone() } else { before.clone() }
        );
    }
}

#[test]
fn nothing_to_fix_is_no_change() {
    let repo = Repo::new();
    repo.stage(FILE, migration(NAMED));
    for arguments in [
        ["fix", "--staged"].as_slice(),
        &["fix", FILE],
        &["fix", "--staged", "--restage"],
        &["fix", "--all"],
        &["--diff"],
    ] {
        let assert = run(&repo, arguments);
        assert_eq!(assert.get_output().status.code(), Some(0), "{}", said(&assert));
        if arguments.contains(&"--diff") {
            assert!(assert.get_output().stdout.is_empty());
        }
    }
    assert_eq!(repo.read(FILE), migration(NAMED));
}

#[test]
fn what_a_database_may_hold_is_changed_only_when_that_is_said() {
    let repo = staged();
    repo.commit("unchecked");
    repo.stage(FILE, migration(UNNAMED) + "# touched\n");
    repo.stage("alembic-named.toml", "dialect = \"postgresql\"\n");
    let said = ends(&repo, &["fix", "--staged"], 1);
    assert!(said.contains("--unsafe-fixes"), "{said}");
    assert_eq!(repo.read(FILE), migration(UNNAMED) + "# touched\n");
    let diff = run(&repo, &["--diff"]);
    assert!(diff.get_output().stdout.is_empty(), "{}", words(diff.get_output()));
    let diff = run(&repo, &["--diff", "--unsafe-fixes"]);
    assert!(words(diff.get_output()).contains("+    op.drop_constraint(op.f('order_invoice_id_fkey')"));
    // The name that PostgreSQL chose, in both halves.
    ends(&repo, &["fix", "--staged", "--unsafe-fixes"], 1);
    assert_eq!(
        repo.read(FILE),
        migration("op.f('order_invoice_id_fkey')") + "# touched\n"
    );
    repo.git(&["add", "-A"]);
    ends(&repo, &["fix", "--staged", "--unsafe-fixes"], 0);
}

#[test]
fn options_that_contradict_each_other() {
    let repo = staged();
    for (arguments, why) in [
        (["fix", "--restage", FILE].as_slice(), "--restage"),
        (&["--diff", "--fix"], "--diff"),
        (&["fix", "--diff", "--restage"], "--diff"),
        (&["fix", "--from-ref", "HEAD", "--to-ref", "HEAD"], "--to-ref"),
        (&["fix", "--from-ref", "HEAD", "--restage"], "--restage"),
    ] {
        let said = ends(&repo, arguments, 2);
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(repo.read(FILE), migration(UNNAMED));
}

#[test]
fn a_diff_of_every_name_a_file_can_have() {
    for name in [
        "a b.py",
        "\u{e4}.py",
        "a\"b.py",
        "a\\b.py",
        "a\tb.py",
        "a\nb.py",
        "a\u{1b}[31mb.py",
        "'.py",
        "a/b/c.py",
        "a\u{7f}.py",
    ] {
        let repo = Repo::new();
        repo.stage(name, migration(UNNAMED));
        let diff = run(&repo, &["--diff"]);
        repo.git_with_input(&["apply"], &diff.get_output().stdout);
        assert_eq!(repo.read(name), migration(NAMED), "{name:?}");
        let said = words(diff.get_output());
        assert!(!said.contains('\u{1b}') && !said.contains('\u{7f}'), "{said:?}");
    }
}

#[test]
fn a_diff_is_coloured_when_that_is_asked_for() {
    let repo = staged();
    let plain = run(&repo, &["--diff"]).get_output().stdout.clone();
    let coloured = run(&repo, &["--diff", "--color", "always"]).get_output().stdout.clone();
    assert!(!plain.contains(&0x1b) && coloured.contains(&0x1b));
    assert_eq!(run(&repo, &["--diff", "--color", "never"]).get_output().stdout, plain);
    ends(&repo, &["--diff", "--output-file", "fix.patch"], 1);
    assert_eq!(fs::read(repo.join("fix.patch")).unwrap(), plain);
}

// The working tree and the index.

/// A comment far from the edits.
fn with_a_note(name: &str) -> String {
    migration(name).replace("import sqlalchemy as sa\n", "import sqlalchemy as sa  # mine\n")
}

#[test]
fn an_edit_that_is_not_staged_is_kept() {
    let repo = staged();
    repo.write(FILE, with_a_note(UNNAMED));
    ends(&repo, &["fix", "--staged"], 1);
    assert_eq!(repo.read(FILE), with_a_note(NAMED));
    assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
}

#[test]
fn a_line_that_is_not_as_it_was_checked_is_left_alone() {
    let mine = migration(UNNAMED).replace("['id'])", "['id'], ondelete='CASCADE')");
    let twice = migration(UNNAMED) + "    op.drop_constraint(None, 'order', type_='foreignkey')\n";
    for working in [mine, twice] {
        let repo = staged();
        repo.stage(OTHER, migration(UNNAMED)).write(FILE, &working);
        let said = ends(&repo, &["fix", "--staged"], 1);
        assert!(said.contains(&format!("`{FILE}` was left alone")), "{said}");
        assert_eq!(repo.read(FILE), working);
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
        assert_eq!(repo.read(OTHER), migration(NAMED), "the other one is fixed");
    }
}

#[test]
fn other_line_ends_in_the_working_tree_are_kept() {
    let repo = Repo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    let crlf = |name: &str| migration(name).replace('\n', "\r\n");
    repo.stage(FILE, crlf(UNNAMED));
    assert_eq!(
        in_index(&repo, FILE),
        migration(UNNAMED),
        "git gave the index its own line ends"
    );
    ends(&repo, &["fix", "--staged", "--restage"], 0);
    assert_eq!(repo.read(FILE), crlf(NAMED));
    assert_eq!(in_index(&repo, FILE), migration(NAMED));
    assert_eq!(repo.git(&["status", "--porcelain"]), format!("A  {FILE}"));
    // Mixed ones, and an end of the file that was edited.
    let mixed = |name: &str| migration(name).replacen('\n', "\r\n", 9) + "# mine";
    let repo = staged();
    repo.write(FILE, mixed(UNNAMED));
    ends(&repo, &["fix", "--staged"], 1);
    assert_eq!(repo.read(FILE), mixed(NAMED));
}

#[test]
fn an_end_of_file_that_differs_is_kept() {
    let last = |name: &str| {
        let text = migration(name);
        text.replace("    op.drop_column('order', 'invoice_id')\n", "")
    };
    let cut = |name: &str| last(name).trim_end().to_owned();
    for (staged, working, expected) in [
        (cut(UNNAMED), cut(UNNAMED) + "\n# mine\n", cut(NAMED) + "\n# mine\n"),
        (last(UNNAMED), cut(UNNAMED), cut(NAMED)),
        (cut(UNNAMED), last(UNNAMED), last(NAMED)),
    ] {
        let repo = Repo::new();
        repo.stage(FILE, staged).write(FILE, working);
        ends(&repo, &["fix", "--staged"], 1);
        assert_eq!(repo.read(FILE), expected);
    }
}

#[test]
fn restaging_takes_the_fix_and_nothing_else() {
    let repo = staged();
    repo.write(FILE, with_a_note(UNNAMED));
    repo.stage("other.txt", "staged\n").write("other.txt", "not staged\n");
    let said = ends(&repo, &["fix", "--staged", "--restage"], 0);
    assert!(said.contains("fixed and staged"), "{said}");
    assert_eq!(repo.read(FILE), with_a_note(NAMED));
    assert_eq!(in_index(&repo, FILE), migration(NAMED));
    assert_eq!(in_index(&repo, "other.txt"), "staged\n");
    assert_eq!(leftovers(&repo), Vec::<String>::new());
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn what_is_fixed_in_the_working_tree_only_wants_to_be_staged() {
    let repo = staged();
    ends(&repo, &["fix", "--staged"], 1);
    let said = ends(&repo, &["fix", "--staged"], 1);
    assert!(said.contains(&format!("stage it with `git add {FILE}`")), "{said}");
    assert!(!said.contains("left alone"), "{said}");
    let said = ends(&repo, &["fix", "--staged", "--restage"], 0);
    assert!(
        said.contains("fixed and staged") && !said.contains("left alone"),
        "{said}"
    );
    assert_eq!(
        (repo.read(FILE), in_index(&repo, FILE)),
        (migration(NAMED), migration(NAMED))
    );
}

#[test]
fn restaging_with_a_changed_line_fixes_what_is_staged_only() {
    let repo = staged();
    let mine = migration(UNNAMED).replace("['id'])", "['id'], ondelete='CASCADE')");
    repo.write(FILE, &mine);
    let said = ends(&repo, &["fix", "--staged", "--restage"], 0);
    assert!(said.contains("was left alone"), "{said}");
    assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (mine, migration(NAMED)));
}

#[test]
fn restaging_from_anywhere_and_with_every_variable_of_git() {
    let check = |repo: &Repo, command: &mut Command| {
        let output = command.args(["fix", "--staged", "--restage"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert_eq!(
            (repo.read(FILE), in_index(repo, FILE)),
            (migration(NAMED), migration(NAMED))
        );
    };
    let repo = staged();
    check(
        &repo,
        repo.command(PROGRAM).current_dir(repo.join("migrations/versions")),
    );
    let repo = staged();
    let mut command = repo.command(PROGRAM);
    command.env("GIT_DIR", "../.git").env("GIT_WORK_TREE", "..");
    check(&repo, command.current_dir(repo.join("migrations")));
    let repo = staged();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = repo.command(PROGRAM);
    command
        .env("GIT_DIR", repo.join(".git"))
        .env("GIT_WORK_TREE", repo.path());
    check(&repo, command.current_dir(elsewhere.path()));
    let repo = staged();
    let mut command = repo.command(PROGRAM);
    check(
        &repo,
        command
            .env("GIT_INDEX_FILE", ".git/index")
            .current_dir(repo.join("migrations")),
    );
    // A linked worktree has an index of its own.
    let repo = staged();
    repo.git(&["worktree", "add", "--quiet", "linked"]);
    let linked = Repo::at(repo.join("linked"));
    linked.stage(FILE, migration(UNNAMED));
    check(&linked, &mut linked.command(PROGRAM));
    assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
}

#[test]
fn restaging_in_formats_that_only_git_writes() {
    for prepare in [
        ["update-index", "--split-index"].as_slice(),
        &["update-index", "--index-version", "4"],
        &["update-index", "--untracked-cache"],
    ] {
        let repo = staged();
        repo.git(prepare);
        ends(&repo, &["fix", "--staged", "--restage"], 0);
        assert_eq!(
            (repo.read(FILE), in_index(&repo, FILE)),
            (migration(NAMED), migration(NAMED))
        );
    }
    if let Some(repo) = Repo::with(&["--object-format=sha256"]) {
        repo.stage(FILE, migration(UNNAMED));
        ends(&repo, &["fix", "--staged", "--restage"], 0);
        assert_eq!(in_index(&repo, FILE), migration(NAMED));
    }
}

// As a hook.

/// A repository whose hook fixes and stages.
fn fixing_hook() -> Repo {
    let repo = Repo::new();
    repo.stage("README.md", "a shop\n").stage(FILE, "");
    repo.commit("first");
    repo.git(&["rm", "--quiet", "--cached", FILE]);
    fs::remove_file(repo.join(FILE)).unwrap();
    repo.commit("second");
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' fix --staged --restage"));
    repo
}

/// `git commit` with these arguments commits the fix.
#[track_caller]
fn commits_the_fix(repo: &Repo, arguments: &[&str], answers: &str) {
    let mut commit = repo.command("git");
    commit.args(["commit", "-m", "message"]).args(arguments);
    let output = assert_cmd::Command::from_std(commit)
        .write_stdin(answers)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", words(&output));
    assert_eq!(in_head(repo, FILE), migration(NAMED), "{arguments:?}");
    assert_eq!(in_index(repo, FILE), migration(NAMED), "{arguments:?}");
    assert_eq!(leftovers(repo), Vec::<String>::new());
}

#[test]
fn a_hook_that_restages_commits_the_fix() {
    let repo = fixing_hook();
    repo.stage(FILE, migration(UNNAMED))
        .stage("other.txt", "one\n")
        .write("other.txt", "two\n");
    commits_the_fix(&repo, &[], "");
    assert_eq!(repo.read(FILE), migration(NAMED));
    assert_eq!(
        repo.git(&["status", "--porcelain"]),
        " M other.txt",
        "what was not staged is still not"
    );

    let repo = fixing_hook();
    repo.stage(FILE, migration(UNNAMED));
    commits_the_fix(&repo, &["--amend"], "");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");

    let repo = fixing_hook();
    repo.stage(FILE, migration(UNNAMED)).write(FILE, with_a_note(UNNAMED));
    commits_the_fix(&repo, &[], "");
    assert_eq!(
        repo.read(FILE),
        with_a_note(NAMED),
        "the note is neither lost nor committed"
    );
    assert_eq!(repo.git(&["status", "--porcelain"]), format!(" M {FILE}"));
}

#[test]
fn commit_all_and_commit_by_hunks() {
    let repo = fixing_hook();
    repo.stage(FILE, "# to come\n").write(FILE, migration(UNNAMED));
    commits_the_fix(&repo, &["-a"], "");
    assert_eq!(repo.git(&["status", "--porcelain"]), "");

    let repo = fixing_hook();
    repo.git(&["add", "-N", "."]);
    repo.stage(FILE, migration(UNNAMED)).stage("notes.txt", "1\n");
    repo.write("notes.txt", "1\n2\n").write("README.md", "a bigger shop\n");
    commits_the_fix(&repo, &["-p"], "y\nn\n");
    assert_eq!(
        repo.git(&["diff", "--name-only"]),
        "notes.txt",
        "one of two hunks was taken"
    );
}

#[test]
fn a_commit_of_paths_is_refused_in_one_sentence() {
    let repo = fixing_hook();
    repo.stage(FILE, "# to come\n").write(FILE, migration(UNNAMED));
    repo.stage("other.txt", "staged\n");
    let before = repo.git(&["rev-parse", "HEAD"]);
    let output = repo.try_git(&["commit", "-m", "message", FILE]);
    assert!(!output.status.success(), "{}", words(&output));
    let refusals: Vec<String> = words(&output)
        .lines()
        .filter(|line| line.starts_with("error: "))
        .map(str::to_owned)
        .collect();
    assert_eq!(refusals.len(), 1, "{}", words(&output));
    assert!(refusals[0].contains("git commit PATH"), "{refusals:?}");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), before);
    assert_eq!(
        (repo.read(FILE), in_index(&repo, FILE)),
        (migration(UNNAMED), "# to come\n".to_owned())
    );
    assert_eq!(leftovers(&repo), Vec::<String>::new());
}

#[test]
fn a_hook_that_only_fixes_blocks_until_it_is_staged() {
    let repo = fixing_hook();
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' fix --staged"));
    repo.stage(FILE, migration(UNNAMED));
    assert!(!repo.try_git(&["commit", "-m", "message"]).status.success());
    assert_eq!(repo.read(FILE), migration(NAMED));
    repo.git(&["add", "-A"]);
    commits_the_fix(&repo, &[], "");
}

// What cannot be done.

/// One file that is refused and another one that is fixed: status 2, and the refusal says `why`.
#[track_caller]
fn refuses(repo: &Repo, why: &str) {
    repo.stage(OTHER, migration(UNNAMED));
    let said = ends(repo, &["fix", "--staged"], 2);
    assert!(said.contains(why), "{said}");
    assert_eq!(repo.read(OTHER), migration(NAMED), "the other one is fixed: {said}");
    assert_eq!(leftovers(repo), Vec::<String>::new());
}

#[test]
fn what_is_no_plain_file_is_refused() {
    let repo = staged();
    fs::rename(repo.join(FILE), repo.join("real.py")).unwrap();
    symlink("../../real.py", repo.join(FILE)).unwrap();
    refuses(&repo, "is a symbolic link");
    assert_eq!(repo.read("real.py"), migration(UNNAMED));
    assert!(repo.join(FILE).is_symlink());
    ends(&repo, &["fix", FILE], 2);
    assert_eq!(repo.read("real.py"), migration(UNNAMED));

    let repo = staged();
    fs::remove_file(repo.join(FILE)).unwrap();
    refuses(&repo, "is not a file in the working tree");

    let repo = staged();
    fs::remove_file(repo.join(FILE)).unwrap();
    fs::create_dir(repo.join(FILE)).unwrap();
    refuses(&repo, "is not a file in the working tree");
}

#[test]
fn a_folder_that_leads_out_of_the_working_tree_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("add_invoice.py");
    fs::write(&path, migration(UNNAMED)).unwrap();
    let repo = staged();
    fs::remove_dir_all(repo.join("migrations/versions")).unwrap();
    symlink(outside.path(), repo.join("migrations/versions")).unwrap();
    for arguments in [["fix", "--staged"].as_slice(), &["fix", "--staged", "--restage"]] {
        let said = ends(&repo, arguments, 2);
        assert!(said.contains("symbolic link"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), migration(UNNAMED));
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
    }
}

#[test]
fn a_read_only_file_is_refused() {
    let repo = staged();
    fs::set_permissions(repo.join(FILE), fs::Permissions::from_mode(0o444)).unwrap();
    refuses(&repo, "is read-only");
    assert_eq!(repo.read(FILE), migration(UNNAMED));
}

#[test]
fn what_is_no_utf_8_is_refused() {
    let repo = staged();
    let latin = migration(UNNAMED).replace("a step", "").into_bytes();
    repo.stage(FILE, [latin.as_slice(), b"# \xe4\n"].concat());
    refuses(&repo, "is not UTF-8");
    // Text that git turns into something else when it is checked out.
    let repo = staged();
    let wide: Vec<u8> = migration(UNNAMED).encode_utf16().flat_map(u16::to_le_bytes).collect();
    repo.write(FILE, &wide);
    let said = ends(&repo, &["fix", "--staged"], 1);
    assert!(said.contains("was left alone"), "{said}");
    assert_eq!(fs::read(repo.join(FILE)).unwrap(), wide);
}

#[test]
fn mode_and_owner_are_kept() {
    for mode in [0o755, 0o640, 0o600] {
        let repo = staged();
        fs::set_permissions(repo.join(FILE), fs::Permissions::from_mode(mode)).unwrap();
        repo.git(&["add", "-A"]);
        let entry = |repo: &Repo| {
            repo.git(&["ls-files", "-s", FILE])
                .split(' ')
                .next()
                .unwrap()
                .to_owned()
        };
        let staged_mode = entry(&repo);
        ends(&repo, &["fix", "--staged", "--restage"], 0);
        let metadata = fs::metadata(repo.join(FILE)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        assert_eq!(entry(&repo), staged_mode);
    }
    if !is_root() {
        eprintln!("skipped: only root can give a file to somebody else");
        return;
    }
    let repo = staged();
    std::os::unix::fs::chown(repo.join(FILE), Some(65534), Some(65534)).unwrap();
    ends(&repo, &["fix", FILE], 0);
    let metadata = fs::metadata(repo.join(FILE)).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534));
    assert_eq!(repo.read(FILE), migration(NAMED));
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    let repo = staged();
    if !git_on_nobody(&repo) {
        eprintln!("skipped: no other user can be become here");
        return;
    }
    repo.stage("second/m.py", migration(UNNAMED));
    fs::set_permissions(repo.join("second"), fs::Permissions::from_mode(0o555)).unwrap();
    for (arguments, index) in [
        (["fix", "--staged"].as_slice(), UNNAMED),
        (&["fix", "--staged", "--restage"], NAMED),
    ] {
        hand_over(&repo);
        let mut command = repo.command(PROGRAM);
        let output = as_nobody(command.args(arguments)).output().unwrap();
        take_back(&repo);
        assert_eq!(output.status.code(), Some(2), "{}", words(&output));
        assert!(words(&output).contains("cannot write"), "{}", words(&output));
        assert_eq!(repo.read(FILE), migration(NAMED));
        assert_eq!(repo.read("second/m.py"), migration(UNNAMED));
        assert_eq!(in_index(&repo, FILE), migration(index));
        assert_eq!(in_index(&repo, "second/m.py"), migration(UNNAMED));
        assert_eq!(leftovers(&repo), Vec::<String>::new());
    }
    fs::set_permissions(repo.join("second"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The search path with a git in front that runs a script once, after the first change of the index.
fn git_and_then(happens: &str) -> (tempfile::TempDir, std::ffi::OsString) {
    let found = Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    let real = String::from_utf8(found.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let git = folder.path().join("git");
    let script = format!(
        "#!/bin/sh\n'{}' \"$@\"; status=$?\ncase $* in *--index-info) [ -e .git/seen ] || {{ touch .git/seen; {happens}; }} ;; esac\nexit $status\n",
        real.trim(),
    );
    fs::write(&git, script).unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let others = std::env::var_os("PATH").unwrap();
    let places = std::iter::once(folder.path().to_owned()).chain(std::env::split_paths(&others));
    let path = std::env::join_paths(places).unwrap();
    (folder, path)
}

/// Two staged files, and something that happens between the writing of the index and that of the files.
///
/// A git that runs a script once, after it has changed the index.
#[track_caller]
fn restores(happens: &str, why: &str, second: impl Fn(&Repo)) {
    let repo = staged();
    repo.stage(OTHER, migration(UNNAMED));
    let before = repo.git(&["ls-files", "-s"]);
    let (_folder, path) = git_and_then(happens);
    let mut command = repo.command(PROGRAM);
    let output = command
        .args(["fix", "--staged", "--restage"])
        .env("PATH", path)
        .output()
        .unwrap();
    let said = words(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(repo.join(".git/seen").exists(), "nothing happened: {said}");
    assert!(said.contains(why), "{said}");
    assert!(!said.contains("fixed and staged"), "{said}");
    assert_eq!(repo.read(FILE), migration(UNNAMED), "the first file is as it was");
    assert_eq!(repo.git(&["ls-files", "-s"]), before, "and so is the index");
    second(&repo);
    assert_eq!(leftovers(&repo), Vec::<String>::new());
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn a_failure_half_way_restores_everything() {
    restores(
        &format!("echo '# mine' >> {OTHER}"),
        "was changed while it was being fixed",
        |repo| {
            assert_eq!(repo.read(OTHER), migration(UNNAMED) + "# mine\n");
        },
    );
    restores(&format!("rm {OTHER} && mkdir {OTHER}"), "another.py", |repo| {
        assert!(repo.join(OTHER).is_dir());
    });
    restores(
        &format!("mv {OTHER} real.py && ln -s ../../real.py {OTHER}"),
        "another.py",
        |repo| {
            assert!(repo.join(OTHER).is_symlink());
            assert_eq!(repo.read("real.py"), migration(UNNAMED));
        },
    );
    restores(&format!("rm {OTHER}"), "another.py", |repo| {
        assert!(!repo.join(OTHER).exists());
    });
}

#[test]
fn a_folder_that_may_not_be_written_any_more_restores_everything() {
    let repo = Repo::new();
    repo.stage("a/m.py", migration(UNNAMED))
        .stage("b/m.py", migration(UNNAMED));
    if !git_on_nobody(&repo) {
        eprintln!("skipped: no other user can be become here");
        return;
    }
    let before = repo.git(&["ls-files", "-s"]);
    let (folder, path) = git_and_then("chmod 555 b");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    hand_over(&repo);
    let mut command = repo.command(PROGRAM);
    let output = as_nobody(command.args(["fix", "--staged", "--restage"]).env("PATH", path))
        .output()
        .unwrap();
    fs::set_permissions(repo.join("b"), fs::Permissions::from_mode(0o755)).unwrap();
    take_back(&repo);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(words(&output).contains("cannot write"), "{}", words(&output));
    assert_eq!(
        (repo.read("a/m.py"), repo.read("b/m.py")),
        (migration(UNNAMED), migration(UNNAMED))
    );
    assert_eq!(repo.git(&["ls-files", "-s"]), before);
}

#[test]
fn an_index_that_is_locked_changes_nothing() {
    let repo = staged();
    repo.write(".git/index.lock", "");
    let said = ends(&repo, &["fix", "--staged", "--restage"], 2);
    assert!(said.contains("index.lock"), "{said}");
    assert_eq!(
        (repo.read(FILE), in_index(&repo, FILE)),
        (migration(UNNAMED), migration(UNNAMED))
    );
    fs::remove_file(repo.join(".git/index.lock")).unwrap();
    assert_eq!(leftovers(&repo), Vec::<String>::new());
}

#[test]
fn a_fix_by_a_program_that_nobody_reads() {
    let repo = staged();
    let mut command = repo.command(PROGRAM);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command
        .args(["fix", "--staged", "--restage"])
        .stdout(Stdio::from(writer.try_clone().unwrap()))
        .stderr(Stdio::from(writer))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(
        (repo.read(FILE), in_index(&repo, FILE)),
        (migration(NAMED), migration(NAMED))
    );
    assert!(repo.read(FILE).contains(SUGGESTED));
}

#[test]
fn what_a_name_does_not_mend_is_said_after_the_fix() {
    let repo = staged();
    repo.stage("alembic-named.toml", "dialect = \"sqlite\"\n");
    let left = format!("`{FILE}`: SQLite needs batch mode as well (`op.batch_alter_table('order')`)");
    for arguments in [["fix", "--staged"].as_slice(), &["fix", "--staged", "--restage"]] {
        let said = ends(&repo, arguments, i32::from(arguments.len() == 2));
        assert_eq!(said.matches(&left).count(), 1, "{said}");
        repo.stage(FILE, migration(UNNAMED));
    }
    repo.stage("alembic-named.toml", "dialect = \"postgresql\"\n");
    assert!(!ends(&repo, &["fix", "--staged"], 1).contains("SQLite"));
}
