//! Alembic's `op.f`, and SQLAlchemy's `conv`, which it calls (`alembic/operations/base.py`, `f`).

use super::{ends, kinds, made};
use crate::python::values::{Arguments, Place, Value};

pub(super) fn is_callable(name: &str) -> bool {
    name == "alembic.op.f" || ends(name) == ("sqlalchemy", "conv")
}

pub(super) fn call<'m>(arguments: Arguments<'m>, place: &Place) -> Value<'m> {
    made(kinds::FINISHED, "f", arguments, Some(place), None)
}
