//! Migrations whose names, tables and columns come from elsewhere: constants, functions, loops, and other modules of the project.

use super::*;
use crate::migration::{Known, Name};

/// Each operation of a revision in a line: what it makes or drops, under which name, on which table and columns.
fn operations(body: &str, helpers: &str) -> Vec<String> {
    let text = format!("from alembic import op\nimport sqlalchemy as sa\nrevision = 'a'\ndown_revision = None\n{body}");
    let files = [
        ("migrations/env.py", "from alembic import context\ntarget_metadata = None\n"),
        ("app/__init__.py", ""),
        ("app/helpers.py", helpers),
        ("migrations/versions/a.py", text.as_str()),
    ];
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/repo");
    let module = Module::parse(SourceFile::new("migrations/versions/a.py".into(), text.clone()));
    assert!(module.errors().is_empty(), "{:?} in\n{text}", module.errors());
    let migration = project.migration(&module);
    let known = |text: &Known<String>| text.known().cloned().unwrap_or_else(|| "?".to_owned());
    let line = |operation: &crate::migration::Operation<'_>| {
        let name = match &operation.name {
            Name::Unnamed => "None".to_owned(),
            Name::Plain(name) => name.clone(),
            Name::Finished(name) => format!("f({name})"),
            Name::Computed => "?".to_owned(),
        };
        let columns = operation
            .columns
            .as_ref()
            .map_or_else(|| "?".to_owned(), |columns| columns.join(","));
        format!("{name} {} {columns}", known(&operation.table))
    };
    migration.operations.iter().map(line).collect()
}

#[track_caller]
fn reads(body: &str, helpers: &str, expected: &[&str]) {
    assert_eq!(operations(body, helpers), expected, "in\n{body}\nwith\n{helpers}");
}

#[test]
fn names_are_put_together_as_python_does() {
    let make = "op.create_unique_constraint(name, table, columns)\n";
    for (setup, expected) in [
        ("name, table, columns = 'n', 't', ['a', 'b']\n", "n t a,b"),
        ("table = 't'\nname = f'uq_{table}'\ncolumns = ('a',)\n", "uq_t t a"),
        ("table = 't'\nname = 'uq_%s' % table\ncolumns = ['a']\n", "uq_t t a"),
        ("table = 't'\nname = 'uq_{}_{c}'.format(table, c='x')\ncolumns = ['a']\n", "uq_t_x t a"),
        ("table = 't'\ncolumns = ['a', 'b']\nname = '_'.join(['uq', table, *columns])\n", "uq_t_a_b t a,b"),
        ("table = 't'\ncolumns = ['a'] + ['b']\nname = op.f('uq_' + table)\n", "f(uq_t) t a,b"),
        ("table = 'T'.lower()\ncolumns = list(('a',))\nname = 'uq'.upper()\n", "UQ t a"),
        ("names = {'t': 'n'}\ntable = 't'\nname = names[table]\ncolumns = ['a']\n", "n t a"),
        (
            "def name_of(table, *, suffix='x'):\n    return f'uq_{table}_{suffix}'\ntable = 't'\nname = name_of(table)\ncolumns = ['a']\n",
            "uq_t_x t a",
        ),
        ("class Names:\n    UQ = 'n'\ntable, name, columns = 't', Names.UQ, ['a']\n", "n t a"),
        ("name = None\ntable, columns = 't', ['a']\n", "None t a"),
        ("name = None\nname = name or 'n'\ntable, columns = 't', ['a']\n", "n t a"),
        ("import os\nname = os.environ.get('N') or 'n'\ntable, columns = 't', ['a']\n", "? t a"),
        ("table, columns = 't', ['a']\nname = 'n' if table == 't' else None\n", "n t a"),
        ("name = 'n'\nif x:\n    name = 'm'\ntable, columns = 't', ['a']\n", "? t a"),
    ] {
        reads(&format!("{setup}{make}"), "", &[expected]);
        let indented = format!("{setup}{make}").replace('\n', "\n    ");
        let inside = format!("def upgrade():\n    {}\n", indented.trim_end());
        reads(&inside, "", &[expected]);
    }
}

