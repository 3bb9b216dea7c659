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
mod git_hooks;
mod hook;
mod managers;
mod missing_conventions;
mod shell;
mod site;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::ExitStatus;
use crate::escape::printable;
use crate::invocation::Invocation;
use crate::report::{standard_error, standard_output};
use change::Plan;
use entry::Kind;
use error::InstallError;
use git_hooks::{plan_hooks, plan_removal};
use hook::Existing;
use managers::{kinds, plan_cut, plan_entry, plan_husky};
use site::Site;

/// The hooks that git runs before a commit, and before a merge that it commits by itself.
const HOOKS: [&str; 2] = ["pre-commit", "pre-merge-commit"];

/// Who runs the hooks of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manager {
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
pub(crate) fn run(arguments: &InstallArgs) -> Result<ExitStatus> {
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
        Manager::Lefthook | Manager::PreCommit | Manager::Prek => {
            let file = site.config(manager)?;
            for kind in kinds(manager, &file, hooks) {
                plan_entry(&file, kind, instead, &mut plan)?;
            }
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
pub(crate) fn undo(arguments: &UninstallArgs) -> Result<ExitStatus> {
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
                plan_cut(&file, &kinds(manager, &file, &HOOKS), &mut plan)?;
            }
        }
    }
    if plan.changes.is_empty() {
        if is_meant(&[Manager::Git]) && site.existing(HOOKS[0])? == Existing::Foreign && !site.is_husky() {
            return Err(InstallError::NotOurs(site.hooks.folder.join(HOOKS[0])).into());
        }
        plan.say(format!("Nothing to remove: alembic-named is not installed in {}.", site.top.display()));
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
