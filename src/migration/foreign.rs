//! The operations of a helper that stands in another module of the project: `add_key('order', 'invoice')` under
//! `from app.migration_helpers import add_key`.

use crate::naming::ConstraintKind;
use crate::python::values::{Chain, Code, Reader, Value};
use crate::python::{Call, ExprKind, Module, Stmt, StmtKind};

use super::signature::{Action, signature};
use super::{Known, Name, Referred};

/// An operation that a helper does, with what the call hands to it.
pub(super) struct Foreign {
    pub(super) action: Action,
    pub(super) name: Name,
    pub(super) table: Known<String>,
    pub(super) schema: Known<Option<String>>,
    pub(super) columns: Known<Vec<String>>,
    pub(super) referred: Option<Referred>,
}

/// What a call does through a helper of another module; nothing where it calls anything else.
pub(super) fn operations<'m>(
    values: &mut Reader<'m>,
    call: &'m Call,
    chain: &Chain<'m>,
    here: &'m Module,
) -> Vec<Foreign> {
    let Value::Function(helper) = values.value(&call.callee, chain) else {
        return Vec::new();
    };
    let Code::Function(function) = helper.code else {
        return Vec::new();
    };
    if std::ptr::eq(helper.around.module, here) {
        return Vec::new();
    }
    let arguments = values.arguments(&call.arguments, chain);
    let inside = values.entered(&helper, None, &arguments, None);
    let mut calls = Vec::new();
    function
        .body
        .iter()
        .for_each(|statement| collect(statement, &mut calls));
    let end = values.certain_end(&inside).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for call in calls.into_iter().filter(|call| call.span.start < end) {
        let block = inside.scope.block_at(call.span.start);
        if values.is_executed(block, &inside) != Some(false) {
            found.extend(operation(values, call, &inside));
        }
    }
    found
}

/// The calls of a function itself, not those of functions inside it.
fn collect<'m>(statement: &'m Stmt, calls: &mut Vec<&'m Call>) {
    if matches!(statement.kind, StmtKind::Function(_) | StmtKind::Class(_)) {
        return;
    }
    let (exprs, blocks) = statement.parts();
    for expr in exprs {
        expr.each_call(&mut |call| calls.push(call));
    }
    for block in blocks {
        for inner in block {
            collect(inner, calls);
        }
    }
}

fn operation<'m>(values: &mut Reader<'m>, call: &'m Call, chain: &Chain<'m>) -> Option<Foreign> {
    let ExprKind::Attribute { value, name, .. } = &call.callee.kind else {
        return None;
    };
    let signature = signature(name)?;
    match values.value(value, chain) {
        Value::External(path) if &*path == "alembic.op" => {}
        _ => return None,
    }
    let position = |name: &str| signature.on_op.iter().position(|parameter| *parameter == name);
    let mut argument = |name: &str| -> Value<'m> {
        match call.argument(position(name), name) {
            Ok(Some(argument)) => values.value(&argument.value, chain),
            Ok(None) => Value::None,
            Err(_) => Value::unknown("it comes out of `*` or `**`"),
        }
    };
    let action = match signature.action {
        Action::Drop(None) => Action::Drop(kind_of(&argument("type_"))),
        action => action,
    };
    let is_key = action == Action::Create(ConstraintKind::ForeignKey);
    let [table, schema, columns] = if is_key {
        ["source_table", "source_schema", "local_cols"]
    } else {
        ["table_name", "schema", "columns"]
    };
    Some(Foreign {
        action,
        name: name_of(&argument(signature.on_op.first()?)),
        table: text(&argument(table)),
        schema: optional(&argument(schema)),
        columns: match position(columns) {
            Some(_) => texts(&argument(columns)),
            None => Known::Is(Vec::new()),
        },
        referred: is_key.then(|| Referred {
            table: text(&argument("referent_table")),
            schema: optional(&argument("referent_schema")),
            columns: texts(&argument("remote_cols")),
        }),
    })
}

fn kind_of(value: &Value<'_>) -> Option<ConstraintKind> {
    match value.as_text()? {
        "foreignkey" => Some(ConstraintKind::ForeignKey),
        "unique" => Some(ConstraintKind::Unique),
        "check" => Some(ConstraintKind::Check),
        "primary" => Some(ConstraintKind::PrimaryKey),
        _ => None,
    }
}

/// The name that a value is worth.
pub(super) fn name_of(value: &Value<'_>) -> Name {
    match value {
        Value::None => Name::Unnamed,
        Value::Text(text) => match text.known() {
            Some("") => Name::Unnamed,
            Some(text) => Name::Plain(text.to_owned()),
            None => Name::Computed,
        },
        Value::Made(made) if made.kind == crate::libraries::kinds::FINISHED => {
            match made.arguments.positional.first() {
                Some(Value::None) => Name::Unnamed,
                Some(text) => text
                    .as_text()
                    .map_or(Name::Computed, |text| Name::Finished(text.to_owned())),
                None => Name::Computed,
            }
        }
        _ => Name::Computed,
    }
}

const COMPUTED: &str = "the helper computes it";

fn text(value: &Value<'_>) -> Known<String> {
    match value.as_text() {
        Some(text) => Known::Is(text.to_owned()),
        None => Known::Computed(COMPUTED.to_owned()),
    }
}

fn optional(value: &Value<'_>) -> Known<Option<String>> {
    match (value, value.as_text()) {
        (Value::None, _) => Known::Is(None),
        (_, Some(text)) => Known::Is(Some(text.to_owned())),
        _ => Known::Computed(COMPUTED.to_owned()),
    }
}

fn texts(value: &Value<'_>) -> Known<Vec<String>> {
    let texts = match value {
        Value::List(items) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
        _ => None,
    };
    texts.map_or_else(|| Known::Computed(COMPUTED.to_owned()), Known::Is)
}
