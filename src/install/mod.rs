//! Installs the hook in a repository, beside the hooks and managers that are there, and removes it again.
//!
//! Everything is read first and written afterwards, so that an error leaves all as it was:
//!
//! ```text
//! Site (what is there) -> manager -> Plan (what changes) -> done, or shown by --dry-run
//! ```

mod change;
mod entry;
mod error;
mod hook;
mod missing_conventions;
mod shell;
mod site;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::ExitStatus;
use crate::escape::printable;
use crate::invocation::Invocation;
use crate::report::{standard_error, standard_output};
use change::{Change, Plan};
use entry::{Format, Kind, Removal, Unclear};
use error::InstallError;
use hook::Existing;
use shell::End;
use site::Site;

/// The hooks that git runs before a commit; the second one before a merge that needs no hand.
const HOOKS: [&str; 2] = ["pre-commit", "pre-merge-commit"];
/// The endings under which our hook may be found later: pre-commit and prek, and lefthook, rename it.
const MOVED: [&str; 3] = ["", ".legacy", ".old"];

/// The ending of a hook that was there before and is run first.
const CHAINED: &str = ".chained";

/// Who runs the hooks of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Manager {
    /// git alone
    Git,
    /// husky: a line in .husky/pre-commit
    Husky,
    /// lefthook: a command in lefthook.yml
    Lefthook,
    /// pre-commit: an entry in .pre-commit-config.yaml
    PreCommit,
    /// prek: an entry in prek.toml or .pre-commit-config.yaml
    Prek,
}

/// The options of `install`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct InstallArgs {
    /// Who runs the hooks of this repository; found out when it is not said
    #[arg(long, value_enum)]
    manager: Option<Manager>,
    /// Write the entry into the manager's file instead of printing it (lefthook, pre-commit, prek)
    #[arg(long)]
    write: bool,
    /// Also before merges that git commits by itself
    #[arg(long)]
    pre_merge_commit: bool,
    /// The program that the hook runs [default: this one]
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Tell what would be written, and write nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

impl InstallArgs {
    /// The arguments of the same command with `--write`.
    fn to_write(&self) -> String {
        let manager = self
            .manager
            .map(|manager| format!(" --manager {}", error::name(manager)));
        let merges = if self.pre_merge_commit {
            " --pre-merge-commit"
        } else {
            ""
        };
        format!("install --write{}{merges}", manager.unwrap_or_default())
    }
}

/// The options of `uninstall`.
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Take it out of this manager's files only
    #[arg(long, value_enum)]
    manager: Option<Manager>,
    /// Tell what would be removed, and remove nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

/// Puts the hook into the repository of the current folder.
pub fn run(arguments: &InstallArgs) -> Result<ExitStatus> {
    let site = Site::find()?;
    site.check_hooks_folder()?;
    let manager = match arguments.manager {
        Some(manager) => manager,
        None => site.manager()?,
    };
    let hooks = if arguments.pre_merge_commit {
        &HOOKS[..]
    } else {
        &HOOKS[..1]
    };
    let command = Invocation::here(&site.top).command(&arguments.to_write());
    let instead = (!arguments.write).then_some(command.as_str());
    let mut plan = Plan::default();
    match manager {
        Manager::Git => plan_hooks(&site, hooks, &site::program(arguments.bin.as_deref())?, &mut plan)?,
        Manager::Husky => plan_husky(&site, hooks, &mut plan)?,
        Manager::Lefthook => {
            let file = site.config(manager)?;
            for hook in hooks {
                plan_entry(&file, lefthook_kind(&file, hook), instead, &mut plan)?;
            }
            site.remind(manager, hooks, &mut plan)?;
        }
        Manager::PreCommit | Manager::Prek => {
            let file = site.config(manager)?;
            plan_entry(&file, kind_of(&file), instead, &mut plan)?;
            site.remind(manager, hooks, &mut plan)?;
        }
    }
    let status = finish(&site, &plan, arguments.dry_run)?;
    if !arguments.dry_run
        && let Some(note) = missing_conventions::note(&site.folder, &site.top)
    {
        writeln!(standard_error(), "{note}")?;
    }
    Ok(status)
}

