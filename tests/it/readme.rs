//! What the documents show is what the program prints and takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{self, Repo, root};
use alembic_named::cli::Cli;
use clap::Parser;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn readme() -> String {
    read(&root().join("README.md"))
}

/// The program, as a test in `folder` sees it.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Repo::at(folder).run(arguments)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The content of the fenced blocks of one language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let of_language = |(info, content)| (info == language).then_some(content);
    support::blocks(document).into_iter().filter_map(of_language).collect()
}

/// The files of the example, committed as they are in a checkout.
fn example() -> Repo {
    let repo = Repo::new();
    repo.copy(&root().join("examples/shop"), "examples/shop");
    repo.git(&["add", "--all"]);
    repo.commit("the shop");
    repo
}

/// The picture in the README: the report of a commit that adds the newest migration of the example, as a terminal shows it.
fn picture() -> String {
    const NEWEST: &str = "migrations/versions/9b3e64c8d215_add_invoice_to_order.py";
    let (repo, shop) = (Repo::new(), root().join("examples/shop"));
    for file in ["alembic.ini", "migrations/env.py", "app/models.py"] {
        repo.stage(file, fs::read(shop.join(file)).unwrap());
    }
    repo.commit("the shop");
    repo.stage(NEWEST, fs::read(shop.join(NEWEST)).unwrap());
    let output = run(repo.path(), &["--color=always"]);
    assert_eq!(output.status.code(), Some(1));
    let bold = |text: &str| format!("\u{1b}[1m{text}\u{1b}[0m");
    let shown = format!(
        "$ {}\n{}{}",
        bold("git commit -m 'Add invoice to order'"),
        text(&output.stdout),
        text(&output.stderr)
    );
    // Its own background, so that it can be read on a light and on a dark page.
    let background = anstyle_svg::Term::new().palette(anstyle_svg::WIN10_CONSOLE);
    background.render_svg(shown.trim_end())
}

/// `UPDATE_PICTURE=1` writes it anew.
#[test]
fn the_picture_is_what_the_program_prints() {
    let path = root().join("docs/report.svg");
    let picture = picture();
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    let shown = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        shown == picture,
        "docs/report.svg is not what the program prints: UPDATE_PICTURE=1 cargo test --test it readme::, and look at it"
    );
    assert!(readme().contains("](docs/report.svg)"), "the README shows it");
}

/// What a reader without pictures is told is part of it.
#[test]
fn the_picture_is_described() {
    let readme = readme();
    let (before, _) = readme.split_once("](docs/report.svg)").unwrap();
    let (_, description) = before.rsplit_once("![").unwrap();
    let letters = |text: &str| -> String { text.chars().filter(|one| !"`\\".contains(*one)).collect() };
    let repo = example();
    let output = run(repo.path(), &["check", "--select=unnamed-constraint", "examples/shop"]);
    let printed = letters(&text(&output.stdout));
    let words = letters(&description.split_whitespace().collect::<Vec<_>>().join(" "));
    for part in words.split("; ") {
        assert!(printed.contains(part), "`{part}` is not printed:\n{printed}");
    }
}

#[test]
fn the_readme_lists_the_rules() {
    let listed = text(&run(root(), &["rules"]).stdout);
    let cells = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap();
        let (severity, summary) = rest.trim_start().split_once(' ').unwrap();
        format!("| `{name}` | {severity} | {} |", summary.trim_start())
    };
    let expected: Vec<String> = listed.lines().map(cells).collect();
    let readme = readme();
    let table: Vec<&str> = readme
        .lines()
        .skip_while(|line| *line != "## Rules")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(table, expected, "paste:\n{}", expected.join("\n"));
}

/// Every document for users outside of `docs/rules`, whose examples have their own tests.
fn documents() -> Vec<PathBuf> {
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let mut documents: Vec<PathBuf> = pages
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    documents.sort();
    documents.push(root().join("README.md"));
    documents
}

#[test]
fn every_configuration_shown_is_accepted() {
    let mut count = 0;
    for document in documents() {
        for block in blocks(&read(&document), "toml") {
            // prek's own configuration.
            if block.starts_with("[[repos]]") {
                continue;
            }
            let repo = Repo::new();
            let is_pyproject = block.contains("[tool.alembic-named");
            let file = if is_pyproject {
                "pyproject.toml"
            } else {
                "alembic-named.toml"
            };
            repo.stage(file, &block).stage("a.py", "pass\n");
            let output = run(repo.path(), &["check", "--staged", "--verbose"]);
            assert_eq!(output.status.code(), Some(0), "{}: {block}{}", document.display(), text(&output.stderr));
            count += 1;
        }
    }
    assert!(count > 5, "only {count} examples were found");
}

#[test]
fn the_configuration_page_has_every_key() {
    let repo = Repo::new();
    repo.stage("alembic-named.toml", "nonsense = 1\n").stage("a.py", "");
    let refusal = text(&run(repo.path(), &["check", "--staged"]).stderr);
    let mut keys: Vec<&str> = refusal
        .split_once("the keys are ")
        .expect("the keys that are known")
        .1
        .split('`')
        .skip(1)
        .step_by(2)
        .collect();
    keys.sort_unstable();
    let page = read(&root().join("docs/configuration.md"));
    let mut headings: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    headings.sort_unstable();
    assert_eq!(headings, keys);
}

#[test]
fn every_command_shown_is_taken() {
    let mut count = 0;
    for document in documents() {
        for line in read(&document).lines() {
            let code = line.trim_start();
            let is_code = line.len() >= code.len() + 4;
            let code = code.trim_start_matches("- ");
            let code = ["run: ", "script: "]
                .iter()
                .find_map(|key| code.strip_prefix(key))
                .unwrap_or(code);
            if !is_code || !code.starts_with("alembic-named ") {
                continue;
            }
            let command = code.split(" # ").next().unwrap().split(" > ").next().unwrap();
            let words = command.split_whitespace().map(|word| word.trim_matches('"'));
            if let Err(refusal) = Cli::try_parse_from(words) {
                assert!(!refusal.use_stderr(), "{}: {command}: {refusal}", document.display());
            }
            count += 1;
        }
    }
    assert!(count > 10, "only {count} commands were found");
}

/// The headings as links name them: in lower case, hyphens for spaces, and nothing else but letters and digits.
fn anchors(document: &str) -> impl Iterator<Item = String> {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words
            .chars()
            .filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter))
            .collect()
    })
}

#[test]
fn what_the_documents_link_to_is_there() {
    let mut documents = documents();
    documents.extend(["CHANGELOG.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    for document in documents {
        let text = read(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_elsewhere = target.contains("://") || target.starts_with('#');
            let path = document.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(is_elsewhere || path.exists(), "{} links to {target}", document.display());
            if let Some((file, anchor)) = target.split_once('#').filter(|_| !target.contains("://")) {
                let linked = if file.is_empty() { document.clone() } else { path };
                let is_there = anchors(&read(&linked)).any(|one| one == anchor);
                assert!(is_there, "{} links to {target}", document.display());
            }
        }
    }
}
