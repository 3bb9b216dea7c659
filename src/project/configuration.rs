//! What the configuration files in a folder say about environments: `*.ini` and `pyproject.toml`.

use super::ini::{Ini, Section};
use crate::snapshot::{EntryKind, Snapshot};
use crate::source::RepoPath;

/// How many sections of one ini file are read: Alembic's own has one for each database.
const MOST_SECTIONS: usize = 200;

/// What a configuration says of new revisions.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Placing {
    /// `file_template`
    pub file_template: Option<String>,
    /// `truncate_slug_length`
    pub slug_length: Option<usize>,
    /// The first folder of `version_locations` that is not below the top.
    pub outside: Option<String>,
}

/// What a configuration says about an environment.
#[derive(Debug, Default, Clone)]
pub(super) struct Configured {
    pub(super) placing: Placing,
    pub(super) file: Option<RepoPath>,
    pub(super) script: Option<RepoPath>,
    pub(super) version_folders: Vec<RepoPath>,
    pub(super) sys_path: Vec<RepoPath>,
    pub(super) url: Option<String>,
}

/// Reads configuration files.
pub(super) struct Configurations<'s> {
    pub(super) snapshot: &'s dyn Snapshot,
    /// The absolute path of the snapshot's top.
    pub(super) top: String,
}

impl Configurations<'_> {
    pub(super) fn text(&self, path: &RepoPath) -> Option<String> {
        String::from_utf8(self.snapshot.read(path).ok()??).ok()
    }

    /// What the files directly in a folder say.
    pub(super) fn read(&self, folder: &RepoPath) -> Vec<Configured> {
        let mut found = Vec::new();
        for entry in self.snapshot.list(folder).unwrap_or_default() {
            let is_ini = entry.name.ends_with(b".ini");
            if entry.kind != EntryKind::File || !(is_ini || entry.name == b"pyproject.toml") {
                continue;
            }
            let Some(path) = folder.join(&entry.name) else { continue };
            let Some(text) = self.text(&path) else { continue };
            if is_ini {
                if text.contains("alembic") || text.contains("script_location") {
                    let ini = Ini::parse(&text);
                    let sections = ini.alembic_sections().take(MOST_SECTIONS);
                    found.extend(sections.map(|section| self.read_ini(&path, folder, &section)));
                }
            } else if text.contains("[tool.alembic") {
                found.extend(self.read_pyproject(&path, folder, &text));
            }
        }
        found
    }

    fn read_ini(&self, path: &RepoPath, folder: &RepoPath, section: &Section<'_>) -> Configured {
        let here = self.here(folder);
        let get = |key: &str| section.get(key, &here);
        let separator = get("path_separator").or_else(|| get("version_path_separator"));
        let list = |key: &str| {
            let text = get(key);
            text.map(|text| split_paths(&text, separator.as_deref()))
                .unwrap_or_default()
        };
        let configured = self.configured(path, folder, &get, &list);
        // Flask-Migrate keeps its ini beside env.py and names no place.
        match get("script_location") {
            Some(_) => configured,
            None => Configured {
                script: Some(folder.clone()),
                ..configured
            },
        }
    }

    fn read_pyproject(&self, path: &RepoPath, folder: &RepoPath, text: &str) -> Option<Configured> {
        let document: toml::Table = text.parse().ok()?;
        let table = document.get("tool")?.get("alembic")?;
        let here = self.here(folder);
        // As Alembic fills it in (`alembic/config.py`, `_get_toml_config_value`).
        let filled = |text: &str| text.replace("%(here)s", &here).replace("%%", "%");
        let get = |key: &str| match table.get(key)? {
            toml::Value::String(text) => Some(filled(text)),
            toml::Value::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        let list = |key: &str| match table.get(key) {
            Some(toml::Value::Array(items)) => items.iter().filter_map(toml::Value::as_str).map(filled).collect(),
            _ => get(key).into_iter().collect(),
        };
        Some(self.configured(path, folder, &get, &list))
    }

    fn configured(
        &self,
        path: &RepoPath,
        folder: &RepoPath,
        get: &dyn Fn(&str) -> Option<String>,
        list: &dyn Fn(&str) -> Vec<String>,
    ) -> Configured {
        let place = |text: &String| self.location(folder, text);
        let version_locations = list("version_locations");
        Configured {
            placing: Placing {
                file_template: get("file_template"),
                slug_length: get("truncate_slug_length").and_then(|length| length.parse().ok()),
                outside: version_locations.iter().find(|text| place(text).is_none()).cloned(),
            },
            file: Some(path.clone()),
            script: get("script_location").as_ref().and_then(place),
            version_folders: version_locations.iter().filter_map(place).collect(),
            sys_path: list("prepend_sys_path").iter().filter_map(place).collect(),
            url: get("sqlalchemy.url"),
        }
    }

    /// The absolute path of a folder, which `%(here)s` stands for.
    fn here(&self, folder: &RepoPath) -> String {
        let here = format!("{}/{}", self.top.trim_end_matches('/'), folder.display());
        here.trim_end_matches('/').to_owned()
    }

    /// A folder that a configuration names: relative to the configuration, absolute below the top, or `package:folder`.
    fn location(&self, folder: &RepoPath, text: &str) -> Option<RepoPath> {
        let text = text.trim().trim_end_matches('/').replace('\\', "/");
        if let Some((package, inner)) = text.split_once(':')
            && !package.is_empty()
            && !package.contains('/')
            && package.len() > 1
        {
            let below = format!("{}/{inner}", package.replace('.', "/"));
            let candidates = [folder.join(&below), folder.join(format!("src/{below}")), RepoPath::top().join(&below)];
            let mut candidates = candidates.into_iter().flatten();
            return candidates.find(|candidate| !self.snapshot.list(candidate).unwrap_or_default().is_empty());
        }
        if text.starts_with('/') {
            let below = text.strip_prefix(self.top.trim_end_matches('/'))?;
            return RepoPath::top().join(below.trim_start_matches('/'));
        }
        folder.join(&text)
    }
}

/// `path_separator` and its older name: a word for the separator; without one, spaces and commas (`alembic/script/base.py`).
fn split_paths(text: &str, separator: Option<&str>) -> Vec<String> {
    let parts: Vec<&str> = match separator {
        Some("os" | ":") => text.split([':', '\n']).collect(),
        Some(";") => text.split([';', '\n']).collect(),
        Some("newline") => text.split('\n').collect(),
        Some(_) => text.split([' ', '\n']).collect(),
        None => text.split([' ', ',', '\n', ':']).collect(),
    };
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
