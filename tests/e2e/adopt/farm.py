"""A project that has lived for sixteen revisions without a naming convention: its models and revisions, as text for each kind of database.

Twelve tables: keys, also to the table itself, in a circle, of two columns and into another schema; unique constraints; checks, and a type that
brings one; quoted names and names as long as the databases bear. SQLite has no schemas, and no ALTER for constraints: there everything stands
in `create_table`.
"""

from __future__ import annotations

# With the longest number that MariaDB puts behind it.
LONG = "record_of_all_the_milk_that_was_ever_given_in_the_old_yd"
WIDE = "the_place_in_which_it_was_given_since_the_new_parlour_was_built"
CHECK = "a_name_of_a_check_that_is_nearly_too_long_for_every_database_xx"
# What SQLite cannot do later.
LATER = {
    "barn": ', sa.ForeignKeyConstraint(["keeper_id"], ["keeper.id"])',
    "milk": ', sa.UniqueConstraint("pail")',
    "stall": ', sa.ForeignKeyConstraint(["a_barn"], ["barn.id"])',
}


def unnamed(text: str) -> str:
    return f'sa.CheckConstraint("{text}")'


def named(text: str, name: str) -> str:
    return f'sa.CheckConstraint("{text}", name="{name}")'


def tables(has_unnamed: bool) -> dict[str, str]:
    """What stands in each table when it is made; `{other}` is the other schema with a dot."""
    key = 'sa.Column("id", sa.Integer, primary_key=True)'

    def check(text: str, name: str) -> str:
        return unnamed(text) if has_unnamed else named(text, name)

    return {
        "barn": f'{key}, sa.Column("code", sa.String(20), unique=True), sa.Column("keeper_id", sa.Integer)',
        "keeper": f'{key}, sa.Column("barn_id", sa.Integer, sa.ForeignKey("barn.id"))',
        "herd": 'sa.Column("number", sa.Integer, autoincrement=False), sa.Column("year", sa.Integer, autoincrement=False), '
        'sa.Column("barn_id", sa.Integer, sa.ForeignKey("barn.id", ondelete="CASCADE")), sa.PrimaryKeyConstraint("number", "year"), '
        + named("year > 1900 AND year <> 1984", "year_ok"),
        "goat": f'{key}, sa.Column("name", sa.String(40)), sa.Column("tag", sa.String(20), unique=True), sa.Column("weight", sa.Integer), '
        'sa.Column("herd", sa.Integer), sa.Column("year", sa.Integer), sa.Column("mother", sa.Integer), '
        'sa.Column("kind", sa.Enum("kid", "doe", name="goat_kind", native_enum=False, create_constraint=True)), '
        'sa.ForeignKeyConstraint(["mother"], ["goat.id"]), sa.UniqueConstraint("name", "herd", "year"), '
        'sa.ForeignKeyConstraint(["herd", "year"], ["herd.number", "herd.year"], onupdate="CASCADE"), '
        + ", ".join((check("weight > 0", "weight_ok"), named("name NOT LIKE '%;%'", "name_ok"), named(f"weight < 999", CHECK))),
        "milk": f'{key}, sa.Column("goat_id", sa.Integer, sa.ForeignKey("goat.id"), index=True), sa.Column("day", sa.Integer), '
        'sa.Column("pail", sa.Integer), sa.UniqueConstraint("day", "goat_id"), ' + check("day > 0 OR day = -1", "day_ok"),
        "cure": f'{key}, sa.Column("name", sa.String(40)), sa.Column("dose", sa.Integer), sa.Column("batch", sa.Integer), '
        'sa.UniqueConstraint("name", name="one_cure_a_name"), sa.UniqueConstraint("dose", name="uq_cure_dose"), '
        'sa.UniqueConstraint("batch", name="cure_batch_key")',
        "goat_cure": 'sa.Column("goat_id", sa.Integer, sa.ForeignKey("goat.id"), primary_key=True), '
        'sa.Column("cure_id", sa.Integer, sa.ForeignKey("cure.id"), primary_key=True)',
        "Goat Show": 'sa.Column("Id", sa.Integer, primary_key=True), sa.Column("select", sa.String(20), unique=True), '
        'sa.Column("Best Goat", sa.Integer, sa.ForeignKey("goat.id")), sa.Column("last", sa.Integer, sa.ForeignKey("Goat Show.Id"))',
        LONG: f'{key}, sa.Column("{WIDE}", sa.Integer, unique=True), sa.Column("milk_id", sa.Integer, sa.ForeignKey("milk.id")), '
        'sa.Column("barn_code", sa.String(20), sa.ForeignKey("barn.code"))',
        "ledger": f'{key}, sa.Column("page", sa.Integer, unique=True), sa.Column("before", sa.Integer, sa.ForeignKey("{{other}}ledger.id"))',
        "entry": f'{key}, sa.Column("ledger_id", sa.Integer, sa.ForeignKey("{{other}}ledger.id")), '
        'sa.Column("goat_id", sa.Integer, sa.ForeignKey("goat.id"))',
        "stall": f'{key}, sa.Column("z_goat", sa.Integer), sa.Column("a_barn", sa.Integer), sa.Column("row", sa.Integer), '
        'sa.ForeignKeyConstraint(["z_goat"], ["goat.id"]), sa.UniqueConstraint("row", "z_goat")',
    }


