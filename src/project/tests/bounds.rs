//! Small files that could cost much: each is answered within its steps, with a reason if the answer is unknown.

use super::*;

/// The convention of an environment, and the steps that it took.
fn asked(files: &[(&str, &str)]) -> (String, usize) {
    let naming = naming(files, "migrations/versions/a.py");
    (told(&naming), naming.steps)
}

const ENV: &str = "from alembic import context\nfrom app.models import target_metadata\n";

#[track_caller]
fn costs(models: &str, most: usize) -> String {
    let (verdict, steps) = asked(&[("migrations/env.py", ENV), ("app/models.py", models)]);
    assert!(steps <= most, "{steps} steps, not {most}, for {}", &models[..models.len().min(200)]);
    verdict
}

/// One line, or some, for each number.
fn lines(numbers: impl Iterator<Item = usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().concat()
}

/// A metadata with the convention that `code` puts into `c`.
fn convention_of(code: &str) -> String {
    format!("from sqlalchemy import MetaData\n{code}\ntarget_metadata = MetaData(naming_convention=c)\n")
}

#[test]
fn a_function_that_calls_itself_is_entered_once() {
    let fibonacci = "def f(n):\n    if n < 2:\n        return {'fk': 'A'}\n    elif n % 2:\n        return f(n - 1) or f(n - 2)\n    return {**f(n - 1), **f(n - 2)}\nc = f(30)\n";
    assert!(costs(&convention_of(fibonacci), 500).starts_with("unreadable"));
    let mutual = "def f(n):\n    return g(n) if n else {'fk': 'A'}\ndef g(n):\n    return f(n - 1)\nc = f(9)\n";
    costs(&convention_of(mutual), 500);
}

#[test]
fn functions_that_call_the_last_one_twice_are_asked_once() {
    for body in ["    return {**f%d(), **f%d()}\n", "    if x:\n        return f%d()\n    return f%d()\n"] {
        let first = "def f0():\n    return {'fk': 'A'}\n";
        let rest = lines(1..61, |number| {
            let body = body.replace("%d", &(number - 1).to_string());
            format!("def f{number}():\n{body}")
        });
        let code = format!("{first}{rest}");
        assert_eq!(costs(&convention_of(&format!("{code}c = f16()\n")), 2_000), "A");
        costs(&convention_of(&format!("{code}c = f60()\n")), 5_000);
    }
}

#[test]
fn classes_with_two_bases_each_are_looked_into_once() {
    let first = "class A0:\n    pass\nclass B0:\n    names = {'fk': 'A'}\n";
    let rest = lines(1..41, |number| {
        let last = number - 1;
        format!("class A{number}(A{last}, B{last}):\n    pass\nclass B{number}(B{last}, A{last}):\n    pass\n")
    });
    let code = format!("{first}{rest}");
    assert_eq!(costs(&convention_of(&format!("{code}c = A40.names\n")), 5_000), "A");
    costs(&convention_of(&format!("{code}c = A40.nothing\n")), 5_000);
}

#[test]
fn many_branches_and_conditional_assignments_are_visited_once() {
    let branches = |different: bool| {
        lines(0..2_000, |number| {
            let word = if number == 0 { "if" } else { "elif" };
            let value = if different { number } else { 0 };
            format!("{word} x == {number}:\n    c = {{'fk': 'A{value}'}}\n")
        })
    };
    let same = lines(0..2_000, |number| format!("if x == {number}:\n    c = n\n"));
    assert_eq!(costs(&convention_of(&format!("n = {{'fk': 'A'}}\n{same}")), 40_000), "A");
    assert!(costs(&convention_of(&branches(true)), 40_000).starts_with("unreadable"));
    let complete = format!("{}else:\n    c = {{'fk': 'B'}}\n", branches(false));
    assert!(costs(&convention_of(&complete), 40_000).starts_with("unreadable"));
}

#[test]
fn long_dicts_cost_what_they_hold() {
    let items = lines(0..10_000, |number| format!("'k{number}': 'v',"));
    assert!(
        costs(&convention_of(&format!("c = {{{items}}}\n")), 30_000)
            .starts_with("unreadable: the dict has too many items")
    );
    let sets = lines(0..50_000, |number| format!("c['k{number}'] = 'v'\n"));
    assert!(costs(&convention_of(&format!("c = {{'fk': 'A'}}\n{sets}")), 70_000).starts_with("unreadable"));
    let few = lines(0..50_000, |_| "c['fk'] = 'B'\n".to_owned());
    assert_eq!(costs(&convention_of(&format!("c = {{'fk': 'A'}}\n{few}")), 70_000), "B");
    let merges = lines(0..2_000, |number| format!("c = {{**c, 'k{number}': 'v'}}\n"));
    costs(&convention_of(&format!("c = {{'fk': 'A'}}\n{merges}")), 5_000);
    let updates = lines(0..2_000, |number| format!("c |= {{'k{number}': 'v'}}\n"));
    assert_eq!(costs(&convention_of(&format!("c = {{'fk': 'A'}}\n{updates}")), 20_000), "A");
}

