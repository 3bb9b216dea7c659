#!/usr/bin/env python3
"""Fixes the migrations of real projects in copies, and runs what comes out: see the README in the folder above."""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent.parent
# The one above has a `run` as well, and that is meant by the name.
sys.path[:0] = [str(HERE.parent), str(HERE)]

from sites import Site, differences, sites_of  # noqa: E402

# A migration that asks the network, or waits for an answer, must not hold up everything else.
TIMEOUT = 600
FOUND_AT_A_SITE = {"unnamed-constraint", "implicit-constraint-name", "unnamed-drop"}


class Copy:
    """The Python of a checkout and what configures it, in a repository of its own."""

    def __init__(self, checkout: Path, folder: Path, binary: Path) -> None:
        self.folder, self.binary = folder, binary
        for source in checkout.rglob("*"):
            path = source.relative_to(checkout)
            # What Alembic and the binary read; a checkout may hold gigabytes of other things.
            is_read = source.suffix in (".py", ".ini", ".toml", ".cfg", ".txt", ".in", ".mako")
            if is_read and not {".git", "node_modules"} & set(path.parts) and source.is_file() and not source.is_symlink():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / path)
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=e2e", "-c", "user.email=e2e@localhost", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, "-C", self.folder, *arguments], check=True, capture_output=True)

    def commit(self) -> None:
        self.git("commit", "--quiet", "--no-verify", "--allow-empty", "-m", "state")

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=TIMEOUT)

    def migrations(self) -> dict[str, list[Site]]:
        found = {}
        for path in sorted(self.folder.rglob("*.py")):
            text = path.read_bytes()
            if b"alembic" in text and b"None" in text:
                sites = sites_of(text)
                if sites:
                    found[str(path.relative_to(self.folder))] = sites
        return found


def judged(copy: Copy, arguments: list[str], sites: dict[str, list[Site]]) -> dict[tuple, dict]:
    """What the report says of each site."""
    done = copy.run("check", "--format", "json", *arguments)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"check: {done.stderr}")
    found = {}
    for one in json.loads(done.stdout)["diagnostics"]:
        if one["rule"] in FOUND_AT_A_SITE:
            found[one["path"], one["line"], one["column"]] = one
    return {(path, site.line, site.column): found.get((path, site.line, site.column)) for path in sites for site in sites[path]}


def reason(finding: dict | None) -> str:
    """Why there is no name, in few words."""
    if finding is None:
        return "no finding"
    text = finding["help"] or ""
    for mark in ("none is suggested, because ", "left to you, because "):
        if mark in text:
            return text.split(mark)[1].split("(")[0].split("`")[0].strip()
    return text.split("`")[0].strip()


def count_sites(numbers: Counter, reasons: Counter, state: str, findings: dict[tuple, dict]) -> None:
    for finding in findings.values():
        numbers[f"{state}: sites"] += 1
        fix = finding and finding["fix"]
        if finding and finding["suggested_name"]:
            numbers[f"{state}: with a name"] += 1
        if fix:
            numbers[f"{state}: with a {fix['safety']} fix"] += 1
        else:
            numbers[f"{state}: without a fix"] += 1
            reasons[f"{state}: no fix: {reason(finding)}"] += 1


def project(name: str, checkout: Path, binary: Path, python: Path, numbers: Counter, reasons: Counter, problems: list[str]) -> None:
    for state in ("new", "committed", "committed on PostgreSQL"):
        with tempfile.TemporaryDirectory(prefix="alembic-named-real-") as folder:
            copy = Copy(checkout, Path(folder), binary)
            sites = copy.migrations()
            if not sites:
                return
            if state == "committed on PostgreSQL":
                (copy.folder / "alembic-named.toml").write_text('dialect = "postgresql"\n')
            copy.git("add", "--all", "--force")
            if state == "new":
                copy.git("rm", "--quiet", "--cached", "--", *sites)
            copy.commit()
            copy.git("add", "--force", "--", *sites)
            paths = ["--staged"] if state == "new" else list(sites)
            if state == "new":
                numbers["projects"] += 1
                numbers["migrations"] += len(sites)
            count_sites(numbers, reasons, state, judged(copy, paths, sites))
            before = {path: (copy.folder / path).read_bytes() for path in sites}
            done: dict[str, bytes] = {}
            for options in ([], ["--unsafe-fixes"]):
                first = copy.run("fix", *options, *paths)
                if first.returncode not in (0, 1):
                    problems.append(f"{name} {state}: fix ended with {first.returncode}: {first.stderr.strip()[-300:]}")
                after = {path: (copy.folder / path).read_bytes() for path in sites}
                copy.run("fix", *options, *paths)
                if any((copy.folder / path).read_bytes() != after[path] for path in sites):
                    problems.append(f"{name} {state} {' '.join(options)}: a second fix changes something")
                label = f"{state}{' unsafe' if options else ''}"
                done = looked_at(name, label, before, done, after, python, copy, numbers, reasons, problems)


