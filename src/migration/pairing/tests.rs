use crate::migration::{Migration, Pairing};
use crate::python::Module;
use crate::source::SourceFile;

fn pairs(upgrade: &str, downgrade: &str) -> Vec<(String, String)> {
    let text = format!("from alembic import op\ndef upgrade():\n{upgrade}\ndef downgrade():\n{downgrade}\n");
    let module = Module::parse(SourceFile::new("m.py".into(), text));
    assert!(module.errors().is_empty(), "{:?}", module.errors());
    let migration = Migration::read(&module);
    let line = |at: usize| {
        module
            .file()
            .slice(migration.operations[at].call.span)
            .replace(char::is_whitespace, "")
    };
    let pairing = Pairing::of(&migration);
    let creates = (0..migration.operations.len()).filter(|at| migration.operations[*at].creates());
    creates
        .filter_map(|at| Some((line(at), line(pairing.partner(at)?))))
        .collect()
}

#[test]
fn the_first_create_belongs_to_the_last_drop() {
    let found = pairs(
        " op.create_foreign_key(None,'t','a',['a'],['id'])\n op.create_foreign_key(None,'t','b',['b'],['id'])\n op.create_unique_constraint(None,'t',['c'])",
        " op.drop_constraint(None,'t',type_='unique')\n op.drop_constraint(None,'t',type_='foreignkey')  # b\n op.drop_constraint(None, 't',\n  type_='foreignkey')",
    );
    assert_eq!(found.len(), 3);
    assert!(found[0].0.contains("'a',['a']"), "{found:?}");
    assert_eq!(found[2].1, "op.drop_constraint(None,'t',type_='unique')");
}

