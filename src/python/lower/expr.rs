//! Expressions of the parser's tree as ours.

use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextRange};

use super::super::tree::{
    Argument, ArgumentKind, Call, Comparison, DictItem, Expr, ExprKind, FStringPart, Operator, Parameter,
    ParameterKind, Text,
};
use super::{Lower, MAX_DEPTH, span, text};
use crate::source::Span;

/// A chain of one operator with more operands is lowered as a balanced tree.
const LONG_CHAIN: usize = 50;

impl<'a> Lower<'a> {
    pub(super) fn expr(&mut self, expr: &'a ast::Expr) -> Expr {
        let place = span(expr.range());
        if self.depth >= MAX_DEPTH {
            self.is_deep = true;
            self.deferred.push(expr);
            return Expr {
                span: place,
                kind: ExprKind::Other(Vec::new()),
            };
        }
        self.depth += 1;
        let kind = self.expr_kind(expr);
        self.depth -= 1;
        Expr { span: place, kind }
    }

    fn expr_kind(&mut self, expr: &'a ast::Expr) -> ExprKind {
        match expr {
            ast::Expr::NoneLiteral(_) => ExprKind::None,
            ast::Expr::BooleanLiteral(node) => ExprKind::Bool(node.value),
            ast::Expr::NumberLiteral(node) => integer(&node.value),
            ast::Expr::StringLiteral(node) => ExprKind::String(Text::from(node.value.to_str())),
            ast::Expr::FString(node) => ExprKind::FString(self.f_string(&node.value)),
            ast::Expr::Name(node) => ExprKind::Name(Text::from(node.id.as_str())),
            ast::Expr::Attribute(node) => ExprKind::Attribute {
                value: self.boxed(&node.value),
                name: text(&node.attr),
            },
            ast::Expr::Call(node) => ExprKind::Call(Box::new(Call {
                span: span(node.range()),
                callee: self.expr(&node.func),
                arguments: self.arguments(&node.arguments),
                arguments_span: span(node.arguments.range()),
            })),
            ast::Expr::List(node) => ExprKind::List(self.exprs(&node.elts)),
            ast::Expr::Tuple(node) => ExprKind::Tuple(self.exprs(&node.elts)),
            ast::Expr::Dict(node) => ExprKind::Dict(
                node.items
                    .iter()
                    .map(|item| DictItem {
                        key: item.key.as_ref().map(|key| self.expr(key)),
                        value: self.expr(&item.value),
                    })
                    .collect(),
            ),
            ast::Expr::Subscript(node) => ExprKind::Subscript {
                value: self.boxed(&node.value),
                index: self.boxed(&node.slice),
            },
            ast::Expr::Starred(node) => ExprKind::Starred(self.boxed(&node.value)),
            ast::Expr::Lambda(node) => ExprKind::Lambda {
                parameters: node
                    .parameters
                    .as_deref()
                    .map(|parameters| self.parameters(parameters))
                    .unwrap_or_default(),
                body: self.boxed(&node.body),
            },
            _ => self.operation(expr),
        }
    }