#[test]
fn names_of_another_module_are_read_there() {
    let helpers = "TABLE = 't'\nNAMES = {'t': 'n'}\nNOTHING = None\ndef uq(table, *columns):\n    return 'uq_' + '_'.join([table, *columns])\n";
    for (body, expected) in [
        ("from app.helpers import TABLE\nop.create_unique_constraint(None, TABLE, ['a'])\n", "None t a"),
        (
            "from app import helpers\nop.create_unique_constraint(helpers.NAMES['t'], helpers.TABLE, ['a'])\n",
            "n t a",
        ),
        (
            "from app.helpers import uq as name\nop.create_unique_constraint(name('t', 'a'), 't', ['a'])\n",
            "uq_t_a t a",
        ),
        (
            "import app.helpers\nop.create_unique_constraint(op.f(app.helpers.uq('t', 'a')), 't', ['a'])\n",
            "f(uq_t_a) t a",
        ),
        ("from app.helpers import NOTHING\nop.create_unique_constraint(NOTHING, 't', ['a'])\n", "None t a"),
        ("from company.helpers import NAME\nop.create_unique_constraint(NAME, 't', ['a'])\n", "? t a"),
    ] {
        reads(body, helpers, &[expected]);
    }
}

#[test]
fn a_helper_of_another_module_uses_the_arguments_of_its_call() {
    let helpers = "from alembic import op\ndef add_key(table, other, column, name=None):\n    op.create_foreign_key(name, table, other, [column], ['id'])\ndef add_named(table, column, name=None):\n    if name is None:\n        name = f'uq_{table}_{column}'\n    op.create_unique_constraint(name, table, [column])\ndef drop_key(op, table, name):\n    op.drop_constraint(name, table, type_='foreignkey')\n";
    for (body, expected) in [
        (
            "from app.helpers import add_key\ndef upgrade():\n    add_key('order', 'invoice', 'invoice_id')\n",
            "None order invoice_id",
        ),
        (
            "from app import helpers\ndef upgrade():\n    helpers.add_key('order', 'invoice', column='i', name='fk')\n",
            "fk order i",
        ),
        (
            "from app.helpers import add_named\ndef upgrade():\n    add_named('order', 'code')\n",
            "uq_order_code order code",
        ),
        (
            "from app.helpers import drop_key\ndef downgrade():\n    drop_key(op, 'order', None)\n",
            "None order ",
        ),
    ] {
        reads(body, helpers, &[expected]);
    }
    reads("from company.helpers import add_key\nadd_key('order', 'invoice', 'i')\n", helpers, &[]);
    reads("from app.helpers import nothing\nnothing('order')\n", helpers, &[]);
    for guard in [
        "if name is not None:\n        ",
        "if not name:\n        return\n    ",
        "if name is None:\n        raise ValueError\n    ",
    ] {
        let guarded = format!(
            "from alembic import op\ndef add_key(table, column, name=None):\n    {guard}op.create_foreign_key(name, table, 'o', [column], ['id'])\n"
        );
        let body = |call: &str| format!("from app.helpers import add_key\ndef upgrade():\n    {call}\n");
        reads(&body("add_key('order', 'i')"), &guarded, &[]);
        reads(&body("add_key('order', 'i', 'fk')"), &guarded, &["fk order i"]);
    }
}

#[test]
fn a_revision_that_takes_nothing_from_elsewhere_reads_only_itself() {
    let text = "from alembic import op\nfrom app.types import Money\nimport sqlalchemy as sa\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.add_column('order', sa.Column('a', Money()))\n    op.create_unique_constraint('uq', 'order', ['a'])\n";
    let files = [
        ("migrations/env.py", "from alembic import context\n"),
        ("app/__init__.py", ""),
        ("app/types.py", "class Money:\n    pass\n"),
        ("migrations/versions/a.py", text),
    ];
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/repo");
    let module = Module::parse(SourceFile::new("migrations/versions/a.py".into(), text.to_owned()));
    assert_eq!(project.migration(&module).operations.len(), 1);
    assert!(snapshot.reads().is_empty(), "{:?}", snapshot.reads());
    assert_eq!(project.modules().parses(), 0);
}
