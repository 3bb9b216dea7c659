//! The program: parse, run, exit status.

use std::io::Write;
use std::process::ExitCode;

use alembic_named::cli::Cli;
use alembic_named::report::{failure, standard_error, standard_output};
use alembic_named::{ExitStatus, run};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(message) => {
            let status = if message.use_stderr() {
                ExitStatus::Failed
            } else {
                ExitStatus::Clean
            };
            let text = message.render().ansi().to_string();
            // A closed pipe is the reader's choice.
            let _ = if message.use_stderr() {
                write!(standard_error(), "{text}")
            } else {
                write!(standard_output(), "{text}")
            };
            return ExitCode::from(status.code());
        }
    };
    let status = run(cli).unwrap_or_else(|error| {
        // Where not even this can be said, the exit status says it.
        let _ = failure(&mut standard_error(), &format!("{error:#}"));
        ExitStatus::Failed
    });
    ExitCode::from(status.code())
}
