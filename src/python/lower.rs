//! From the parser's tree to ours. Depth is bounded here, so that no later walk can run out of stack.

use std::sync::Arc;

use ruff_python_ast as ast;
use ruff_python_ast::PySourceType;
use ruff_python_parser::{ParseError, parse_unchecked_source};
use ruff_text_size::{Ranged, TextRange};

use super::SyntaxError;
use super::tree::{
    Alias, Argument, ArgumentKind, Call, Case, Class, Comparison, DictItem, Expr, ExprKind, FStringPart, Function,
    Handler, Operator, Parameter, ParameterKind, Stmt, StmtKind, Text, WithItem,
};
use crate::source::Span;

/// How deep our tree is at most. What lies deeper in an expression becomes a statement of its own after the one that holds it: its calls are
/// found, and what it is worth stays unknown. Python itself compiles up to some 3,000 levels.
const MAX_DEPTH: usize = 600;
/// How deep statements stand in each other at most. Python gives up at 100 levels of indentation.
const MAX_BLOCKS: usize = 120;
/// From how many operands on a chain of one operator is lowered as a balanced tree.
const LONG_CHAIN: usize = 50;

pub(super) fn parse(text: &str) -> (Vec<Stmt>, Vec<Span>, Vec<SyntaxError>) {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let comments = parsed
        .tokens()
        .iter()
        .filter(|token| token.kind().is_comment())
        .map(|token| span(token.range()))
        .collect();
    let mut errors = syntax_errors(parsed.errors());
    let mut lower = Lower::default();
    let body = lower.block(parsed.suite());
    let (too_deep, is_deep) = (lower.too_deep, lower.is_deep || lower.too_deep.is_some());
    if let Some(place) = too_deep {
        errors.push(SyntaxError {
            message: "this is nested too deeply to be read".to_owned(),
            span: place,
        });
    }
    if is_deep {
        // Dropping a tree of a million levels would overflow the stack; the process is about to end anyway.
        std::mem::forget(parsed);
    }
    errors.sort_by_key(|error| error.span);
    (body, comments, errors)
}

fn syntax_errors(errors: &[ParseError]) -> Vec<SyntaxError> {
    let error = |error: &ParseError| SyntaxError {
        message: error.error.to_string(),
        span: span(error.location),
    };
    errors.iter().map(error).collect()
}

fn span(range: TextRange) -> Span {
    Span::new(range.start().to_usize(), range.end().to_usize())
}

#[derive(Default)]
struct Lower<'a> {
    depth: usize,
    /// The first statement that is nested deeper than any Python allows.
    too_deep: Option<Span>,
    /// What lies below the depth that is kept, to be lowered by itself.
    deferred: Vec<&'a ast::Expr>,
    /// Whether the parser's own tree is deeper than ours.
    is_deep: bool,
}

impl<'a> Lower<'a> {
    fn block(&mut self, body: &'a [ast::Stmt]) -> Vec<Stmt> {
        let mut lowered = Vec::with_capacity(body.len());
        for statement in body {
            lowered.push(self.statement(statement));
            while let Some(deep) = self.deferred.pop() {
                lowered.push(Stmt {
                    span: span(deep.range()),
                    kind: StmtKind::Expr(self.expr(deep)),
                });
            }
        }
        lowered
    }

    fn exprs(&mut self, items: impl IntoIterator<Item = &'a ast::Expr>) -> Vec<Expr> {
        items.into_iter().map(|item| self.expr(item)).collect()
    }

    fn boxed(&mut self, expr: &'a ast::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn statement(&mut self, statement: &'a ast::Stmt) -> Stmt {
        let place = span(statement.range());
        if self.depth >= MAX_BLOCKS {
            self.too_deep.get_or_insert(place);
            return Stmt {
                span: place,
                kind: StmtKind::Other(Vec::new()),
            };
        }
        self.depth += 1;
        let kind = self.statement_kind(statement);
        self.depth -= 1;
        Stmt { span: place, kind }
    }