def found_by_rule(copy: Copy) -> Counter:
    done = copy.run("check", "--all", "--format", "json")
    return Counter(one["rule"] for one in json.loads(done.stdout)["diagnostics"])


def whole(name: str, checkout: Path, binary: Path, numbers: Counter, problems: list[str]) -> None:
    """Everything that the fix would do to a project that is committed: conventions are written as well, and migrations are judged by them."""
    with tempfile.TemporaryDirectory(prefix="alembic-named-real-") as folder:
        copy = Copy(checkout, Path(folder), binary)
        copy.git("add", "--all", "--force")
        copy.commit()
        found = found_by_rule(copy)
        texts = []
        for _ in range(2):
            copy.run("fix", "--all", "--unsafe-fixes")
            changed = subprocess.run(["git", "-C", folder, "diff", "--name-only", "-z"], capture_output=True, check=True).stdout
            texts.append({path: (copy.folder / path.decode()).read_bytes() for path in filter(None, changed.split(b"\0"))})
            copy.git("add", "--all")
        numbers["whole: findings"] += sum(found.values())
        numbers["whole: files changed"] += len(texts[0])
        # What the first has done is staged, so these are the second's.
        problems.extend(f"{name} whole {path.decode()}: a second fix changes it" for path in texts[1])
        for path, text in texts[0].items():
            try:
                ast.parse(text)
            except SyntaxError as error:
                problems.append(f"{name} whole {path.decode()}: does not parse: {error}")
        for rule, times in (found_by_rule(copy) - found).items():
            # A convention changes what a new database has, and that has to be told.
            if rule == "default-name-dependency":
                numbers[f"whole: more of {rule}"] += times
            else:
                problems.append(f"{name} whole: {times} more of {rule} after the fix")


def looked_at(name, label, before, done, after, python, copy, numbers, reasons, problems) -> dict[str, bytes]:
    """What a run of the fix has made of the migrations, but for those that an earlier one has made already."""
    changed = {path: text for path, text in after.items() if text not in (before[path], done.get(path))}
    numbers[f"{label}: migrations changed"] += len(changed)
    tasks = []
    for path, text in changed.items():
        for difference in differences(before[path], text):
            problems.append(f"{name} {label} {path}: {difference}")
        old = copy.folder / f"{path}.before"
        old.write_bytes(before[path])
        tasks.append({"path": path, "before": str(old), "after": str(copy.folder / path)})
    if not tasks:
        return after
    listed = copy.folder / "tasks.json"
    listed.write_text(json.dumps({"tasks": tasks, "folder": str(copy.folder)}))
    try:
        ended = subprocess.run([python, HERE / "worker.py", listed], capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        problems.append(f"{name} {label}: the migrations did not end")
        return after
    for line in ended.stdout.splitlines():
        if line.startswith("{"):
            said = json.loads(line)
            numbers.update({f"{label}: {key}": value for key, value in said.get("numbers", {}).items()})
            reasons.update({f"{label}: {key}": value for key, value in said.get("reasons", {}).items()})
            problems.extend(f"{name} {label} {problem}" for problem in said.get("problems", []))
    if ended.returncode:
        problems.append(f"{name} {label}: {ended.stderr.strip()[-300:]}")
    listed.unlink()
    for task in tasks:
        Path(task["before"]).unlink()
    return after


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", type=Path, help="a folder of checkouts of projects")
    parser.add_argument("--binary", type=Path, default=TOP / "target" / "release" / "alembic-named")
    parser.add_argument("--python", type=Path, help="one with Alembic, SQLAlchemy and the drivers, instead of an environment made for it")
    parser.add_argument("--only", default="", help="projects whose name has this in it")
    options = parser.parse_args()
    python = options.python
    if python is None:
        from run import ENVIRONMENTS, environment

        requirements = HERE.parent / ENVIRONMENTS["SQLAlchemy 2"]
        python = environment(TOP / "target" / "e2e" / "real", requirements)
    numbers, reasons, problems = Counter(), Counter(), []
    for checkout in sorted(options.checkouts.iterdir()):
        if (checkout / ".git").exists() and options.only in checkout.name:
            print(checkout.name, file=sys.stderr, flush=True)
            project(checkout.name, checkout, options.binary.resolve(), python, numbers, reasons, problems)
            whole(checkout.name, checkout, options.binary.resolve(), numbers, problems)
    for key in numbers:
        print(f"{numbers[key]:6} {key}")
    print("\nreasons")
    for key, times in reasons.most_common():
        print(f"{times:6} {key}")
    print(f"\n{len(problems)} problems")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