    fn operation(&mut self, expr: &'a ast::Expr) -> ExprKind {
        match expr {
            ast::Expr::BinOp(node) => match long_chain(node) {
                Some(operands) => {
                    self.is_deep |= operands.len() > MAX_DEPTH;
                    self.balanced(&operands, operator(node.op)).kind
                }
                None => ExprKind::Binary {
                    left: self.boxed(&node.left),
                    operator: operator(node.op),
                    right: self.boxed(&node.right),
                },
            },
            ast::Expr::BoolOp(node) => ExprKind::Choice {
                all: node.op == ast::BoolOp::And,
                values: self.exprs(&node.values),
            },
            ast::Expr::Compare(node) => ExprKind::Compare {
                left: self.boxed(&node.left),
                rest: node
                    .ops
                    .iter()
                    .zip(&node.comparators)
                    .map(|(operator, other)| (comparison(*operator), self.expr(other)))
                    .collect(),
            },
            ast::Expr::If(node) => ExprKind::Conditional {
                test: self.boxed(&node.test),
                body: self.boxed(&node.body),
                otherwise: self.boxed(&node.orelse),
            },
            ast::Expr::Named(node) => ExprKind::Named {
                target: self.boxed(&node.target),
                value: self.boxed(&node.value),
            },
            ast::Expr::UnaryOp(node) if node.op == ast::UnaryOp::Not => ExprKind::Not(self.boxed(&node.operand)),
            ast::Expr::ListComp(node) => self.comprehension([&*node.elt], &node.generators),
            ast::Expr::SetComp(node) => self.comprehension([&*node.elt], &node.generators),
            ast::Expr::Generator(node) => self.comprehension([&*node.elt], &node.generators),
            ast::Expr::DictComp(node) => {
                self.comprehension(node.key.as_deref().into_iter().chain([&*node.value]), &node.generators)
            }
            _ => ExprKind::Other(self.parts(expr)),
        }
    }

