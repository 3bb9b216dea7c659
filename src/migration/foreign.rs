//! The operations of a helper function in another module of the project: `add_key('order', 'invoice')` after
//! `from app.migration_helpers import add_key`.

use crate::naming::ConstraintKind;
use crate::python::values::{Chain, Code, Reader, Value};
use crate::python::{Call, ExprKind, Module, Stmt, StmtKind};

use super::signature::{Action, signature};
use super::{Known, Name, Operation, Receiver, Referred, When};

/// The operations behind a call that runs then, with what the call passes on; none unless it calls a function of another module.
pub(super) fn operations<'m>(
    values: &mut Reader<'m>,
    call: &'m Call,
    chain: &Chain<'m>,
    here: &'m Module,
    when: When<'m>,
) -> Vec<Operation<'m>> {
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
    let mut inner_calls = Vec::new();
    for statement in &function.body {
        collect(statement, &mut inner_calls);
    }
    let end = values.certain_end(&inside).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for inner in inner_calls.into_iter().filter(|inner| inner.span.start < end) {
        let block = inside.scope.block_at(inner.span.start);
        if values.is_executed(block, &inside) != Some(false) {
            found.extend(operation(values, inner, &inside, (call, when)));
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
    for inner in blocks.into_iter().flatten() {
        collect(inner, calls);
    }
}

fn operation<'m>(
    values: &mut Reader<'m>,
    call: &'m Call,
    chain: &Chain<'m>,
    (outer, when): (&'m Call, When<'m>),
) -> Option<Operation<'m>> {
    let ExprKind::Attribute { value, name, .. } = &call.callee.kind else {
        return None;
    };
    let signature = signature(name)?;
    if !matches!(values.value(value, chain), Value::External(path) if &*path == "alembic.op") {
        return None;
    }
    let mut argument = |name: &str| -> Value<'m> {
        match call.argument(signature.position(name, false), name) {
            Ok(Some(argument)) => values.value(&argument.value, chain),
            Ok(None) => Value::None,
            Err(_) => Value::unknown("it comes out of `*` or `**`"),
        }
    };
    let action = match signature.action {
        Action::Drop(None) => Action::Drop(argument("type_").as_text().and_then(ConstraintKind::from_type_name)),
        action => action,
    };
    let is_key = action == Action::Create(ConstraintKind::ForeignKey);
    let [table, schema, columns] = signature.table_parameters();
    let computed = || "the helper computes it".to_owned();
    let name = Name::of(&argument(signature.name()));
    Some(Operation {
        action,
        call: outer,
        receiver: Receiver::Operations("op".to_owned()),
        name_argument: None,
        unnamed_by: (name == Name::Unnamed).then_some(outer.span),
        name,
        table: Known::text(&argument(table), &computed),
        schema: Known::optional_text(&argument(schema), &computed),
        columns: match signature.position(columns, false) {
            Some(_) => Known::texts(&argument(columns), &computed).known().cloned(),
            None => Some(Vec::new()),
        },
        referred: is_key.then(|| Referred {
            table: Known::text(&argument("referent_table"), &computed),
            schema: Known::optional_text(&argument("referent_schema"), &computed),
            columns: Known::texts(&argument("remote_cols"), &computed),
        }),
        when,
    })
}
