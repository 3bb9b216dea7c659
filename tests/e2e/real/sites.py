"""Where a migration gives no name, found with Python's own parser; and whether two texts of one differ in names only."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass

# The position of the name, and its keyword.
METHODS = {
    "create_foreign_key": ("constraint_name", "name"),
    "create_unique_constraint": ("constraint_name", "name"),
    "create_check_constraint": ("constraint_name", "name"),
    "create_primary_key": ("constraint_name", "name"),
    "create_exclude_constraint": ("constraint_name", "name"),
    "drop_constraint": ("constraint_name", "name"),
    "drop_index": ("index_name", "name"),
}


@dataclass(frozen=True)
class Site:
    """A call with `None` for a name, at a line and a column from 1."""

    line: int
    column: int
    method: str


def name_of(call: ast.Call) -> ast.expr | None:
    """The expression that is the name of what an operation makes or drops."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in METHODS):
        return None
    if call.args:
        return None if isinstance(call.args[0], ast.Starred) else call.args[0]
    for keyword in call.keywords:
        if keyword.arg in METHODS[call.func.attr]:
            return keyword.value
    return None


def sites_of(text: bytes) -> list[Site]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found = []
    lines = text.splitlines()
    for node in ast.walk(tree):
        name = name_of(node) if isinstance(node, ast.Call) else None
        if isinstance(name, ast.Constant) and name.value is None:
            before = lines[node.lineno - 1][: node.col_offset].decode()
            found.append(Site(node.lineno, len(before) + 1, node.func.attr))
    return sorted(found, key=lambda site: (site.line, site.column))


class Dropless(ast.NodeTransformer):
    """Takes out the drops, which a suggested fix writes where a downgrade forgets one."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return None if isinstance(called, ast.Attribute) and called.attr == "drop_constraint" else node


def drops(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.Attribute) and node.attr == "drop_constraint" for node in ast.walk(tree))


class Nameless(ast.NodeTransformer):
    """Takes out what a fix may write: names, and the `naming_convention` of a batch."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = name_of(node)
        if name is not None:
            if node.args:
                node.args[0] = ast.Constant("name")
            else:
                next(keyword for keyword in node.keywords if keyword.value is name).value = ast.Constant("name")
        if isinstance(node.func, ast.Attribute) and node.func.attr == "batch_alter_table":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "naming_convention"]
        # Of what stands inside of a table or a column.
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called.endswith("Constraint") or called == "ForeignKey":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "name"]
        if called in ("execute", "text"):
            node.args = [ast.Constant("sql") if isinstance(argument, (ast.Constant, ast.JoinedStr)) else argument for argument in node.args]
        return node


def comments(text: bytes) -> list[str]:
    tokens = tokenize.tokenize(io.BytesIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def differences(before: bytes, after: bytes) -> list[str]:
    """What a fix has changed that is no name."""
    try:
        one, other = ast.parse(before), ast.parse(after)
    except SyntaxError as error:
        return [f"does not parse: {error}"]
    found = []
    one, other = Nameless().visit(one), Nameless().visit(other)
    if drops(other) > drops(one):
        one, other = Dropless().visit(one), Dropless().visit(other)
    if ast.dump(one) != ast.dump(other):
        found.append("more than names has changed")
    gone = [comment for comment in comments(before) if comment not in comments(after)]
    warning = ("constraint name is None", "Add a name, or use a naming convention", "alembic.sqlalchemy.org/en/latest/naming.html")
    if [comment for comment in gone if not any(part in comment for part in warning)]:
        found.append(f"comments are gone: {gone}")
    return found
