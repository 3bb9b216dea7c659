//! Writes the manual pages, from the same description of the command line that `--help` shows.
//!
//! `cargo run --example man > alembic-named.1` writes the main page; `cargo run --example man -- FOLDER` writes it and one for each
//! subcommand into a folder.

use std::io::{self, Write};
use std::path::PathBuf;

use alembic_named::cli::Cli;
use clap::CommandFactory;
use clap_mangen::Man;

fn main() -> io::Result<()> {
    let mut pages = pages()?.into_iter();
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return pages
            .take(1)
            .try_for_each(|(_, page)| io::stdout().write_all(page.as_bytes()));
    };
    std::fs::create_dir_all(&folder)?;
    pages.try_for_each(|(name, page)| std::fs::write(folder.join(name), page))
}

/// Each page with the name of its file, the main page first.
pub(crate) fn pages() -> io::Result<Vec<(String, String)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    // Gives the subcommands their full names.
    command.build();
    std::iter::once(&command)
        .chain(command.get_subcommands())
        .map(|command| {
            let man = Man::new(command.clone());
            let mut page = Vec::new();
            man.render(&mut page)?;
            Ok((man.get_filename(), with_examples(&String::from_utf8_lossy(&page))))
        })
        .collect()
}

/// The text below the options is a table of examples, whose lines must not be filled.
fn with_examples(page: &str) -> String {
    page.replace(".SH EXTRA\n", ".SH EXAMPLES\n.nf\n")
        .replace("\n.SH VERSION", "\n.fi\n.SH VERSION")
}
