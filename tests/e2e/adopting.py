"""The third way of docs/faq.md, a convention for a live database: its migration on the live database and on an empty one."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import sqlalchemy as sa
from databases import Database
from project import Project, models
from rows import equal, expect
from scenarios import DOCUMENTED, table
from sqlalchemy.pool import NullPool

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faq.md"
MEMBER = table("member", "email = Column(String(20), unique=True)")
WITHOUT_A_LOOK = """
from alembic import op
revision = "8c1d"
down_revision = "3f2a"
def upgrade():
    op.execute('ALTER TABLE member RENAME CONSTRAINT member_email_key TO uq_member_email')
def downgrade():
    pass
"""


def on_the_page() -> str:
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "def rename(" in block)
    return textwrap.dedent(code)


def names(database: Database) -> set[str]:
    engine = sa.create_engine(database.url, poolclass=NullPool)
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        found = {inspector.get_pk_constraint("member")["name"], *(one["name"] for one in inspector.get_unique_constraints("member"))}
    engine.dispose()
    return found


def run(database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    project = Project(folder, template, database.url, batch=False, schema=None)
    database.empty()
    project.write_models(models(MEMBER, None))
    project.revision("3f2a")
    equal("upgrade without a convention", project.upgrade(), None)
    equal("names that the database gave", names(database), {"member_pkey", "member_email_key"})

    project.write_models(models(MEMBER, {kind: template for kind, template in DOCUMENTED.items() if kind != "ck"}))
    revision = folder / "migrations" / "versions" / "8c1d_rename.py"
    revision.write_text(on_the_page())
    for title in ("live", "empty"):
        if title == "empty":
            database.empty()
        equal(f"upgrade of the {title} database", project.upgrade(), None)
        equal(f"names in the {title} database", names(database), {"pk_member", "uq_member_email"})
        equal(f"left to generate on the {title} database", project.differences(), None)

    revision.write_text(WITHOUT_A_LOOK)
    database.empty()
    expect("does not exist" in (project.upgrade() or ""), "without a look at the database it must fail on an empty one")
    return "by default names", "ok"
