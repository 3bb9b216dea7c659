use super::super::Name;
use super::*;
use crate::source::SourceFile;

fn unnamed(text: &str) -> Vec<String> {
    let module = Module::parse(SourceFile::new("m.py".into(), text.to_owned()));
    let migration = Migration::read(&module);
    migration
        .operations
        .iter()
        .filter(|operation| operation.name == Name::Unnamed)
        .map(|operation| {
            let table = operation.table.known().cloned().unwrap_or_else(|| "?".to_owned());
            format!("{:?} {table}", operation.action)
        })
        .collect()
}

#[track_caller]
fn finds(text: &str, expected: &str) {
    assert_eq!(unnamed(text), [expected], "in\n{text}");
}

const KEY: &str = "Create(ForeignKey) order";

/// Puts a key without a name for `KEY`, and its arguments for `ARGS`.
fn with_key(text: &str) -> String {
    let text = text.replace("KEY", "create_foreign_keyARGS");
    text.replace("ARGS", "(None, 'order', 'invoice', ['i'], ['id'])")
}

#[test]
fn every_spelling_of_the_receiver_is_understood() {
    for text in [
        "from alembic import op\ndef upgrade():\n    op.KEY\n",
        "from alembic import op as o\no.KEY\n",
        "import alembic\nalembic.op.KEY\n",
        "import alembic.op\nalembic.op.KEY\n",
        "import alembic as a\na.op.KEY\n",
        "from alembic.op import create_foreign_key\nKEY\n",
        "from alembic.op import create_foreign_key as fk\nfkARGS\n",
        "from alembic.op import *\nKEY\n",
        "def upgrade(op):\n    op.KEY\n",
        "def upgrade(operations: 'Operations'):\n    operations.KEY\n",
        "from alembic.operations import Operations\no = Operations(context)\no.KEY\n",
        "from alembic.operations import Operations\nwith Operations.context(c) as o:\n    o.KEY\n",
        "from alembic import op\ndef upgrade():\n    o = op\n    o.KEY\n",
        "from alembic import op\ndef upgrade():\n    make = op.create_foreign_key\n    makeARGS\n",
        "def upgrade():\n    from alembic import op\n    def inner():\n        op.KEY\n    inner()\n",
        "def upgrade():\n    helper()\ndef helper():\n    op.KEY\nfrom alembic import op\n",
        "from alembic import op\nclass Step:\n    def run(self):\n        op.KEY\n",
        "class Step:\n    def run(self):\n        self.op.KEY\n",
        "from alembic import op\ntry:\n    pass\nexcept E:\n    op.KEY\n",
        "from alembic import op\nif x:\n    pass\nelif y:\n    [op.KEY for _ in z]\n",
        "from alembic import op\nmatch x:\n    case 1:\n        op.KEY\n",
        "from alembic import op\nop . create_foreign_key(\n    # the key\n    None,  # no name\n    'order', 'invoice', ['i'], ['id'],\n)\n",
    ] {
        finds(&with_key(text), KEY);
    }
}

#[test]
fn operations_are_found_whatever_a_function_calls_them() {
    for text in [
        "def add(o):\n    o.KEY\ndef upgrade():\n    add(op)\n",
        "def add(table, *, o):\n    o.KEY\ndef upgrade():\n    add('t', o=op)\n",
        "def add(o):\n    inner(o)\ndef inner(p):\n    p.KEY\ndef upgrade():\n    add(op)\n",
        "def upgrade():\n    def add(o):\n        o.KEY\n    add(op)\n",
        "class Keys:\n    def add(self, o):\n        o.KEY\ndef upgrade():\n    Keys().add(op)\n",
        "def add(make):\n    makeARGS\ndef upgrade():\n    add(op.create_foreign_key)\n",
        "def add(o=op):\n    o.KEY\ndef upgrade():\n    add()\n",
        "from alembic.operations import Operations as O\ndef add(o: O):\n    o.KEY\n",
        "def add(o: 'Operations | None'):\n    o.KEY\n",
        "def add(o: 'alembic.op'):\n    o.KEY\n",
        "def add(o: Optional['Operations']):\n    o.KEY\n",
        "def add(op: SomethingOfOurs):\n    op.KEY\ndef upgrade():\n    add(op)\n",
        "getattr(op, 'create_foreign_key')ARGS\n",
        "import functools\nfk = functools.partial(op.create_foreign_key, source_schema='a')\nfkARGS\n",
        "from functools import partial\npartial(op.create_foreign_key, None, 'order', 'invoice', ['i'], ['id'])\n",
        "from alembic.operations import ops\nop.invoke(ops.CreateForeignKeyOpARGS)\n",
        "from alembic.operations.ops import CreateForeignKeyOp as K\nkey = KARGS\nop.invoke(key)\n",
        "import alembic\nop.invoke(alembic.operations.ops.CreateForeignKeyOpARGS)\n",
        "op2, x = op, 1\nop2.KEY\n",
        "(o := op).KEY\n",
    ] {
        finds(&with_key(&format!("from alembic import op\n{text}")), KEY);
    }
}

