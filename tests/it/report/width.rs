//! What a terminal of any width shows of long names.

use super::{committed_shop, long_names, picture, several, shop, with_lines, with_models};
use crate::support::said;

/// Whether a line of the text report shows code, which is trimmed and not wrapped.
fn is_code(line: &str) -> bool {
    let number = line.trim_start();
    number.starts_with(|letter: char| letter.is_ascii_digit()) && number.contains(['|', '~', '+', '-'])
}

/// What the user has to paste keeps its lines.
fn is_to_paste(line: &str) -> bool {
    line.starts_with("      ") || line.contains("alembic-named ")
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    let with_convention = with_lines(
        "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])",
        "op.drop_constraint(None, 'order', type_='foreignkey')",
    );
    with_models(
        &with_convention,
        "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    \
         metadata = MetaData(naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s', 'pk': 'pk_%(table_name)s'})\n",
    );
    let far = with_lines(
        "if True:\n    if True:\n        with op.batch_alter_table('order', schema='accounting') as b: \
         b.create_foreign_key(None, 'i', ['invoice_id'], ['id'])",
        "pass",
    );
    let repos = [
        ("shop", shop()),
        ("committed", committed_shop()),
        ("several", several()),
        ("long names", long_names()),
        ("with a convention", with_convention),
        ("far to the right", far),
    ];
    let mut wide = Vec::new();
    for (name, repo) in &repos {
        for columns in [60, 72, 80, 100, 120] {
            let mut command = repo.tool(&["--all"]);
            command.env("COLUMNS", columns.to_string());
            let told = said(command, 1);
            let lines = told.out.lines().chain(told.err.lines());
            let is_title = |line: &str| line.starts_with("error[") || line.starts_with("warning[");
            let prose =
                lines.filter(|line| !is_code(line) && !is_to_paste(line) && !is_title(line) && !line.contains("--> "));
            wide.extend(
                prose
                    .filter(|line| line.chars().count() > columns)
                    .map(|line| format!("{name} at {columns}: {line}")),
            );
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

#[test]
fn labels_stay_in_their_frame() {
    // A label too long for its line must not go on at the left edge, where code and paths begin.
    for columns in [60, 80, 100, 120, 200] {
        for repo in [shop(), several(), long_names()] {
            let told = picture(&repo, columns, 1);
            let frames = told.split("--- standard error").next().unwrap();
            for line in frames.lines() {
                let starts_as_known = line.starts_with([' ', '|'])
                    || line.is_empty()
                    || is_code(line)
                    || ["error[", "warning[", "help: ", "help (--unsafe-fixes): ", "..."]
                        .iter()
                        .any(|start| line.starts_with(start))
                    || line.contains(" checked");
                assert!(starts_as_known, "at {columns}: {line}\n{told}");
            }
        }
    }
}