#[test]
fn a_changed_key_pairs_only_the_operations_without_a_name() {
    let found = pairs(
        " op.drop_constraint('old','t',type_='foreignkey')\n op.create_foreign_key(None,'t','a',['a'],['id'],ondelete='CASCADE')",
        " op.drop_constraint(None,'t',type_='foreignkey')\n op.create_foreign_key('old','t','a',['a'],['id'])",
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn what_the_upgrade_drops_the_downgrade_makes_again() {
    let found = pairs(
        " with op.batch_alter_table('t') as b:\n  b.drop_constraint(None,type_='foreignkey')\n  b.create_foreign_key(None,'new',['n'],['id'])",
        " with op.batch_alter_table('t') as b:\n  b.drop_constraint(None,type_='foreignkey')\n  b.create_foreign_key(None,'old',['o'],['id'])",
    );
    assert_eq!(found.len(), 2);
}

#[test]
fn a_column_that_goes_takes_its_constraints_along() {
    let upgrade = " op.add_column('t',sa.Column('a'))\n op.create_foreign_key(None,'t','a',['a'],['id'])\n op.add_column('t',sa.Column('b'))\n op.create_foreign_key(None,'t','b',['b'],['id'])";
    let drop = |mark: &str| format!(" op.drop_constraint(None,'t','foreignkey',mark='{mark}')\n");
    let column = |name: &str| format!(" op.drop_column('t','{name}')\n");
    let order = |parts: &[String]| -> Vec<String> {
        let found = pairs(upgrade, &parts.concat());
        let target = |call: &str| call.split('[').nth(1).unwrap_or_default()[..3].replace('\'', "");
        let mark = |call: &str| call.split("mark='").nth(1).unwrap_or_default()[..1].to_owned();
        found
            .iter()
            .map(|(create, drop)| target(create) + &mark(drop))
            .collect()
    };
    // Each with its column, in the order of the upgrade.
    assert_eq!(order(&[drop("1"), column("a"), drop("2"), column("b")]), ["a1", "b2"]);
    // As autogenerate does it.
    assert_eq!(order(&[drop("1"), column("b"), drop("2"), column("a")]), ["a2", "b1"]);
    assert_eq!(order(&[drop("1"), drop("2"), column("a"), column("b")]), ["a2", "b1"]);
    // The column of another table says nothing, and what fails anyway is not guessed at.
    let other = " op.drop_column('u','a')\n".to_owned();
    assert_eq!(order(&[drop("1"), other, drop("2"), column("b")]), ["a2", "b1"]);
    assert!(order(&[column("a"), column("b"), drop("1"), drop("2")]).is_empty());
}

#[test]
fn nothing_is_paired_where_it_is_not_certain() {
    let key = |other: &str, column: &str| format!("op.create_foreign_key(None,'t','{other}',['{column}'],['id'])");
    let drop = "op.drop_constraint(None,'t',type_='foreignkey')";
    let (a, b) = (key("a", "a"), key("b", "b"));
    for (upgrade, downgrade) in [
        (format!(" {a}"), " pass".to_owned()),
        (format!(" if x:\n  {a}\n else:\n  {b}"), format!(" if x:\n  {drop}\n else:\n  {drop}")),
        (format!(" {a}\n {b}"), format!(" {drop}")),
        (format!(" {a}"), " op.drop_constraint(None,'other',type_='foreignkey')".to_owned()),
    ] {
        assert!(pairs(&upgrade, &downgrade).is_empty(), "{upgrade}\n{downgrade}");
    }
}

#[test]
fn one_side_may_have_the_name() {
    let key = " op.create_foreign_key(None,'t','a',['a'],['id'])";
    let unique = |name: &str| format!(" op.create_unique_constraint({name},'t',['u'])");
    let drop = |name: &str, rest: &str| format!(" op.drop_constraint({name},'t'{rest})");
    let typed = ",type_='unique'";
    for (upgrade, downgrade, count) in [
        (unique("'uq_x'"), drop("None", typed), 1),
        (unique("None"), drop("'uq_x'", typed), 1),
        (drop("'uq_x'", typed), unique("None"), 1),
        (unique("None"), drop("'uq_x'", ""), 1),
        (unique("None"), drop("None", ""), 1),
        // Two kinds, dropped without saying which, in Alembic's order.
        (format!("{key}\n{}", unique("None")), format!("{}\n{}", drop("None", ""), drop("None", "")), 2),
        // Two names are a matter for another rule.
        (unique("'uq_x'"), drop("'uq_y'", typed), 0),
        // The name is made by something else, or by more than this direction.
        (
            format!("{}\n op.execute('ALTER TABLE t ADD CONSTRAINT uq_x UNIQUE (b)')", unique("None")),
            drop("'uq_x'", typed),
            0,
        ),
        (unique("None"), format!("{}\n{}", unique("'uq_x'"), drop("'uq_x'", typed)), 0),
        (format!("{}\n{}", unique("None"), drop("'uq_x'", typed)), drop("'uq_x'", typed), 0),
        // A number may be another's.
        (key.to_owned(), drop("'t_ibfk_1'", ",type_='foreignkey'"), 0),
        (drop("'t_ibfk_1'", ",type_='foreignkey'"), key.to_owned(), 1),
    ] {
        assert_eq!(pairs(&upgrade, &downgrade).len(), count, "{upgrade}\n{downgrade}");
    }
    let found =
        pairs(&format!("{key}\n{}", unique("None")), &format!("{}\n{}", drop("None", ""), drop("None", ",None")));
    assert!(found[0].1.ends_with("None)") && found[0].0.contains("foreign"), "{found:?}");
}

#[test]
fn a_table_is_followed_through_its_names() {
    let key = " op.create_foreign_key(None,'old','a',['a'],['id'])\n";
    let drop = |table: &str| format!(" op.drop_constraint(None,'{table}',type_='foreignkey')\n");
    let to = |old: &str, new: &str| format!(" op.rename_table('{old}','{new}')\n");
    let (there, back) = (to("old", "new"), to("new", "old"));
    let twice = [to("old", "between"), to("between", "new")].concat();
    for (upgrade, downgrade, count) in [
        ([key, &there].concat(), [drop("new"), back.clone()].concat(), 1),
        ([key, &there].concat(), [back.clone(), drop("old")].concat(), 1),
        ([key, &there].concat(), [drop("old"), back.clone()].concat(), 0),
        ([key, &twice].concat(), [to("new", "between"), drop("between"), to("between", "old")].concat(), 1),
        ([&back, key].concat(), [there.clone(), drop("new")].concat(), 1),
    ] {
        assert_eq!(pairs(&upgrade, &downgrade).len(), count, "{upgrade}\n{downgrade}");
    }
}

#[test]
fn one_variable_is_one_schema() {
    let upgrade = " for schema in tenants():\n  op.create_unique_constraint(None,'t',['a'],schema=schema)";
    let drop =
        |name: &str| format!(" for {name} in tenants():\n  op.drop_constraint(None,'t',type_='unique',schema={name})");
    assert_eq!(pairs(upgrade, &drop("schema")).len(), 1);
    assert!(pairs(upgrade, &drop("other")).is_empty());
    let twice = " for x in names():\n  op.create_unique_constraint(None,'t',['a'])";
    assert!(pairs(twice, " for x in names():\n  op.drop_constraint(None,'t',type_='unique')").is_empty());
}
