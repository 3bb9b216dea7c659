#!/usr/bin/env python3
"""Checks published packages that ship Alembic migrations, and compares with what is recorded: see README.md. Needs Python 3.10 with venv, and git."""

from __future__ import annotations

import argparse
import collections
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
PACKAGES = HERE / "packages.txt"
EXPECTED = HERE / "expected"
# For each of the two checks of a package.
TIMEOUT = 60
# Of the findings that block, this many are recorded by their place; all of them are counted.
PLACES = 40
NO_ANSWER = {"answer": "none"}
VERBOSE = {"target_metadata": "target", "convention": "convention", "steps": "steps"}


# --- the packages ---


def listed(only: str) -> dict[str, str]:
    """The names in packages.txt that match, each with the hash of its wheel."""
    packages = re.findall(r"^([\w.-]+)==\S+ --hash=sha256:(\w+)$", PACKAGES.read_text(), re.MULTILINE)
    return {name: sha256 for name, sha256 in packages if re.search(only, name)}


def fetched(cache: Path) -> dict[str, Path] | str:
    """The wheels by their hash, downloaded once for each content of packages.txt; or why there are none.

    Only wheels: for a source distribution pip would run the package's own code, to ask it for its name.
    """
    wheels = cache / f"wheels-{hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:12]}"
    if not wheels.exists():
        partial = cache / "wheels-partial"
        shutil.rmtree(partial, ignore_errors=True)
        python = cache / "venv" / "bin" / "python"
        only_wheels = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--ignore-requires-python", "--no-cache-dir"]
        for command in [
            [sys.executable, "-m", "venv", "--clear", cache / "venv"],
            [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *only_wheels, "-d", partial, "-r", PACKAGES],
        ]:
            output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if output.returncode:
                why = (output.stderr or output.stdout).strip()
                if "HASHES" in why or "No matching distribution" in why:
                    sys.exit(f"FAILED: a package is no longer the one that was recorded: {why[:2_000]}")
                return why[:2_000]
        for old in cache.glob("wheels-*"):
            if old != partial:
                shutil.rmtree(old)
        partial.rename(wheels)
    return {hashlib.sha256(wheel.read_bytes()).hexdigest(): wheel for wheel in wheels.iterdir()}


class Package:
    """An unpacked wheel, and a repository elsewhere that has all of it staged after an empty first commit."""

    def __init__(self, cache: Path, name: str, sha256: str, wheel: Path) -> None:
        self.name, self.sha256, self.wheel = name, sha256, wheel
        self.folder = cache / "unpacked" / name
        self.git_dir = cache / "repositories" / name

    def environment(self, **more: str) -> dict[str, str]:
        """Neither git's settings nor the repository around this folder may count."""
        foreign = ("GIT_", "ALEMBIC_NAMED")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        who = {f"GIT_{role}_{what}": "a@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(self.folder.parent)}
        return {**kept, **who, **settings, "NO_COLOR": "1", **more}

    def in_repository(self) -> dict[str, str]:
        return self.environment(GIT_DIR=str(self.git_dir), GIT_WORK_TREE=str(self.folder))

    def unpack(self) -> None:
        """Once for each wheel. `extractall` writes nothing outside the folder and makes no links."""
        stamp = self.git_dir / "unpacked.txt"
        if stamp.exists() and stamp.read_text() == self.sha256:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.git_dir, ignore_errors=True)
        self.git_dir.mkdir(parents=True)
        with zipfile.ZipFile(self.wheel) as archive:
            archive.extractall(self.folder)
        for command in (
            ["init", "--quiet", "--template="],
            ["commit", "--quiet", "--allow-empty", "--message=empty"],
            ["add", "--all", "--force", "."],
        ):
            subprocess.run(["git", *command], cwd=self.folder, env=self.in_repository(), stdin=subprocess.DEVNULL, check=True)
        stamp.write_text(self.sha256)


# --- what the program says ---


