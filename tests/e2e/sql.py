"""Constraints that SQL adds: the fixed SQL on the databases themselves. The revisions are written by hand, as autogenerate writes no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from databases import Database
from project import MAJOR, Project, models
from rows import Fixer, equal, expect, shape
from scenarios import CONVENTIONS, FK, INVOICE, INVOICE_ID, QTY, SKU, SKU_UNIQUE, Constraint, table

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
KEY = 'ALTER TABLE {table} ADD FOREIGN KEY (invoice_id) REFERENCES invoice (id)'
UNIQUE = "ALTER TABLE {table} ADD UNIQUE (sku)"
# What each database calls them when they have no name, and how it drops them.
DEFAULT = {
    "postgresql": {"table": '"order"', "key": "order_invoice_id_fkey", "unique": "order_sku_key", "drop_key": "CONSTRAINT", "drop_unique": "CONSTRAINT"},
    "mariadb": {"table": "`order`", "key": "order_ibfk_1", "unique": "sku", "drop_key": "FOREIGN KEY", "drop_unique": "INDEX"},
}


@dataclass(frozen=True)
class Spelling:
    title: str
    upgrade: str
    downgrade: str
    constraints: tuple[Constraint, ...]


SPELLINGS = (
    Spelling(
        "one string",
        f"op.execute('{KEY}')",
        "op.execute('ALTER TABLE {table} DROP {drop_key} {key}')",
        (FK,),
    ),
    Spelling(
        "text on a connection",
        f'connection = op.get_bind()\nconnection.execute(sa.text("""\n    {UNIQUE}\n"""))',
        "op.drop_constraint('{unique}', 'order', type_='unique')",
        (SKU_UNIQUE,),
    ),
    Spelling(
        "several parts in pieces",
        "name = '{table}'\nop.execute(\n    f'alter table {{name}} add '\n    'unique (sku), '  # the key follows\n"
        "    'add foreign key (invoice_id) references invoice (id), add column note int'\n)",
        "op.execute('ALTER TABLE {table} DROP {drop_key} {key}, DROP {drop_unique} {unique}, DROP COLUMN note')",
        (FK, SKU_UNIQUE),
    ),
    Spelling(
        "percent and braces",
        "op.execute('ALTER TABLE %s ADD UNIQUE (sku)' % '{table}')\n"
        "op.execute('ALTER TABLE {{}} ADD FOREIGN KEY ({{column}}) REFERENCES invoice (id)'.format('{table}', column='invoice_id'))",
        "op.drop_constraint('{key}', 'order', type_='foreignkey')\nop.execute(sa.text('ALTER TABLE {table} DROP {drop_unique} {unique}'))",
        (FK, SKU_UNIQUE),
    ),
)


def indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.splitlines())


def names(seen: dict) -> dict:
    return {(kind, columns): name for (kind, columns, _), name in seen["order"]["constraints"].items()}


def run(spelling: Spelling, database: Database, convention: str, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    project = Project(folder, template, database.url, batch=False, schema=None)
    if database.kind == "mariadb" and MAJOR >= 2:
        # The older one keeps `mysql://`, under which the server may be either.
        ini = folder / "alembic.ini"
        ini.write_text(ini.read_text().replace("mysql+pymysql://", "mariadb+pymysql://"))
    database.empty()
    project.write_models(models(INVOICE + table("order", INVOICE_ID, SKU, QTY), CONVENTIONS[convention]))
    project.revision("one")
    equal("upgrade to the first revision", project.upgrade(), None)
    project.commit()
    words = DEFAULT[database.kind]
    revision = folder / "migrations" / "versions" / "two_sql.py"
    revision.write_text(
        REVISION.format(upgrade=indented(spelling.upgrade.format(**words)), downgrade=indented(spelling.downgrade.format(**words)))
    )
    fixer = Fixer(binary, project, revision)
    wanted = {(one.kind, one.columns): one.name(convention) for one in spelling.constraints}
    found = fixer.check()["diagnostics"]
    equal("suggested names", {one["suggested_name"] for one in found}, set(wanted.values()))
    equal("safety", {(one["fix"] or {}).get("safety") for one in found}, {"safe"})

    before = database.look(None)
    for step in (project.upgrade, project.downgrade):
        equal("before the fix", step(), None)
    equal("before the fix, after the downgrade", shape(database.look(None)), shape(before))
    text = fixer.fix()
    for default in (words["key"], words["unique"]):
        expect(f"DROP {default}" not in text and f" {default}'" not in text, f"{default} is still dropped: {text}")
    equal("left after the fix", fixer.check()["diagnostics"], [])
    equal("upgrade", project.upgrade(), None)
    upgraded = database.look(None)
    equal("names in the database", names(upgraded), wanted)
    equal("downgrade", project.downgrade(), None)
    equal("after the downgrade", shape(database.look(None)), shape(before))
    equal("second upgrade", project.upgrade(), None)
    equal("after the second upgrade", database.look(None), upgraded)
    return f"{len(found)} without a name", "ok"
