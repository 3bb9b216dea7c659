"""Conventions that `fix --unsafe-fixes` writes into the models of a live database, and checks without a name under one that asks for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from databases import Database, SQLite
from project import Project, models
from rows import Fixer, equal, expect
from scenarios import DOCUMENTED, INVOICE, INVOICE_ID, QTY, SKU, table

# Every kind of constraint, as a project without a convention has them.
SHOP = (
    INVOICE
    + table(
        "order",
        INVOICE_ID,
        "sku = Column(String(20), unique=True)",
        "qty = Column(Integer, index=True)",
        '__table_args__ = (UniqueConstraint("qty", "sku"), CheckConstraint("qty > 0", name="qty_positive"))',
    )
    + table("order_line", "qty = Column(Integer, nullable=False)", 'a_check = CheckConstraint("qty > 1")')
)
# The same with a check that has no name.
UNNAMED_CHECK = SHOP + table("parcel", QTY, '__table_args__ = (CheckConstraint("qty > 0"),)')

REVISION = '''"""two"""
import sqlalchemy as sa
from alembic import op

revision = "two"
down_revision = "one"


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
'''
RAISES = "InvalidRequestError: Naming convention including"
BOOLEAN = "sa.Boolean(create_constraint=True)"
ENUM = 'sa.Enum("x", "y", native_enum=False, create_constraint=True)'
NATIVE = 'sa.Enum("x", "y", create_constraint=True)'
ORDER = 'op.add_column("order", sa.Column("b", {}))'
NEW = 'op.create_table("new", sa.Column("b", {}))'
# What the upgrade does, and the rule that must find it where it raises.
CHECKS: dict[str, tuple[str, str]] = {
    "operation": ('op.create_check_constraint(None, "order", "qty > 0")', "unnamed-constraint"),
    "in a column": (ORDER.format('sa.Integer(), sa.CheckConstraint("b > 0")'), "unnamed-column-constraint"),
    "in a table": ('op.create_table("new", sa.Column("b", sa.Integer()), sa.CheckConstraint("b > 0"))', "unnamed-table-constraint"),
    "column of a table": (NEW.format('sa.Integer(), sa.CheckConstraint("b > 0")'), "unnamed-table-constraint"),
    "boolean in a table": (NEW.format(BOOLEAN), "unnamed-table-constraint"),
    "boolean in a column": (ORDER.format(BOOLEAN), "unnamed-column-constraint"),
    "enum in a table": (NEW.format(ENUM), "unnamed-table-constraint"),
    "enum in a column": (ORDER.format(ENUM), "unnamed-column-constraint"),
    "native enum in a table": (NEW.format(NATIVE), "unnamed-table-constraint"),
    "native enum in a column": (ORDER.format(NATIVE), "unnamed-column-constraint"),
    "enum in a changed column": (f'op.alter_column("order", "sku", type_={ENUM}, existing_type=sa.String(20))', "unnamed-column-constraint"),
    "named enum": (ORDER.format(ENUM.replace("native", 'name="kind", native')), ""),
    "named boolean": (NEW.format(BOOLEAN.replace("create", 'name="kind", create')), ""),
}
# PostgreSQL has no type without a name, whatever the convention.
OTHER = "CompileError: PostgreSQL E"
DROPS = ('"kind", "order"', 'op.f("kind"), "order", type_="check"', '"ck_order_kind", "order", type_="check"', '"kind", "order", type_="check"')


def adopted(tables: str, preset: str, has_checks: bool, database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """A live database, then the convention: Alembic must have nothing to do, and the models must still be importable."""
    database = SQLite(folder / "app.db") if isinstance(database, SQLite) else database
    project = Project(folder, template, database.url, batch=False, schema=None)
    (folder / "alembic-named.toml").write_text(f'convention = "{preset}"\n')
    database.empty()
    project.write_models(models(tables, None))
    project.revision("one")
    equal("upgrade", project.upgrade(), None)
    equal("differences before", project.differences(), None)
    project.commit()
    fixer = Fixer(binary, project, folder / "app" / "models.py")
    text = fixer.fix("--unsafe-fixes")
    expect("naming_convention=NAMING_CONVENTION" in text, f"no convention was written: {text}")
    equal("a template for checks", '"ck"' in text, has_checks)
    equal("left", fixer.check()["diagnostics"], [])
    if preset == "postgresql" and database.kind == "postgresql":
        equal("differences after", project.differences(), None)
    # And a new database can be set up.
    database.empty()
    equal("upgrade of a new database", project.upgrade(), None)
    return "no convention", "adopted"


def under_it(what: str, database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """The error is told where the upgrade raises, and only there."""
    database = SQLite(folder / "app.db") if isinstance(database, SQLite) else database
    project = Project(folder, template, database.url, batch=False, schema=None)
    database.empty()
    project.write_models(models(table("order", SKU, QTY), DOCUMENTED))
    project.revision("one")
    equal("upgrade to the first revision", project.upgrade(), None)
    project.commit()
    upgrade, rule = CHECKS[what]
    revision = folder / "migrations" / "versions" / "two_checks.py"
    revision.write_text(REVISION.format(upgrade=upgrade, downgrade="pass"))
    found = {(one["rule"], one["severity"]) for one in Fixer(binary, project, revision).check()["diagnostics"]}
    error = project.upgrade()
    raises = error is not None and error.startswith(RAISES)
    # SQLite changes no column outside of batch mode.
    expect(raises or error is None or error.startswith(OTHER) or "syntax error" in error, f"fails otherwise: {error}")
    equal("found", found, {(rule, "error")} if raises else set())
    return (error or "passes").split(":")[0], "told" if raises else "silent"


def dropped(drop: str, database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """The check of a named type is dropped by the name that the convention gives it, and by no other."""
    project = Project(folder, template, database.url, batch=False, schema=None)
    database.empty()
    project.write_models(models(table("order", QTY), DOCUMENTED))
    project.revision("one")
    equal("upgrade to the first revision", project.upgrade(), None)
    project.commit()
    revision = folder / "migrations" / "versions" / "two_checks.py"
    revision.write_text(REVISION.format(upgrade=CHECKS["named enum"][0], downgrade=f"op.drop_constraint({drop})\n    op.drop_column('order', 'b')"))
    fixer = Fixer(binary, project, revision)
    found = [one["rule"] for one in fixer.check()["diagnostics"]]
    equal("upgrade", project.upgrade(), None)
    error = project.downgrade()
    equal("found", found, [] if error is None else ["mismatched-drop"])
    if error is not None:
        database.empty()
        equal("upgrade to the first revision", project.upgrade("one"), None)
        fixer.fix("--unsafe-fixes")
        equal("upgrade after the fix", project.upgrade(), None)
        equal("downgrade after the fix", project.downgrade(), None)
    return (error or "passes").split(":")[0], "ok"


def rows(databases: list[Database]):
    """Each row's name, its cells in the table, and what runs it."""
    adoptions: dict[str, Callable] = {
        "preset postgresql": functools.partial(adopted, SHOP, "postgresql", False),
        "plain check": functools.partial(adopted, SHOP, "sqlalchemy", False),
        "unnamed check": functools.partial(adopted, UNNAMED_CHECK, "sqlalchemy", False),
        "no check": functools.partial(adopted, INVOICE + table("order", SKU), "sqlalchemy", True),
    }
    for database in databases:
        for title, run in adoptions.items():
            yield f"adopt-{title.replace(' ', '-')}-{database.kind}", ["adopt", title, "plain", database.kind, "later"], functools.partial(run, database)
        for title in CHECKS:
            yield f"check-{title.replace(' ', '-')}-{database.kind}", ["check", title, "plain", database.kind, "full"], functools.partial(under_it, title, database)
        if database.kind == "postgresql":
            for at, drop in enumerate(DROPS, 1):
                yield f"check-drop-{at}-{database.kind}", ["check", f"drop {at}", "plain", database.kind, "full"], functools.partial(dropped, drop, database)
