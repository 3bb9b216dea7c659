"""The names that SQLAlchemy itself gives, by the conventions that stand in a project as literals and by the documented one, and PostgreSQL's."""

from __future__ import annotations

import ast
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.sql.naming import _constraint_name_for_table

DOCUMENTED = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# What several constraints of one table get that begin with the same column.
ALL_COLUMNS = {key: template.replace("column_0_name", "column_0_N_name") for key, template in DOCUMENTED.items()}
# How PostgreSQL ends the names that it chooses, and what MariaDB calls a unique constraint; a committed migration keeps those.
POSTGRESQL = {"fk": "fkey", "uq": "key"}
MARIADB = {"uq": "%(column_0_name)s"}


def conventions_in(folder: Path) -> list[dict]:
    """Every dict of templates in the project."""
    found = [DOCUMENTED, ALL_COLUMNS, MARIADB]
    for path in folder.rglob("*.py"):
        text = path.read_bytes()
        if b"%(table_name)s" not in text and b"%(column_0" not in text:
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values)
                templates = {
                    key.value: value.value
                    for key, value in pairs
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and isinstance(value.value, str)
                }
                if {"fk", "uq", "pk", "ix"} & set(templates):
                    found.append(templates)
    return found


def literal(node: ast.expr | None):
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None


def argument(call: ast.Call, at: int, name: str) -> ast.expr | None:
    positional = call.args[at] if len(call.args) > at else None
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), positional)


def table_of_batch(call: ast.Call, text: bytes) -> str | None:
    """The table of the `with` block around a call."""
    found = None
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.With) and node.lineno <= call.lineno <= node.end_lineno:
            for item in node.items:
                block = item.context_expr
                if isinstance(block, ast.Call) and getattr(block.func, "attr", "") == "batch_alter_table":
                    found = literal(argument(block, 0, "table_name"))
    return found


def by_postgresql(table: str, columns: list[str], label: str) -> str:
    """PostgreSQL's `makeObjectName`: the longer of the two parts is cut until the name fits."""
    second = "_".join(columns)
    while len(table) + len(second) + len(label) + 2 > 63:
        if len(table) > len(second):
            table = table[:-1]
        else:
            second = second[:-1]
    return f"{table}_{second}_{label}"


def names_by_sqlalchemy(call: ast.Call, conventions: list[dict], text: bytes) -> set[str]:
    in_batch = getattr(call.func.value, "id", "") != "op"
    shift = 0 if in_batch else 1
    method = call.func.attr
    found = set()
    if method == "create_foreign_key":
        table = table_of_batch(call, text) if in_batch else literal(argument(call, 1, "source_table"))
        referent = literal(argument(call, 1 + shift, "referent_table"))
        local, remote = literal(argument(call, 2 + shift, "local_cols")), literal(argument(call, 3 + shift, "remote_cols"))
        if not (table and referent and local and remote):
            return found
    elif method in ("create_unique_constraint", "create_primary_key"):
        table = table_of_batch(call, text) if in_batch else literal(argument(call, 1, "table_name"))
        local = literal(argument(call, 1 + shift, "columns"))
        if not (table and local):
            return found
    else:
        return found
    if method == "create_primary_key":
        found.add(f"{table}_pkey")
    else:
        found.add(by_postgresql(table, local, POSTGRESQL["fk" if method == "create_foreign_key" else "uq"]))
    for convention in conventions:
        metadata = sa.MetaData(naming_convention={"ix": "ix_%(column_0_label)s", **convention})
        own = sa.Table(table, metadata, *(sa.Column(name, sa.Integer) for name in local))
        if method == "create_foreign_key":
            name, _, schema = referent.rpartition(".")[::-1]
            if referent != table:
                sa.Table(name, metadata, *(sa.Column(column, sa.Integer) for column in remote), schema=schema or None)
            else:
                for column in remote:
                    if column not in own.c:
                        own.append_column(sa.Column(column, sa.Integer))
            constraint = sa.ForeignKeyConstraint(local, [f"{referent}.{column}" for column in remote])
        elif method == "create_unique_constraint":
            constraint = sa.UniqueConstraint(*local)
        else:
            constraint = sa.PrimaryKeyConstraint(*local)
        try:
            own.append_constraint(constraint)
            given = _constraint_name_for_table(constraint, own)
        except Exception:  # noqa: BLE001 - a template of its own kind
            continue
        if given:
            found.add(str(given))
    return found
