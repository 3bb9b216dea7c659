#!/usr/bin/env python3
"""Runs the release binary against real Alembic, SQLAlchemy and databases: see README.md. Needs nothing but Python 3.10 or later with venv."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
# Each with the rows that are run in it.
ENVIRONMENTS = {
    "SQLAlchemy 2": ("requirements-2.txt", ""),
    "SQLAlchemy 2.0": ("requirements-2.0.txt", "^living-"),
    "SQLAlchemy 1.4": ("requirements-1.4.txt", ""),
}
# How many processes share the rows of an environment: a row waits for its database most of the time.
SHARES = 2
SERVERS = {
    "ALEMBIC_NAMED_E2E_POSTGRESQL": "postgresql+psycopg2://postgres@127.0.0.1/postgres",
    "ALEMBIC_NAMED_E2E_MARIADB": "mysql+pymysql://root@127.0.0.1/?ssl_disabled=true",
}
# Far more than it takes: a worker that hangs must not hold up everything else.
TIMEOUT = 1800


def environment(folder: Path, requirements: Path) -> Path:
    """Its Python; installed once for each content of the requirements."""
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], check=True)
        stamp.write_text(requirements.read_text())
    return python


class Worker(threading.Thread):
    """A process for a share of an environment's rows, and the lines it has printed."""

    def __init__(self, name: str, command: list, log: Path) -> None:
        super().__init__()
        self.title, self.command, self.log = name, command, log
        self.lines: list[dict] = []
        self.status: int | None = None

    def run(self) -> None:
        variables = {**SERVERS, **os.environ}
        # Neither the user's modules nor the user's Alembic settings may count.
        for name in ("PYTHONPATH", "PYTHONHOME", "ALEMBIC_CONFIG"):
            variables.pop(name, None)
        with self.log.open("w") as log, subprocess.Popen(self.command, env=variables, stdout=subprocess.PIPE, stderr=log, text=True) as process:
            timer = threading.Timer(TIMEOUT, process.terminate)
            timer.start()
            for line in process.stdout:
                self.lines.append(json.loads(line))
            timer.cancel()
        self.status = process.returncode


def table(workers: list[Worker]) -> list[str]:
    """A line for each scenario, mode, database and convention, and a column for each SQLAlchemy."""
    cells: dict[tuple, dict[str, str]] = {}
    for worker in workers:
        for line in worker.lines:
            if "row" in line:
                outcome = "FAILED" if line["failure"] else " -> ".join(part for part in (line["before"], line["after"]) if part)
                cells.setdefault(tuple(line["row"]), {})[worker.title] = outcome
    titles = {worker.title: worker.title for worker in workers}
    for worker in workers:
        for line in worker.lines:
            if "sqlalchemy" in line:
                titles[worker.title] = f"SQLAlchemy {line['sqlalchemy']}, Alembic {line['alembic']}"
    heads = ["", "scenario", "mode", "database", "convention", *titles.values()]
    rows = [heads, *([*row, *(found.get(title, "not run") for title in titles)] for row, found in sorted(cells.items()))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=TOP / "target" / "release" / "alembic-named")
    parser.add_argument("--environments", type=Path, default=TOP / "target" / "e2e", help="where virtual environments and what failed are kept")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows to run, as a-plain-postgresql-none or hook-something-left")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    if not os.access(binary, os.X_OK):
        parser.error(f"{arguments.binary} is not a program; build it first: cargo build --release")
    began = time.monotonic()
    kept = arguments.environments / "failed"
    shutil.rmtree(kept, ignore_errors=True)

    with tempfile.TemporaryDirectory(prefix="alembic-named-e2e-") as work:
        workers = []
        for name, (requirements, rows) in ENVIRONMENTS.items():
            folder = requirements.removeprefix("requirements-").removesuffix(".txt")
            python = environment((arguments.environments / folder).absolute(), HERE / requirements)
            for share in range(SHARES):
                of_share = Path(work) / f"{folder}-{share}"
                command = [python, HERE / "worker.py", "--binary", binary, "--work", of_share, "--kept", kept.absolute() / folder]
                options = ["--only", arguments.only, "--rows", rows, "--share", str(share), "--shares", str(SHARES)]
                workers.append(Worker(name, [*command, *options], Path(f"{of_share}.log")))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        print("\n".join(table(workers)))
        passed, failed, skipped = 0, 0, 0
        for worker in workers:
            for line in worker.lines:
                if "missing" in line and os.environ.get("CI") == "true":
                    failed += 1
                    print(f"\nFAILED: {line['missing']} under {worker.title}: {line['why']}")
                elif "missing" in line:
                    skipped += 1
                    print(f"\nskipped: every row on {line['missing']} under {worker.title}: {line['why']}")
                elif "row" in line and line["failure"]:
                    failed += 1
                    print(f"\nFAILED: {' '.join(line['row'])} under {worker.title}\n{line['failure'].strip()}")
                elif "row" in line:
                    passed += 1
            if worker.status != 0:
                failed += 1
                print(f"\nFAILED: the process for {worker.title} ended with status {worker.status}\n{worker.log.read_text().strip()}")
    if kept.exists():
        print(f"\nThe projects of the rows that failed are in {kept}")
    print(f"\n{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
