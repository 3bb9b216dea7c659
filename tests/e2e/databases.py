"""The three databases: made under own names, emptied between runs, looked at through SQLAlchemy's inspector, dropped."""

from __future__ import annotations

import hashlib
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

# What a name of more characters is cut to: SQLAlchemy's rule for names that op.f() or a convention gave.
LIMITS = {"sqlite": 9999, "postgresql": 63, "mariadb": 64}


def cut(name: str, database: str) -> str:
    limit = LIMITS[database]
    return name if len(name) <= limit else f"{name[: limit - 8]}_{hashlib.md5(name.encode()).hexdigest()[-4:]}"


class Database:
    kind = ""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.schema = f"{name}_other"
        self.server = sa.create_engine(make_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self.url = make_url(url).set(database=name).render_as_string(hide_password=False)

    def on_server(self, *statements: str) -> None:
        with self.server.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def look(self, schema: str | None) -> dict[str, dict]:
        """Tables with their columns, and their keys and unique constraints with names."""
        engine = sa.create_engine(self.url, poolclass=NullPool)
        seen = {}
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            for table in inspector.get_table_names(schema=schema):
                if table == "alembic_version":
                    continue
                constraints = {}
                for key in inspector.get_foreign_keys(table, schema=schema):
                    ondelete = (key["options"] or {}).get("ondelete", "")
                    constraints["foreignkey", tuple(key["constrained_columns"]), ondelete] = key["name"]
                for unique in inspector.get_unique_constraints(table, schema=schema):
                    constraints["unique", tuple(unique["column_names"]), ""] = unique["name"]
                seen[table] = {"columns": sorted(c["name"] for c in inspector.get_columns(table, schema=schema)), "constraints": constraints}
        engine.dispose()
        return seen


class PostgreSQL(Database):
    kind = "postgresql"

    def create(self) -> None:
        # Nothing here has to survive a crash of the server.
        self.on_server(f'CREATE DATABASE "{self.name}"', f'ALTER DATABASE "{self.name}" SET synchronous_commit = off')

    def drop(self) -> None:
        self.on_server(f'DROP DATABASE IF EXISTS "{self.name}"')

    def empty(self) -> None:
        engine = sa.create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for schema in ("public", self.schema):
                connection.execute(sa.text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
                connection.execute(sa.text(f'CREATE SCHEMA "{schema}"'))
        engine.dispose()


class MariaDB(Database):
    kind = "mariadb"

    def create(self) -> None:
        self.empty()

    def drop(self) -> None:
        # A table may have keys into the other database.
        self.on_server("SET foreign_key_checks = 0", *(f"DROP DATABASE IF EXISTS `{name}`" for name in (self.name, self.schema)))

    def empty(self) -> None:
        self.drop()
        self.on_server(*(f"CREATE DATABASE `{name}`" for name in (self.name, self.schema)))


class SQLite(Database):
    kind = "sqlite"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.url = f"sqlite:///{file}"
        self.schema = ""

    def create(self) -> None:
        pass

    def drop(self) -> None:
        self.file.unlink(missing_ok=True)

    empty = drop
