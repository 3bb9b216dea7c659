"""`alembic-named adopt` in the project of farm.py: as a live database, as an empty one, and killed in the middle."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from adopt import farm
from alembic import command
from databases import Database, SQLite
from project import GIT, Project
from rows import equal, expect
from sqlalchemy.pool import NullPool

# Ends the process before the statement of this number that makes or changes a table.
KILLING = """
    import os
    from sqlalchemy import event
    left = int(os.environ.get("KILL_AT", 0))

    @event.listens_for(connectable, "before_cursor_execute")
    def count(connection, cursor, statement, *_):
        nonlocal left
        left -= statement.lstrip().startswith(("ALTER TABLE", "CREATE TABLE", "DROP TABLE"))
        if left == 0 and "KILL_AT" in os.environ:
            os._exit(9)

"""
WITH = "    with connectable.connect() as connection:\n"
HOOK = "#!/bin/sh\nexec '{binary}' check --staged\n"
ROWS = (
    "INSERT INTO barn (id, code) VALUES (1, 'north'), (2, 'south')",
    "INSERT INTO keeper (id, barn_id) VALUES (7, 1)",
    "UPDATE barn SET keeper_id = 7 WHERE id = 2",
    "INSERT INTO herd (number, year, barn_id) VALUES (1, 2001, 1), (1, 2002, 2)",
    "INSERT INTO goat (id, name, tag, weight, herd, year, mother, kind) VALUES (1, 'Ada', 'x', 40, 1, 2001, NULL, 'doe')",
    "INSERT INTO goat (id, name, tag, weight, herd, year, mother, kind) VALUES (2, 'Bo', 'y', 9, 1, 2002, 1, 'kid')",
    "INSERT INTO milk (id, goat_id, day, pail) VALUES (1, 1, 3, 4)",
)


class Farm:
    """The project, and a look at its database."""

    def __init__(self, database: Database, binary: Path, folder: Path, template: Path, has_unnamed: bool) -> None:
        self.database = SQLite(folder / "farm.db") if isinstance(database, SQLite) else database
        self.binary, self.folder = binary, folder
        self.schema = self.database.schema or None
        kind = self.database.kind
        self.project = Project(folder, template, self.database.url, batch=False, schema=self.schema)
        env = folder / "migrations" / "env.py"
        text = env.read_text().replace("import Base", "import metadata").replace("Base.metadata", "metadata")
        env.write_text(text.replace(WITH, KILLING + WITH))
        self.project.write_models(farm.models(kind, self.schema, has_unnamed))
        for at, revision in enumerate(farm.revisions(kind, self.schema, has_unnamed), 1):
            (folder / "migrations" / "versions" / f"r{at:02}.py").write_text(revision)

    def live(self) -> None:
        """At the head, with rows, and committed."""
        self.database.empty()
        self.passes("upgrade of the old revisions", self.project.upgrade())
        self.execute(*ROWS)
        self.passes("check before", self.project.differences())
        self.project.commit()

    def passes(self, title: str, error: str | None) -> None:
        equal(title, error, None)

    def execute(self, *statements: str) -> None:
        engine = sa.create_engine(self.database.url, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        engine.dispose()

    def rows(self) -> list:
        engine = sa.create_engine(self.database.url, poolclass=NullPool)
        with engine.connect() as connection:
            found = [[tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY 1, 2"))] for name in ("barn", "herd", "goat", "milk")]
        engine.dispose()
        return found

    def names(self) -> dict:
        """Every constraint and index, by its table."""
        engine = sa.create_engine(self.database.url, poolclass=NullPool)
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            tables = [(name, schema) for schema in {None, self.schema} for name in inspector.get_table_names(schema=schema)]
            found = {f"{schema}.{name}" if schema else name: look(inspector, name, schema) for name, schema in tables if name != "alembic_version"}
        engine.dispose()
        return found

    def adopt(self, *options: str, status: int = 0) -> subprocess.CompletedProcess:
        result = subprocess.run([self.binary, "adopt", *options], check=False, cwd=self.folder, env=GIT, capture_output=True, text=True)
        equal(f"status of adopt {options}: {result.stdout}{result.stderr}", result.returncode, status)
        return result

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], check=True, cwd=self.folder, env=GIT, capture_output=True, text=True).stdout

    def commit(self) -> None:
        """With the hook."""
        hook = self.folder / ".git" / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK.format(binary=self.binary))
        hook.chmod(0o755)
        self.git("add", "-A")
        self.git("commit", "-m", "adopt")

    def killed(self, at: int) -> None:
        """An upgrade that ends before the statement of this number."""
        environment = {**os.environ, "KILL_AT": str(at), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
        result = subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], check=False, cwd=self.folder, env=environment, capture_output=True)
        equal("status of an upgrade that is killed", result.returncode, 9)


def look(inspector: sa.engine.reflection.Inspector, name: str, schema: str | None) -> list:
    place = {"table_name": name, "schema": schema}
    found = [("pk", inspector.get_pk_constraint(**place)["name"])]
    found += [("uq", one["name"], *one["column_names"]) for one in inspector.get_unique_constraints(**place)]
    for one in inspector.get_foreign_keys(**place):
        found.append(("fk", one["name"], *one["constrained_columns"], one["referred_table"], *one["referred_columns"], *sorted((one["options"] or {}).items())))
    found += [("ck", one["name"], one["sqltext"]) for one in inspector.get_check_constraints(**place)]
    found += [("ix", one["name"], *one["column_names"]) for one in inspector.get_indexes(**place)]
    return sorted(found, key=str)


def whole(variant: str, database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """The live database, there and back, and an empty one."""
    has_unnamed = variant != "named checks"
    one = Farm(database, binary, folder, template, has_unnamed)
    project, preset = one.project, "postgresql" if variant == "preset postgresql" else "sqlalchemy"
    one.live()
    before, rows = one.names(), one.rows()

    shown = one.adopt("--dry-run", "--convention", preset)
    expect(shown.stdout.startswith("--- a/app/models.py\n") and "+++ b/migrations/versions/" in shown.stdout, shown.stdout)
    equal("what a dry run leaves", one.git("status", "--short"), "")
    told = one.adopt("--convention", preset).stdout
    equal("that checks are left out is told", "`ck` is left out" in told, variant == "unnamed checks")
    expect("nothing is left to do" in one.adopt().stdout, "a second run has something to do")
    one.commit()

    offline = project.attempt(functools.partial(command.upgrade, sql=True), "r16:head")
    expect(offline is not None and "without --sql" in offline, f"offline: {offline}")
    one.passes("upgrade", project.upgrade())
    one.passes("check after", project.differences())
    after = one.names()
    equal("rows", one.rows(), rows)
    one.passes("downgrade", project.downgrade())
    equal("names after the downgrade", one.names(), before)
    one.passes("upgrade again", project.upgrade())
    equal("names after the second upgrade", one.names(), after)
    equal("rows in the end", one.rows(), rows)

    one.database.empty()
    one.passes("upgrade of an empty database", project.upgrade())
    equal("names in a new database", one.names(), after)
    one.passes("check of a new database", project.differences())
    one.passes("downgrade to the base", project.attempt(command.downgrade, "base"))
    equal("what is left at the base", one.names(), {})

    one.database.empty()
    scope: dict = {}
    exec((folder / "app" / "models.py").read_text(), scope)
    engine = sa.create_engine(one.database.url, poolclass=NullPool)
    scope["metadata"].create_all(engine)
    engine.dispose()
    equal("names that SQLAlchemy computes", one.names(), after)
    return "default names", "adopted"


def interrupted(database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """Killed before each of some statements; what was done stays done on MariaDB alone."""
    one = Farm(database, binary, folder, template, has_unnamed=True)
    one.live()
    before = one.names()
    one.adopt()
    for at in (2, 9, 15):
        one.killed(at)
        left = one.names()
        equal("rolled back", left == before, one.database.kind != "mariadb")
        one.passes("upgrade after the kill", one.project.upgrade())
        one.passes("check after the kill", one.project.differences())
        one.passes("downgrade", one.project.downgrade())
        equal("names after the downgrade", one.names(), before)
    return "killed", "finished"


def one_name_for_two(database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """Refused with both, before anything is changed."""
    one = Farm(database, binary, folder, template, has_unnamed=True)
    models = folder / "app" / "models.py"
    unique = 'sa.UniqueConstraint("row", "z_goat")'
    for path in (models, *(folder / "migrations" / "versions").glob("r15.py")):
        text = path.read_text()
        expect(unique in text, f"{path} has no such constraint")
        path.write_text(text.replace(unique, f'{unique}, sa.UniqueConstraint("row", "a_barn")'))
    one.live()
    before = one.names()
    one.adopt()
    error = one.project.upgrade() or ""
    expect("would both be called uq_stall_row" in error, f"not refused: {error}")
    named = {"postgresql": ("stall_row_z_goat_key", "stall_row_a_barn_key"), "mariadb": ("row", "row_2"), "sqlite": ("row, z_goat", "row, a_barn")}
    for name in named[one.database.kind]:
        expect(f"the unique {name!r} of 'stall'" in error, f"{name} is not told: {error}")
    equal("names after the refusal", one.names(), before)
    return "clash", "refused"


# Names that want quotes; names of two tables that PostgreSQL has to tell apart by a number; two keys of one column, which share an index.
ODD = """
sa.Table("50% of: {x}", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a:b %s", sa.Integer, unique=True),
    sa.Column("q'x", sa.Integer, sa.ForeignKey("50% of: {x}.id")))