    fn statement_kind(&mut self, statement: &'a ast::Stmt) -> StmtKind {
        match statement {
            ast::Stmt::Assign(node) => StmtKind::Assign {
                targets: self.exprs(&node.targets),
                annotation: None,
                value: Some(self.expr(&node.value)),
            },
            ast::Stmt::AnnAssign(node) => StmtKind::Assign {
                targets: vec![self.expr(&node.target)],
                annotation: Some(self.expr(&node.annotation)),
                value: node.value.as_deref().map(|value| self.expr(value)),
            },
            ast::Stmt::AugAssign(node) => StmtKind::AugmentedAssign {
                target: self.expr(&node.target),
                operator: operator(node.op),
                value: self.expr(&node.value),
            },
            ast::Stmt::Expr(node) => StmtKind::Expr(self.expr(&node.value)),
            ast::Stmt::FunctionDef(node) => StmtKind::Function(Arc::new(Function {
                name: text(&node.name),
                name_span: span(node.name.range()),
                parameters: self.parameters(&node.parameters),
                decorators: self.exprs(node.decorator_list.iter().map(|decorator| &decorator.expression)),
                body: self.block(&node.body),
            })),
            ast::Stmt::ClassDef(node) => StmtKind::Class(Class {
                name: text(&node.name),
                name_span: span(node.name.range()),
                arguments: node
                    .arguments
                    .as_deref()
                    .map(|arguments| self.arguments(arguments))
                    .unwrap_or_default(),
                decorators: self.exprs(node.decorator_list.iter().map(|decorator| &decorator.expression)),
                body: self.block(&node.body),
            }),
            ast::Stmt::Import(node) => StmtKind::Import(node.names.iter().map(alias).collect()),
            ast::Stmt::ImportFrom(node) => StmtKind::ImportFrom {
                module: node.module.as_ref().map(text),
                names: node.names.iter().map(alias).collect(),
                level: node.level,
            },
            ast::Stmt::Return(node) => StmtKind::Return(node.value.as_deref().map(|value| self.expr(value))),
            _ => self.compound(statement),
        }
    }

    fn compound(&mut self, statement: &'a ast::Stmt) -> StmtKind {
        match statement {
            ast::Stmt::If(node) => {
                let mut branches = vec![(Some(self.expr(&node.test)), self.block(&node.body))];
                for clause in &node.elif_else_clauses {
                    let test = clause.test.as_ref().map(|test| self.expr(test));
                    branches.push((test, self.block(&clause.body)));
                }
                StmtKind::If(branches)
            }
            ast::Stmt::For(node) => StmtKind::For {
                target: self.expr(&node.target),
                iterable: self.expr(&node.iter),
                bodies: [self.block(&node.body), self.block(&node.orelse)],
            },
            ast::Stmt::While(node) => StmtKind::While {
                test: self.expr(&node.test),
                bodies: [self.block(&node.body), self.block(&node.orelse)],
            },
            ast::Stmt::With(node) => StmtKind::With {
                items: node
                    .items
                    .iter()
                    .map(|item| WithItem {
                        value: self.expr(&item.context_expr),
                        target: item.optional_vars.as_deref().map(|target| self.expr(target)),
                    })
                    .collect(),
                body: self.block(&node.body),
            },
            ast::Stmt::Try(node) => StmtKind::Try {
                body: self.block(&node.body),
                handlers: node
                    .handlers
                    .iter()
                    .map(|ast::ExceptHandler::ExceptHandler(handler)| Handler {
                        caught: handler.type_.as_deref().map(|caught| self.expr(caught)),
                        name: handler.name.as_ref().map(text),
                        body: self.block(&handler.body),
                    })
                    .collect(),
                otherwise: self.block(&node.orelse),
                finally: self.block(&node.finalbody),
            },
            ast::Stmt::Match(node) => StmtKind::Match {
                subject: self.expr(&node.subject),
                cases: node
                    .cases
                    .iter()
                    .map(|case| Case {
                        names: names_bound(&case.pattern),
                        guard: case.guard.as_deref().map(|guard| self.expr(guard)),
                        body: self.block(&case.body),
                    })
                    .collect(),
            },
            ast::Stmt::Delete(node) => StmtKind::Delete(self.exprs(&node.targets)),
            ast::Stmt::Raise(node) => {
                StmtKind::Raise(self.exprs(node.exc.as_deref().into_iter().chain(node.cause.as_deref())))
            }
            ast::Stmt::Global(node) => StmtKind::Global(node.names.iter().map(text).collect()),
            ast::Stmt::Nonlocal(node) => StmtKind::Nonlocal(node.names.iter().map(text).collect()),
            ast::Stmt::Assert(node) => {
                StmtKind::Other(self.exprs(std::iter::once(&*node.test).chain(node.msg.as_deref())))
            }
            _ => StmtKind::Other(Vec::new()),
        }
    }

