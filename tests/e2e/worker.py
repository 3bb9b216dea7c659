"""Runs all rows in one process, with the SQLAlchemy and Alembic of its environment. Started by run.py; prints lines of JSON."""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

sys.dont_write_bytecode = True
# Alembic 1.20 warns of each name that is None.
warnings.simplefilter("ignore")

import alembic  # noqa: E402
import sqlalchemy  # noqa: E402

import adopt.rows  # noqa: E402
import adopting  # noqa: E402
import convention  # noqa: E402
import hook  # noqa: E402
import multidb  # noqa: E402
import order  # noqa: E402
import pairs  # noqa: E402
import rows  # noqa: E402
import sql  # noqa: E402
from databases import Database, MariaDB, PostgreSQL, SQLite  # noqa: E402
from project import Unexpected, initialise  # noqa: E402
from scenarios import CONVENTIONS, SCENARIOS  # noqa: E402

SERVERS = {"ALEMBIC_NAMED_E2E_POSTGRESQL": PostgreSQL, "ALEMBIC_NAMED_E2E_MARIADB": MariaDB}


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def all_rows(databases: list[Database]) -> Iterator[tuple[str, list[str], Callable[..., tuple[str, str]]]]:
    """Each row's id, its cells in the table, and what runs it: with the binary, its folder and the template of a project."""
    for scenario in SCENARIOS:
        for batch in (False, True):
            for database in databases:
                if database.kind in scenario.databases:
                    for naming in CONVENTIONS:
                        row = rows.Row(scenario, batch, database, naming)
                        yield row.id, [scenario.id, scenario.title, row.mode, database.kind, naming], row.run
    for spelling in sql.SPELLINGS:
        for database in databases:
            if database.kind in sql.DEFAULT:
                for naming in ("none", "full"):
                    name = f"sql-{spelling.title.replace(' ', '-')}-{database.kind}-{naming}"
                    yield name, ["sql", spelling.title, "plain", database.kind, naming], functools.partial(sql.run, spelling, database, naming)
    for pair in pairs.PAIRS:
        for database in databases:
            if database.kind in pair.databases:
                name = f"pairs-{pair.title.replace(' ', '-')}-{database.kind}"
                yield name, ["pairs", pair.title, "batch", database.kind, "none"], functools.partial(pairs.run, pair, database)
    for database in databases:
        if database.kind == "postgresql":
            yield "adopting-postgresql", ["adopting", "renamed by hand", "plain", database.kind, "later"], functools.partial(adopting.run, database)
    yield from convention.rows(databases)
    yield from adopt.rows.rows(databases)
    for title in order.REVISIONS:
        for database in databases:
            if isinstance(database, MariaDB):
                yield f"order-{title.replace(' ', '-')}-mariadb", ["order", title, "plain", "mariadb", "none"], functools.partial(order.run, title, database)
    for name, run in multidb.ROWS.items():
        yield f"multidb-{name.replace(' ', '-')}", ["multidb", name, "batch", "sqlite", "full"], run
    for name, run in hook.ROWS.items():
        yield f"hook-{name.replace(' ', '-')}", ["hook", name, "batch", "sqlite", "none"], run


def run_all(arguments: argparse.Namespace, databases: list[Database]) -> None:
    template = arguments.work / "template"
    initialise(template)
    wanted = [row for row in all_rows(databases) if re.search(arguments.only, row[0]) and re.search(arguments.rows, row[0])]
    for name, cells, run in wanted[arguments.share :: arguments.shares]:
        folder = arguments.work / name
        before, after, failure = "", "", None
        try:
            before, after = run(arguments.binary, folder, template)
        except Exception as error:
            failure = str(error) if isinstance(error, Unexpected) else traceback.format_exc()
            if folder.exists():
                shutil.copytree(folder, arguments.kept / name, ignore=shutil.ignore_patterns(".git"))
        shutil.rmtree(folder, ignore_errors=True)
        say(row=cells, before=before, after=after, failure=failure)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the projects")
    parser.add_argument("--kept", type=Path, required=True, help="a folder for the projects of rows that failed")
    parser.add_argument("--only", default="")
    parser.add_argument("--rows", default="", help="the rows of this environment")
    parser.add_argument("--share", type=int, default=0, help="which of the shares to run, from 0")
    parser.add_argument("--shares", type=int, default=1, help="how many processes share these rows")
    arguments = parser.parse_args()
    say(sqlalchemy=sqlalchemy.__version__, alembic=alembic.__version__)

    # Ended from outside, it still drops its databases.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    databases: list[Database] = [SQLite(arguments.work / "unused.db")]
    try:
        for variable, kind in SERVERS.items():
            database = kind(os.environ[variable], f"alembic_named_e2e_{os.getpid()}")
            try:
                database.create()
            except sqlalchemy.exc.SQLAlchemyError as error:
                if arguments.share == 0:
                    say(missing=kind.kind, why=f"{variable}: {' '.join(str(error).split())}")
            else:
                databases.append(database)
        run_all(arguments, databases)
    finally:
        for database in databases:
            database.drop()


if __name__ == "__main__":
    main()
