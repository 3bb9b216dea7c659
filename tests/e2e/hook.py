"""The binary as a post-write hook of Alembic: real `alembic revision --autogenerate`, on SQLite in batch mode."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from databases import SQLite
from expectations import UNNAMED
from project import GIT, Project, Unexpected, models
from scenarios import SCENARIOS, unnamed

HOOK = """[post_write_hooks]
hooks = named
named.type = exec
named.executable = {binary}
named.options = fix REVISION_SCRIPT_FILENAME
"""
NAME = "fk_order_invoice_id_invoice"
# A template with a helper of its own: no column is written here, so nobody can know the name.
HELPER = """    for table, columns in UNIQUE:
        op.create_unique_constraint(None, table, columns)
"""


def revision(binary: Path, folder: Path, template: Path, *, repository: bool, helper: bool) -> tuple[Project, str, str]:
    """Autogenerates a revision with the hook; gives the project, what Alembic printed, and the revision."""
    scenario = next(one for one in SCENARIOS if one.id == "a")
    project = Project(folder, template, SQLite(folder / "app.db").url, batch=True, schema=None)
    project.write_models(models(scenario.before, None))
    project.revision("one")
    if project.upgrade() is not None:
        raise Unexpected("the first revision cannot be applied")
    if helper:
        mako = folder / "migrations" / "script.py.mako"
        text = mako.read_text().replace('    ${upgrades if upgrades else "pass"}\n', '    ${upgrades if upgrades else "pass"}\n' + HELPER)
        mako.write_text(text.replace("\n\ndef upgrade", "\nUNIQUE = []\n\n\ndef upgrade", 1))
    if repository:
        project.commit()
    project.write_models(models(scenario.after(unnamed), None))
    ini = folder / "alembic.ini"
    text, count = re.subn(r"^\[post_write_hooks\]\n", HOOK.format(binary=shlex.quote(str(binary))), ini.read_text(), flags=re.MULTILINE)
    if count != 1:
        raise Unexpected("alembic.ini of this Alembic does not look as expected")
    ini.write_text(text)
    # Outside of a repository means outside of any: this folder may lie in the checkout of the project itself.
    environment = {**GIT, "GIT_CEILING_DIRECTORIES": str(folder.parent), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "alembic", "revision", "--autogenerate", "-m", "add invoice", "--rev-id", "two"]
    result = subprocess.run(command, check=False, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (folder / "output.txt").write_text(result.stdout)
    # Alembic does not look at a hook's exit status: what is left is told, and stops the commit.
    if result.returncode != 0:
        raise Unexpected(f"alembic revision: exit {result.returncode}: {result.stdout}")
    if "Running post write hook 'named'" not in result.stdout.replace('"', "'"):
        raise Unexpected(f"the hook did not run: {result.stdout}")
    (file,) = (folder / "migrations" / "versions").glob("two_*.py")
    return project, result.stdout, file.read_text()


def right_when_written(binary: Path, folder: Path, template: Path, *, repository: bool = True) -> tuple[str, str]:
    project, output, text = revision(binary, folder, template, repository=repository, helper=False)
    if UNNAMED.search(text) or text.count(f"op.f('{NAME}')") != 2:
        raise Unexpected(f"the revision is not right when it is written; Alembic printed: {output}")
    for step in (project.upgrade, project.downgrade, project.upgrade, project.differences):
        error = step()
        if error is not None:
            raise Unexpected(error)
    return "", "ok"


def without_a_repository(binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    return right_when_written(binary, folder, template, repository=False)


def something_left(binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    _, output, text = revision(binary, folder, template, repository=True, helper=True)
    if text.count(f"op.f('{NAME}')") != 2 or "create_unique_constraint(None" not in text:
        raise Unexpected(f"the key should be named, the helper's constraint cannot be: {text}")
    if "unnamed-constraint" not in output or "two_add_invoice.py" not in output:
        raise Unexpected(f"what is left is not told: {output}")
    (file,) = (folder / "migrations" / "versions").glob("two_*.py")
    result = subprocess.run([binary, "fix", file], check=False, cwd=folder, env=GIT, capture_output=True, text=True)
    if result.returncode != 1:
        raise Unexpected(f"exit status of the hook: {result.returncode}, not 1: {result.stdout}{result.stderr}")
    return "", "ok"


ROWS = {
    "right when written": right_when_written,
    "without a repository": without_a_repository,
    "something is left": something_left,
}