#[test]
fn a_batch_operation_keeps_its_table_inside_a_helper() {
    let helper = "def add(batch):\n    batch.create_foreign_key(None, 'invoice', ['i'], ['id'])\n";
    for (calls, expected) in [
        ("with op.batch_alter_table('order') as b:\n    add(b)\n", KEY),
        ("with op.batch_alter_table('order') as b:\n    add(batch=b)\n", KEY),
        (
            "with op.batch_alter_table('order') as b:\n    add(b)\nwith op.batch_alter_table('line') as b:\n    add(b)\n",
            "Create(ForeignKey) ?",
        ),
    ] {
        finds(&format!("from alembic import op\n{helper}{calls}"), expected);
    }
    assert!(unnamed(helper).is_empty(), "nobody knows what it is called with");
}

#[test]
fn a_name_that_a_call_leaves_out_is_none() {
    for (helper, calls, is_found) in [
        ("def add(name=None):\n    MAKE", "add()", true),
        ("def add(name=None):\n    MAKE", "add('a')\nadd()", true),
        ("def add(name):\n    MAKE", "add(None)", true),
        ("def add(name=None):\n    other(name)\ndef other(name):\n    MAKE", "add()", true),
        ("def add(name=''):\n    MAKE", "add()", true),
        ("def add(name=None):\n    MAKE", "add('a')\nadd(name='b')", false),
        ("def add(name=None):\n    MAKE", "add(*names)", false),
        ("def add(name=None):\n    MAKE", "add(**names)", false),
        ("def add(name=None):\n    MAKE", "", false),
        ("def add(name=None):\n    name = name or 'x'\n    MAKE", "add()", false),
        ("def add(name=None):\n    if name is None:\n        return\n    MAKE", "add()", false),
        ("def add(name=None):\n    if name:\n        MAKE", "add()", false),
        ("def add(name=None):\n    assert name\n    MAKE", "add()", false),
        ("def add(name=None):\n    op.create_unique_constraint(name or 'x', 'order', ['a'])", "add()", false),
    ] {
        let make = "op.create_unique_constraint(name, 'order', ['a'])";
        let text = format!("from alembic import op\n{}\n{calls}\n", helper.replace("MAKE", make));
        assert_eq!(unnamed(&text).len(), usize::from(is_found), "in\n{text}");
    }
}

#[test]
fn a_name_in_another_place_is_read_there() {
    for (text, is_found) in [
        ("ROWS = [(None, 'a'), ('x', 'b')]\nfor name, table in ROWS:\n    MAKE", true),
        ("for name in ('x', None):\n    MAKE", true),
        ("for name, table in [('x', 'a')]:\n    MAKE", false),
        ("for name in [None]:\n    pass\nfor name in names:\n    MAKE", false),
        ("for name in [None]:\n    name = name or 'x'\n    MAKE", false),
        ("for name in [None]:\n    if name:\n        MAKE", false),
        ("ARGS = (None, 'a', ['b'])\nop.create_unique_constraint(*ARGS)", true),
        ("op.create_unique_constraint(**dict(constraint_name=None))", true),
        ("ARGS = {'constraint_name': None}\nop.create_unique_constraint(**ARGS)", true),
        ("op.create_unique_constraint(**{'constraint_name': 'x'})", false),
        ("op.create_unique_constraint('x', **{'schema': None})", false),
    ] {
        let text = text.replace("MAKE", "op.create_unique_constraint(name, table, ['a'])");
        let text = format!("from alembic import op\n{text}\n");
        assert_eq!(unnamed(&text).len(), usize::from(is_found), "in\n{text}");
    }
}

#[test]
fn op_is_not_alembics_where_it_is_something_else() {
    let with_call = |text: &str| {
        let text = text.replace("CALL", "op.create_unique_constraint(None, 'order', ['a'])");
        format!("from alembic import op\n{text}")
    };
    for text in [
        "[CALL for op in items]\n",
        "{1: CALL for x, op in items}\n",
        "for op in items:\n    CALL\n",
        "with x() as op:\n    CALL\n",
        "try:\n    pass\nexcept E as op:\n    CALL\n",
        "if (op := queue.get()):\n    CALL\n",
        "match x:\n    case [op, *_]:\n        CALL\n",
        "def f(op):\n    CALL\nf(3)\nf('x')\n",
        "def f(op: Opcode):\n    CALL\n",
        "op = 'x'\nCALL\n",
        "import operator\nop = operator\nCALL\n",
        "class A:\n    op = 3\n    CALL\n",
        "class A:\n    op = 3\n    def f(self):\n        self.CALL\n",
        "lambda op=1: 2\ndef op():\n    pass\nCALL\n",
    ] {
        assert!(unnamed(&with_call(text)).is_empty(), "in\n{text}");
    }
    for text in [
        "class A:\n    op = 3\n    def f(self):\n        CALL\n",
        "[1 for op in items]\nCALL\n",
        "try:\n    pass\nexcept E as op:\n    pass\nCALL\n",
        "class A:\n    op = op\n    def f(self):\n        self.CALL\n",
    ] {
        finds(&with_call(text), "Create(Unique) order");
    }
}

