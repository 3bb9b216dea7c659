//! Code that may not run, or changes a value in a way that is not followed, is never taken for certain.

use super::*;

const FULL: &str = "import os\nfrom sqlalchemy import MetaData\nC = {'fk': 'F', 'uq': 'U'}\n";

/// What is said of `MetaData(naming_convention=c)`, where `code` makes `c`.
fn of_convention(code: &str) -> String {
    let models = format!("{FULL}{code}\ntarget_metadata = MetaData(naming_convention=c)\n");
    of_models(&models)
}

fn of_models(models: &str) -> String {
    let env = "from alembic import context\nfrom app.models import target_metadata\n";
    verdict(&[("migrations/env.py", env), ("app/__init__.py", ""), ("app/models.py", models)])
}

#[test]
fn no_convention_is_missed_that_python_would_have() {
    for code in [
        "def fill(d):\n    d.update(C)\nc = {}\nfill(c)",
        "c = {}\nfor k, v in C.items():\n    c[k] = v",
        "c = {}\nfor k in ['fk', 'uq']:\n    c[k] = k + '_%(table_name)s'",
        "c = None\ndef init():\n    global c\n    c = C\ninit()",
        "c = C\nif os.environ.get('X'):\n    c.clear()",
        "for n in ['A', 'B']:\n    if os.environ.get(n):\n        c = C\n        break\nelse:\n    c = None",
        "try:\n    import nowhere\nexcept ImportError:\n    c = C\nelse:\n    c = None",
        "def twice(f):\n    return lambda: C\n@twice\ndef make():\n    return None\nc = make()",
        "c = None\n[(c := x) for x in [C]]",
        "from dataclasses import dataclass\n@dataclass\nclass S:\n    conv: dict = None\nc = S(conv=C).conv",
        "from dataclasses import dataclass\n@dataclass\nclass S:\n    conv: dict = None\nc = S(C).conv",
        "c = None if 1 == True and os.environ.get('X') else C",
        "D = {}\nif os.environ.get('X'):\n    D['ix'] = 'I'\nc = None if 'ix' in D else C",
        "D = {'a': None}\nc = D.get('a' if os.environ.get('X') else 'b', C)",
        "def pick(a, b=None):\n    return b\nc = pick(*os.environ, None)",
    ] {
        assert_ne!(of_convention(code), "default", "in\n{code}");
    }
    for code in [
        "class M(MetaData):\n    def __init__(self, *a, **k):\n        k['naming_convention'] = C\n        MetaData.__init__(self, *a, **k)\ntarget_metadata = M()",
        "class M(MetaData):\n    def __init__(self, *a, **k):\n        super().__init__(*a, **k)\n        self.naming_convention = C\ntarget_metadata = M()",
        "target_metadata = None\ndef init():\n    global target_metadata\n    target_metadata = MetaData(naming_convention=C)\ninit()",
        "target_metadata = MetaData(naming_convention=C)\nif os.environ.get('X'):\n    target_metadata.naming_convention = {}",
        "import company\nclass B(company.make()):\n    pass\ntarget_metadata = MetaData() if hasattr(B, 'q') else MetaData(naming_convention=C)",
        "from sqlalchemy.orm import DeclarativeBase\ndef d(c):\n    c.metadata = MetaData(naming_convention=C)\n    return c\n@d\nclass B(DeclarativeBase):\n    pass\ntarget_metadata = B.metadata",
        "from sqlalchemy.orm import DeclarativeBase\nclass Named:\n    def __init_subclass__(cls):\n        cls.metadata = MetaData(naming_convention=C)\nclass B(Named, DeclarativeBase):\n    pass\ntarget_metadata = B.metadata",
        "from sqlalchemy.orm import DeclarativeMeta\nclass M(DeclarativeMeta):\n    def __new__(m, n, b, d):\n        d['metadata'] = MetaData(naming_convention=C)\n        return DeclarativeMeta.__new__(m, n, b, d)\nclass B(metaclass=M):\n    pass\ntarget_metadata = B.metadata",
        "import enum\nclass K(str, enum.Enum):\n    FK = 'fk'\ntarget_metadata = MetaData(naming_convention={'uq': 'U', K.FK.value: 'F'})",
    ] {
        let found = of_models(&format!("{FULL}{code}\n"));
        assert!(found != "default" && found != "nothing", "{found} in\n{code}");
    }
}

#[test]
fn no_convention_is_claimed_that_python_would_not_have() {
    for code in [
        "c = {}\nif False:\n    c.update(C)",
        "c = {}\nif False:\n    c['fk'] = 'F'",
        "a, *b, c = C, None, C, None",
        "def make():\n    yield 1\n    return C\nc = make()",
        "c = dict(C)\ndel c['fk']",
        "c = dict(C)\nc.pop('fk')",
        "c = dict(C)\nif os.environ.get('X'):\n    c.update(**read())",
        "c = dict(C)\nif os.environ.get('X'):\n    c.update({**read()})",
        "c = dict(C)\nif os.environ.get('X'):\n    c.update([read()])",
    ] {
        assert_ne!(of_convention(code), "F", "in\n{code}");
    }
    for code in [
        "target_metadata = MetaData()\ndef setup():\n    target_metadata.naming_convention = C",
        "target_metadata = MetaData()\nif False:\n    target_metadata.naming_convention = C",
    ] {
        assert_ne!(of_models(&format!("{FULL}{code}\n")), "F", "in\n{code}");
    }
    for code in [
        "class M(Sized, MetaData):\n    pass\ntarget_metadata = M(naming_convention=C)",
        "Base = declarative_base(metadata=MetaData(naming_convention=C))\ntarget_metadata = automap_base(Base).metadata",
        "c = {}\ndef outer():\n    c = {}\n    def inner():\n        global c\n        c = C\n    inner()\nouter()\ndef get():\n    c = {}\n    def inner():\n        global c\n        return C\n    return inner()\ntarget_metadata = MetaData(naming_convention=get())",
    ] {
        let imports = "from collections.abc import Sized\nfrom sqlalchemy.orm import declarative_base\nfrom sqlalchemy.ext.automap import automap_base\n";
        assert_eq!(of_models(&format!("{FULL}{imports}{code}\n")), "F", "in\n{code}");
    }
    let nested = "c = {}\ndef get():\n    c = C\n    def inner():\n        global c\n        return c\n    return inner()\ntarget_metadata = MetaData(naming_convention=get())\n";
    assert_ne!(of_models(&format!("{FULL}{nested}")), "F");
    let called = "target_metadata = MetaData()\ndef setup():\n    target_metadata.naming_convention = C\nsetup()\n";
    assert_eq!(of_models(&format!("{FULL}{called}")), "F");
}

