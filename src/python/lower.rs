//! Turns the parser's tree into ours, with a bounded depth, so that no later walk can overflow the stack.

mod expr;

use std::sync::Arc;

use ruff_python_ast as ast;
use ruff_python_ast::PySourceType;
use ruff_python_parser::{ParseError, parse_unchecked_source};
use ruff_text_size::{Ranged, TextRange};

use super::SyntaxError;
use super::tree::{Alias, Case, Class, Expr, Function, Handler, Stmt, StmtKind, Text, WithItem};
use crate::source::Span;

/// The maximum depth of our tree. A deeper expression becomes a statement of its own after the one that holds it: its calls are found, and its
/// value is unknown. Python itself compiles up to some 3,000 levels.
const MAX_DEPTH: usize = 600;
/// The maximum depth of nested statements. Python gives up at 100 levels of indentation.
const MAX_BLOCKS: usize = 120;

pub(super) fn parse(text: &str) -> (Vec<Stmt>, Vec<Span>, Vec<SyntaxError>) {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let comments = parsed
        .tokens()
        .iter()
        .filter(|token| token.kind().is_comment())
        .map(|token| span(token.range()))
        .collect();
    let error = |error: &ParseError| SyntaxError {
        message: error.error.to_string(),
        span: span(error.location),
    };
    let mut errors: Vec<SyntaxError> = parsed.errors().iter().map(error).collect();
    let mut lower = Lower::default();
    let body = lower.block(parsed.suite());
    errors.extend(lower.too_deep.map(|span| SyntaxError {
        message: "this is nested too deeply to be read".to_owned(),
        span,
    }));
    if lower.is_deep || lower.too_deep.is_some() {
        // Dropping a tree of a million levels would overflow the stack; the process is about to end anyway.
        std::mem::forget(parsed);
    }
    errors.sort_by_key(|error| error.span);
    (body, comments, errors)
}

fn span(range: TextRange) -> Span {
    Span::new(range.start().to_usize(), range.end().to_usize())
}

#[derive(Default)]
struct Lower<'a> {
    depth: usize,
    /// The first statement below [`MAX_BLOCKS`].
    too_deep: Option<Span>,
    /// Expressions below [`MAX_DEPTH`], to be lowered as statements.
    deferred: Vec<&'a ast::Expr>,
    /// Whether the parser's tree is deeper than ours.
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
                value: Some(self.expr(&node.value)),
            },
            ast::Stmt::AnnAssign(node) => StmtKind::Assign {
                targets: vec![self.expr(&node.target)],
                value: node.value.as_deref().map(|value| self.expr(value)),
            },
            ast::Stmt::AugAssign(node) => StmtKind::AugmentedAssign {
                target: self.expr(&node.target),
                operator: expr::operator(node.op),
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
            ast::Stmt::With(node) => {
                let item = |item: &'a ast::WithItem| WithItem {
                    value: self.expr(&item.context_expr),
                    target: item.optional_vars.as_deref().map(|target| self.expr(target)),
                };
                StmtKind::With {
                    items: node.items.iter().map(item).collect(),
                    body: self.block(&node.body),
                }
            }
            ast::Stmt::Try(node) => StmtKind::Try {
                body: self.block(&node.body),
                handlers: node.handlers.iter().map(|handler| self.handler(handler)).collect(),
                otherwise: self.block(&node.orelse),
                finally: self.block(&node.finalbody),
            },
            ast::Stmt::Match(node) => {
                let subject = self.expr(&node.subject);
                let case = |case: &'a ast::MatchCase| Case {
                    names: names_bound(&case.pattern),
                    guard: case.guard.as_deref().map(|guard| self.expr(guard)),
                    body: self.block(&case.body),
                };
                StmtKind::Match {
                    subject,
                    cases: node.cases.iter().map(case).collect(),
                }
            }
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

    fn handler(&mut self, handler: &'a ast::ExceptHandler) -> Handler {
        let ast::ExceptHandler::ExceptHandler(handler) = handler;
        Handler {
            caught: handler.type_.as_deref().map(|caught| self.expr(caught)),
            name: handler.name.as_ref().map(text),
            body: self.block(&handler.body),
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

#[cfg(test)]
mod tests {
    use super::super::tree::{ArgumentKind, ExprKind, Operator};
    use super::*;

    fn calls(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for statement in parse(text).0 {
            statement.each_call(&mut |call| found.extend(call.callee.dotted()));
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
            assert!(found.contains(&format!("f{number}")), "f{number} is missing from {found:?}");
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
        assert_eq!(comments.iter().map(|place| &text[place.range()]).collect::<Vec<_>>(), ["# yes"]);
    }
}