#[test]
fn batch_operations_take_their_table_from_the_block() {
    for text in [
        "from alembic import op\nwith op.batch_alter_table('order', schema=None) as b:\n    b.create_foreign_key(None, 'invoice', ['i'], ['id'])\n",
        "from alembic import op\nwith op.batch_alter_table(table_name='order') as b, x() as y:\n    b.create_foreign_key(constraint_name=None, referent_table='invoice')\n",
        "from alembic import op\nmanager = op.batch_alter_table('order')\nwith manager as b:\n    b.create_foreign_key(None, 'invoice')\n",
        "from alembic import op\nwith ExitStack() as s:\n    b = s.enter_context(op.batch_alter_table('order'))\n    b.create_foreign_key(None, 'invoice')\n",
        "from alembic.op import batch_alter_table\nwith batch_alter_table('order') as b:\n    b.create_foreign_key(None, 'invoice')\n",
    ] {
        finds(text, KEY);
    }
    finds("def helper(batch_op):\n    batch_op.create_foreign_key(None, 'invoice')\n", "Create(ForeignKey) ?");
}

#[test]
fn names_are_none_or_empty_by_position_and_by_keyword() {
    for call in [
        "op.create_unique_constraint(None, 'order', ['a'])",
        "op.create_unique_constraint('', 'order', ['a'])",
        "op.create_unique_constraint(columns=['a'], table_name='order', constraint_name=None)",
        "op.create_unique_constraint(op.f(None), 'order', ['a'])",
        "op.create_unique_constraint(NAME, TABLE, COLUMNS)",
    ] {
        finds(
            &format!("from alembic import op\nNAME = None\nTABLE = 'or' 'der'\nCOLUMNS = ('a',)\n{call}\n"),
            "Create(Unique) order",
        );
    }
}

#[test]
fn a_name_that_is_given_or_unknown_is_left_alone() {
    for call in [
        "op.create_unique_constraint('uq', 'order', ['a'])",
        "op.create_unique_constraint(op.f('uq'), 'order', ['a'])",
        "op.create_unique_constraint(name, 'order', ['a'])",
        "op.create_unique_constraint(*arguments)",
        "op.create_unique_constraint(**arguments)",
        "op.create_unique_constraint(None if x else 'a', 'order', ['a'])",
        "other.create_unique_constraint(None, 'order', ['a'])",
        "'op.create_unique_constraint(None, 1)'  # op.create_unique_constraint(None, 2)",
    ] {
        assert!(unnamed(&format!("from alembic import op\n{call}\n")).is_empty(), "{call}");
    }
    assert!(unnamed("import operator as op\nop.create_unique_constraint(None, 'order', ['a'])\n").is_empty());
    assert!(unnamed("for op in operations:\n    op.create_unique_constraint(None, 'order', ['a'])\n").is_empty());
}

#[test]
fn drops_know_their_kind() {
    for (call, expected) in [
        ("op.drop_constraint(None, 'order', type_='foreignkey')", "Drop(Some(ForeignKey)) order"),
        ("op.drop_constraint(None, 'order', 'unique')", "Drop(Some(Unique)) order"),
        ("op.drop_constraint(None, 'order')", "Drop(None) order"),
        ("op.drop_index(None, table_name='order')", "Drop(Some(Index)) order"),
    ] {
        finds(call, expected);
    }
}

#[test]
fn helpers_run_in_the_direction_that_calls_them() {
    let text = "from alembic import op\ndef upgrade():\n    a()\ndef downgrade():\n    b()\n    c()\ndef a():\n    c()\n    op.drop_index('x')\ndef b():\n    op.drop_index('y')\ndef c():\n    op.drop_index('z')\n";
    let module = Module::parse(SourceFile::new("m.py".into(), text.to_owned()));
    let directions: Vec<Direction> = Migration::read(&module)
        .operations
        .iter()
        .map(|operation| operation.when.direction)
        .collect();
    assert_eq!(directions, [Direction::Upgrade, Direction::Downgrade, Direction::Unknown]);
}

#[test]
fn a_broken_file_is_still_searched() {
    let found = unnamed(
        "from alembic import op\ndef upgrade():\n    op.create_foreign_key(None, 'order', 'i', ['i'], ['id'])\n    x = = 1\n    op.drop_constraint(None, 'order')\n",
    );
    assert_eq!(found.len(), 2);
}