def check(package: Package, binary: Path, environment: dict[str, str], what: str) -> dict:
    """One run of the program, as it is recorded."""
    command = [binary, "check", "--format", "json", "--verbose", what]
    try:
        output = subprocess.run(
            command, cwd=package.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return NO_ANSWER
    said = output.stderr.decode(errors="replace")
    if output.returncode not in (0, 1):
        return {"status": output.returncode, "said": said.replace(str(package.folder), ".").strip().splitlines()[:20]}
    return {"status": output.returncode, **findings(json.loads(output.stdout)), "environments": environments(said)}


def findings(report: dict) -> dict:
    """How many of each rule, and where those stand that block."""
    found = report["diagnostics"]
    rules = collections.Counter(one["rule"] for one in found)
    blocking = sorted((one["path"], one["line"], one["rule"]) for one in found if one["severity"] == "error")
    return {
        "findings": dict(sorted(rules.items())),
        "errors": len(blocking),
        "first errors": [f"{path}:{line} {rule}" for path, line, rule in blocking[:PLACES]],
    }


def environments(said: str) -> dict[str, dict]:
    """What `--verbose` tells of each environment, by its env.py."""
    found: dict[str, dict[str, str]] = {}
    told: dict[str, str] = {}
    for line in said.splitlines():
        if line.startswith("environment: "):
            told = found.setdefault(line.removeprefix("environment: "), {})
        elif match := re.match(r"  (\w+): (.*)", line):
            key = VERBOSE.get(match[1])
            if key:
                told[key] = match[2]
    return {path: labelled(told) for path, told in sorted(found.items())}


def labelled(told: dict[str, str]) -> dict:
    """One environment: whether its metadata have a convention, who made them, and the work it took to find out."""
    target, convention = told.get("target", "nothing is said"), told.get("convention")
    steps = int(told["steps"]) if "steps" in told else None
    if convention is None:
        return {"metadata": target, "steps": steps}
    if convention == "none":
        label = "missing"
    elif convention.startswith("at "):
        label = f"present {convention}"
    else:
        label = f"convention {convention}"
    return {"metadata": label, "maker": target, "steps": steps}


def verdict(package: Package, binary: Path) -> dict:
    """All that is recorded of a package. What is said of the staged files is written down only where it differs."""
    folder = check(package, binary, package.environment(), ".")
    staged = check(package, binary, package.in_repository(), "--staged")
    return {"folder": folder, "staged": "the same" if without_steps(staged) == without_steps(folder) else staged}


# --- what is recorded ---


def pretty(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def without_steps(value: object) -> object:
    """The steps may differ a little, so they are compared on their own."""
    if isinstance(value, dict):
        return {key: without_steps(inner) for key, inner in value.items() if key != "steps"}
    return value


def steps(value: dict) -> dict[str, int | None]:
    """The steps of each environment, of the folder and of what is staged."""
    parts = {part: value[part] for part in ("folder", "staged") if isinstance(value.get(part), dict)}
    return {
        f"{part}, {path}": facts["steps"] for part, told in parts.items() for path, facts in told.get("environments", {}).items()
    }


def differences(recorded: dict, now: dict) -> list[str]:
    """What is not as recorded, for a person to read; none where all is well."""
    before, after = (pretty(without_steps(value)).splitlines() for value in (recorded, now))
    lines = list(difflib.unified_diff(before, after, "recorded", "now", lineterm="", n=4))
    found = steps(now)
    for place, count in steps(recorded).items():
        new = found.get(place)
        # None is recorded where the program did not tell the number.
        if place in found and count is not None and (new is None or abs(new - count) > count / 10 + 50):
            lines.append(f"steps of {place}: recorded {count}, now {new}")
    return lines


def compare(package: Package, binary: Path, record: bool) -> str | None:
    """Checks one package; why it failed, if it did."""
    try:
        package.unpack()
        now = verdict(package, binary)
    except (OSError, ValueError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
        return str(error)
    crashed = [part for part, told in now.items() if told != "the same" and told.get("status", 0) not in (0, 1, 2)]
    if crashed:
        return pretty(now) + f"the program ended as no check ends, which is never recorded: {', '.join(crashed)}"
    path = EXPECTED / f"{package.name}.json"
    if record:
        path.write_text(pretty(now))
        return None
    late = [part for part, told in now.items() if told == NO_ANSWER]
    if not path.exists():
        return pretty(now) + "nothing is recorded for it yet; look at this, and record it with --record"
    lines = differences(json.loads(path.read_text()), now)
    if late and lines:
        lines.append(f"no answer within {TIMEOUT} s: {', '.join(late)}")
    return "\n".join(lines) or None


def leftover() -> list[Path]:
    """What is recorded for packages that are in the list no more."""
    return sorted(path for path in EXPECTED.glob("*.json") if path.stem not in listed(""))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=TOP / "target" / "release" / "alembic-named")
    parser.add_argument("--cache", type=Path, default=TOP / "target" / "ecosystem", help="where the packages are kept")
    parser.add_argument("--only", default="", metavar="REGEX", help="packages to check, as ^neutron or ^(nova|cinder)$")
    parser.add_argument("--record", action="store_true", help="write down what comes out, instead of comparing with it")
    parser.add_argument("--jobs", type=int, default=2, help="packages to check at a time")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    if not os.access(binary, os.X_OK):
        parser.error(f"{arguments.binary} is not a program; build it first: cargo build --release")
    began = time.monotonic()
    cache = arguments.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    EXPECTED.mkdir(exist_ok=True)

    names = listed(arguments.only)
    wheels = fetched(cache)
    if isinstance(wheels, str):
        in_ci = os.environ.get("CI") == "true"
        print(f"{'FAILED' if in_ci else 'skipped'}: all packages, which could not be fetched: {wheels}")
        print(f"0 passed, {len(names) if in_ci else 0} failed, {0 if in_ci else len(names)} skipped")
        return 1 if in_ci else 0

    packages = [Package(cache, name, sha256, wheels[sha256]) for name, sha256 in names.items()]
    passed, failed = 0, 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for package, failure in zip(packages, pool.map(lambda one: compare(one, binary, arguments.record), packages)):
            if failure is None:
                passed += 1
            else:
                failed += 1
                print(f"\nFAILED: {package.name}\n{failure.strip()}", flush=True)
    for path in leftover():
        if arguments.record:
            path.unlink()
        else:
            failed += 1
            print(f"\nFAILED: {path.name} is recorded, and the package is not in packages.txt; --record removes it")
    print(f"\n{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
