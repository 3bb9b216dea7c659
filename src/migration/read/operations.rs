//! Calls of operations, and of functions that run operations.

use std::collections::HashMap;

use crate::naming::ConstraintKind;
use crate::python::{Argument, ArgumentKind, Call, Expr, ExprKind};
use crate::source::Span;

use super::super::foreign;
use super::super::helpers::{self, Given};
use super::super::receiver::Receiver;
use super::super::scope::{Binding, gives_name_by_keyword, partial_of, resolve};
use super::super::signature::{Action, Signature, operation, signature};
use super::super::{Name, Operation, Referred, Step, When};
use super::Reader;
use super::values::is_literal;

/// The calls of a function with more parameters than this are not followed.
const MAX_PARAMETERS: usize = 255;

impl<'m> Reader<'_, 'm> {
    pub(super) fn call(&mut self, call: &'m Call) {
        self.execution(call);
        if let Some((method, receiver)) = self.receiver(call) {
            let Some(method) = operation(method) else { return };
            self.found.uses_operations = true;
            match self.invoked(method, call) {
                Some((method, inner)) => self.operation(method, inner, receiver, 0),
                None => self.operation(method, call, receiver, 0),
            }
        } else if let Some(Binding::Operation(method, receiver)) = partial_of(&self.scopes, call) {
            self.found.uses_operations = true;
            // The first argument is the operation itself.
            let by_position = |argument: &Argument| argument.kind == ArgumentKind::Positional;
            if call.arguments.get(1).is_some_and(by_position) || gives_name_by_keyword(call) {
                self.operation(method, call, receiver, 1);
            }
        } else {
            self.note_helper(call);
        }
    }

    fn receiver(&self, call: &'m Call) -> Option<(&'m str, Receiver)> {
        if let ExprKind::Attribute { value, name, .. } = &call.callee.kind {
            let named = match &value.kind {
                ExprKind::Named { target, .. } => target,
                _ => value,
            };
            let spelling = self.module.file().slice(named.span).to_owned();
            match resolve(&self.scopes, value) {
                Some(Binding::Operations) => return Some((name, Receiver::Operations(spelling))),
                Some(Binding::Batch(batch)) => return Some((name, Receiver::Batch { spelling, batch })),
                _ => {}
            }
        }
        match resolve(&self.scopes, &call.callee)? {
            Binding::Operation(method, receiver) => Some((method, receiver)),
            _ => None,
        }
    }

    /// `op.invoke(ops.CreateForeignKeyOp(...))`: the operation, and the call that has its arguments.
    fn invoked(&self, method: &str, call: &'m Call) -> Option<(&'static str, &'m Call)> {
        if method != "invoke" {
            return None;
        }
        let object = self.source(&call.arguments.first()?.value).as_call()?;
        match resolve(&self.scopes, &object.callee)? {
            Binding::OpClass(method) => Some((method, object)),
            _ => None,
        }
    }

    /// Adds an operation whose arguments come after the first `shift` ones of the call.
    fn operation(&mut self, method: &'static str, call: &'m Call, receiver: Receiver, shift: usize) {
        let Some(signature) = signature(method) else {
            return self.step(method, call, receiver);
        };
        let is_batch = receiver.is_batch();
        let position = |name: &str| Some(signature.position(name, is_batch)? + shift);
        let action = match signature.action {
            Action::Drop(None) => {
                let kind = self.text(call, position("type_"), "type_");
                Action::Drop(kind.known().and_then(|kind| ConstraintKind::from_type_name(kind)))
            }
            action => action,
        };
        let is_key = action == Action::Create(ConstraintKind::ForeignKey);
        let [table, schema, columns] = signature.table_parameters();
        let (table, schema) = match &receiver {
            Receiver::Batch { batch, .. } => (batch.table.clone(), batch.schema.clone()),
            _ => (self.text(call, position(table), table), self.optional_text(call, None, schema)),
        };
        let (name_argument, name, unnamed_by) = self.given_name(call, signature, shift);
        self.found.operations.push(Operation {
            action,
            call,
            name,
            unnamed_by,
            name_argument,
            table,
            schema,
            columns: match action {
                Action::Create(ConstraintKind::Exclude) => self.elements(call, signature.positions(is_batch) + shift),
                _ => self.texts(call, position(columns), columns).known().cloned(),
            },
            referred: is_key.then(|| Referred {
                table: self.text(call, position("referent_table"), "referent_table"),
                schema: self.optional_text(call, None, "referent_schema"),
                columns: self.texts(call, position("remote_cols"), "remote_cols"),
            }),
            receiver,
            when: self.when(),
        });
    }

    /// The argument with the name, the name, and where it is `None` if not in that argument.
    fn given_name(
        &self,
        call: &'m Call,
        signature: &Signature,
        shift: usize,
    ) -> (Option<&'m Argument>, Name, Option<Span>) {
        if let Ok(Some(argument)) = call.argument(Some(shift), signature.name()) {
            let (name, unnamed_by) = self.name_or_origin(&argument.value);
            return (Some(argument), name, unnamed_by);
        }
        match self.spread_name(call, shift, signature.name()) {
            Some(value) if self.name(value) == Name::Unnamed => (None, Name::Unnamed, Some(value.span)),
            _ => (None, Name::Computed, None),
        }
    }

    /// The name in the literal behind a `*` or `**`.
    fn spread_name(&self, call: &'m Call, at: usize, parameter: &str) -> Option<&'m Expr> {
        let first = call.arguments.get(at);
        if let Some(first) = first.filter(|first| first.kind == ArgumentKind::Spread)
            && let ExprKind::List(items) | ExprKind::Tuple(items) = &self.source(&first.value).kind
        {
            return items.first();
        }
        let mut arguments = call.arguments.iter();
        arguments.find_map(|spread| {
            if spread.kind != ArgumentKind::KeywordSpread {
                return None;
            }
            let value = self.source(&spread.value);
            if let Some(call) = value.as_call().filter(|call| call.callee.as_name() == Some("dict")) {
                return call.keyword(parameter);
            }
            let ExprKind::Dict(items) = &value.kind else {
                return None;
            };
            let is_name = |key: &Expr| key.as_str() == Some(parameter);
            let item = items.iter().rev().find(|item| item.key.as_ref().is_some_and(is_name))?;
            Some(&item.value)
        })
    }

    /// The columns of an exclude constraint, which stand in its elements: `('room_id', '='), (sa.column('during'), '&&')`.
    ///
    /// Of an expression SQLAlchemy takes the first column that it comes upon (`sqlalchemy/sql/coercions.py`,
    /// `_extract_col_expression_collection`), and PostgreSQL a word of its own, so it counts as computed.
    fn elements(&self, call: &'m Call, named: usize) -> Option<Vec<String>> {
        let positional = |argument: &&Argument| !matches!(argument.kind, ArgumentKind::Keyword(_));
        let elements = call.arguments.iter().filter(positional).skip(named);
        let columns = elements.map(|argument| {
            let (ExprKind::Tuple(parts) | ExprKind::List(parts)) = &self.source(&argument.value).kind else {
                return None;
            };
            let element = self.source(parts.first()?);
            let column = match element.as_call() {
                Some(inner) if inner.name() == Some("column") => &inner.arguments.first()?.value,
                Some(_) => return None,
                None => element,
            };
            self.value(column).as_text().map(str::to_owned)
        });
        let columns: Option<Vec<String>> = columns.collect();
        columns.filter(|columns| !columns.is_empty())
    }

    fn step(&mut self, method: &'static str, call: &'m Call, receiver: Receiver) {
        let (table, schema) = match &receiver {
            Receiver::Batch { batch, .. } => (batch.table.clone(), batch.schema.clone()),
            _ => (self.text(call, Some(0), "table_name"), self.optional_text(call, None, "schema")),
        };
        self.found.steps.push(Step {
            column: self.added_column(method, call, &receiver),
            method,
            call,
            receiver,
            table,
            schema,
            when: self.when(),
        });
    }

    /// The `Column(...)` that `add_column` is given, maybe through a name.
    fn added_column(&self, method: &str, call: &'m Call, receiver: &Receiver) -> Option<&'m Call> {
        let position = usize::from(!receiver.is_batch());
        let argument = call.argument(Some(position), "column").ok()??;
        let column = self.source(&argument.value).as_call_of("Column");
        column.filter(|_| method == "add_column")
    }

    /// Notes which function of the module is called from where, and what it is given.
    fn note_helper(&mut self, call: &'m Call) {
        if let (Some(caller), Some(callee)) = (self.function, call.name()) {
            self.calls.entry(caller).or_default().insert(callee);
        }
        let method = || match &call.callee.kind {
            ExprKind::Attribute { name, .. } => self.methods.get(name.as_str()).copied(),
            _ => None,
        };
        let (function, bound) = match (resolve(&self.scopes, &call.callee), method()) {
            (Some(Binding::Function(function)), _) => (function, 0),
            (None | Some(Binding::Unknown), Some(method)) => (method, helpers::bound_parameters(method)),
            _ => return,
        };
        if function.parameters.len() > MAX_PARAMETERS {
            return;
        }
        let written = helpers::arguments(function, call, bound);
        let mut given = HashMap::new();
        for one in function.parameters.iter().skip(bound) {
            let argument = written.get(one.name.as_str()).map(|argument| &argument.value);
            let value = argument.or_else(|| one.default.as_ref().filter(|_| !call.has_spread()));
            if let Some(value) = value {
                given.insert(one.name.as_str(), self.given(call.span, value));
            }
        }
        self.seen.note(function, given);
    }

    fn given(&self, place: Span, value: &'m Expr) -> Given<'m> {
        let meaning = self.meaning(value);
        let other = || is_literal(value).then_some(Binding::Other);
        Given {
            place,
            binding: meaning
                .filter(|binding| !matches!(binding, Binding::Unknown))
                .or_else(other),
            unnamed: self.is_left_out(value),
        }
    }

    /// Adds what a helper of another module does, where it is called as a statement of a revision.
    ///
    /// What other modules do with their helpers does not matter.
    pub(super) fn foreign_helper(&mut self, call: &'m Call) {
        let is_own = matches!(
            resolve(&self.scopes, &call.callee),
            Some(Binding::Function(_) | Binding::Operation(..) | Binding::Operations)
        );
        if !self.found.declares_revision || is_own || self.receiver(call).is_some() {
            return;
        }
        // Whether the helper always does it is not known here.
        let when = When {
            conditional: true,
            ..self.when()
        };
        let found = foreign::operations(&mut self.values.borrow_mut(), call, self.chain(), self.module, when);
        self.found.uses_operations |= !found.is_empty();
        self.found.operations.extend(found);
    }
}
