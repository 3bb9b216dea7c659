//! What it costs to look at the revisions before the one that is staged.
//!
//! ```text
//! cargo bench --bench history                    2,000 revisions in one environment, 31 rounds
//! cargo bench --bench history -- --rounds 11 500
//! ```
//!
//! The repository is written by `git fast-import`. One revision is staged that drops a constraint by the name that PostgreSQL chose, so that
//! all others are read; then the same with a name that somebody gave, so that none is. The two run in turn, so that a busy machine is busy
//! for both. The first revision made the constraint, and one in fifty speaks of its table.

#![allow(clippy::print_stdout, reason = "that is its purpose")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that fails should say where"
)]

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;
#[path = "support/mod.rs"]
mod turns;

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use support::Repo;

const FOLDER: &str = "migrations/versions";

fn main() {
    // `cargo test --benches` starts this program as well, and wants no numbers.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `cargo bench`");
        return;
    }
    let (revisions, rounds) = plan();
    let installed = tempfile::tempdir().unwrap();
    let program = turns::deliver(installed.path());
    let repo = repository(revisions);
    let staged = [
        ("chosen by a database", "order_invoice_id_fkey", 1),
        ("given by somebody", "fk_order_invoice_id_invoice", 0),
    ];
    let mut times = [Vec::new(), Vec::new()];
    // The first two rounds fill the caches.
    for round in 0..rounds + 2 {
        for ((_, name, findings), times) in staged.iter().zip(&mut times) {
            stage(&repo, revisions, name);
            let took = check(&repo, &program, *findings);
            if round >= 2 {
                times.push(took);
            }
        }
    }
    println!("{revisions} revisions, {rounds} rounds; milliseconds of the whole run");
    println!();
    println!("| the dropped name is | median | minimum |");
    println!("|---|--:|--:|");
    for ((what, _, _), times) in staged.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("| {what} | {:.1} | {:.1} |", median(times), times[0]);
    }
    let [chosen, given] = &times;
    println!();
    println!("ratio of the medians: {:.2}", median(chosen) / median(given));
}

/// How many revisions and rounds.
fn plan() -> (usize, usize) {
    let (mut revisions, mut rounds) = (2_000, 31);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Given by cargo.
            "--bench" => {}
            "--rounds" => rounds = arguments.next().expect("a value").parse().expect("a number"),
            number => revisions = number.parse().expect("a number"),
        }
    }
    (revisions, rounds)
}

fn repository(revisions: usize) -> Repo {
    let repo = Repo::new();
    let mut import = repo
        .command("git")
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    write_import(import.stdin.take().unwrap(), revisions).unwrap();
    assert!(import.wait().unwrap().success());
    repo.git(&["read-tree", "HEAD"]);
    repo
}

fn write_import(to: impl Write, revisions: usize) -> std::io::Result<()> {
    let mut to = BufWriter::new(to);
    writeln!(to, "commit refs/heads/main")?;
    writeln!(to, "committer a <a@example.com> 1700000000 +0000\ndata 1\nm")?;
    let mut file = |path: &str, text: &str| write!(to, "M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    file(
        "migrations/env.py",
        "from alembic import context\nfrom app.models import Base\ntarget_metadata = Base.metadata\n",
    )?;
    file(
        "app/models.py",
        "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n",
    )?;
    for number in 0..revisions {
        file(&path(number), &revision(number, &upgrade(number)))?;
    }
    writeln!(to)
}

fn path(number: usize) -> String {
    format!("{FOLDER}/{number:08x}_change_{number}.py")
}

/// As Alembic's template writes it.
fn revision(number: usize, upgrade: &str) -> String {
    let down = match number.checked_sub(1) {
        Some(before) => format!("'{before:08x}'"),
        None => "None".to_owned(),
    };
    format!(
        "\"\"\"change {number}

Revision ID: {number:08x}
Revises: {down}
Create Date: 2026-01-01 00:00:00.000000

\"\"\"
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = '{number:08x}'
down_revision: Union[str, Sequence[str], None] = {down}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    \"\"\"Upgrade schema.\"\"\"
    # ### commands auto generated by Alembic - please adjust! ###
{upgrade}    # ### end Alembic commands ###


def downgrade() -> None:
    \"\"\"Downgrade schema.\"\"\"
    # ### commands auto generated by Alembic - please adjust! ###
    pass
    # ### end Alembic commands ###
"
    )
}

fn upgrade(number: usize) -> String {
    let table = if number.is_multiple_of(50) {
        "order".to_owned()
    } else {
        format!("table_{number}")
    };
    let mut lines = String::new();
    for column in 0..8 {
        let name = format!("column_{number}_{column}");
        writeln!(lines, "    op.add_column('{table}', sa.Column('{name}', sa.Integer(), nullable=True))").unwrap();
    }
    if number == 0 {
        lines.push_str("    op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])\n");
    }
    lines
}

/// Stages one more revision; then git completes the cached tree, as `git commit` does before it calls the hook.
fn stage(repo: &Repo, number: usize, name: &str) {
    let drop = format!("    op.drop_constraint(op.f('{name}'), 'order', type_='foreignkey')\n");
    let text = revision(number, &drop);
    let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], text.as_bytes());
    let row = format!("100644 {id}\t{}\n", path(number));
    repo.git_with_input(&["update-index", "--index-info"], row.as_bytes());
    repo.git(&["write-tree"]);
}

/// Milliseconds.
fn check(repo: &Repo, program: &Path, findings: usize) -> f64 {
    let mut command = repo.command(program);
    command.args(["check", "--staged", "--format", "concise"]);
    let started = Instant::now();
    let output = command.output().unwrap();
    let took = started.elapsed().as_secs_f64() * 1_000.0;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("default-name-dependency").count(), findings, "{said}");
    took
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
