"""Several databases: the environments that Flask-Migrate and Alembic write themselves, and what the tool says of a revision in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from rows import equal
from scenarios import DOCUMENTED

APP = '''
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, Integer, MetaData, String

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///main.db"
app.config["SQLALCHEMY_BINDS"] = {"users": "sqlite:///users.db"}
db = SQLAlchemy(metadata=MetaData(naming_convention=%r))
db.init_app(app)
Migrate(app, db, render_as_batch=True)

class Member(db.Model):
    __tablename__ = "member"
    __bind_key__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String(20))%s
'''

UNIQUE = '\n    __table_args__ = (db.UniqueConstraint("email"),)'


def check(binary: Path, folder: Path) -> list[dict]:
    result = subprocess.run([binary, "check", ".", "--format", "json"], cwd=folder, capture_output=True, text=True)
    return json.loads(result.stdout)["diagnostics"]


def flask(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "FLASK_APP": "app"}
    command = [sys.executable, "-m", "flask", "db", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def by_flask(binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    folder.mkdir()
    app = folder / "app.py"
    app.write_text(APP % (DOCUMENTED, ""))
    flask(folder, "init", "--multidb")
    flask(folder, "migrate", "--rev-id", "one")
    flask(folder, "upgrade")
    app.write_text(APP % (DOCUMENTED, UNIQUE))
    flask(folder, "migrate", "--rev-id", "two")
    equal("findings in what autogenerate wrote", check(binary, folder), [])
    (revision,) = (folder / "migrations" / "versions").glob("two_*.py")
    text = revision.read_text()
    name = "batch_op.f('uq_member_email')"
    equal("names that autogenerate wrote", text.count(name), 2)
    # As it was before the convention came.
    revision.write_text(text.replace(name, "None"))
    found = check(binary, folder)
    equal("rules", {one["rule"] for one in found}, {"implicit-constraint-name", "unnamed-drop"})
    equal("names", {one["suggested_name"] for one in found}, {"uq_member_email"})
    return "named in its bind", "ok"


def by_alembic(binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "alembic", "init", "-t", "multidb", "migrations"], cwd=folder, check=True, capture_output=True)
    equal("findings in a fresh environment", check(binary, folder), [])
    return "fresh", "ok"


ROWS = {"of alembic": by_alembic}
try:
    import flask_migrate  # noqa: F401
except ImportError:
    # Flask-SQLAlchemy 3 needs SQLAlchemy 2.
    pass
else:
    ROWS["of flask"] = by_flask
