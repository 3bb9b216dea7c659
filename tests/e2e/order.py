"""Indexes that a foreign key needs: MariaDB refuses to drop them first (error 1553), and the fix is an order in which it does not."""

from __future__ import annotations

import re
from pathlib import Path

from databases import MariaDB
from project import Project, models
from rows import Fixer, equal, expect, shape
from scenarios import CONVENTIONS, INVOICE, ORDER, table
from sql import REVISION, indented

REFUSED = r"OperationalError: .*\(1553, "
LINE = 'invoice_id = Column(Integer, ForeignKey("invoice.id"), index=True)'

# Upgrade and downgrade; without them, what autogenerate writes for a new table.
REVISIONS = {
    "new table": None,
    "key and index": (
        "op.add_column('order', sa.Column('invoice_id', sa.Integer()))\n"
        "op.create_index('ix', 'order', ['invoice_id'])\n"
        "op.create_foreign_key('fk', 'order', 'invoice', ['invoice_id'], ['id'])",
        "op.drop_index('ix', 'order')\n# The key.\nop.drop_constraint('fk', 'order', type_='foreignkey')\nop.drop_column('order', 'invoice_id')",
    ),
    "key in the column": (
        "op.add_column('order', sa.Column('invoice_id', sa.Integer(), sa.ForeignKey('invoice.id', name='fk')))\n"
        "op.create_unique_constraint('uq', 'order', ['invoice_id', 'id'])",
        "op.drop_constraint('uq', 'order', type_='unique')\nop.drop_column('order', 'invoice_id')",
    ),
    "key of a column": (
        "op.add_column('order', sa.Column('invoice_id', sa.Integer()))\n"
        "op.create_foreign_key('fk', 'order', 'invoice', ['invoice_id'], ['id'])",
        "op.drop_column('order', 'invoice_id')",
    ),
    "what the key refers to": (
        "op.add_column('invoice', sa.Column('number', sa.Integer()))\nop.add_column('order', sa.Column('number', sa.Integer()))\n"
        "op.create_unique_constraint('uq', 'invoice', ['number'])\n"
        "with op.batch_alter_table('order') as batch_op:\n    batch_op.create_foreign_key('fk', 'invoice', ['number'], ['number'])",
        "op.drop_constraint('uq', 'invoice', type_='unique')\nop.drop_column('invoice', 'number')\n\n"
        "with op.batch_alter_table('order') as batch_op:\n    batch_op.drop_constraint('fk', type_='foreignkey')\n\n"
        "op.drop_column('order', 'number')",
    ),
}


def run(title: str, database: MariaDB, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    project = Project(folder, template, database.url, batch=False, schema=None)
    database.empty()
    project.write_models(models(INVOICE + ORDER, CONVENTIONS["none"]))
    project.revision("one")
    equal("upgrade to the first revision", project.upgrade(), None)
    project.commit()
    if REVISIONS[title] is None:
        project.write_models(models(INVOICE + ORDER + table("line", LINE), CONVENTIONS["none"]))
        revision = project.revision("two")
    else:
        upgrade, downgrade = REVISIONS[title]
        revision = folder / "migrations" / "versions" / "two_order.py"
        revision.write_text(REVISION.format(upgrade=indented(upgrade), downgrade=indented(downgrade)))
    before = database.look(None)
    equal("upgrade before the fix", project.upgrade(), None)
    error = project.downgrade()
    expect(error is not None and re.match(REFUSED, error) is not None, f"before the fix the downgrade fails with {error!r}")

    database.empty()
    equal("upgrade to the first revision", project.upgrade("one"), None)
    fixer = Fixer(binary, project, revision)
    equal("rules", {one["rule"] for one in fixer.check()["diagnostics"]}, {"mismatched-drop"})
    fixer.fix("--unsafe-fixes")
    equal("left after the fix", fixer.check()["diagnostics"], [])
    for step in (project.upgrade, project.downgrade, project.upgrade, project.downgrade):
        equal("after the fix", step(), None)
    equal("after the downgrade", shape(database.look(None)), shape(before))
    return "downgrade OperationalError", "ok"