#[test]
fn texts_that_double_end_somewhere() {
    for step in ["s{n} = s{m} + s{m}\n", "s{n} = f'{s{m}}{s{m}}'\n", "s{n} = '%s%s' % (s{m}, s{m})\n"] {
        let rest = lines(1..41, |number| {
            let last = (number - 1).to_string();
            step.replace("{n}", &number.to_string()).replace("{m}", &last)
        });
        let code = format!("s0 = 'fk_%(table_name)s'\n{rest}");
        let verdict = costs(&convention_of(&format!("{code}c = {{'fk': s40}}\n")), 170_000);
        assert!(verdict.to_lowercase().starts_with("unknown"), "{verdict}");
    }
}

#[test]
fn a_circle_of_imports_ends() {
    let files = [
        (
            "migrations/env.py",
            "from alembic import context\nfrom app import metadata\ntarget_metadata = metadata\n",
        ),
        ("app/__init__.py", "from app.db import *\nfrom app.db import metadata, other\n"),
        ("app/db.py", "from app import *\nfrom app import other\nfrom app.base import metadata\n"),
        (
            "app/base.py",
            "from app import metadata as other\nfrom sqlalchemy import MetaData\nmetadata = MetaData()\n",
        ),
    ];
    let (verdict, steps) = asked(&files);
    assert_eq!(verdict, "default");
    assert!(steps < 100, "{steps}");
}

#[test]
fn nothing_but_what_is_needed_is_read() {
    let models = "import huge\nfrom huge import *\nfrom sqlalchemy import MetaData\nx = huge.compute(9)\ntarget_metadata = MetaData()\n";
    let files = [
        ("migrations/env.py", ENV),
        ("app/models.py", models),
        ("huge.py", "def compute(n):\n    return compute(n - 1)\n"),
    ];
    let snapshot: MemorySnapshot = files.into_iter().collect();
    let project = Project::new(&snapshot, "/repo");
    let naming = project.naming(&SourceFile::new("migrations/versions/a.py".into(), String::new()));
    assert_eq!(trail(&naming), ["app/models.py", "migrations/env.py"]);
    // `env.py` and the models, each once.
    assert_eq!(project.modules().parses(), 2);
    let reads = snapshot.reads();
    assert_eq!(reads.iter().filter(|path| path.to_string() == "app/models.py").count(), 1);
}

#[test]
fn running_out_of_steps_is_reported() {
    let calls = lines(0..400_000, |number| format!("x{number} = f({number})\n"));
    let code = format!("def f(n):\n    return n\n{calls}c = {{'fk': 'A'}}\n");
    assert_eq!(costs(&convention_of(&code), 200_000), "A");
    let sum = lines(0..80_000, |number| format!("[{number}],"));
    let files = [
        ("migrations/env.py", ENV),
        ("app/models.py", &convention_of(&format!("c = [x for x in [{sum}]]\n"))),
    ];
    let (verdict, _) = asked(&files);
    assert!(verdict.starts_with("unreadable"), "{verdict}");
}

#[test]
fn a_value_with_too_many_values_behind_it_is_unknown_whatever_was_asked_before() {
    let deep = lines(1..30_000, |number| format!("x{number:05} = [x{:05}]\n", number - 1));
    let text = format!("from sqlalchemy import MetaData\nx00000 = [MetaData()]\n{deep}");
    let snapshot: MemorySnapshot = [("app/models.py", text.as_str())].into_iter().collect();
    let project = Project::new(&snapshot, "/repo");
    // Each name is asked in turn, from the first on.
    let file = SourceFile::new("app/models.py".into(), text.clone());
    assert_eq!(project.made_in(&file).len(), 0);
    let classes = lines(1..5_000, |number| format!("class A{number}(A{}):\n    pass\n", number - 1));
    costs(&convention_of(&format!("class A0:\n    c = {{'fk': 'A'}}\n{classes}c = A4999.c\n")), 20_000);
    let again = lines(0..20_000, |_| "x = f(x)\n".to_owned());
    costs(&convention_of(&format!("def f(n):\n    return n\nx = 1\n{again}c = {{'fk': x}}\n")), 100_000);
    let calls = lines(0..5_000, |number| format!("y{number} = f(s)\n"));
    let long = "a".repeat(200_000);
    costs(
        &convention_of(&format!("def f(n):\n    return n\ns = '{long}'\n{calls}c = {{'fk': y4999}}\n")),
        50_000,
    );
}

