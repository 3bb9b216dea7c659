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

    /// What the files directly in a folder say; first what Alembic reads there without being told.
    pub(super) fn read(&self, folder: &RepoPath) -> Vec<Configured> {
        let entries = self.snapshot.list(folder).unwrap_or_default();
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let (mut inis, mut pyproject) = (Vec::new(), None);
        for path in files.filter_map(|entry| folder.join(&entry.name)) {
            if path.file_name() == b"pyproject.toml" {
                pyproject = self.text(&path).and_then(|text| Pyproject::parse(path, &text));
            } else if path.file_name().ends_with(b".ini") {
                inis.push(path);
            }
        }
        inis.sort_by_key(|path| path.file_name() != b"alembic.ini");
        let pyproject_alone = Options {
            here: &self.here(folder),
            ini: None,
            pyproject: pyproject.as_ref(),
        };
        let (mut found, mut is_merged) = (Vec::new(), false);
        for path in inis {
            let Some(text) = self.text(&path) else { continue };
            if !text.contains("alembic") && !text.contains("script_location") {
                continue;
            }
            let ini = Ini::parse(&text);
            for section in ini.alembic_sections().take(MOST_SECTIONS) {
                is_merged |= path.file_name() == b"alembic.ini" && section.name == "alembic";
                let ini = Some((&path, section));
                let options = Options { ini, ..pyproject_alone };
                found.extend(self.configured(folder, &options));
            }
        }
        if !is_merged {
            found.splice(0..0, self.configured(folder, &pyproject_alone));
        }
        found
    }

    /// What the options say; nothing if no file has any.
    fn configured(&self, folder: &RepoPath, options: &Options<'_>) -> Option<Configured> {
        let place = |text: &String| self.location(folder, text);
        let version_locations = options.list("version_locations");
        let script = match options.get("script_location") {
            Some(location) => place(&location),
            // Flask-Migrate keeps its ini beside env.py and names no place.
            None => options.ini.is_some().then(|| folder.clone()),
        };
        Some(Configured {
            placing: Placing {
                file_template: options.get("file_template"),
                slug_length: options
                    .get("truncate_slug_length")
                    .and_then(|length| length.parse().ok()),
                outside: version_locations.iter().find(|text| place(text).is_none()).cloned(),
            },
            file: Some(options.file()?.clone()),
            script,
            version_folders: version_locations.iter().filter_map(place).collect(),
            sys_path: options.list("prepend_sys_path").iter().filter_map(place).collect(),
            url: options.get("sqlalchemy.url"),
        })
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

/// `[tool.alembic]`.
struct Pyproject {
    path: RepoPath,
    table: toml::Table,
}

impl Pyproject {
    fn parse(path: RepoPath, text: &str) -> Option<Self> {
        let mut document: toml::Table = text.contains("[tool.alembic").then(|| text.parse().ok())??;
        match document.get_mut("tool")?.as_table_mut()?.remove("alembic")? {
            toml::Value::Table(table) => Some(Self { path, table }),
            _ => None,
        }
    }
}

/// The options of one environment. Alembic looks for each in a section of the ini, then in `pyproject.toml` (`alembic/config.py`,
/// `get_alembic_option`).
struct Options<'o> {
    /// What `%(here)s` stands for.
    here: &'o str,
    ini: Option<(&'o RepoPath, Section<'o>)>,
    pyproject: Option<&'o Pyproject>,
}

impl Options<'_> {
    fn get(&self, key: &str) -> Option<String> {
        self.in_ini(key).or_else(|| match self.in_pyproject(key)? {
            toml::Value::String(text) => Some(self.filled(text)),
            toml::Value::Integer(number) => Some(number.to_string()),
            _ => None,
        })
    }

    fn list(&self, key: &str) -> Vec<String> {
        let separator = ["path_separator", "version_path_separator"];
        let separator = separator.iter().find_map(|key| self.in_ini(key));
        let own = self.in_ini(key).map(|text| split_paths(&text, separator.as_deref()));
        match (own, self.in_pyproject(key)) {
            (Some(own), _) if !own.is_empty() => own,
            (_, Some(toml::Value::Array(items))) => {
                let items = items.iter().filter_map(toml::Value::as_str);
                items.map(|text| self.filled(text)).collect()
            }
            (_, Some(toml::Value::String(text))) => vec![self.filled(text)],
            _ => Vec::new(),
        }
    }

    /// The file that says where the scripts are.
    fn file(&self) -> Option<&RepoPath> {
        let ini = self.ini.as_ref().map(|(path, _)| *path);
        let pyproject = self.pyproject.map(|pyproject| &pyproject.path);
        if self.in_ini("script_location").is_none() && self.in_pyproject("script_location").is_some() {
            pyproject
        } else {
            ini.or(pyproject)
        }
    }

    fn in_ini(&self, key: &str) -> Option<String> {
        let (_, section) = self.ini.as_ref()?;
        section.get(key, self.here)
    }

    fn in_pyproject(&self, key: &str) -> Option<&toml::Value> {
        self.pyproject?.table.get(key)
    }

    /// A text of `pyproject.toml` as Alembic fills it in (`alembic/config.py`, `_get_toml_config_value`).
    fn filled(&self, text: &str) -> String {
        text.replace("%(here)s", self.here).replace("%%", "%")
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
