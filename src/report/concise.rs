//! One line a finding, which editors and terminals turn into a link.

use std::io::{self, Write};

use crate::check::Outcome;
use crate::escape::printable;

pub(super) fn report(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &outcome.diagnostics {
        let position = diagnostic.file.position(diagnostic.span.start);
        let name = diagnostic
            .suggested_name
            .as_ref()
            .map(|name| format!(", name it `{name}`"))
            .unwrap_or_default();
        writeln!(
            out,
            "{}:{}:{}: {}[{}]: {}{}",
            printable(&diagnostic.path().display()),
            position.line,
            position.column,
            diagnostic.severity,
            diagnostic.rule.name,
            printable(&diagnostic.message),
            printable(&name),
        )?;
    }
    Ok(())
}
