"""One row of the table: a project, two revisions, the failure without names, the fix, and what holds after it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from databases import Database, SQLite, cut
from expectations import GIVEN, NAME_ALONE, REFLECTED, UNNAMED, drops_unnamed, failure_before, halves, incurable, left_behind, unnamed_constraints
from project import GIT, MAJOR, Project, Unexpected, models
from scenarios import CONVENTIONS, SCHEMA, Constraint, Scenario, unnamed


@dataclass(frozen=True)
class Row:
    scenario: Scenario
    batch: bool
    database: Database
    convention: str

    @property
    def mode(self) -> str:
        return "batch" if self.batch else "plain"

    @property
    def id(self) -> str:
        return "-".join((self.scenario.id, self.mode, self.database.kind, self.convention))

    @property
    def at_first(self) -> str:
        """The convention when the revisions were written."""
        return "none" if self.convention == "later" else self.convention

    def run(self, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
        if isinstance(self.database, SQLite):
            return run(replace(self, database=SQLite(folder / "app.db")), binary, folder, template)
        return run(self, binary, folder, template)


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise Unexpected(message)


def equal(what: str, found: object, expected: object) -> None:
    expect(found == expected, f"{what}: {found!r}, not {expected!r}")


class Fixer:
    """The binary, as a user in the project's folder runs it."""

    def __init__(self, binary: Path, project: Project, revision: Path) -> None:
        self.binary, self.project, self.revision = binary, project, revision

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = self.revision.relative_to(self.project.folder)
        command = [self.binary, *arguments, path]
        return subprocess.run(command, check=False, cwd=self.project.folder, env=GIT, capture_output=True, text=True, timeout=60)

    def check(self) -> dict:
        result = self.run("check", "--format", "json")
        expect(result.returncode in (0, 1), f"check: exit {result.returncode}: {result.stderr}")
        report = json.loads(result.stdout)
        (self.project.folder / "check.json").write_text(result.stdout)
        return report

    def fix(self, *options: str) -> str:
        """Fixes, twice: the second time nothing may change. Gives the fixed text."""
        result = self.run("fix", *options)
        said = (result.stdout + result.stderr).strip()
        # A drop by a name that no new database has is an error, and none that a fix mends.
        left = {one["rule"] for one in self.check()["diagnostics"] if one["severity"] == "error"}
        equal(f"exit status of the fix: {said}", result.returncode, 1 if left == {"default-name-dependency"} else 0)
        text = self.revision.read_bytes()
        again = self.run("fix", *options)
        equal("exit status of the second fix", again.returncode, result.returncode)
        expect(self.revision.read_bytes() == text, "a second fix changed the file again")
        return text.decode()


def models_of(row: Row, tables: str, convention: str) -> str:
    return models(tables.replace(SCHEMA, row.database.schema), CONVENTIONS[convention])


def named_in_model(row: Row):
    def name(constraint: Constraint) -> str:
        value = constraint.name(row.convention)
        # A plain string past the limit is an error; what op.f() is to a migration, conv() is to a model.
        return f', name=conv("{value}")' if len(value) > 63 else f', name="{value}"'

    return name


def shape(seen: dict) -> dict:
    """What was looked at, without the names."""
    return {table: (found["columns"], sorted(found["constraints"])) for table, found in seen.items()}


def check_names(row: Row, upgraded: dict, downgraded: dict) -> None:
    """Each constraint under its name, wherever that was given and not left to the database."""
    given = row.scenario.constraints if row.convention in ("partial", "full") else unnamed_constraints(row.scenario, row.database.kind, row.convention)
    for constraint in given:
        seen = (downgraded if constraint.dropped else upgraded)[constraint.table]["constraints"]
        found = {name for (kind, columns, _), name in seen.items() if (kind, columns) == (constraint.kind, constraint.columns)}
        equal(f"{constraint.kind} {constraint.table}{constraint.columns} in the database", found, {cut(constraint.name(row.convention), row.database.kind)})


def round_trip(row: Row, project: Project) -> None:
    """Upgrade, downgrade, upgrade; the names in the database; then a second autogenerate."""
    database, schema = row.database, row.database.schema if row.scenario.schema else None
    before = database.look(schema)
    equal("upgrade", project.upgrade(), None)
    upgraded = database.look(schema)
    expect(shape(upgraded) != shape(before), "the upgrade changed nothing")
    equal("downgrade", project.downgrade(), None)
    downgraded = database.look(schema)
    equal("after the downgrade", shape(downgraded), shape(before))
    equal("second upgrade", project.upgrade(), None)
    equal("after the second upgrade", database.look(schema), upgraded)
    check_names(row, upgraded, downgraded)

    left = left_behind(row.scenario, database.kind)
    second_autogenerate(project, "second autogenerate", left)
    if CONVENTIONS[row.convention] is None or row.convention == "partial":
        # Without a convention the name belongs into the model as well; that must not make a difference either.
        project.write_models(models_of(row, row.scenario.after(named_in_model(row)), row.convention))
        second_autogenerate(project, "autogenerate with the names in the model", left)


def second_autogenerate(project: Project, what: str, left: str | None) -> None:
    differences = project.differences()
    if left is None or differences is None:
        equal(what, differences, left)
    else:
        expect(re.fullmatch(left, differences) is not None, f"{what}: {differences!r}, not {left!r}")


def at_first_revision(row: Row, project: Project) -> None:
    """A database in which the first revision was applied when it was written: before the convention, where that came later."""
    module = project.folder / "app" / "models.py"
    now = module.read_text()
    row.database.empty()
    project.write_models(models_of(row, row.scenario.before, row.at_first))
    equal("upgrade to the first revision", project.upgrade("one"), None)
    project.write_models(now)


