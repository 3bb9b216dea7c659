"""Upgrade, downgrade and upgrade of one migration on real servers, in tables that are made for it.

What a migration needs is read off its own operations: columns that it indexes, refers to, changes or drops, and, for what its upgrade drops,
the operation of its downgrade that makes it again. What that does not tell is not run, which is counted.
"""

from __future__ import annotations

import io
import os
import re
from collections import Counter

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from alembic.operations.base import AbstractOperations
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

URLS = {
    "PostgreSQL": os.environ.get("ALEMBIC_NAMED_E2E_POSTGRESQL", "postgresql+psycopg2://postgres@127.0.0.1/postgres"),
    "MariaDB": os.environ.get("ALEMBIC_NAMED_E2E_MARIADB", "mysql+pymysql://root@127.0.0.1/?ssl_disabled=true"),
}
NAME = f"alembic_named_e2e_real_{os.getpid()}"


def recorded(module, half: str) -> list:
    """The operations of a half, in order."""
    found = []
    original = AbstractOperations.invoke

    def invoke(self, operation):
        found.append(operation)
        return original(self, operation)

    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": io.StringIO()})
    AbstractOperations.invoke = invoke
    try:
        with Operations.context(context):
            getattr(module, half)()
    except Exception:  # noqa: BLE001 - what was recorded up to here is of use
        pass
    finally:
        AbstractOperations.invoke = original
    return found


class Needed:
    """The tables that have to be there first."""

    def __init__(self) -> None:
        self.tables: dict[tuple, dict] = {}
        self.keys: dict[tuple, list[tuple]] = {}
        self.made: set[tuple] = set()
        self.types: dict[tuple, sa.types.TypeEngine] = {}
        self.before: list = []

    def table(self, schema, table) -> None:
        if (schema, table) not in self.made:
            self.tables.setdefault((schema, table), {})

    def column(self, schema, table, column, type_=None) -> None:
        if not isinstance(column, str) or (schema, table) in self.made or (schema, table, column) in self.made:
            return
        self.table(schema, table)
        known = self.tables[schema, table].get(column)
        self.tables[schema, table][column] = known if type_ is None else type_

    def referred(self, target: str, schema, type_=None) -> None:
        parts = target.split(".")
        schema = parts[-3] if len(parts) > 2 else schema
        self.column(schema, parts[-2], parts[-1], type_)
        self.key(schema, parts[-2], (parts[-1],))

    def key(self, schema, table, columns) -> None:
        keys = self.keys.setdefault((schema, table), [])
        if columns not in keys:
            keys.append(columns)

    def of_column(self, schema, table, column: sa.Column) -> None:
        self.types[schema, table, column.name] = column.type
        for key in column.foreign_keys:
            self.referred(key.target_fullname, None, column.type)

    def take(self, one, undone: list) -> None:
        schema = getattr(one, "schema", None)
        match one:
            case ops.CreateTableOp():
                self.made.add((schema, one.table_name))
                for part in one.columns:
                    if isinstance(part, sa.Column):
                        self.of_column(schema, one.table_name, part)
                types = {part.name: part.type for part in one.columns if isinstance(part, sa.Column)}
                for part in one.columns:
                    if isinstance(part, sa.ForeignKeyConstraint):
                        for column, key in zip(part.column_keys, part.elements):
                            self.referred(key.target_fullname, None, types.get(column))
            case ops.AddColumnOp():
                self.table(schema, one.table_name)
                self.made.add((schema, one.table_name, one.column.name))
                self.of_column(schema, one.table_name, one.column)
            case ops.CreateForeignKeyOp():
                source, referent = one.kw.get("source_schema"), one.kw.get("referent_schema")
                for local, remote in zip(one.local_cols, one.remote_cols):
                    type_ = self.types.get((source, one.source_table, local)) or self.tables.get((source, one.source_table), {}).get(local)
                    self.column(source, one.source_table, local, type_)
                    self.column(referent, one.referent_table, remote, type_)
                self.key(referent, one.referent_table, tuple(one.remote_cols))
            case ops.CreateUniqueConstraintOp() | ops.CreatePrimaryKeyOp() | ops.CreateIndexOp():
                for column in one.columns:
                    self.column(schema, one.table_name, column)
            case ops.AlterColumnOp():
                self.column(schema, one.table_name, one.column_name, one.existing_type or one.modify_type)
            case ops.DropColumnOp():
                again = [other.column.type for other in undone if isinstance(other, ops.AddColumnOp) and other.column.name == one.column_name]
                self.column(schema, one.table_name, one.column_name, again[0] if again else None)
            case ops.DropConstraintOp() | ops.DropIndexOp():
                self.dropped(one, undone)
            case ops.DropTableOp():
                self.before.extend(other for other in undone if isinstance(other, ops.CreateTableOp) and other.table_name == one.table_name)
                self.made.add((schema, one.table_name))

    def dropped(self, one, undone: list) -> None:
        name = getattr(one, "constraint_name", None) or getattr(one, "index_name", None)
        makes = (ops.CreateForeignKeyOp, ops.CreateUniqueConstraintOp, ops.CreatePrimaryKeyOp, ops.CreateIndexOp)
        for other in undone:
            own = getattr(other, "constraint_name", None) or getattr(other, "index_name", None)
            if isinstance(other, makes) and own == name:
                self.take(other, [])
                self.before.append(other)
                return

    def create(self, connection) -> None:
        metadata = sa.MetaData()
        for (schema, table), columns in self.tables.items():
            if schema:
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            keys = self.keys.get((schema, table), [])
            primary = keys[0] if keys else ()
            parts = [sa.Column(name, sized(type_), primary_key=name in primary, autoincrement=False) for name, type_ in columns.items()]
            parts += [sa.UniqueConstraint(*key) for key in keys[1:]]
            if not columns or not primary:
                parts.append(sa.Column("made_for_it", sa.Integer, primary_key=True))
            sa.Table(table, metadata, *parts, schema=schema)
        metadata.create_all(connection)
        operations = Operations(MigrationContext.configure(connection))
        for one in self.before:
            operations.invoke(one)


