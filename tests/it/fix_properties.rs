//! What holds for `--fix` whatever a migration looks like: many are made up, each together with what it must become.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Output;

use crate::support::random::Random;
use crate::support::{Repo, both_texts, words};
use serde_json::Value;

const MIGRATIONS: usize = 400;

const WARNING: [&str; 3] = [
    "# WARNING: constraint name is None; this directive will fail as",
    "# rendered.  Add a name, or use a naming convention; see",
    "# https://alembic.sqlalchemy.org/en/latest/naming.html",
];

/// How a migration is written.
struct Style {
    import: &'static str,
    receiver: &'static str,
    is_batch: bool,
    quote: char,
    indent: &'static str,
}

/// A constraint that one half makes and the other removes.
struct Constraint {
    table: &'static str,
    schema: Option<&'static str>,
    is_key: bool,
    columns: Vec<String>,
    /// It has a name in both halves already.
    named: bool,
    /// The upgrade removes it, as when a key is taken out of the models on SQLite.
    is_removed: bool,
}

impl Constraint {
    fn name(&self) -> String {
        let (table, column) = (self.table, &self.columns[0]);
        if self.is_key {
            format!("fk_{table}_{column}_invoice")
        } else {
            format!("uq_{table}_{column}")
        }
    }

    fn group(&self) -> (&str, Option<&str>, bool, bool) {
        (self.table, self.schema, self.is_key, self.is_removed)
    }
}

struct Writer<'r> {
    random: &'r mut Random,
    style: Style,
    text: String,
}