def see_it_fail(row: Row, project: Project, text: str) -> str:
    """The revision with None in it, in a database of its own: it must fail as recorded."""
    half, pattern = failure_before(row.database.kind, row.batch, row.convention, MAJOR, text)
    error = project.upgrade()
    if half == "downgrade":
        equal("upgrade before the fix", error, None)
        error = project.downgrade()
    expect(error is not None, f"the {half} passes without a name")
    expect(re.match(pattern, error) is not None, f"before the fix the {half} fails with {error!r}, not {pattern!r}")
    at_first_revision(row, project)
    return f"{half} {error.split(':')[0]}"


OUTSIDE_BATCH = "on SQLite outside of batch mode"


def own_findings(fixer: Fixer, convention: str) -> list[dict]:
    """The findings but for those that no fix mends: a drop by a name that the database chose in an older revision, and what SQLite cannot do."""
    found = fixer.check()["diagnostics"]
    inherited = [diagnostic for diagnostic in found if diagnostic["rule"] == "default-name-dependency" or OUTSIDE_BATCH in diagnostic["message"]]
    for diagnostic in inherited:
        # Where a convention has come since, the drop fails on every new database.
        is_fatal = convention == "later" and diagnostic["rule"] == "default-name-dependency"
        severity = "error" if is_fatal else "warning"
        equal("what no fix mends", (diagnostic["severity"], diagnostic["fix"]), (severity, None))
    return [diagnostic for diagnostic in found if diagnostic not in inherited]


def fix_names(row: Row, project: Project, fixer: Fixer, original: str) -> tuple[str, str]:
    """Gives how the revision failed without its names, and what fixed it."""
    named = {constraint.name(row.convention) for constraint in unnamed_constraints(row.scenario, row.database.kind, row.convention)}
    asks = drops_unnamed(row.scenario, row.database.kind, row.batch, row.convention)
    found = own_findings(fixer, row.convention)
    equal("suggested names", {diagnostic["suggested_name"] for diagnostic in found}, named)
    safety = {(diagnostic["fix"] or {}).get("safety") for diagnostic in found}
    equal("safety", safety - {"safe"} if asks else safety, {"suggested"} if asks else {"safe"})

    was = see_it_fail(row, project, original)
    if asks:
        equal("exit status of a fix that leaves something", fixer.run("fix").returncode, 1)
        expect(UNNAMED.search(fixer.revision.read_text()) is not None, "fix named all, and the upgrade cannot pass")
        in_two_steps = fixer.fix("--unsafe-fixes")
        fixer.revision.write_text(original)
    fixed = fixer.fix(*(["--unsafe-fixes"] if asks else []))
    equal("without a name after the fix", [call.group() for call in UNNAMED.finditer(fixed)], [])
    expect("constraint name is None" not in fixed, "Alembic's WARNING is still there")
    upgrade, downgrade = ([name for name in GIVEN.findall(half) if name in named] for half in halves(fixed))
    equal("names in the upgrade", set(upgrade), named)
    # A constraint must be dropped under its own name: Alembic writes the downgrade in the opposite order.
    equal("names in the downgrade", downgrade, upgrade[::-1])
    if not asks:
        return was, "ok"

    equal("fixed in two steps", in_two_steps, fixed)
    fixer.revision.write_text(REFLECTED.sub("", fixed))
    error = project.upgrade()
    expect(error is not None, "a name alone is a cure, update the table")
    expect(re.match(NAME_ALONE, error) is not None, f"with a name alone, the upgrade fails with {error!r}, not {NAME_ALONE!r}")
    fixer.revision.write_text(fixed)
    at_first_revision(row, project)
    return was, "ok with --unsafe-fixes"


def run(row: Row, binary: Path, folder: Path, template: Path) -> tuple[str, str]:
    """Gives what happened before and after the fix."""
    scenario, database = row.scenario, row.database
    project = Project(folder, template, database.url, batch=row.batch, schema=database.schema if scenario.schema else None)
    database.empty()
    project.write_models(models_of(row, scenario.before, row.at_first))
    project.revision("one")
    equal("upgrade to the first revision", project.upgrade(), None)
    project.commit()

    after = scenario.after(unnamed)
    project.write_models(models_of(row, after, row.at_first))
    revision = project.revision("two")
    project.write_models(models_of(row, after, row.convention))
    original = revision.read_text()
    (folder / "original.py").write_text(original)
    fixer = Fixer(binary, project, revision)

    to_name = unnamed_constraints(scenario, database.kind, row.convention)
    equal("autogenerate wrote None", bool(UNNAMED.search(original)), bool(to_name))
    if to_name:
        was, how = fix_names(row, project, fixer, original)
    else:
        equal("findings in a revision that has its names", own_findings(fixer, row.convention), [])
        equal("the file after a fix that has nothing to do", fixer.fix(), original)
        was, how = "named", "ok"

    known = incurable(scenario, database.kind, row.batch)
    if known is None:
        round_trip(row, project)
        return was, how
    reason, pattern = known
    warned = {diagnostic["severity"] for diagnostic in fixer.check()["diagnostics"] if OUTSIDE_BATCH in diagnostic["message"]}
    equal("what is said when all has a name", warned, {"warning"})
    error = project.upgrade()
    expect(error is not None, f"a cure was found, update the table: {reason}")
    expect(re.match(pattern, error) is not None, f"with all names, the upgrade fails with {error!r}, not {pattern!r}")
    return was, f"still fails: {reason}"
