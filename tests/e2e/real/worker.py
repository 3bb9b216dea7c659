"""Runs migrations before and after a fix: offline as SQL for PostgreSQL and MySQL, and on servers in tables made for them."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import io
import json
import re
import signal
import sys
import types
import warnings
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from names import conventions_in, names_by_sqlalchemy
from servers import up_down_up
from sites import METHODS, name_of, sites_of

warnings.simplefilter("ignore")


class Anything(type):
    """A class that has every attribute, can be called and gone through."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __iter__(cls):
        return iter(())

    def __or__(cls, other):
        return cls


class Stub(sa.types.UserDefinedType, metaclass=Anything):
    """What a migration takes from its project: as a type it is text."""

    cache_ok = True

    def __init__(self, *arguments, **keywords):
        pass

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Stub

    def __iter__(self):
        return iter(())

    def get_col_spec(self, **keywords):
        return "TEXT"


class StubModule(types.ModuleType):
    __path__: list = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands for every module that is not installed, so that no code of the project is imported."""

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StubModule(spec.name)

    def exec_module(self, module):
        pass


def load(path: str):
    module = types.ModuleType("migration")
    module.__file__ = path
    exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)
    return module


def offline(module, half: str, dialect: str) -> tuple[str, str]:
    """The SQL, and the error that ended it."""
    buffer = io.StringIO()
    context = MigrationContext.configure(dialect_name=dialect, opts={"as_sql": True, "output_buffer": buffer})
    try:
        with Operations.context(context):
            getattr(module, half)()
    except BaseException as error:  # noqa: BLE001 - whatever a migration does
        return buffer.getvalue(), f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return buffer.getvalue(), ""


def is_whole(task: dict) -> bool:
    """Whether every name is given after the fix."""
    return not sites_of(Path(task["after"]).read_bytes())


ABOUT_NAMES = re.compile(r"it has no name|must have a name|AssertionError|type_|no constraint|IdentifierError")


def ran(task: dict, numbers: Counter, reasons: Counter, problems: list[str]) -> bool:
    """Whether it could be loaded."""
    path = task["path"]
    try:
        before, after = load(task["before"]), load(task["after"])
    except BaseException as error:  # noqa: BLE001
        numbers["not loaded without the project"] += 1
        reasons[f"not loaded: {type(error).__name__}: {str(error)[:70]}"] += 1
        return False
    for dialect in ("postgresql", "mysql"):
        texts = {}
        for half in ("upgrade", "downgrade"):
            if not hasattr(after, half):
                continue
            old, old_error = offline(before, half, dialect)
            new, new_error = offline(after, half, dialect)
            texts[half] = new
            if new_error:
                reasons[f"{half} not offline on {dialect}: {new_error[:70]}"] += 1
            else:
                numbers[f"{half}s that run offline on {dialect}"] += 1
            if new_error and not old_error:
                problems.append(f"{path}: the {half} ran on {dialect} before the fix: {new_error}")
            elif new_error and is_whole(task) and ABOUT_NAMES.search(new_error):
                problems.append(f"{path}: the {half} still fails on {dialect}: {new_error}")
            if old_error and not new_error:
                numbers[f"{half}s mended on {dialect}"] += 1
        if dialect == "postgresql" and len(texts) == 2:
            unmatched(path, texts, problems)
    return True


def unmatched(path: str, texts: dict[str, str], problems: list[str]) -> None:
    """A name that the downgrade drops and nothing has made, though something without its drop was made on that table."""
    pattern = {
        "made": re.compile(r"ALTER TABLE (\S+) ADD CONSTRAINT (\S+)"),
        "gone": re.compile(r"ALTER TABLE (\S+) DROP CONSTRAINT (\S+?);"),
    }
    made, gone = set(pattern["made"].findall(texts["upgrade"])), set(pattern["gone"].findall(texts["downgrade"]))
    for table, name in sorted(gone - made):
        left = sorted(other for other_table, other in made - gone if other_table == table)
        if left:
            problems.append(f"{path}: drops {name} of {table}, and {', '.join(left)} stays")


def names_given(task: dict) -> list[tuple[ast.Call, str]]:
    """The creates that got a name, with that."""
    def calls(path):
        tree = ast.parse(Path(path).read_bytes())
        return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) is not None]

    found = []
    for old, new in zip(calls(task["before"]), calls(task["after"])):
        was, is_now = name_of(old), name_of(new)
        if isinstance(was, ast.Constant) and was.value is None and new.func.attr in METHODS and new.func.attr.startswith("create"):
            text = is_now.args[0] if isinstance(is_now, ast.Call) and is_now.args else is_now
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found.append((new, text.value))
    return found


def alarm(*_):
    raise TimeoutError("a migration did not end")


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    sys.meta_path.append(Stubs())
    signal.signal(signal.SIGALRM, alarm)
    conventions = conventions_in(Path(given["folder"]))
    for task in given["tasks"]:
        numbers, reasons, problems = Counter(), Counter(), []
        signal.alarm(60)
        try:
            for call, name in names_given(task):
                expected = names_by_sqlalchemy(call, conventions, Path(task["after"]).read_bytes())
                numbers["names given"] += 1
                if not expected:
                    numbers["names that cannot be computed here"] += 1
                elif name in expected:
                    numbers["names that are SQLAlchemy's"] += 1
                else:
                    problems.append(f"{task['path']}:{call.lineno}: `{name}`, and SQLAlchemy says {sorted(expected)}")
            if ran(task, numbers, reasons, problems):
                up_down_up(lambda: load(task["after"]), task["path"], is_whole(task), numbers, reasons, problems)
        except BaseException as error:  # noqa: BLE001
            problems.append(f"{task['path']}: {type(error).__name__}: {error}")
        signal.alarm(0)
        print(json.dumps({"numbers": numbers, "reasons": reasons, "problems": problems}), flush=True)


if __name__ == "__main__":
    main()
