#!/usr/bin/env python3
"""Real commits under every hook manager: one with an unnamed constraint is blocked, its correction passes.

Usage: tests/managers/run.py BINARY [ROW...]

Installs the managers in the versions below under target/managers (a Python environment and an npm prefix), makes
repositories in a temporary folder, and prints a matrix of managers and situations. A cell is `ok` only when the commit
was blocked with the name to use, and when the corrected one passed with the word that a file was looked at.

In CI (the variable CI is set) a manager that cannot be installed is a failure; elsewhere its rows are skipped, aloud.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PYTHON_TOOLS = {"pre-commit": "4.7.0", "prek": "0.5.11"}
NODE_TOOLS = {"husky": "9.1.7", "lefthook": "2.2.2"}

SOURCE = Path(__file__).resolve().parents[2]
TOOLS = SOURCE / "target" / "managers"
SUGGESTED = "fk_order_invoice_id_invoice"
NEW = "migrations/versions/new.py"
COLLEAGUE = "migrations/versions/colleague.py"


# SQLAlchemy's documented naming convention, behind the kind and the table.
CONVENTION = {
    "ix": "",
    "uq": "_%(column_0_name)s",
    "ck": "_%(constraint_name)s",
    "fk": "_%(column_0_name)s_%(referred_table_name)s",
    "pk": "",
}


class Failure(Exception):
    """A cell that is not what it should be."""


# --- the managers ---


def install_tools() -> dict[str, str]:
    """Installs what is not there yet; the tools that could not be installed, and why."""
    venv, npm = TOOLS / "venv", TOOLS / "npm"
    python = [f"{name}=={version}" for name, version in PYTHON_TOOLS.items()]
    node = [f"{name}@{version}" for name, version in NODE_TOOLS.items()]
    with_pip = [
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *python],
    ]
    # Without scripts: that of lefthook would install hooks into the repository around this folder.
    with_npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(npm), *node]
    missing = {}
    for folder, pins, commands, tools in [
        (venv, python, with_pip, PYTHON_TOOLS),
        (npm, node, [with_npm], NODE_TOOLS),
    ]:
        reason = install(folder, pins, commands)
        missing |= dict.fromkeys(tools, reason) if reason else {}
    return missing


def install(folder: Path, pins: list[str], commands: list[list[str]]) -> str | None:
    stamp = folder / "installed"
    if stamp.is_file() and stamp.read_text().split() == pins:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for command in commands:
        try:
            output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if output.returncode:
            return f"{' '.join(command[:3])}: {(output.stderr or output.stdout).strip()[-400:]}"
    stamp.write_text("\n".join(pins))
    return None


# --- repositories ---


class Lab:
    """A temporary folder, and programs that see nothing of this machine but what they need."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder = folder
        self.binary = binary
        programs = folder / "bin"
        programs.mkdir()
        (programs / "alembic-named").symlink_to(binary)
        for name in PYTHON_TOOLS:
            (programs / name).symlink_to(TOOLS / "venv/bin" / name)
        foreign = ("GIT", "PRE_COMMIT", "PREK", "HUSKY", "LEFTHOOK", "ALEMBIC_NAMED", "CI", "XDG")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.env |= {
            "PATH": os.pathsep.join([str(programs), str(TOOLS / "npm/node_modules/.bin"), self.env["PATH"]]),
            "HOME": str(folder),
            "NO_COLOR": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **dict.fromkeys(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"], "a"),
            **dict.fromkeys(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"], "a@example.com"),
        }
        shop = SOURCE / "examples/shop"
        bad = next(shop.glob("migrations/versions/*_add_invoice_to_order.py"))
        self.bad = bad.read_text()
        self.good = self.bad.replace("(None,", f"(op.f('{SUGGESTED}'),")
        with_convention = "    metadata = MetaData(naming_convention={%s})\n" % ", ".join(
            f'"{kind}": "{kind}_%({"column_0_label" if kind == "ix" else "table_name"})s{rest}"'
            for kind, rest in CONVENTION.items()
        )
        models = (shop / "app/models.py").read_text()
        models = models.replace("import ForeignKey,", "import ForeignKey, MetaData,")
        self.models = models.replace("(DeclarativeBase):\n    pass\n", f"(DeclarativeBase):\n{with_convention}")
        self.shop = {
            str(path.relative_to(shop)): path.read_text() for path in shop.rglob("*") if path.is_file() and path != bad
        }


class Repo:
    """A working tree."""

    def __init__(self, lab: Lab, path: Path) -> None:
        self.lab = lab
        self.path = path

    def run(self, *command: str, below: str = "") -> tuple[int, str]:
        output = subprocess.run(
            command,
            cwd=self.path / below,
            env=self.lab.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return output.returncode, re.sub(r"\x1b\[[0-9;]*m", "", output.stdout)

    def do(self, *command: str, below: str = "") -> str:
        status, said = self.run(*command, below=below)
        if status:
            raise Failure(f"{' '.join(command)}: exit {status}\n{said}")
        return said

    def git(self, *arguments: str) -> str:
        return self.do("git", *arguments).strip()

    def write(self, path: str, text: str) -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_text(text)

    def stage(self, path: str, text: str) -> None:
        self.write(path, text)
        self.git("add", "--", path)

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Everything that an installation could touch, with its mode."""
        found = {}
        for path in self.path.rglob("*"):
            name = path.relative_to(self.path).as_posix()
            if path.is_file() and (not name.startswith(".git/") or name.startswith((".git/hooks/", ".git/config"))):
                found[name] = (path.stat().st_mode, path.read_bytes())
        return found


# --- rows: the managers ---


class Git:
    """git alone, with the hook that `alembic-named install` writes."""

    name = "git"
    tool: str | None = None
    prefix = ""
    # What a hook that passes says: proof that it ran and looked at something.
    passes = r"1 file checked, nothing found"
    nothing = r"0 files checked: 1 file is staged, and it is not Python"
    install = ["alembic-named", "install"]
    # What is run where no commit is made.
    by_hand = ["git", "hook", "run", "pre-commit"]
    all_files = ["alembic-named", "--all"]
    all_pass = r"\d+ files checked, nothing found"
    # Nothing is to be seen of a range but what is new in it.
    between = ["alembic-named", "--from-ref", "base", "--to-ref", "HEAD"]

    def own_files(self, repo: Repo) -> None:
        """What the manager needs before alembic-named comes."""

    def enter(self, repo: Repo) -> None:
        """alembic-named comes."""
        repo.do(*self.install, below=self.prefix)

    def activate(self, repo: Repo) -> None:
        """What is to be done in every clone."""

    def leave(self, repo: Repo) -> None:
        """alembic-named goes."""
        repo.do("alembic-named", "uninstall", below=self.prefix)

    def only_excluded(self, repo: Repo) -> None:
        """A run that looks at nothing must say so; the words of plain commits are looked at elsewhere."""


class Chained(Git):
    name = "git, a hook before"

    def own_files(self, repo: Repo) -> None:
        hook = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "hooks")) / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho the first hook ran\n")
        hook.chmod(0o750)

    def enter(self, repo: Repo) -> None:
        if repo.path.name == "sub":
            self.own_files(repo)
        super().enter(repo)

    passes = r"the first hook ran\n(.*\n)*.*1 file checked, nothing found"
    all_pass = Git.all_pass


class Husky(Git):
    name = "husky"
    tool = "husky"
    by_hand = ["sh", ".husky/_/pre-commit"]

    def own_files(self, repo: Repo) -> None:
        repo.write(".husky/pre-commit", "echo the project was here")
        self.activate(repo)

    def activate(self, repo: Repo) -> None:
        repo.do("husky")


class Lefthook(Git):
    name = "lefthook"
    tool = "lefthook"
    config = "# ours\npre-commit:\n  commands:\n    other:\n      run: echo the project was here\n"
    install = ["alembic-named", "install", "--write"]
    by_hand = ["lefthook", "run", "pre-commit"]

    def own_files(self, repo: Repo) -> None:
        repo.write("lefthook.yml", self.config)

    def activate(self, repo: Repo) -> None:
        repo.do("lefthook", "install")


class HandWritten(Git):
    """An entry that somebody wrote: seen, and left alone."""

    file = "lefthook.yml"
    emptied = "colors: false\n"

    def enter(self, repo: Repo) -> None:
        if "Nothing to do" not in repo.do(*self.install):
            raise Failure("install does not see the entry")

    def leave(self, repo: Repo) -> None:
        expect(repo.run("alembic-named", "uninstall"), 2, "was not written by `alembic-named install`")
        repo.write(self.file, self.emptied)


class LefthookRoot(HandWritten, Lefthook):
    name = "lefthook, root:"
    prefix = "services/shop/"
    config = """pre-commit:
  commands:
    alembic-named:
      root: services/shop/
      run: alembic-named check --staged
"""


class LefthookFiles(HandWritten, Lefthook):
    name = "lefthook, {staged_files}"
    config = """pre-commit:
  commands:
    alembic-named:
      glob: "*.py"
      run: alembic-named check --staged {staged_files}
"""
    nothing = r"alembic-named.*\(skip\) no files for inspection"
    all_files = ["lefthook", "run", "pre-commit", "--all-files"]


class LefthookRootFiles(HandWritten, Lefthook):
    name = "lefthook, both"
    prefix = "services/shop/"
    config = """pre-commit:
  jobs:
    - name: alembic-named
      root: services/shop/
      glob: "*.py"
      run: alembic-named check --staged {staged_files}
"""
    nothing = LefthookFiles.nothing
    all_files = LefthookFiles.all_files


class PreCommit(Git):
    name = "pre-commit"
    tool = "pre-commit"
    program = "pre-commit"
    file = ".pre-commit-config.yaml"
    config = "repos:\n  - repo: meta\n    hooks:\n      - id: identity\n"
    # It keeps what a hook says to itself when that passes.
    passes = all_pass = r"alembic-named \(Alembic constraint names\)\.+Passed"
    nothing = r"alembic-named \(Alembic constraint names\)\.+\(no files to check\)Skipped"
    install = ["alembic-named", "install", "--write"]

    def __init__(self) -> None:
        run = [self.program, "run"]
        self.by_hand = run
        self.all_files = [*run, "--all-files"]
        self.between = [*run, "--from-ref", "base", "--to-ref", "HEAD"]

    def own_files(self, repo: Repo) -> None:
        repo.write(self.prefix + self.file, self.config)

    def activate(self, repo: Repo) -> None:
        repo.do(self.program, "install")

    def only_excluded(self, repo: Repo) -> None:
        repo.stage(self.prefix + "alembic-named.toml", 'exclude = ["tools/**"]\n')
        repo.stage(self.prefix + "tools/x.py", repo.lab.bad)
        expect(repo.run(*self.by_hand, "--verbose"), 0, r"0 files checked")


class PreCommitManifest(HandWritten, PreCommit):
    """The hook id from the manifest of this repository, and `try-repo`."""

    name = "pre-commit, try-repo"
    file = PreCommit.file
    emptied = PreCommit.config

    def __init__(self) -> None:
        super().__init__()
        rev = subprocess.run(["git", "-C", SOURCE, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        hook = f"    rev: {rev.stdout.strip()}\n    hooks:\n      - id: alembic-named-system\n"
        self.config = f"repos:\n  - repo: {SOURCE}\n{hook}"
        tries = [self.program, "try-repo", str(SOURCE), "alembic-named-system"]
        self.by_hand = tries
        self.all_files = [*tries, "--all-files"]
        self.between = [*tries, "--from-ref", "base", "--to-ref", "HEAD"]


class Prek(PreCommit):
    name = "prek"
    tool = "prek"
    program = "prek"


class PrekToml(Prek):
    name = "prek, prek.toml"
    file = "prek.toml"
    config = '[[repos]]\nrepo = "meta"\nhooks = [{ id = "identity" }]'


class PrekWorkspace(Prek):
    """Each folder with a configuration is a project: its hooks start there, with names of files from there."""

    name = "prek, workspace"
    prefix = "services/shop/"
    # Below the top the file says for itself that it is prek's, but not before prek is at work.
    install = ["alembic-named", "install", "--manager", "prek", "--write"]
    config = """repos:
  - repo: local
    hooks:
      - id: show
        name: show
        entry: sh -c 'pwd; echo "$@"' --
        language: system
        verbose: true
"""
    passes = Prek.passes + r"\n(.*\n)*? +\S.*/services/shop\n +migrations/versions/newe?r?\.py\n"

    def own_files(self, repo: Repo) -> None:
        super().own_files(repo)
        for project in ["", "services/mail/"]:
            repo.write(project + self.file, self.config)
            repo.write(project + "module.py", "x = 1\n")


ROWS: list[type[Git]] = [
    Git,
    Chained,
    Husky,
    Lefthook,
    LefthookRoot,
    LefthookFiles,
    LefthookRootFiles,
    PreCommit,
    PreCommitManifest,
    Prek,
    PrekToml,
    PrekWorkspace,
]


# --- columns: the situations ---


def expect(outcome: tuple[int, str], status: int, *words: str, without: str | None = None) -> None:
    actual, said = outcome
    absent = [word for word in words if not re.search(word, said)]
    if actual != status or absent or (without and without in said):
        raise Failure(f"exit {actual}, not {status}; without {absent}\n{said}")


def commits(row: Git, repo: Repo, *arguments: str, below: str = "", path: str | None = None) -> None:
    """The heart of it: an unnamed constraint is staged and blocked, corrected and accepted."""
    path = path or row.prefix + NEW
    before = repo.git("rev-parse", "HEAD")
    commit = ["git", "commit", "-m", "new", *arguments]
    repo.stage(path, repo.lab.bad)
    expect(repo.run(*commit, below=below), 1, "unnamed-constraint", SUGGESTED, without=f"{COLLEAGUE}:")
    if repo.git("rev-parse", "HEAD") != before:
        raise Failure("it was committed all the same")
    repo.stage(path, repo.lab.good)
    expect(repo.run(*commit, below=below), 0, row.passes)
    if repo.git("rev-parse", "HEAD") == before:
        raise Failure("it was not committed")


def plain(row: Git, repo: Repo) -> None:
    commits(row, repo)


def all_changes(row: Git, repo: Repo) -> None:
    commits(row, repo, "-a")


def one_path(row: Git, repo: Repo) -> None:
    commits(row, repo, "--", row.prefix + NEW)


def from_below(row: Git, repo: Repo) -> None:
    commits(row, repo, below=row.prefix + "app")


def merge(row: Git, repo: Repo) -> None:
    """The commit that ends a merge answers for what it adds itself, not for what a colleague committed."""
    repo.git("checkout", "-q", "-b", "colleague")
    repo.stage(row.prefix + COLLEAGUE, repo.lab.bad)
    repo.stage("notes", "theirs\n")
    repo.git("commit", "-q", "--no-verify", "-m", "colleague")
    repo.git("checkout", "-q", "main")
    repo.stage("notes", "ours\n")
    repo.git("commit", "-q", "--no-verify", "-m", "notes")
    expect(repo.run("git", "merge", "colleague"), 1, "CONFLICT")
    repo.stage("notes", "both\n")
    commits(row, repo)


def worktree(row: Git, repo: Repo) -> None:
    other = Repo(repo.lab, repo.path.parent / "second")
    repo.git("worktree", "add", "-q", "-b", "second", str(other.path))
    if isinstance(row, Husky):
        # Its folder is in no commit, so a new worktree has none: git finds no hook and says nothing.
        row.activate(other)
    commits(row, other)
    commits(row, other, below=row.prefix + "app", path=row.prefix + "migrations/versions/newer.py")


def submodule(row: Git, repo: Repo) -> None:
    whole = Repo(repo.lab, repo.path.parent / "whole")
    whole.path.mkdir()
    whole.git("init", "-q", "-b", "main")
    whole.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo.path), "sub")
    part = Repo(repo.lab, whole.path / "sub")
    row.enter(part)
    row.activate(part)
    commits(row, part)


def by_hand(row: Git, repo: Repo) -> None:
    repo.stage(row.prefix + NEW, repo.lab.bad)
    expect(repo.run(*row.by_hand), 1, "unnamed-constraint", SUGGESTED)
    repo.stage(row.prefix + NEW, repo.lab.good)
    expect(repo.run(*row.by_hand), 0, row.passes)


def all_files(row: Git, repo: Repo) -> None:
    """With nothing staged, as in CI."""
    committed(repo, row, repo.lab.bad)
    expect(repo.run(*row.all_files), 1, "unnamed-constraint", SUGGESTED)
    committed(repo, row, repo.lab.good, repo.lab.models)
    expect(repo.run(*row.all_files), 0, row.all_pass)


def between(row: Git, repo: Repo) -> None:
    committed(repo, row, repo.lab.bad)
    expect(repo.run(*row.between), 1, "unnamed-constraint", SUGGESTED)
    committed(repo, row, repo.lab.good)
    own = isinstance(row, PreCommit)
    expect(repo.run(*row.between), 0, row.passes if own else Git.passes)


def committed(repo: Repo, row: Git, text: str, models: str | None = None) -> None:
    repo.git("reset", "-q", "--hard", "base")
    repo.stage(row.prefix + NEW, text)
    if models:
        repo.stage(row.prefix + "app/models.py", models)
    repo.git("commit", "-q", "--no-verify", "-m", "new")


def nothing(row: Git, repo: Repo) -> None:
    """A commit that has nothing to look at passes, and says that nothing was looked at."""
    repo.stage(row.prefix + "README.md", "a word\n")
    expect(repo.run("git", "commit", "-m", "words"), 0, row.nothing)
    row.only_excluded(repo)


def uninstall(row: Git, repo: Repo) -> None:
    """Everything comes back byte for byte, and the mistake is committed: the hook did block before."""
    fresh = Repo(repo.lab, repo.path.parent / "fresh")
    start(row, fresh)
    row.own_files(fresh)
    before = fresh.files()
    row.enter(fresh)
    is_by_hand = isinstance(row, HandWritten)
    if not is_by_hand and fresh.files() == before:
        raise Failure("install changed nothing")
    row.leave(fresh)
    after = fresh.files()
    if not is_by_hand and after != before:
        names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        raise Failure(f"uninstall left other bytes in {names}")
    row.activate(fresh)
    fresh.stage(row.prefix + NEW, repo.lab.bad)
    expect(fresh.run("git", "commit", "-m", "unnamed"), 0, without=SUGGESTED)


SITUATIONS = {
    "commit": plain,
    "commit -a": all_changes,
    "commit PATH": one_path,
    "from below": from_below,
    "merge": merge,
    "worktree": worktree,
    "submodule": submodule,
    "by hand": by_hand,
    "all files": all_files,
    "from-ref": between,
    "0 files": nothing,
    "uninstall": uninstall,
}


def start(row: Git, repo: Repo) -> None:
    repo.path.mkdir(parents=True)
    repo.git("init", "-q", "-b", "main")
    for name, text in repo.lab.shop.items():
        repo.write(row.prefix + name, text)
    repo.write("notes", "none\n")


def run_row(kind: type[Git], folder: Path, binary: Path) -> tuple[dict[str, str], list[str], float]:
    began = time.monotonic()
    folder.mkdir()
    lab = Lab(folder, binary)
    row = kind()
    repo = Repo(lab, folder / "it's a shop")
    cells, failures = {}, []
    try:
        start(row, repo)
        row.own_files(repo)
        row.enter(repo)
        row.activate(repo)
        repo.git("add", "-A")
        repo.git("commit", "-q", "--no-verify", "-m", "base")
        repo.git("tag", "base")
    except Failure as error:
        return dict.fromkeys(SITUATIONS, "FAIL"), [f"{row.name}: {error}"], time.monotonic() - began
    for name, situation in SITUATIONS.items():
        try:
            situation(row, repo)
            cells[name] = "ok"
        except (Failure, OSError, subprocess.SubprocessError) as error:
            cells[name] = "FAIL"
            failures.append(f"{row.name} / {name}: {error}")
        # A merge that failed half way must not fail the others.
        repo.run("git", "reset", "-q", "--hard")
        repo.run("git", "checkout", "-q", "-f", "main")
        repo.git("reset", "-q", "--hard", "base")
        repo.git("clean", "-fdq")
    return cells, failures, time.monotonic() - began


def show(matrix: dict[str, dict[str, str]]) -> None:
    widest = max(map(len, matrix))
    print(f"{'':{widest}}  " + "  ".join(SITUATIONS))
    for name, cells in matrix.items():
        print(f"{name:{widest}}  " + "  ".join(f"{cells[column]:{len(column)}}" for column in SITUATIONS))


def versions(missing: dict[str, str]) -> str:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    tools = {name: version for name, version in (PYTHON_TOOLS | NODE_TOOLS).items() if name not in missing}
    return ", ".join(f"{name} {version}" for name, version in ({"git": git} | tools).items())


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    binary = Path(sys.argv[1]).resolve()
    missing = install_tools()
    for name, reason in missing.items():
        print(f"{'FAILED' if os.environ.get('CI') else 'skipped'}: {name} could not be installed: {reason}")
    rows = [row for row in ROWS if row.tool not in missing and (not sys.argv[2:] or row.name in sys.argv[2:])]
    print(f"with {versions(missing)}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        root = Path(folder).resolve()
        results = list(pool.map(lambda numbered: run_row(numbered[1], root / str(numbered[0]), binary), enumerate(rows)))
    matrix = {row.name: cells for row, (cells, _, _) in zip(rows, results)}
    for _, failures, _ in results:
        for failure in failures:
            print(f"FAILED: {failure}\n")
    print("seconds: " + ", ".join(f"{row.name} {seconds:.0f}" for row, (_, _, seconds) in zip(rows, results)))
    show(matrix)
    cells = [cell for cells in matrix.values() for cell in cells.values()]
    print(f"managers: {cells.count('ok')} of {len(cells)} cells hold")
    return int(cells.count("ok") != len(cells) or bool(missing and os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
