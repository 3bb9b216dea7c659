//! Plans the hooks of a repository without a manager.

use std::path::Path;

use super::HOOKS;
use super::change::{Change, Plan};
use super::error::InstallError;
use super::hook::{self, Existing};
use super::site::Site;

/// The endings under which our hook may be found later: pre-commit and prek, and lefthook, rename it.
const MOVED: [&str; 3] = ["", ".legacy", ".old"];

/// The ending of a hook that was there before and is run first.
const CHAINED: &str = ".chained";

pub(super) fn plan_hooks(site: &Site, hooks: &[&str], program: &Path, plan: &mut Plan) -> Result<(), InstallError> {
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
    plan.say(format!("Installed {}, which runs {first}{}.", path.display(), program.display()));
    let content = hook::render(program, is_chain.then_some(chained_name.as_str()));
    let keep = (existing == Existing::Foreign).then_some(chained);
    plan.changes.push(Change::Hook { path, content, keep });
    Ok(())
}

pub(super) fn plan_removal(site: &Site, plan: &mut Plan) -> Result<(), InstallError> {
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
            plan.say(format!("Put {} back, which was kept as {}.", to.display(), chained.display()));
            plan.changes.push(Change::Restore { from: chained, to });
        }
    }
    Ok(())
}
