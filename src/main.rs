//! The program: parse, run, exit status.

use std::io::Write;
use std::process::ExitCode;

use alembic_named::cli::Request;
use alembic_named::{ExitStatus, run};
use owo_colors::OwoColorize;

fn main() -> ExitCode {
    let request = match Request::read(std::env::args_os()) {
        Ok(request) => request,
        Err(message) => {
            let status = if message.use_stderr() {
                ExitStatus::Failed
            } else {
                ExitStatus::Clean
            };
            // A closed pipe is the reader's choice.
            let _ = message.print();
            return ExitCode::from(status.code());
        }
    };
    let status = run(request).unwrap_or_else(|error| {
        // Where not even this can be said, the exit status says it.
        let _ = writeln!(anstream::stderr(), "{} {error:#}", "error:".red().bold());
        ExitStatus::Failed
    });
    ExitCode::from(status.code())
}