def sized(type_):
    if type_ is None:
        return sa.Integer()
    if isinstance(type_, sa.String) and type_.length is None and type(type_) in (sa.String, sa.VARCHAR):
        return sa.String(100)
    return type_


def short(error: BaseException) -> str:
    text = str(getattr(error, "orig", error)).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"


def on_server(load, url, is_mariadb: bool) -> tuple[str, str]:
    """How far it came, and the error that ended it."""
    module = load()
    up, down = recorded(module, "upgrade"), recorded(module, "downgrade")
    needed = Needed()
    for one in up:
        needed.take(one, down)
    server = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {NAME}"))
        connection.execute(sa.text(f"CREATE DATABASE {NAME}"))
    engine = sa.create_engine(make_url(url).set(database=NAME), poolclass=NullPool)
    step = "prepare"
    try:
        with engine.connect() as connection:
            needed.create(connection)
            connection.commit()
            for step in ("upgrade", "downgrade", "upgrade again"):
                context = MigrationContext.configure(connection)
                with Operations.context(context):
                    getattr(module, step.split()[0])()
                connection.commit()
            return "done", ""
    except Exception as error:  # noqa: BLE001 - whatever a migration does
        return step, short(error)
    finally:
        engine.dispose()
        with server.connect() as connection:
            force = "" if is_mariadb else " WITH (FORCE)"
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {NAME}{force}"))


# What a fix of names can be the reason of; a downgrade that leaves an enum's type behind is not.
ABOUT_CONSTRAINTS = re.compile(r"constraint|foreign key|index|Duplicate key|no name|relation \"[^\"]*\" already exists|DROP", re.IGNORECASE)


def up_down_up(load, path: str, is_whole: bool, numbers: Counter, reasons: Counter, problems: list[str]) -> None:
    """`is_whole`: every name in it is given."""
    for database, url in URLS.items():
        try:
            reached, error = on_server(load, url, database == "MariaDB")
        except sa.exc.OperationalError as refused:
            numbers[f"{database} cannot be reached"] += 1
            reasons[f"{database} cannot be reached: {short(refused)[:60]}"] += 1
            continue
        if reached == "done":
            numbers[f"up, down and up on {database}"] += 1
        elif reached in ("prepare", "upgrade"):
            numbers[f"not run on {database}"] += 1
            reasons[f"not run on {database}: {error[:60]}"] += 1
        else:
            numbers[f"stopped on {database}"] += 1
            reasons[f"stopped at {reached} on {database}: {error[:60]}"] += 1
            if is_whole and ABOUT_CONSTRAINTS.search(error):
                problems.append(f"{path}: {reached} on {database}: {error}")