impl Writer<'_> {
    fn string(&self, text: &str) -> String {
        format!("{0}{text}{0}", self.style.quote)
    }

    fn list(&self, items: &[String]) -> String {
        let items: Vec<String> = items.iter().map(|item| self.string(item)).collect();
        format!("[{}]", items.join(", "))
    }

    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.text, "{}{line}", self.style.indent.repeat(depth));
    }

    /// The argument of the name, as `[[before=>after]]` where it is to be written.
    fn name(&mut self, constraint: &Constraint, is_fixed: bool) -> String {
        let literal = self.string(&constraint.name());
        let receiver = if self.style.is_batch {
            "batch_op"
        } else {
            self.style.receiver
        };
        let finished = if receiver.is_empty() {
            literal
        } else {
            format!("{receiver}.f({literal})")
        };
        if constraint.named {
            return finished;
        }
        let nothing = match self.random.below(8) {
            0 => self.string(""),
            1 if !receiver.is_empty() => format!("{receiver}.f(None)"),
            _ => "None".to_owned(),
        };
        let (open, close) = if self.random.once_in(9) { ("(", ")") } else { ("", "") };
        if is_fixed {
            format!("{open}[[{nothing}=>{finished}]]{close}")
        } else {
            format!("{open}{nothing}{close}")
        }
    }

    /// Arguments by position up to some point, the others by name in any order, with whatever Python allows between them.
    fn call(&mut self, depth: usize, method: &str, arguments: Vec<(&str, String)>, more: Vec<(&str, String)>) {
        let by_position = self.random.below(arguments.len() + 1);
        let mut written = Vec::new();
        let mut by_name = more;
        for (at, (name, value)) in arguments.into_iter().enumerate() {
            if at < by_position {
                written.push(value);
            } else {
                by_name.push((name, value));
            }
        }
        while !by_name.is_empty() {
            let (name, value) = by_name.remove(self.random.below(by_name.len()));
            let equals = self.random.pick(&["=", "=", "=", " = "]);
            written.push(format!("{name}{equals}{value}"));
        }
        let deep = self.style.indent.repeat(depth + 1);
        let gap = |random: &mut Random| match random.below(12) {
            0 => format!("\n{deep}"),
            1 => format!("  # it's None, \"really\"\n{deep}"),
            2 => "\\\n".to_owned(),
            3 => "\t".to_owned(),
            4 => format!("\n\n{deep}# op.drop_constraint(None)\n"),
            _ => String::new(),
        };
        let mut call = String::new();
        for (at, argument) in written.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let _ = write!(call, "{comma}{}{argument}{}", gap(self.random), gap(self.random));
        }
        call.push_str(self.random.pick(&["", "", "", ",", " "]));
        let receiver = if self.style.is_batch {
            "batch_op"
        } else {
            self.style.receiver
        };
        let dot = self.random.pick(&[".", ".", ".", " . "]);
        let callee = if receiver.is_empty() {
            method.to_owned()
        } else {
            format!("{receiver}{dot}{method}")
        };
        let after = self.random.pick(&["", "", "; pass", "   ", "  # None"]);
        self.line(depth, &format!("{callee}({call}){after}"));
    }

    fn operation(&mut self, depth: usize, constraint: &Constraint, creates: bool, is_fixed: bool) {
        let depth = depth + usize::from(self.style.is_batch);
        let table = self.string(constraint.table);
        let schema = constraint.schema.map(|schema| self.string(schema));
        if self.style.is_batch {
            let more = schema
                .clone()
                .map(|schema| format!(", schema={schema}"))
                .unwrap_or_default();
            // What is removed has to be known by this name, or another edit is needed.
            let reflected = if constraint.is_removed {
                ", naming_convention=NAMES"
            } else {
                ""
            };
            self.line(depth - 1, &format!("with op.batch_alter_table({table}{more}{reflected}) as batch_op:"));
        }
        let has_warning = !creates && !constraint.named && self.random.once_in(2);
        if has_warning {
            let indent = self.style.indent.repeat(depth);
            let lines = WARNING.map(|line| format!("{indent}{line}\n")).concat();
            let _ = if is_fixed {
                write!(self.text, "[[{lines}=>]]")
            } else {
                write!(self.text, "{lines}")
            };
        }
        let mut arguments = vec![("constraint_name", self.name(constraint, is_fixed))];
        let mut more = Vec::new();
        let columns = self.list(&constraint.columns);
        let schema_name = if creates && constraint.is_key {
            "source_schema"
        } else {
            "schema"
        };
        if !self.style.is_batch {
            let table_name = if creates && constraint.is_key {
                "source_table"
            } else {
                "table_name"
            };
            arguments.push((table_name, table));
            more.extend(schema.map(|schema| (schema_name, schema)));
        }
        if creates && constraint.is_key {
            arguments.push(("referent_table", self.string("invoice")));
            arguments.push(("local_cols", columns));
            arguments.push(("remote_cols", self.list(&constraint.columns)));
            if self.random.once_in(3) {
                more.push(("ondelete", self.string("CASCADE")));
            }
            self.call(depth, "create_foreign_key", arguments, more);
        } else if creates {
            arguments.push(("columns", columns));
            self.call(depth, "create_unique_constraint", arguments, more);
        } else {
            let kind = if constraint.is_key { "foreignkey" } else { "unique" };
            arguments.push(("type_", self.string(kind)));
            self.call(depth, "drop_constraint", arguments, more);
        }
    }

    fn noise(&mut self, depth: usize) {
        let line = match self.random.below(10) {
            0 => "# op.create_foreign_key(None, 'a', 'b', ['c'], ['d'])",
            1 => "text = \"op.drop_constraint(None, 'order', type_='foreignkey')\"",
            2 => "\"\"\"None\n  op.create_unique_constraint(None, 'order', ['a'])\n\"\"\"",
            3 => "text = '\u{e4}\u{1f600}'  # \u{c}",
            4 => "pass",
            5 => "",
            _ => return,
        };
        self.line(depth, line);
    }

    fn half(&mut self, name: &str, steps: &[(&Constraint, bool, bool)]) {
        let mut name = name.to_owned();
        if self.random.once_in(4) {
            self.line(0, &format!("def {name}():"));
            self.line(1, &format!("_{name}()"));
            self.text.push('\n');
            name.insert(0, '_');
        }
        self.line(0, &format!("def {name}() -> None:"));
        let mut depth = 1;
        if self.random.once_in(6) {
            self.line(1, "if True:");
            depth = 2;
        }
        for (constraint, creates, is_fixed) in steps {
            self.noise(depth);
            self.operation(depth, constraint, *creates, *is_fixed);
        }
        self.noise(depth);
        self.line(depth, "pass");
        self.text.push('\n');
    }
}