sa.Table("pen_old", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("row", sa.Integer, unique=True),
    sa.Column("gate", sa.Integer, sa.ForeignKey("pen_old.id")))
sa.Table("pen", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("old_row", sa.Integer, unique=True),
    sa.Column("old_gate", sa.Integer), sa.ForeignKeyConstraint(["old_gate"], ["pen_old.id"]), sa.ForeignKeyConstraint(["old_gate"], ["50% of: {x}.id"]))
"""
CONVENTION = """[convention]
ix = "ix_%(column_0_label)s"
uq = "%(table_name)s__%(column_0_N_name)s"
fk = "%(table_name)s__%(column_0_N_name)s__%(referred_table_name)s"
pk = "%(table_name)s__"
"""


OTHERS = "CREATE TABLE not_ours (id INTEGER, code INTEGER, PRIMARY KEY (id), UNIQUE (code))"


def odd_names(database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """What has to be quoted, numbered or shared, under a convention of the project's own; and a table that Alembic does not look at."""
    one = Farm(database, binary, folder, template, has_unnamed=True)
    for revision in (folder / "migrations" / "versions").glob("r*.py"):
        revision.unlink()
    one.project.write_models(f"import sqlalchemy as sa\n\nmetadata = sa.MetaData()\n{ODD}")
    (folder / "alembic-named.toml").write_text(CONVENTION)
    env = folder / "migrations" / "env.py"
    given = "connection=connection, target_metadata=target_metadata"
    env.write_text(env.read_text().replace(given, f'{given}, include_object=lambda _, name, *__: name != "not_ours"'))
    one.database.empty()
    one.execute(OTHERS)
    one.project.revision("one")
    one.passes("upgrade of the old revision", one.project.upgrade())
    before = one.names()
    one.adopt()
    one.passes("upgrade", one.project.upgrade())
    one.passes("check", one.project.differences())
    after = one.names()
    equal("names of a table that is not ours", after["not_ours"], before["not_ours"])
    for _ in range(2):
        one.passes("downgrade", one.project.downgrade())
        equal("names after the downgrade", one.names(), before)
        one.passes("upgrade again", one.project.upgrade())
        equal("names after the second upgrade", one.names(), after)
    one.database.empty()
    one.execute(OTHERS)
    one.passes("upgrade of an empty database", one.project.upgrade())
    equal("names in a new database", one.names(), after)
    return "odd names", "adopted"