/// Removes the hook from everywhere [`run`] may have put it.
pub fn undo(arguments: &UninstallArgs) -> Result<ExitStatus> {
    let site = Site::find()?;
    let mut plan = Plan::default();
    let is_meant = |managers: &[Manager]| arguments.manager.is_none_or(|manager| managers.contains(&manager));
    if is_meant(&[Manager::Git]) {
        plan_removal(&site, &mut plan)?;
    }
    if is_meant(&[Manager::Husky]) {
        for file in site.husky_files(&HOOKS).into_iter().filter(|file| file.is_file()) {
            plan_cut(&file, &[Kind::Script], &mut plan)?;
        }
    }
    for manager in [Manager::Lefthook, Manager::PreCommit, Manager::Prek] {
        if is_meant(&[manager]) {
            for file in site.configs(manager) {
                let kinds = match manager {
                    Manager::Lefthook => HOOKS.map(|hook| lefthook_kind(&file, hook)).to_vec(),
                    _ => vec![kind_of(&file)],
                };
                plan_cut(&file, &kinds, &mut plan)?;
            }
        }
    }
    if plan.changes.is_empty() {
        if is_meant(&[Manager::Git]) && site.existing(HOOKS[0])? == Existing::Foreign && !site.is_husky() {
            return Err(InstallError::NotOurs(site.hooks.folder.join(HOOKS[0])).into());
        }
        plan.say(format!(
            "Nothing to remove: alembic-named is not installed in {}.",
            site.top.display()
        ));
    }
    finish(&site, &plan, arguments.dry_run)
}

/// Performs the plan, or shows it, and prints what was done.
fn finish(site: &Site, plan: &Plan, is_rehearsal: bool) -> Result<ExitStatus> {
    plan.check(&site.top)?;
    let mut out = standard_output();
    if is_rehearsal {
        for change in &plan.changes {
            writeln!(out, "Would {}.", printable(&change.to_string()))?;
        }
        if plan.changes.is_empty() {
            writeln!(out, "Nothing would be changed.")?;
        }
    } else {
        plan.perform()?;
        for line in &plan.said {
            writeln!(out, "{}", printable(line))?;
        }
    }
    let mut err = standard_error();
    for (entry, note) in &plan.printed {
        out.flush()?;
        writeln!(err, "{}", printable(note))?;
        write!(out, "{entry}")?;
    }
    out.flush()?;
    for note in &plan.notes {
        writeln!(err, "{}", printable(note))?;
    }
    Ok(ExitStatus::Clean)
}

// --- git without a manager ---

fn plan_hooks(site: &Site, hooks: &[&str], program: &Path, plan: &mut Plan) -> Result<(), InstallError> {
    if site.is_written_by_husky() {
        return Err(InstallError::HuskyFolder(site.hooks.folder.clone()));
    }
    for hook in HOOKS {
        // A hook of ours that is there already is updated with the other.
        if hooks.contains(&hook) || matches!(site.existing(hook)?, Existing::Ours { .. }) {
            plan_hook(site, hook, program, plan)?;
        }
    }
    site.note_reach(plan)
}

fn plan_hook(site: &Site, name: &str, program: &Path, plan: &mut Plan) -> Result<(), InstallError> {
    let path = site.hooks.folder.join(name);
    let chained_name = format!("{name}{CHAINED}");
    let chained = site.hooks.folder.join(&chained_name);
    let is_taken = chained.symlink_metadata().is_ok();
    let existing = site.existing(name)?;
    let is_chain = match existing {
        Existing::Ours { is_chain } => is_chain && is_taken,
        Existing::Nothing if is_taken => return Err(InstallError::Orphan { chained, hook: path }),
        Existing::Nothing => false,
        Existing::Foreign if is_taken => return Err(InstallError::Taken { hook: path, chained }),
        Existing::Foreign => true,
        Existing::Edited => return Err(InstallError::Edited(path)),
        Existing::Generated(manager) => return Err(InstallError::Generated { hook: path, manager }),
        Existing::Dangling => return Err(InstallError::Dangling(path)),
        Existing::NoFile => return Err(InstallError::NoFile(path)),
    };
    let first = if is_chain {
        format!("{} and then ", chained.display())
    } else {
        String::new()
    };
    plan.say(format!(
        "Installed {}, which runs {first}{}.",
        path.display(),
        program.display()
    ));
    let content = hook::render(program, is_chain.then_some(chained_name.as_str()));
    let keep = (existing == Existing::Foreign).then_some(chained);
    plan.changes.push(Change::Hook { path, content, keep });
    Ok(())
}

