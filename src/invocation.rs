//! The command by which the reader of a report runs this program. The reader's shell may find less than the hook does: pre-commit and prek
//! build the program (`language: rust`) or install it (`language: python`) in a folder that is on the PATH of the hook alone.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::executable::{file_name, on_path};
use crate::words::quoted;

/// The hook that fixes, as `.pre-commit-hooks.yaml` offers it.
pub const FIXING_HOOK: &str = "alembic-named-fix";

pub(crate) const NAME: &str = "alembic-named";

/// The configurations of pre-commit and prek.
const RUNNER_FILES: [&str; 4] = [".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml", ".prek.toml"];

/// The largest configuration that is read, in bytes.
const MOST_READ: u64 = 1024 * 1024;

/// How to run this program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Invocation {
    /// By its name, which PATH leads to.
    #[default]
    Name,
    /// By its path.
    Path(PathBuf),
    /// Through the program that runs hooks: its configuration has the hook that fixes.
    Runner {
        /// `pre-commit` or `prek`.
        runner: &'static str,
        /// The path of this program, for everything else.
        program: PathBuf,
    },
}

/// What of the process decides that.
#[derive(Debug)]
struct Process {
    /// This program.
    program: PathBuf,
    /// `PATH`
    path: OsString,
    /// `PRE_COMMIT` is set, as pre-commit and prek do.
    has_runner: bool,
    /// The current folder.
    folder: PathBuf,
}

impl Process {
    fn current() -> Self {
        Self {
            program: env::current_exe().unwrap_or_default(),
            path: env::var_os("PATH").unwrap_or_default(),
            has_runner: env::var_os("PRE_COMMIT").is_some_and(|value| !value.is_empty()),
            folder: env::current_dir().unwrap_or_default(),
        }
    }

    /// The program that runs hooks, if this one lies in a folder of its cache.
    fn runner(&self) -> Option<&'static str> {
        let folder = self.program.parent()?.parent().filter(|_| self.has_runner)?;
        let own = folder.file_name()?.to_str()?;
        let above = folder.parent().and_then(Path::file_name);
        // `~/.cache/pre-commit/repo1a2b3c4d/rustenv-default` and `~/.cache/prek/hooks/rust-1a2b3c4d` (pre-commit 4.7, prek 0.5).
        if own.starts_with("rustenv-") || own.starts_with("py_env-") {
            Some("pre-commit")
        } else if above == Some(OsStr::new("hooks")) && (own.starts_with("rust-") || own.starts_with("python-")) {
            Some("prek")
        } else {
            None
        }
    }
}

impl Invocation {
    /// How to run it in the repository with this top.
    #[must_use]
    pub fn here(top: &Path) -> Self {
        Self::of(&Process::current(), top)
    }

    fn of(process: &Process, top: &Path) -> Self {
        let program = process.program.clone();
        let runner = process.runner();
        let own = program.parent().filter(|_| runner.is_some());
        let is_found = on_path(&process.path, &file_name(NAME)).any(|path| path.parent() != own);
        match runner {
            _ if is_found || program.as_os_str().is_empty() => Self::Name,
            Some(runner) if offers_fix(&process.folder, top) => Self::Runner { runner, program },
            _ => Self::Path(program),
        }
    }

    /// The program with these arguments, which are quoted already.
    #[must_use]
    pub fn command(&self, arguments: &str) -> String {
        match self {
            Self::Name => format!("{NAME} {arguments}"),
            Self::Path(program) | Self::Runner { program, .. } => {
                format!("{} {arguments}", quoted(&program.display().to_string()))
            }
        }
    }

    /// The command that fixes what is staged.
    #[must_use]
    pub fn fix_staged(&self) -> String {
        match self {
            Self::Runner { runner, .. } => format!("{runner} run --hook-stage manual {FIXING_HOOK}"),
            Self::Name | Self::Path(_) => self.command("fix --staged"),
        }
    }
}

