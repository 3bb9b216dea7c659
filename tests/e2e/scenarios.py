"""What is changed in the models: before and after each change, and the names that the constraints must get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

# The convention in SQLAlchemy's documentation, which also holds where a project has none.
DOCUMENTED = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# A convention of a project's own: none of its names is one of the documented convention.
OWN = {
    "ix": "%(table_name)s_%(column_0_N_name)s_index",
    "uq": "%(table_name)s_%(column_0_N_name)s_unique",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_to_%(referred_table_name)s",
    "pk": "%(table_name)s_primary",
}
CONVENTIONS = {
    "none": None,
    "partial": {kind: DOCUMENTED[kind] for kind in ("ix", "fk")},
    "full": OWN,
    # The revision was generated before the project had its convention, which then names what is still None.
    "later": OWN,
}


@dataclass(frozen=True)
class Constraint:
    """A constraint of a scenario and its names, written out by hand: under the documented convention and under OWN."""

    kind: str  # foreignkey or unique
    table: str
    columns: tuple[str, ...]
    documented: str
    own: str
    # The revision drops it: it is there before the upgrade and after the downgrade.
    dropped: bool = False

    def name(self, convention: str) -> str:
        return self.own if CONVENTIONS[convention] is OWN else self.documented


@dataclass(frozen=True)
class Scenario:
    id: str
    title: str
    before: str
    # The models after the change; `names` gives what stands in a constraint's parentheses to name it: nothing, or `, name='...'`.
    after: Callable[[Callable[[Constraint], str]], str]
    constraints: tuple[Constraint, ...]
    # The revision drops constraints of an earlier revision, be it to create them anew.
    drops_existing: bool = False
    # The constraints stand in create_table, where the revision needs no name.
    inline: bool = False
    # The tables live in a schema of their own.
    schema: bool = False
    databases: tuple[str, ...] = ("sqlite", "postgresql", "mariadb")


def table(name: str, *lines: str) -> str:
    body = "\n".join(f"    {line}" for line in (f'__tablename__ = "{name}"', "id = Column(Integer, primary_key=True)", *lines))
    return f"\n\nclass {''.join(word.title() for word in name.split('_'))}(Base):\n{body}\n"


def unnamed(_: Constraint) -> str:
    return ""


SCHEMA = "SCHEMA"  # replaced by the schema's name, which on MariaDB is that of a database
OTHER = f'__table_args__ = {{"schema": "{SCHEMA}"}}'
INVOICE = table("invoice")
ORDER = table("order")
SKU = "sku = Column(String(20))"
QTY = "qty = Column(Integer)"
INVOICE_ID = "invoice_id = Column(Integer)"

FK = Constraint("foreignkey", "order", ("invoice_id",), "fk_order_invoice_id_invoice", "order_invoice_id_to_invoice")
COMPOSITE = Constraint("foreignkey", "order", ("invoice_id", "invoice_rev"), "fk_order_invoice_id_invoice", "order_invoice_id_invoice_rev_to_invoice")
CODE = Constraint("unique", "order", ("code",), "uq_order_code", "order_code_unique")
SKU_UNIQUE = Constraint("unique", "order", ("sku",), "uq_order_sku", "order_sku_unique")
SKU_QTY = Constraint("unique", "order", ("sku", "qty"), "uq_order_sku", "order_sku_qty_unique")
BILLING = Constraint("foreignkey", "order", ("billing_id",), "fk_order_billing_id_invoice", "order_billing_id_to_invoice")
SHIPPING = Constraint("foreignkey", "order", ("shipping_id",), "fk_order_shipping_id_invoice", "order_shipping_id_to_invoice")
REF = Constraint("unique", "order", ("ref",), "uq_order_ref", "order_ref_unique")
REPLACED = Constraint("foreignkey", "invoice", ("replaced_by_id",), "fk_invoice_replaced_by_id_invoice", "invoice_replaced_by_id_to_invoice")
NUMBER = Constraint("unique", "invoice", ("number",), "uq_invoice_number", "invoice_number_unique")
# The key's names have 73 characters; the unique constraint's 63, which PostgreSQL just takes, and 67.
LONG = "subscription_renewal_reminder"
LONG_FK = Constraint(
    "foreignkey",
    LONG,
    ("preferred_replacement_invoice_id",),
    f"fk_{LONG}_preferred_replacement_invoice_id_invoice",
    f"{LONG}_preferred_replacement_invoice_id_to_invoice",
)
LONG_UQ = Constraint(
    "unique", LONG, ("external_reference_of_customer",), f"uq_{LONG}_external_reference_of_customer", f"{LONG}_external_reference_of_customer_unique"
)


def key(column: str, target: str, name: str, more: str = "") -> str:
    return f'{column} = Column(Integer, ForeignKey("{target}"{name}{more}))'


def unique(column: str, name: str, kind: str = "String(20)") -> tuple[str, ...]:
    """`unique=True` cannot carry a name: naming it means to write it as a table argument."""
    if not name:
        return (f"{column} = Column({kind}, unique=True)",)
    return (f"{column} = Column({kind})", f'__table_args__ = (UniqueConstraint("{column}"{name}),)')


def uniques(*columns: tuple[str, str]) -> tuple[str, ...]:
    if not any(name for _, name in columns):
        return tuple(line for column, _ in columns for line in unique(column, ""))
    arguments = "".join(f'UniqueConstraint("{column}"{name}), ' for column, name in columns)
    return (*(f"{column} = Column(String(20))" for column, _ in columns), f"__table_args__ = ({arguments})")


def schema_qualified(name: Callable[[Constraint], str]) -> str:
    extra = f"{{'schema': '{SCHEMA}'}}"
    if name(CODE):
        code = ("code = Column(String(20))", f'__table_args__ = (UniqueConstraint("code"{name(CODE)}), {extra})')
    else:
        code = ("code = Column(String(20), unique=True)", OTHER)
    return table("invoice", OTHER) + table("order", key("invoice_id", f"{SCHEMA}.invoice.id", name(FK)), *code)


COMPOSITE_INVOICE = table("invoice", "rev = Column(Integer, primary_key=True, autoincrement=False)").replace(
    "primary_key=True)\n    rev", "primary_key=True, autoincrement=False)\n    rev"
)
LINE = """\
invoice_id = Column(Integer, ForeignKey("invoice.id"))
code = Column(String(20), unique=True)
sku = Column(String(20))
qty = Column(Integer)
__table_args__ = (UniqueConstraint("sku", "qty"), CheckConstraint("qty > 0", name="qty_positive"))""".splitlines()

SCENARIOS = (
    Scenario(
        "a",
        "optional key added",
        INVOICE + ORDER,
        lambda name: INVOICE + table("order", key("invoice_id", "invoice.id", name(FK))),
        (FK,),
    ),
    Scenario("b", "unique column added", ORDER, lambda name: table("order", *unique("code", name(CODE))), (CODE,)),
    Scenario("b2", "column made unique", table("order", SKU), lambda name: table("order", *unique("sku", name(SKU_UNIQUE))), (SKU_UNIQUE,)),
    Scenario(
        "c",
        "unique in table args",
        table("order", SKU, QTY),
        lambda name: table("order", SKU, QTY, f'__table_args__ = (UniqueConstraint("sku", "qty"{name(SKU_QTY)}),)'),
        (SKU_QTY,),
    ),
    Scenario(
        "e",
        "new table",
        INVOICE,
        lambda name: INVOICE + table("line", *LINE),
        (),
        inline=True,
    ),
    Scenario(
        "g",
        "key removed",
        INVOICE + table("order", key("invoice_id", "invoice.id", "")),
        lambda name: INVOICE + table("order", INVOICE_ID),
        (replace(FK, dropped=True),),
        drops_existing=True,
    ),
    Scenario(
        "h",
        "ondelete changed",
        INVOICE + table("order", key("invoice_id", "invoice.id", "")),
        lambda name: INVOICE + table("order", key("invoice_id", "invoice.id", name(FK), ', ondelete="CASCADE"')),
        (FK,),
        drops_existing=True,
    ),
    Scenario(
        "h2",
        "ondelete of two keys changed",
        INVOICE + table("order", key("billing_id", "invoice.id", ""), key("shipping_id", "invoice.id", "")),
        lambda name: (
            INVOICE
            + table(
                "order",
                key("billing_id", "invoice.id", name(BILLING), ', ondelete="CASCADE"'),
                key("shipping_id", "invoice.id", name(SHIPPING), ', ondelete="SET NULL"'),
            )
        ),
        (BILLING, SHIPPING),
        drops_existing=True,
    ),
    Scenario(
        "i",
        "schema-qualified",
        table("invoice", OTHER) + table("order", OTHER),
        schema_qualified,
        (FK, CODE),
        schema=True,
        databases=("postgresql", "mariadb"),
    ),
    Scenario(
        "j",
        "composite key",
        COMPOSITE_INVOICE + ORDER,
        lambda name: (
            COMPOSITE_INVOICE
            + table(
                "order",
                "invoice_id = Column(Integer)",
                "invoice_rev = Column(Integer)",
                f'__table_args__ = (ForeignKeyConstraint(["invoice_id", "invoice_rev"], ["invoice.id", "invoice.rev"]{name(COMPOSITE)}),)',
            )
        ),
        (COMPOSITE,),
    ),
    Scenario(
        "m",
        "several keys, two tables",
        INVOICE + ORDER,
        lambda name: (
            table("invoice", key("replaced_by_id", "invoice.id", name(REPLACED)), *unique("number", name(NUMBER)))
            + table(
                "order",
                key("billing_id", "invoice.id", name(BILLING)),
                key("shipping_id", "invoice.id", name(SHIPPING)),
                *uniques(("code", name(CODE)), ("ref", name(REF))),
            )
        ),
        (BILLING, SHIPPING, REPLACED, CODE, REF, NUMBER),
    ),
    Scenario(
        "r",
        "key replaced by another",
        INVOICE + table("order", key("billing_id", "invoice.id", ""), "shipping_id = Column(Integer)"),
        lambda name: INVOICE + table("order", "billing_id = Column(Integer)", key("shipping_id", "invoice.id", name(SHIPPING))),
        (replace(BILLING, dropped=True), SHIPPING),
        drops_existing=True,
    ),
    Scenario(
        "x",
        "names past the limit",
        INVOICE + table(LONG),
        lambda name: (
            INVOICE
            + table(
                LONG,
                key("preferred_replacement_invoice_id", "invoice.id", name(LONG_FK)),
                *unique("external_reference_of_customer", name(LONG_UQ)),
            )
        ),
        (LONG_FK, LONG_UQ),
    ),
)