AS_ANOTHER = """
        if "AS_DIALECT" in os.environ:
            context.get_context().dialect.name = os.environ["AS_DIALECT"]
"""
STATEMENTS = {
    "oracle": "ALTER TABLE barn RENAME CONSTRAINT \"SYS_C007\" TO pk_barn",
    "mssql": "EXEC sp_rename '\"UQ__barn__1A2B3C4D\"', 'uq_barn_code', 'OBJECT'",
}


def elsewhere(database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """Oracle and SQL Server, acted by PostgreSQL with names of theirs: nothing is renamed, and the error has the statements."""
    one = Farm(database, binary, folder, template, has_unnamed=True)
    env = folder / "migrations" / "env.py"
    inside = "        with context.begin_transaction():\n            context.run_migrations()\n\n\nif"
    text = env.read_text()
    expect(inside in text, f"env.py of this Alembic does not look as expected: {text}")
    env.write_text(text.replace(inside, AS_ANOTHER + inside))
    one.live()
    one.execute('ALTER TABLE barn RENAME CONSTRAINT barn_pkey TO "SYS_C007"', 'ALTER TABLE barn RENAME CONSTRAINT barn_code_key TO "UQ__barn__1A2B3C4D"')
    before = one.names()
    one.adopt()
    for dialect, statement in STATEMENTS.items():
        os.environ["AS_DIALECT"] = dialect
        try:
            error = one.project.upgrade() or ""
        finally:
            del os.environ["AS_DIALECT"]
        expect(f"not renamed on {dialect}" in error and f"op.execute({statement!r})" in error, f"not told: {error}")
        equal("names after the refusal", one.names(), before)
    return "elsewhere", "told"


BESIDE = (
    "CREATE TABLE tally (id INTEGER PRIMARY KEY AUTOINCREMENT, goat_id INTEGER REFERENCES goat (id) ON DELETE CASCADE, UNIQUE (goat_id))",
    "INSERT INTO tally (id, goat_id) VALUES (5, 1)",
    "CREATE INDEX heavy ON goat (weight) WHERE weight > 20",
    "CREATE INDEX lower_name ON goat (lower(name))",
    "CREATE TRIGGER seen AFTER INSERT ON goat BEGIN UPDATE barn SET code = 'seen' WHERE id = 1; END",
    "CREATE VIEW heavy_goats AS SELECT name FROM goat WHERE weight > 20",
)
LOST = {" COLLATE NOCASE": "COLLATE", ", size INTEGER GENERATED ALWAYS AS (length(text)) STORED": "its generated columns"}
ENFORCED = """
    @event.listens_for(connectable, "connect")
    def enforce(connection, _):
        connection.execute("PRAGMA foreign_keys = ON")

"""


def on_sqlite(database: Database, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """What a copy of a table could lose: triggers, indexes that SQLAlchemy cannot read, rows that refer to it. What it would lose is refused."""
    one = Farm(database, binary, folder, template, has_unnamed=True)
    env = folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace(WITH, ENFORCED + WITH))
    one.live()
    one.execute(*BESIDE)
    code = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger', 'view') AND sql > '' ORDER BY name"
    engine = sa.create_engine(one.database.url, poolclass=NullPool)

    def beside() -> list:
        with engine.connect() as connection:
            return [*connection.execute(sa.text(code)).all(), *connection.execute(sa.text("SELECT * FROM tally")).all()]

    before, names = beside(), one.names()
    one.adopt()
    one.passes("upgrade", one.project.upgrade())
    equal("triggers, indexes, views and rows", beside(), before)
    one.passes("downgrade", one.project.downgrade())
    equal("the same after the downgrade", beside(), before)
    equal("names after the downgrade", one.names(), names)
    for columns, what in LOST.items():
        one.execute(f"CREATE TABLE word (text VARCHAR(9){columns}, UNIQUE (text))")
        names = one.names()
        error = one.project.upgrade() or ""
        expect(f"'word' would lose {what}, so nothing was changed" in error, f"not refused: {error}")
        equal("names after the refusal", one.names(), names)
        one.execute("DROP TABLE word")
    engine.dispose()
    return "beside", "kept"


def rows(databases: list[Database]) -> Iterator[tuple[str, list[str], Callable]]:
    """Each row's name, its cells in the table, and what runs it."""
    for database in databases:
        runs: dict[str, Callable] = {variant: functools.partial(whole, variant) for variant in ("unnamed checks", "named checks", "preset postgresql")}
        runs |= {"odd names": odd_names, "interrupted": interrupted, "one name for two": one_name_for_two}
        if isinstance(database, SQLite):
            runs["beside the table"] = on_sqlite
        if database.kind == "postgresql":
            runs["elsewhere"] = elsewhere
        for title, run in runs.items():
            yield f"living-{title.replace(' ', '-')}-{database.kind}", ["living", title, "plain", database.kind, "later"], functools.partial(run, database)