fn style(random: &mut Random) -> Style {
    let (import, receiver) = *random.pick(&[
        &("from alembic import op", "op"),
        &("from alembic import op", "op"),
        &("from alembic import op as o", "o"),
        &("import alembic.op", "alembic.op"),
        &("from alembic.op import *", ""),
        &("from alembic.op import create_foreign_key, create_unique_constraint, drop_constraint", ""),
    ]);
    Style {
        import,
        receiver,
        is_batch: receiver == "op" && random.once_in(2),
        quote: if random.once_in(2) { '"' } else { '\'' },
        indent: random.pick(&["    ", "    ", "  ", "\t", " "]),
    }
}

fn constraints(random: &mut Random, is_batch: bool) -> Vec<Constraint> {
    (0..random.below(6))
        .map(|at| {
            let mut columns = vec![format!("c{at}")];
            if random.once_in(3) {
                columns.push("shared".to_owned());
            }
            Constraint {
                table: random.pick(&["order", "line"]),
                schema: random.once_in(5).then_some("other"),
                is_key: random.once_in(2),
                columns,
                named: random.once_in(4),
                is_removed: random.once_in(if is_batch { 4 } else { 6 }),
            }
        })
        .collect()
}

/// A migration with `[[before=>after]]` where it is to be fixed.
fn template(random: &mut Random) -> String {
    let style = style(random);
    let constraints = constraints(random, style.is_batch);
    // How many drops of a group are left out: none, all of them, or one, which makes the others uncertain.
    let mut groups: BTreeMap<_, Vec<&Constraint>> = BTreeMap::new();
    for constraint in constraints.iter().filter(|constraint| !constraint.named) {
        groups.entry(constraint.group()).or_default().push(constraint);
    }
    let mut undropped = BTreeSet::new();
    let mut uncertain = BTreeSet::new();
    for members in groups.values() {
        match random.below(8) {
            0 => undropped.extend(members.iter().map(|one| one.columns[0].clone())),
            1 if members.len() > 1 => {
                undropped.insert(members[random.below(members.len())].columns[0].clone());
                uncertain.extend(members.iter().map(|one| one.columns[0].clone()));
            }
            _ => {}
        }
    }
    let steps = |is_upgrade: bool| -> Vec<(&Constraint, bool, bool)> {
        let all = constraints.iter().map(|constraint| {
            let creates = is_upgrade != constraint.is_removed;
            (constraint, creates, !uncertain.contains(&constraint.columns[0]))
        });
        all.filter(|(constraint, creates, _)| *creates || !undropped.contains(&constraint.columns[0]))
            .collect()
    };
    let import = style.import;
    let mut writer = Writer {
        random,
        style,
        text: String::new(),
    };
    writer.text.push_str("\"\"\"made up\"\"\"\n");
    writer.line(0, import);
    let (revision, previous) = (writer.string("1a2b"), writer.string("0000"));
    writer.line(0, &format!("revision = {revision}\ndown_revision = {previous}\nNAMES = {{}}\n\n"));
    writer.half("upgrade", &steps(true));
    let mut back = steps(false);
    back.reverse();
    writer.half("downgrade", &back);
    if !undropped.is_empty() {
        // Else what is not dropped is only suggested a name.
        writer.line(1, "raise NotImplementedError");
    }
    let mut text = writer.text;
    if random.once_in(3) {
        text.truncate(text.trim_end().len());
    }
    text = match random.below(6) {
        0 | 1 => text.replace('\n', "\r\n"),
        2 => text.replace('\n', "\r"),
        3 => text.replacen('\n', "\r\n", text.len() / 80),
        _ => text,
    };
    if random.once_in(5) {
        text.insert(0, '\u{feff}');
    }
    text
}

fn program(repo: &Repo, arguments: &[&str]) -> Output {
    let output = repo.run(arguments);
    assert_ne!(output.status.code(), Some(2), "{}", words(&output));
    output
}

