"""An Alembic project as `alembic init` makes it, driven in this process through alembic.command."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

MAJOR = int(sqlalchemy.__version__.split(".")[0])
IMPORTS = (
    "from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, String, UniqueConstraint\n"
    "from sqlalchemy.sql.naming import conv\n"
)
# Versions of git differ in what they ask for; nothing of the user's own settings may count.
GIT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": f"e2e{at}" for who in ("AUTHOR", "COMMITTER") for what, at in (("NAME", ""), ("EMAIL", "@example.com"))},
}


class Unexpected(Exception):
    """A run that did not go as it must."""


def models(tables: str, convention: dict[str, str] | None) -> str:
    """The module app.models; the base is written as each version's documentation has it."""
    lines = "" if convention is None else "convention = {\n" + "".join(f'    "{k}": "{v}",\n' for k, v in convention.items()) + "}\n"
    metadata = "MetaData(naming_convention=convention)"
    if MAJOR >= 2:
        body = "pass" if convention is None else f"metadata = {metadata}"
        return f"{IMPORTS}from sqlalchemy.orm import DeclarativeBase\n\n{lines}\n\nclass Base(DeclarativeBase):\n    {body}\n{tables}"
    argument = "" if convention is None else f"metadata={metadata}"
    return f"{IMPORTS}from sqlalchemy.orm import declarative_base\n\n{lines}\nBase = declarative_base({argument})\n{tables}"


def initialise(folder: Path) -> None:
    """What `alembic init migrations` writes, in a folder of its own; made once and copied for each project."""
    folder.mkdir(parents=True)
    with working_in(folder):
        command.init(Config("alembic.ini"), "migrations")
    ini = folder / "alembic.ini"
    # Alembic's own log lines would drown the table.
    text = re.sub(r"(\[logger_alembic\]\nlevel = )INFO", r"\1WARNING", ini.read_text())
    ini.write_text(text)


@contextlib.contextmanager
def working_in(folder: Path):
    """In a project: its folder as the current one, its modules imported anew, its output caught."""
    before, path = os.getcwd(), list(sys.path)
    os.chdir(folder)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            yield output
    finally:
        os.chdir(before)
        sys.path[:] = path
        # Alembic puts `.` into the path, and Python remembers which folder that was.
        sys.path_importer_cache.clear()
        for module in [name for name in sys.modules if name == "app" or name.startswith("app.")]:
            del sys.modules[module]


class Project:
    def __init__(self, folder: Path, template: Path, url: str, *, batch: bool, schema: str | None) -> None:
        self.folder = folder
        shutil.copytree(template, folder)
        (folder / "app").mkdir()
        (folder / "app" / "__init__.py").write_text("")
        (folder / ".gitignore").write_text("*.db\n__pycache__/\n")
        ini = folder / "alembic.ini"
        ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", url.replace("%", "%%")))
        env = folder / "migrations" / "env.py"
        text = env.read_text().replace("target_metadata = None", "from app.models import Base\n\ntarget_metadata = Base.metadata")
        options = ""
        if batch:
            options += ", render_as_batch=True"
        if schema:
            options += ", include_schemas=True, include_name=include_name"
            text = text.replace(
                "\n\ndef run_migrations_offline",
                f'\n\ndef include_name(name, type_, parent_names):\n    return type_ != "schema" or name in (None, "{schema}")\n\n\ndef run_migrations_offline',
            )
        text, count = re.subn(r"(connection=connection, target_metadata=target_metadata)", rf"\1{options}", text)
        if count != 1:
            raise Unexpected("env.py of this Alembic does not look as expected")
        env.write_text(text)

    def write_models(self, text: str) -> None:
        (self.folder / "app" / "models.py").write_text(text)

    def run(self, function, *arguments, **keywords) -> str:
        with working_in(self.folder) as output:
            function(Config("alembic.ini", stdout=output), *arguments, **keywords)
        return output.getvalue()

    def attempt(self, function, *arguments) -> str | None:
        """None when it passed, otherwise the exception as `Type: message`."""
        try:
            self.run(function, *arguments)
        except Exception as error:
            names = " ".join(str(error).split())
            return f"{type(error).__name__}: {names}"
        return None

    def upgrade(self, revision: str = "head") -> str | None:
        return self.attempt(command.upgrade, revision)

    def downgrade(self) -> str | None:
        return self.attempt(command.downgrade, "-1")

    def differences(self) -> str | None:
        """What a further autogenerate would write, or None."""
        return self.attempt(command.check)

    def revision(self, name: str) -> Path:
        """Autogenerates a revision and returns its file."""
        self.run(command.revision, message=name, autogenerate=True, rev_id=name)
        (file,) = (self.folder / "migrations" / "versions").glob(f"{name}_*.py")
        return file

    def commit(self) -> None:
        for arguments in (["init", "-q", "--template="], ["add", "-A"], ["commit", "-qm", "before"]):
            subprocess.run(["git", *arguments], cwd=self.folder, env=GIT, check=True, capture_output=True)