    fn expr(&mut self, expr: &'a ast::Expr) -> Expr {
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
                name_span: span(node.attr.range()),
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
            ast::Expr::Starred(node) => ExprKind::Starred(self.boxed(&node.value)),
            ast::Expr::Lambda(node) => ExprKind::Lambda {
                parameters: node
                    .parameters
                    .as_deref()
                    .map(|parameters| self.parameters(parameters))
                    .unwrap_or_default(),
                body: self.boxed(&node.body),
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

    /// A chain of one operator that may be read in any order, as a tree of little depth.
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

    /// The expressions inside a form that has no shape of its own in our tree.
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

    fn arguments(&mut self, arguments: &'a ast::Arguments) -> Vec<Argument> {
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

    fn parameters(&mut self, parameters: &'a ast::Parameters) -> Vec<Parameter> {
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
        for (rest, kind) in [
            (&parameters.vararg, ParameterKind::Rest),
            (&parameters.kwarg, ParameterKind::KeywordRest),
        ] {
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

fn text(name: &ast::Identifier) -> Text {
    Text::from(name.as_str())
}

fn alias(alias: &ast::Alias) -> Alias {
    Alias {
        name: text(&alias.name),
        asname: alias.asname.as_ref().map(text),
        span: span(alias.range()),
    }
}

/// The operands of `a + b + ...` or `a | b | ...`, where there are so many that their tree would be deep.
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

/// The names that a pattern binds.
fn names_bound(pattern: &ast::Pattern) -> Vec<Text> {
    let mut names = Vec::new();
    let mut open = vec![pattern];
    while let Some(pattern) = open.pop() {
        let name = match pattern {
            ast::Pattern::MatchAs(node) => {
                open.extend(node.pattern.as_deref());
                node.name.as_ref()
            }
            ast::Pattern::MatchStar(node) => node.name.as_ref(),
            ast::Pattern::MatchMapping(node) => {
                open.extend(&node.patterns);
                node.rest.as_ref()
            }
            ast::Pattern::MatchClass(node) => {
                open.extend(&node.arguments.patterns);
                open.extend(node.arguments.keywords.iter().map(|keyword| &keyword.pattern));
                None
            }
            ast::Pattern::MatchSequence(node) => {
                open.extend(&node.patterns);
                None
            }
            ast::Pattern::MatchOr(node) => {
                open.extend(&node.patterns);
                None
            }
            ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => None,
        };
        names.extend(name.map(text));
    }
    names
}

fn operator(operator: ast::Operator) -> Operator {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(expr: &Expr, found: &mut Vec<String>) {
        if let Some(call) = expr.as_call() {
            found.extend(call.callee.dotted());
        }
        for child in expr.children() {
            names(child, found);
        }
    }

    fn calls(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for statement in parse(text).0 {
            if let StmtKind::Expr(expr) | StmtKind::Assign { value: Some(expr), .. } = &statement.kind {
                names(expr, &mut found);
            }
        }
        found
    }

    #[test]
    fn calls_are_found_inside_every_form_of_expression() {
        let found = calls(
            "x = [f1() for _ in f2() if f3()]\ny = {f4(): f5(), **f6()}\nz = f7() if f8() else -f9()\n\
             (lambda a=f10(): f11())\nw = f'{f12()!r:>{f13()}}' 'x'\nq = a[f14():f15()]\n(await f16(*f17(), k=f18()))\nn = not f19()\n",
        );
        for number in (1..=19).filter(|&number| number != 13) {
            assert!(
                found.contains(&format!("f{number}")),
                "f{number} is missing from {found:?}"
            );
        }
    }

    #[test]
    fn arguments_keep_the_order_of_the_source() {
        let (body, _, errors) = parse("f(a, k=1, *b, **c)\n");
        assert!(errors.is_empty());
        let StmtKind::Expr(expr) = &body[0].kind else {
            panic!("{body:?}")
        };
        let kinds: Vec<_> = expr
            .as_call()
            .unwrap()
            .arguments
            .iter()
            .map(|argument| argument.kind.clone())
            .collect();
        assert_eq!(
            kinds,
            [
                ArgumentKind::Positional,
                ArgumentKind::Keyword("k".into()),
                ArgumentKind::Spread,
                ArgumentKind::KeywordSpread
            ]
        );
    }

    #[test]
    fn a_broken_file_keeps_what_can_be_read() {
        let (body, _, errors) = parse(
            "def upgrade():\n    op.create_table('a', sa.Column('id'\n    op.f()\n\ndef downgrade():\n    pass\n",
        );
        assert!(!errors.is_empty());
        assert!(!body.is_empty());
    }

    #[test]
    fn what_python_accepts_is_read_however_deep_it_is() {
        let deep = 5_000;
        for text in [
            format!("x = f1(){}", " + 1".repeat(deep)),
            format!("x = f1(){}", " - 1".repeat(deep)),
            format!("x = f1(){} + 1", " + 1 - 1".repeat(deep)),
            format!("x = f1(){}", ".a".repeat(deep)),
            format!("x = f1(){}", ".a()[0]".repeat(deep)),
            format!("x = {}f1()", "1 if a else ".repeat(deep)),
            format!("x = {}f1(){}", "(".repeat(deep), ")".repeat(deep)),
            format!("x = {}f1(){}", "[".repeat(deep), "]".repeat(deep)),
            format!("x = {}f1()", "not ".repeat(deep)),
            format!("x = {}f1()", "-".repeat(60_000)),
            format!("x = f1(){}", "+1".repeat(60_000)),
        ] {
            let (_, _, errors) = parse(&text);
            assert_eq!(errors, [], "{}…", &text[..20]);
            assert!(calls(&text).contains(&"f1".to_owned()), "{}…", &text[..20]);
        }
    }

    fn leaves(expr: &Expr, depth: usize, found: &mut Vec<String>) {
        assert!(depth < 20, "the tree is deep");
        match &expr.kind {
            ExprKind::Binary { left, operator, right } => {
                assert_eq!(*operator, Operator::Add);
                leaves(left, depth + 1, found);
                leaves(right, depth + 1, found);
            }
            ExprKind::String(text) | ExprKind::Name(text) => found.push(text.to_string()),
            _ => panic!("{expr:?}"),
        }
    }

    #[test]
    fn a_long_sum_is_still_the_sum_of_its_parts_in_their_order() {
        let text = format!("x = {}", ["'a'", "'b'", "c"].repeat(40).join(" + "));
        let (body, _, _) = parse(&text);
        let StmtKind::Assign { value: Some(sum), .. } = &body[0].kind else {
            panic!("{body:?}")
        };
        let mut found = Vec::new();
        leaves(sum, 0, &mut found);
        assert_eq!(found, ["a", "b", "c"].repeat(40));
        assert_eq!(sum.span, Span::new(4, text.len()));
    }

    #[test]
    fn endless_nesting_is_an_error_and_no_crash() {
        let blocks: Vec<String> = (0..2_000)
            .map(|level| format!("{}if x:\n", " ".repeat(level)))
            .collect();
        let blocks = blocks.concat();
        for text in ["(".repeat(50_000), format!("{blocks}{}pass\n", " ".repeat(2_000))] {
            let (_, _, errors) = parse(&text);
            assert!(!errors.is_empty(), "{}…", &text[..10]);
        }
    }

    #[test]
    fn comments_are_seen_and_strings_are_not_comments() {
        let text = "x = '# no'  # yes\n";
        let (_, comments, _) = parse(text);
        assert_eq!(
            comments.iter().map(|place| &text[place.range()]).collect::<Vec<_>>(),
            ["# yes"]
        );
    }
}