/// The text with the edits of a report, and whether none of them touches another.
fn edited(before: &str, path: &str, report: &Value) -> String {
    let findings = report["diagnostics"].as_array().unwrap();
    let mut edits: Vec<(usize, usize, &str)> = findings
        .iter()
        .filter_map(|finding| finding["fix"]["edits"].as_array())
        .flatten()
        .filter(|edit| edit["path"] == path)
        .map(|edit| {
            let offset = |name: &str| usize::try_from(edit[name].as_u64().unwrap()).unwrap();
            (offset("start"), offset("end"), edit["text"].as_str().unwrap())
        })
        // A drop that is missing altogether is put in, or takes the place of a `pass`.
        .filter(|(start, end, text)| {
            !(matches!(&before[*start..*end], "" | "pass") && text.contains("drop_constraint("))
        })
        .collect();
    edits.sort_unstable();
    edits.dedup();
    let mut text = String::new();
    let mut at = 0;
    for (start, end, new) in edits {
        assert!(at <= start, "two edits overlap in {path}");
        text.push_str(&before[at..start]);
        text.push_str(new);
        at = end;
    }
    text + &before[at..]
}

/// Prints for each file the name that each operation has, or `None`, after Python's own parser has read it.
const NAMES: &str = r#"
import ast, json, sys
def name(node):
    if isinstance(node, ast.Call):
        node = node.args[0]
    return node.value or None
for path in sys.argv[1:]:
    tree = ast.parse(open(path, "rb").read(), path)
    found = {"create": [], "drop": []}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        method = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if method in ("create_foreign_key", "create_unique_constraint", "drop_constraint"):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            node = given.get("constraint_name") or call.args[0]
            found[method.split("_")[0]].append(name(node))
    print(json.dumps(found))
"#;

#[test]
fn made_up_migrations_become_what_they_must() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::at(folder.path().canonicalize().unwrap());
    let mut random = Random::new(4);
    let files: Vec<(String, String, String)> = (0..MIGRATIONS)
        .map(|at| {
            let (before, after) = both_texts(&template(&mut random));
            (format!("versions/m{at}.py"), before, after)
        })
        .collect();
    for (path, before, _) in &files {
        repo.write(path, before);
    }
    let report = program(&repo, &["--format", "json", "versions"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    for (path, before, after) in &files {
        assert_eq!(&edited(before, path, &report), after, "the edits of {path} in\n{before}");
    }
    assert!(files.iter().filter(|(_, before, after)| before != after).count() > MIGRATIONS / 2);

    let first = program(&repo, &["fix", "versions", "--format", "json"]);
    for (path, before, after) in &files {
        assert_eq!(&repo.read(path), after, "{path} was\n{before}");
    }
    let second = program(&repo, &["fix", "versions", "--format", "json"]);
    assert_eq!(second.status.code(), first.status.code());
    for (path, _, after) in &files {
        assert_eq!(&repo.read(path), after, "{path} was fixed twice");
    }
    let left: Value = serde_json::from_slice(&second.stdout).unwrap();
    for finding in left["diagnostics"].as_array().unwrap() {
        assert_eq!(finding["fix"], Value::Null, "{finding}");
        let help = finding["help"].as_str().unwrap();
        assert!(help.contains("because"), "no reason is said: {finding}");
    }
    python_agrees(&repo, &files, &left);
}

/// Python reads every fixed file, finds no more names missing than were reported, and each name in both halves.
fn python_agrees(repo: &Repo, files: &[(String, String, String)], left: &Value) {
    let mut python = repo.command("python3");
    python.args(["-c", NAMES]).args(files.iter().map(|(path, ..)| path));
    let output = match python.output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: python3 cannot be started: {error}"),
    };
    assert!(output.status.success(), "{}", words(&output));
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(found.lines().count(), files.len());
    for ((path, _, text), line) in files.iter().zip(found.lines()) {
        let found: Value = serde_json::from_str(line).unwrap();
        let names = |action: &str| found[action].as_array().unwrap().clone();
        let (creates, drops) = (names("create"), names("drop"));
        let unnamed = creates.iter().chain(&drops).filter(|name| name.is_null()).count();
        let reported = left["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["path"] == path.as_str());
        assert_eq!(unnamed, reported.count(), "{path}\n{text}");
        for name in drops.iter().filter(|name| !name.is_null()) {
            let count = |list: &[Value]| list.iter().filter(|other| *other == name).count();
            assert_eq!((count(&creates), count(&drops)), (1, 1), "{name} in {path}\n{text}");
        }
    }
}
