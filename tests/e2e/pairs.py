"""Revisions as people write them, in which one half has the name and the other lacks it: the fixed revision on the databases themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from databases import Database
from project import Project, models
from rows import Fixer, equal, shape
from scenarios import CONVENTIONS, INVOICE, INVOICE_ID, QTY, SKU, table
from sql import REVISION, indented

KEY = "op.create_foreign_key({name}, 'order', 'invoice', ['qty'], ['id'])"
UNIQUE = "op.create_unique_constraint({name}, 'order', ['sku'])"
DROP = "op.drop_constraint({name}, '{table}'{kind})"
OF_KEY, OF_UNIQUE = ", type_='foreignkey'", ", type_='unique'"


@dataclass(frozen=True)
class Halves:
    title: str
    upgrade: str
    downgrade: str
    # The names that the database must hold.
    names: frozenset[str]
    databases: tuple[str, ...] = ("postgresql", "mariadb")


def halves(title: str, upgrade: str, downgrade: str, *names: str, **rest) -> Halves:
    return Halves(title, upgrade, downgrade, frozenset(names), **rest)


BATCH = "with op.batch_alter_table('order') as batch_op:\n    batch_op."
PAIRS = (
    halves("the create has it", UNIQUE.format(name="'uq_x'"), DROP.format(name=None, table="order", kind=OF_UNIQUE), "uq_x"),
    halves("the drop has it", KEY.format(name=None), DROP.format(name="'fk_seek_other'", table="order", kind=OF_KEY), "fk_seek_other"),
    halves(
        "in a batch",
        f"{BATCH}create_unique_constraint('uq_x', ['sku'])",
        f"{BATCH}drop_constraint(None, type_='unique')",
        "uq_x",
        databases=("sqlite", "postgresql", "mariadb"),
    ),
    halves("without a type", UNIQUE.format(name=None), DROP.format(name="'uq_x'", table="order", kind=""), "uq_x", databases=("postgresql",)),
    halves(
        "the table is renamed",
        f"{KEY.format(name=None)}\nop.rename_table('order', 'renamed')",
        f"{DROP.format(name=None, table='renamed', kind=OF_KEY)}\nop.rename_table('renamed', 'order')",
        "fk_order_qty_invoice",
    ),
)


def run(pair: Halves, database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    project = Project(folder, template, database.url, batch=True, schema=None)
    database.empty()
    project.write_models(models(INVOICE + table("order", INVOICE_ID, SKU, QTY), CONVENTIONS["none"]))
    project.revision("one")
    equal("upgrade to the first revision", project.upgrade(), None)
    project.commit()
    revision = folder / "migrations" / "versions" / "two_pair.py"
    revision.write_text(REVISION.format(upgrade=indented(pair.upgrade), downgrade=indented(pair.downgrade)))
    fixer = Fixer(binary, project, revision)
    found = fixer.check()["diagnostics"]
    equal("suggested names", {one["suggested_name"] for one in found}, set(pair.names))
    equal("safety", {(one["fix"] or {}).get("safety") for one in found}, {"safe"})
    before = database.look(None)
    fixer.fix()
    equal("left after the fix", fixer.check()["diagnostics"], [])
    equal("upgrade", project.upgrade(), None)
    names = {name for one in database.look(None).values() for name in one["constraints"].values()}
    equal("names that are missing in the database", pair.names - names, frozenset())
    equal("downgrade", project.downgrade(), None)
    equal("after the downgrade", shape(database.look(None)), shape(before))
    equal("second upgrade", project.upgrade(), None)
    return f"{len(found)} without a name", "ok"
