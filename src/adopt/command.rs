//! The command that a report prints: it must mean the environment of the finding in the folder where it is typed.

use crate::diagnostic::Diagnostic;
use crate::project::Owner;
use crate::selection::Reader;
use crate::words::quoted;

/// The command that gives the metadata of a finding a convention. `are_several` tells that the repository has more than one environment.
pub(crate) fn command(reader: &Reader, finding: &Diagnostic, are_several: bool) -> String {
    let named = finding
        .owner
        .as_ref()
        .filter(|owner| are_several || !is_the_one_at(reader, owner, finding));
    let arguments = match named {
        Some(owner) => format!("adopt --environment {}", quoted(&reader.typed_folder(&owner.folder))),
        None => "adopt".to_owned(),
    };
    reader.program.command(&arguments)
}

/// Whether `adopt` takes this environment without being told, as far as that is known without a search: the reader is in its project, in a
/// folder around the finding.
fn is_the_one_at(reader: &Reader, owner: &Owner, finding: &Diagnostic) -> bool {
    let folder = reader.folder.as_ref();
    owner.is_alone && folder.is_some_and(|here| here.starts_with(&owner.home) && finding.path().starts_with(here))
}