fn plan_removal(site: &Site, plan: &mut Plan) -> Result<(), InstallError> {
    for hook in HOOKS {
        let chained = site.hooks.folder.join(format!("{hook}{CHAINED}"));
        let mut is_kept = chained.symlink_metadata().is_ok();
        for moved in MOVED {
            let name = format!("{hook}{moved}");
            let path = site.hooks.folder.join(&name);
            let is_chain = match site.existing(&name)? {
                Existing::Ours { is_chain } => is_chain,
                Existing::Edited => return Err(InstallError::Edited(path)),
                _ => continue,
            };
            if is_chain && is_kept {
                is_kept = false;
                plan.say(format!("Removed {}; what was there before is back.", path.display()));
                let from = chained.clone();
                plan.changes.push(Change::Restore { from, to: path });
            } else {
                plan.say(format!("Removed {}.", path.display()));
                plan.changes.push(Change::Remove { path });
            }
        }
        // Somebody removed our hook by hand, and nothing runs the one before it.
        let to = site.hooks.folder.join(hook);
        let is_hook = chained.symlink_metadata().is_ok_and(|kept| !kept.is_dir());
        if is_kept && is_hook && to.symlink_metadata().is_err() {
            plan.say(format!(
                "Put {} back, which was kept as {}.",
                to.display(),
                chained.display()
            ));
            plan.changes.push(Change::Restore { from: chained, to });
        }
    }
    Ok(())
}

// --- managers ---

fn plan_husky(site: &Site, hooks: &[&str], plan: &mut Plan) -> Result<(), InstallError> {
    let files = site.husky_files(hooks);
    if files.is_empty() {
        return Err(InstallError::NoHusky(site.top.join(".husky")));
    }
    for path in files {
        if path.symlink_metadata().is_ok() {
            plan_entry(&path, Kind::Script, None, plan)?;
        } else {
            plan.say(format!("Made {} with the line: {}", path.display(), entry::COMMAND));
            let content = entry::printed("", Kind::Script).0.into_bytes();
            plan.changes.push(Change::Create { path, content });
        }
    }
    site.remind(Manager::Husky, hooks, plan)
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension()
        .is_some_and(|own| extensions.iter().any(|one| own == *one))
}

fn kind_of(file: &Path) -> Kind {
    if has_extension(file, &["toml"]) {
        Kind::Toml
    } else {
        Kind::PreCommit
    }
}

fn lefthook_kind(file: &Path, hook: &'static str) -> Kind {
    let format = if has_extension(file, &["toml"]) {
        Format::Toml
    } else if has_extension(file, &["json", "jsonc"]) {
        Format::Json
    } else {
        Format::Yaml
    };
    Kind::Lefthook(format, hook)
}

/// Adds the entry to a file. Given the command that does so, prints the entry and the command instead.
fn plan_entry(file: &Path, kind: Kind, instead: Option<&str>, plan: &mut Plan) -> Result<(), InstallError> {
    let path = file.to_owned();
    let text = plan.text_of(file)?;
    // The file must remain valid.
    let added = entry::add(&text, kind).and_then(|text| {
        let is_valid = kind != Kind::Toml || toml::from_str::<toml::Table>(&text).is_ok();
        is_valid.then_some(text).ok_or(Unclear::Layout(1))
    });
    if added == Err(Unclear::Present) {
        plan.say(format!("Nothing to do: {} runs alembic-named already.", file.display()));
        return Ok(());
    }
    if let Some(command) = instead {
        let (entry, place) = entry::printed(&text, kind);
        let place = if place.is_empty() { place } else { format!(", {place}") };
        let write = match added {
            Ok(_) => format!(", or let `{command}` do it"),
            Err(_) => String::new(),
        };
        let note = format!(
            "note: nothing was written: put these lines into {}{place}{write}",
            file.display()
        );
        plan.printed.push((entry, note));
        return Ok(());
    }
    match added {
        Ok(text) => {
            plan.say(format!("Added alembic-named to {}.", file.display()));
            plan.changes.push(Change::Rewrite { path, text });
            Ok(())
        }
        Err(Unclear::Ends(End { line, above })) => Err(InstallError::Ends { path, line, above }),
        Err(Unclear::Layout(line)) => Err(InstallError::Layout { path, line }),
        Err(Unclear::Present) => Ok(()),
    }
}

fn plan_cut(file: &Path, kinds: &[Kind], plan: &mut Plan) -> Result<(), InstallError> {
    for &kind in kinds {
        let path = file.to_owned();
        let text = plan.text_of(file)?;
        match entry::remove(&text, kind) {
            Removal::Nothing => continue,
            Removal::Unknown(line) => return Err(InstallError::Unknown { path, line }),
            Removal::Text(_) if kind == Kind::Script && text == entry::printed("", kind).0 => {
                plan.changes.push(Change::Remove { path });
            }
            Removal::Text(text) => plan.changes.push(Change::Rewrite { path, text }),
        }
        plan.say(format!("Removed alembic-named from {}.", file.display()));
    }
    Ok(())
}
