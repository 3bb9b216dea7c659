//! The place of the revision: onto the only head, in its folder, under the name that the configuration gives.

use std::time::{SystemTime, UNIX_EPOCH};

use super::error::AdoptError;
use crate::escape::printable;
use crate::project::{Environment, History, Project, Revision};
use crate::source::RepoPath;

/// Alembic's defaults (`alembic/script/base.py`, `_default_file_template` and `truncate_slug_length`).
const TEMPLATE: &str = "%(rev)s_%(slug)s";
const SLUG_LENGTH: usize = 40;
const SLUG: &str = "adopt_the_naming_convention";

/// The most digits of a number, and bytes of a name: file systems take 255.
const MOST_DIGITS: usize = 20;
const LONGEST_NAME: usize = 200;

/// What `file_template` gives instead of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("no name for a file")]
    NoName,
    #[error("a number of more than 20 digits")]
    LongNumber,
    #[error("a name of more than 200 bytes")]
    LongName,
    #[error("a name with characters that are not seen")]
    Unseen,
}

/// The revision that the new one builds on; `None` where there is none yet.
pub(super) fn head<'h>(history: &'h History, environment: &Environment) -> Result<Option<&'h Revision>, AdoptError> {
    if history.revisions().is_none() {
        return Err(AdoptError::TooMany(environment.folder.clone()));
    }
    let heads = history
        .heads()
        .map_err(|one| AdoptError::UnreadLink(one.file().path().clone()))?;
    match heads.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => Err(AdoptError::Heads(several.iter().map(|one| one.id().to_owned()).collect())),
    }
}

/// The folder of revisions that holds the head.
pub(super) fn folder(environment: &Environment, head: &RepoPath) -> RepoPath {
    let folders = Project::version_folders(environment);
    let own = folders.into_iter().find(|folder| head.starts_with(folder));
    own.or_else(|| head.parent()).unwrap_or_default()
}

/// The file of the new revision in its folder; no I/O.
pub(super) fn place(environment: &Environment, folder: &RepoPath, id: &str) -> Result<RepoPath, AdoptError> {
    let placing = &environment.placing;
    let template = placing.file_template.as_deref().unwrap_or(TEMPLATE);
    let slug = slug(placing.slug_length.filter(|length| *length > 0).unwrap_or(SLUG_LENGTH));
    let bad = |fault| AdoptError::BadTemplate {
        template: template.to_owned(),
        fault,
    };
    let name = render(template, id, &slug, seconds()).map_err(bad)? + ".py";
    if name.len() > LONGEST_NAME {
        return Err(bad(Fault::LongName));
    }
    if printable(&name) != name {
        return Err(bad(Fault::Unseen));
    }
    let astray = || AdoptError::Astray {
        path: if name.starts_with('/') {
            name.clone()
        } else {
            format!("{}/{name}", folder.display())
        },
        folder: folder.clone(),
    };
    // Separators, drives and streams of Windows.
    let is_foreign = cfg!(windows) && name.contains(['\\', ':']);
    if is_foreign || name.split('/').any(|part| part == "..") {
        return Err(astray());
    }
    folder.join(&name).ok_or_else(astray)
}

/// Truncated as Alembic does (`_rev_path`).
fn slug(length: usize) -> String {
    match SLUG.get(..length) {
        Some(cut) if cut.len() < SLUG.len() => format!("{}_", cut.rsplit_once('_').map_or(cut, |(words, _)| words)),
        _ => SLUG.to_owned(),
    }
}

fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Python's `template % tokens` with Alembic's tokens, dates in UTC; or what is wrong with the template.
fn render(template: &str, id: &str, slug: &str, seconds: u64) -> Result<String, Fault> {
    let (year, month, day) = date(seconds / 86_400);
    let mut name = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        name.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            name.push('%');
            rest = after;
            continue;
        }
        let token = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (token, after) = token.ok_or(Fault::NoName)?;
        let end = after.find(['s', 'd']).ok_or(Fault::NoName)?;
        let width = width(&after[..end])?;
        let number = match token {
            "rev" | "slug" => None,
            "epoch" => Some(seconds),
            "year" => Some(year),
            "month" => Some(month),
            "day" => Some(day),
            "hour" => Some(seconds / 3_600 % 24),
            "minute" => Some(seconds / 60 % 60),
            "second" => Some(seconds % 60),
            _ => return Err(Fault::NoName),
        };
        match number {
            Some(number) => name += format!("{number:0width$}").as_str(),
            None => name.push_str(if token == "rev" { id } else { slug }),
        }
        rest = &after[end + 1..];
    }
    name.push_str(rest);
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.trim().is_empty() {
        Err(Fault::NoName)
    } else {
        Ok(name)
    }
}

/// The width of a number. It is limited: a template of ten bytes could fill the memory.
fn width(text: &str) -> Result<usize, Fault> {
    let digits = text.trim_start_matches(['.', '0']);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::NoName);
    }
    match digits.parse() {
        _ if digits.is_empty() => Ok(0),
        Ok(width) if width <= MOST_DIGITS => Ok(width),
        _ => Err(Fault::LongNumber),
    }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // In years that begin in March the leap day is the last, and the lengths of months follow a formula.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 {
        march_based + 3
    } else {
        march_based - 9
    };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_alembic_names_them() {
        let name = |template| render(template, "ab12", SLUG, 1_709_210_096);
        for (template, expected) in [
            (TEMPLATE, "ab12_adopt_the_naming_convention"),
            ("%(year)d/%(month).2d/%(day)02d_%(rev)s", "2024/02/29_ab12"),
            ("%(epoch)s-%(hour).2d%(minute).2d%(second).2d%%", "1709210096-123456%"),
        ] {
            assert_eq!(name(template).as_deref(), Ok(expected), "{template}");
        }
        for template in ["%(revision)s", "%s", "%(rev", "", "x/", "100%", "%(day)xd", "%(day)"] {
            assert_eq!(name(template), Err(Fault::NoName), "{template}");
        }
        assert_eq!(name("%(day)020d").map(|name| name.len()), Ok(20));
        for wide in ["%(day)021d", "%(rev)99999999999999999999999s"] {
            assert!(name(wide).is_err_and(|fault| fault != Fault::NoName), "{wide}");
        }
    }

    #[test]
    fn a_slug_is_cut_between_words() {
        assert_eq!(slug(40), SLUG);
        assert_eq!(slug(27), SLUG);
        assert_eq!(slug(26), "adopt_the_naming_");
        assert_eq!(slug(3), "ado_");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_786), (2026, 11, 29));
        assert_eq!(date(47_540), (2100, 2, 28));
        assert_eq!(date(47_541), (2100, 3, 1));
    }
}
