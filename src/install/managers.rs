//! Plans the entries in the files of hook managers.

use std::ffi::OsStr;
use std::path::Path;

use super::Manager;
use super::change::{Change, Plan};
use super::entry::{self, Format, Kind, Removal, Unclear};
use super::error::InstallError;
use super::shell::End;
use super::site::Site;

pub(super) fn plan_husky(site: &Site, hooks: &[&str], plan: &mut Plan) -> Result<(), InstallError> {
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

/// The kinds of the entries in a manager's file for these hooks: pre-commit and prek have one for all.
pub(super) fn kinds(manager: Manager, file: &Path, hooks: &[&'static str]) -> Vec<Kind> {
    let format = match file.extension().and_then(OsStr::to_str) {
        Some("toml") => Format::Toml,
        Some("json" | "jsonc") => Format::Json,
        _ => Format::Yaml,
    };
    match (manager, format) {
        (Manager::Lefthook, _) => hooks.iter().map(|&hook| Kind::Lefthook(format, hook)).collect(),
        (_, Format::Toml) => vec![Kind::Toml],
        _ => vec![Kind::PreCommit],
    }
}

/// Adds the entry to a file. Given the command that does so, prints the entry and the command instead.
pub(super) fn plan_entry(file: &Path, kind: Kind, instead: Option<&str>, plan: &mut Plan) -> Result<(), InstallError> {
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
        let note = format!("note: nothing was written: put these lines into {}{place}{write}", file.display());
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

pub(super) fn plan_cut(file: &Path, kinds: &[Kind], plan: &mut Plan) -> Result<(), InstallError> {
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