/// The columns that a unique constraint gets under the name `x`; `?` where they are not known.
fn columns(code: &str) -> String {
    let body: String = code
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect::<Vec<_>>()
        .concat();
    let text = format!(
        "import os\nfrom alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n{body}    op.create_unique_constraint(None, 't', x)\n"
    );
    let module = Module::parse(SourceFile::new("a.py".into(), text));
    assert!(module.errors().is_empty(), "{code}");
    let migration = Migration::read(&module);
    let operation = migration.operations.last().unwrap();
    operation
        .columns
        .as_ref()
        .map_or_else(|| "?".to_owned(), |columns| columns.join(","))
}

#[test]
fn columns_are_read_as_python_leaves_them_or_not_at_all() {
    for (code, expected) in [
        ("x = ['b', 'a']", "b,a"),
        ("x = ['b']\nx.append('a')", "b,a"),
        ("x = ['b']\nx += ['a']", "b,a"),
        ("x = ['b', 'a']\nx.sort()", "?"),
        ("x = ['b', 'a']\nx.reverse()", "?"),
        ("x = ['b', 'a']\nx.remove('b')", "?"),
        ("x = ['b', 'a']\ndel x[0]", "?"),
        ("x = set(['b', 'a'])", "?"),
        ("y = 'a'\nfor i in [1, 2]:\n    y += 'b'\nx = [y]", "?"),
        ("y = 'a'\nif os.environ.get('X'):\n    y += 'b'\nx = [y]", "?"),
        ("y = 'a'\ny *= 2\nx = [y]", "?"),
        ("a, *b, d = 'w', 'x', 'y', 'z'\nx = [d]", "?"),
        ("for y in ['a', 'b']:\n    if y == 'b':\n        break\nelse:\n    y = 'zz'\nx = [y]", "?"),
        ("y = 'a'\ntry:\n    y = 'b'\n    raise ValueError\nexcept ValueError:\n    y = 'c'\nx = [y]", "?"),
        ("def add(l):\n    l.append('q')\nx = ['b']\nadd(x)", "?"),
        ("y = ['b']\nif os.environ.get('X'):\n    y = ['b']\ny.append('a')\nx = y", "b,a"),
        ("def turn(l):\n    l.reverse()\nx = ['b', 'a']\nturn(x)", "?"),
        ("def put(l):\n    l[0]='q'\nx = ['b']\nput(x)", "?"),
        ("def show(l):\n    print(l)\nx = ['b']\nshow(x)", "b"),
        ("d = {'c': 'b'}\nv = d.pop('c')\nx = [v]", "b"),
        ("d = {'c': 'b'}\nv = d.pop('c')\nx = [d.get('c', 'z')]", "z"),
        ("l = ['b', 'c']\nv = l.pop()\nx = l", "?"),
        ("x = ['b']\ny = x\ny.append('a')", "?"),
        ("y = ['b']\nx = y\ny.append('a')", "?"),
        ("y = ['b']\nx = y\nx.append('a')", "b,a"),
        ("x = ['b']\ny = x\ny = []\ny.append('a')", "b"),
        ("z = 'b'\ny = z\ny += 'a'\nx = [z, y]", "b,ba"),
    ] {
        assert_eq!(columns(code), expected, "in\n{code}");
    }
}

#[test]
fn names_of_a_guarded_star_import_are_left_out() {
    let models = "from typing import TYPE_CHECKING\nfrom sqlalchemy import MetaData\nc = {'fk': 'F', 'uq': 'U'}\nif TYPE_CHECKING:\n    from app.other import *\ntarget_metadata = MetaData(naming_convention=c)\n";
    let found = verdict(&[
        ("migrations/env.py", "from alembic import context\nfrom app.models import target_metadata\n"),
        ("app/__init__.py", ""),
        ("app/other.py", "c = {}\n"),
        ("app/models.py", models),
    ]);
    assert_eq!(found, "F");
}

#[test]
fn a_name_that_each_round_binds_first_is_not_the_one_of_the_round_before() {
    let text = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    for table in ['t', 'u']:\n        name = None\n        op.create_unique_constraint(name, table, ['x'])\n        name = 'q'\n        op.create_unique_constraint(name, table, ['y'])\n";
    let module = Module::parse(SourceFile::new("a.py".into(), text.to_owned()));
    let migration = Migration::read(&module);
    let first = &migration.operations[0];
    assert!(matches!(first.name, crate::migration::Name::Unnamed), "{:?}", first.name);
}