    /// A chain of an associative operator as a shallow tree.
    fn balanced(&mut self, operands: &[&'a ast::Expr], operator: Operator) -> Expr {
        if let [only] = operands {
            return self.expr(only);
        }
        let (left, right) = operands.split_at(operands.len() / 2);
        let (left, right) = (self.balanced(left, operator), self.balanced(right, operator));
        Expr {
            span: Span::new(left.span.start, right.span.end),
            kind: ExprKind::Binary {
                left: Box::new(left),
                operator,
                right: Box::new(right),
            },
        }
    }

    /// The expressions inside a form that is [`ExprKind::Other`] in our tree.
    fn parts(&mut self, expr: &'a ast::Expr) -> Vec<Expr> {
        match expr {
            ast::Expr::UnaryOp(node) => vec![self.expr(&node.operand)],
            ast::Expr::Set(node) => self.exprs(&node.elts),
            ast::Expr::Await(node) => vec![self.expr(&node.value)],
            ast::Expr::Yield(node) => self.exprs(node.value.as_deref()),
            ast::Expr::YieldFrom(node) => vec![self.expr(&node.value)],
            ast::Expr::Slice(node) => {
                let bounds = [node.lower.as_deref(), node.upper.as_deref(), node.step.as_deref()];
                self.exprs(bounds.into_iter().flatten())
            }
            _ => Vec::new(),
        }
    }

    fn comprehension(
        &mut self,
        elements: impl IntoIterator<Item = &'a ast::Expr>,
        generators: &'a [ast::Comprehension],
    ) -> ExprKind {
        let conditions = generators.iter().flat_map(|generator| &generator.ifs);
        let parts: Vec<&'a ast::Expr> = elements.into_iter().chain(conditions).collect();
        ExprKind::Comprehension {
            rounds: generators
                .iter()
                .map(|generator| (self.expr(&generator.target), self.expr(&generator.iter)))
                .collect(),
            parts: self.exprs(parts),
        }
    }

    fn f_string(&mut self, value: &'a ast::FStringValue) -> Vec<FStringPart> {
        let mut parts = Vec::new();
        for part in value {
            match part {
                ast::FStringPart::Literal(literal) => parts.push(FStringPart::Text(Text::from(&*literal.value))),
                ast::FStringPart::FString(string) => {
                    for element in &string.elements {
                        parts.push(self.f_string_element(element));
                    }
                }
            }
        }
        parts
    }

    fn f_string_element(&mut self, element: &'a ast::InterpolatedStringElement) -> FStringPart {
        match element {
            ast::InterpolatedStringElement::Literal(literal) => FStringPart::Text(Text::from(&*literal.value)),
            ast::InterpolatedStringElement::Interpolation(node) => FStringPart::Value {
                value: self.expr(&node.expression),
                plain: node.conversion == ast::ConversionFlag::None
                    && node.format_spec.is_none()
                    && node.debug_text.is_none(),
            },
        }
    }

    pub(super) fn arguments(&mut self, arguments: &'a ast::Arguments) -> Vec<Argument> {
        let mut all = Vec::with_capacity(arguments.args.len() + arguments.keywords.len());
        for argument in &arguments.args {
            let (kind, value) = match argument {
                ast::Expr::Starred(node) => (ArgumentKind::Spread, &*node.value),
                value => (ArgumentKind::Positional, value),
            };
            all.push(self.argument(argument.range(), kind, value));
        }
        for keyword in &arguments.keywords {
            let kind = match &keyword.arg {
                Some(name) => ArgumentKind::Keyword(text(name)),
                None => ArgumentKind::KeywordSpread,
            };
            all.push(self.argument(keyword.range(), kind, &keyword.value));
        }
        // `f(a=1, *b)`
        if !all.is_sorted_by_key(|argument| argument.span) {
            all.sort_by_key(|argument| argument.span);
        }
        all
    }

    fn argument(&mut self, place: TextRange, kind: ArgumentKind, value: &'a ast::Expr) -> Argument {
        Argument {
            span: span(place),
            kind,
            value: self.expr(value),
        }
    }

    pub(super) fn parameters(&mut self, parameters: &'a ast::Parameters) -> Vec<Parameter> {
        let mut all = Vec::new();
        let positional = parameters
            .posonlyargs
            .iter()
            .chain(&parameters.args)
            .map(|one| (one, ParameterKind::Positional));
        let keyword_only = parameters
            .kwonlyargs
            .iter()
            .map(|one| (one, ParameterKind::KeywordOnly));
        for (one, kind) in positional.chain(keyword_only) {
            all.push(self.parameter(&one.parameter, one.default.as_deref(), kind));
        }
        for (rest, kind) in [(&parameters.vararg, ParameterKind::Rest), (&parameters.kwarg, ParameterKind::KeywordRest)]
        {
            if let Some(rest) = rest {
                all.push(self.parameter(rest, None, kind));
            }
        }
        all
    }

    fn parameter(
        &mut self,
        node: &'a ast::Parameter,
        default: Option<&'a ast::Expr>,
        kind: ParameterKind,
    ) -> Parameter {
        Parameter {
            name: text(&node.name),
            annotation: node.annotation.as_deref().map(|annotation| self.expr(annotation)),
            default: default.map(|default| self.expr(default)),
            kind,
        }
    }
}

/// The operands of `a + b + ...` or `a | b | ...`, where their tree would be deep.
fn long_chain(node: &ast::ExprBinOp) -> Option<Vec<&ast::Expr>> {
    if !matches!(node.op, ast::Operator::Add | ast::Operator::BitOr) {
        return None;
    }
    let mut operands = vec![&*node.right];
    let mut left = &*node.left;
    while let ast::Expr::BinOp(inner) = left
        && inner.op == node.op
    {
        operands.push(&*inner.right);
        left = &*inner.left;
    }
    operands.push(left);
    operands.reverse();
    (operands.len() > LONG_CHAIN).then_some(operands)
}

pub(super) fn operator(operator: ast::Operator) -> Operator {
    match operator {
        ast::Operator::Add => Operator::Add,
        ast::Operator::Mod => Operator::Modulo,
        ast::Operator::BitOr => Operator::Or,
        _ => Operator::Other,
    }
}

fn comparison(operator: ast::CmpOp) -> Comparison {
    match operator {
        ast::CmpOp::Eq | ast::CmpOp::Is => Comparison::Same,
        ast::CmpOp::NotEq | ast::CmpOp::IsNot => Comparison::Different,
        ast::CmpOp::In => Comparison::In,
        ast::CmpOp::NotIn => Comparison::NotIn,
        _ => Comparison::Other,
    }
}

fn integer(number: &ast::Number) -> ExprKind {
    match number {
        ast::Number::Int(value) => value
            .as_i64()
            .map_or_else(|| ExprKind::Other(Vec::new()), ExprKind::Integer),
        ast::Number::Float(_) | ast::Number::Complex { .. } => ExprKind::Other(Vec::new()),
    }
}