#[test]
fn odd_revisions_end_as_well() {
    let doubled = lines(1..41, |number| format!("s{number} = s{} + s{}\n", number - 1, number - 1));
    let nested =
        lines(1..5_000, |number| format!("x{number} = [x{}]\nop.create_index('i', 't', x{number})\n", number - 1));
    let loops = lines(0..40, |number| format!("{}for v{number} in [1, 2, 3, 4, 5, 6, 7, 8]:\n", " ".repeat(number)));
    let sql = lines(0..40, |number| format!("{{v{number}}}"));
    for body in [
        format!("s0 = 'a'\n{doubled}op.create_index(s40, 't', ['a'])\nop.execute(s40)\n"),
        format!("x0 = ['a']\n{nested}"),
        format!("{loops}{}op.execute(f'ALTER TABLE a ADD {sql}')\n", " ".repeat(40)),
        format!(
            "def f({}):\n{}f({})\n",
            lines(0..8_000, |number| format!("p{number}=None, ")),
            lines(0..4_000, |number| format!("    op.create_unique_constraint(p{number}, 't', ['a'])\n")),
            lines(0..8_000, |number| format!("p{number}=None, ")),
        ),
        format!(
            "def f(n=None):\n{}\nf()\n",
            lines(0..3_000, |_| "    op.create_index(n, 't', ['a'])\n    f(n)\n".to_owned())
        ),
    ] {
        let text = format!("from alembic import op\nrevision = 'a'\ndown_revision = None\n{body}");
        let snapshot: MemorySnapshot = [("versions/a.py", text.as_str())].into_iter().collect();
        let project = Project::new(&snapshot, "/repo");
        let module = Module::parse(SourceFile::new("versions/a.py".into(), text.clone()));
        let _ = project.migration(&module);
    }
}

/// Each took 1 to 40 seconds before copies and iterations were counted.
#[test]
fn copies_and_iterations_are_counted() {
    let list = format!("L = [{}]\n", lines(0..4_090, |number| format!("{number}, ")));
    let dict = format!("D = {{{}}}\n", lines(0..4_090, |number| format!("{number}: 1, ")));
    let many = |line: &str| lines(0..20_000, |number| line.replace("{n}", &number.to_string()) + "\n");
    let all = format!("c = [{}]\n", lines(0..20_000, |number| format!("M{number}, ")));
    let classes = lines(1..10_000, |number| format!("class C{number}(C{}):\n    pass\n", number - 1));
    let branches = |line: &str| {
        lines(0..30_000, |number| {
            let word = if number == 0 { "if" } else { "elif" };
            format!("    {word} a{number}:\n        {line}\n")
        })
    };
    let rounds = lines(0..10_000, |number| format!("    X = 1\n    Y{number} = X\n"));
    let names = lines(0..10_000, |number| format!("p{number}, "));
    let given = lines(0..10_000, |number| format!("p{number}=1, "));
    for code in [
        format!("{dict}{}{all}", many("M{n} = D.items()")),
        format!("class C0:\n    pass\n{classes}{}{all}", many("M{n} = C9999()")),
        format!("def f():\n{}    else:\n        return 1\nc = f()\n", branches("return 1")),
        format!("{dict}D[1] = 2\n{}{all}", many("M{n} = D")),
        format!("{list}L.append(2)\n{}{all}", many("M{n} = L")),
        format!("{list}def f(*a):\n    return a\n{}{all}", many("M{n} = f(*L)")),
        format!("{list}{}{all}", many("M{n} = [*L]")),
        format!("{list}{}{all}", many("M{n} = 'z' in L")),
        format!("for q in z:\n{rounds}c = [{}]\n", lines(0..10_000, |number| format!("Y{number}, "))),
        format!("if True:\n{}    else:\n        c = 1\n", branches("c = 1")),
        format!("def f({names}):\n    return [{names}]\nc = f({given})\n"),
    ] {
        costs(&convention_of(&code), 150_000);
    }
}

/// A model has a `metadata` of its own meaning in many a project, and what sets it has nothing to do with SQLAlchemy's.
#[test]
fn assignments_in_a_function_are_followed_to_few_of_its_callers() {
    let base = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n";
    let files = |sets: &str, calls: &str| {
        let run = format!("from app.base import Base\n{sets}");
        let models = format!("from app import run\n{calls}target_metadata = run.Base.metadata\n");
        asked(&[("migrations/env.py", ENV), ("app/base.py", base), ("app/run.py", &run), ("app/models.py", &models)])
    };
    let many = |line: &str| lines(0..300, |number| line.replace("{n}", &number.to_string()));
    let calls = many("run.store(Run({n}), {n})\n");
    let sets = many("def f{n}():\n    def store(self, metadata):\n        run.metadata = metadata\n");
    let (verdict, steps) = files(&sets, &calls);
    assert_eq!(verdict, "default");
    assert!(steps < 5_000, "{steps}");
}