def whole(kind: str, schema: str | None, has_unnamed: bool) -> dict[str, str]:
    """Each table as the models have it."""
    own = {name: text + LATER.get(name, "") for name, text in tables(has_unnamed).items()}
    own["ledger"] += ', schema="{schema}"' if schema else ""
    other = f"{schema}." if schema else ""
    return {name: text.replace("{other}", other).replace("{schema}", schema or "") for name, text in own.items()}


def models(kind: str, schema: str | None, has_unnamed: bool) -> str:
    made = (f'sa.Table("{name}", metadata, {text})\n' for name, text in whole(kind, schema, has_unnamed).items())
    return "import sqlalchemy as sa\n\nmetadata = sa.MetaData()\n\n" + "".join(made)


def revisions(kind: str, schema: str | None, has_unnamed: bool) -> list[str]:
    """In order; where a downgrade drops a constraint, by the name that the database gave it."""
    at_once = whole(kind, schema, has_unnamed)
    later = {} if kind == "sqlite" else LATER
    at_first = {name: text.replace(later.get(name, "\n"), "").replace("" if kind == "mariadb" else ", index=True", "") for name, text in at_once.items()}
    of_schema = f', schema="{schema}"' if schema else ""

    def make(name: str) -> tuple[str, str]:
        return f'op.create_table("{name}", {at_first[name]})', f'op.drop_table("{name}"{of_schema if name == "ledger" else ""})'

    def add_key(table: str, column: str, other: str, numbered: str) -> tuple[str, str]:
        name = {"postgresql": f"{table}_{column}_fkey", "mariadb": numbered}.get(kind)
        if name is None:
            return "pass", "pass"
        drop = f'op.drop_constraint("{name}", "{table}", type_="foreignkey")'
        return f'op.create_foreign_key(None, "{table}", "{other}", ["{column}"], ["id"])', drop

    unique = {"postgresql": "milk_pail_key", "mariadb": "pail"}.get(kind)
    pail = ('op.create_unique_constraint(None, "milk", ["pail"])', f'op.drop_constraint("{unique}", "milk", type_="unique")')
    index = ('op.create_index(op.f("ix_milk_goat_id"), "milk", ["goat_id"])', 'op.drop_index(op.f("ix_milk_goat_id"), table_name="milk")')
    steps = [make("barn"), make("keeper"), add_key("barn", "keeper_id", "keeper", "barn_ibfk_1"), make("herd"), make("goat"), make("milk")]
    nothing = ("pass", "pass")
    # MariaDB lets no index go that a key needs.
    steps += [pail if unique else nothing, nothing if kind == "mariadb" else index, make("cure"), make("goat_cure"), make("Goat Show")]
    steps += [make(LONG), make("ledger"), make("entry"), make("stall"), add_key("stall", "a_barn", "barn", "stall_ibfk_2")]
    return [revision(at, *step) for at, step in enumerate(steps, 1)]


def revision(at: int, upgrade: str, downgrade: str) -> str:
    before = f'"r{at - 1:02}"' if at > 1 else "None"
    return (
        f'"""{at}"""\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "r{at:02}"\ndown_revision = {before}\n\n\n'
        f"def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    {downgrade}\n"
    )
