//! What a fix writes, and where it guesses nothing.

use super::{halves, in_index};
use crate::support::{FILE, Repo, both_texts, leftovers, words};

/// The text with `[[before=>after]]` in it is fixed by the arguments, in the working tree and by `git apply`; twice is once.
#[track_caller]
fn fixes_with(template: &str, arguments: &[&str]) {
    let (before, after) = both_texts(template);
    assert_ne!(before, after);
    let repo = Repo::new();
    repo.stage("README.md", "");
    repo.commit("first");
    repo.stage(FILE, &before);

    let diff = repo.run(&[&["--staged", "--diff"], arguments].concat());
    assert_eq!(diff.status.code(), Some(1), "{}", words(&diff));
    assert_eq!(repo.read(FILE), before, "--diff changed the file");
    let patch = String::from_utf8(diff.stdout).unwrap();
    assert_eq!(patch.contains('\u{1b}'), before.contains('\u{1b}'), "a pipe takes no colour\n{patch}");
    repo.git_with_input(&["apply", "--check"], patch.as_bytes());
    repo.git_with_input(&["apply"], patch.as_bytes());
    assert_eq!(repo.read(FILE), after, "by git apply\n{patch}");
    repo.write(FILE, &before);

    repo.ends(&[&["fix", "--staged"], arguments].concat(), 1);
    assert_eq!(repo.read(FILE), after, "by --fix");
    assert_eq!(in_index(&repo, FILE), before, "--fix staged something");
    repo.git(&["add", "-A"]);
    repo.ends(&[&["fix", "--staged"], arguments].concat(), 0);
    assert_eq!(repo.read(FILE), after, "by --fix once more");
    assert_eq!(leftovers(&repo), Vec::<String>::new());
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
    let said = repo.ends(&["fix", "--staged", "--unsafe-fixes"], 1);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(repo.read(FILE), after, "{said}");
    assert!(said.contains(reason), "expected `{reason}` in: {said}");
}

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
    for import in ["from alembic.op import create_foreign_key, drop_constraint", "from alembic.op import *"] {
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
    fixes_with(&text.replace("# the order's", "# \u{c}\u{1b}[31m \u{b}\u{7f}\u{7}\u{9b}"), &[]);
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
        &format!("    two()\n    one()\n\ndef one():\n{}\ndef two():\n{}", key("'a'"), key("'b'")),
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
        &format!("    both(True)\n\ndef both(up):\n    if up:\n    {}    else:\n    {drop}", key("'a'")),
        "    both(False)",
        doubt,
    );
    // A table that is computed may be this one.
    leaves(&key("'a'"), "    op.drop_constraint(None, table(), type_='foreignkey')\n", doubt);
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