/// Whether the configuration of a runner, in this folder or above it up to the top, names the hook that fixes.
fn offers_fix(folder: &Path, top: &Path) -> bool {
    let folders = folder.ancestors().take_while(|one| one.starts_with(top));
    let files = folders.flat_map(|folder| RUNNER_FILES.map(|name| folder.join(name)));
    // Opening a pipe would wait for its writer.
    let is_read = |file: &PathBuf| {
        file.metadata()
            .is_ok_and(|found| found.is_file() && found.len() <= MOST_READ)
    };
    let mut texts = files.filter(is_read).filter_map(|file| fs::read_to_string(file).ok());
    texts.any(|text| {
        let mut code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        code.any(|line| line.contains(FIXING_HOOK))
    })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A folder with the program in it.
    fn program_in(top: &Path, folder: &str) -> PathBuf {
        let folder = top.join(folder);
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join(NAME);
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    fn invocation(program: &Path, path: &[&Path], has_runner: bool, top: &Path) -> Invocation {
        let process = Process {
            program: program.to_owned(),
            path: env::join_paths(path).unwrap(),
            has_runner,
            folder: top.join("services/shop"),
        };
        Invocation::of(&process, top)
    }

    #[test]
    fn the_name_is_used_where_path_leads_to_it_and_the_path_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        let program = program_in(top, "my bin");
        let bin = program.parent().unwrap();
        let plain = invocation(&program, &[Path::new("/nowhere"), bin], false, top);
        assert_eq!(plain, Invocation::Name);
        assert_eq!(plain.command("fix a.py"), "alembic-named fix a.py");
        assert_eq!(plain.fix_staged(), "alembic-named fix --staged");
        // Neither a relative folder nor a file that cannot be run.
        let path = invocation(&program, &[Path::new("my bin")], false, top);
        assert_eq!(path, Invocation::Path(program.clone()));
        let shown = format!("'{}'", program.display());
        assert_eq!(path.command("explain x"), format!("{shown} explain x"));
        assert_eq!(path.fix_staged(), format!("{shown} fix --staged"));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(invocation(&program, &[bin], false, top), path);
    }

    #[test]
    fn the_folder_of_a_runner_is_in_path_for_the_hook_alone() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        for (runner, place) in [
            ("pre-commit", "cache/repo1/rustenv-default/bin"),
            ("pre-commit", "cache/repo1/py_env-python3/bin"),
            ("prek", "cache/hooks/rust-1/bin"),
            ("prek", "cache/hooks/python-1/bin"),
        ] {
            let program = program_in(top, place);
            let bin = program.parent().unwrap();
            // `language: system`, and a shell that was told the folder.
            assert_eq!(invocation(&program, &[bin], false, top), Invocation::Name);
            for config in ["", "# - id: alembic-named-fix\n"] {
                fs::write(top.join(RUNNER_FILES[0]), config).unwrap();
                assert_eq!(invocation(&program, &[bin], true, top), Invocation::Path(program.clone()));
            }
            fs::write(top.join(RUNNER_FILES[0]), "hooks: [{id: alembic-named-fix}]\n").unwrap();
            let shown = invocation(&program, &[bin], true, top);
            assert_eq!(shown.fix_staged(), format!("{runner} run --hook-stage manual alembic-named-fix"));
            assert!(shown.command("rules").ends_with("/alembic-named rules"), "{shown:?}");
            // A pipe would be waited for, and what is that large is no configuration.
            let large = format!("{}\nid: alembic-named-fix\n", " ".repeat(1024 * 1024));
            fs::write(top.join(RUNNER_FILES[0]), large).unwrap();
            assert_eq!(invocation(&program, &[bin], true, top), Invocation::Path(program.clone()));
            // Who has installed it for the shell as well types its name.
            let other = program_in(top, "bin");
            assert_eq!(invocation(&program, &[bin, other.parent().unwrap()], true, top), Invocation::Name);
        }
    }
}
