//! `alembic.ini`, read as Python's `configparser` reads it.

use std::collections::BTreeMap;

/// The sections of an ini file. Keys are in lower case; values are joined with line feeds where they go over several lines.
#[derive(Debug, Default)]
pub(super) struct Ini {
    sections: Vec<(String, BTreeMap<String, String>)>,
    /// The first `[DEFAULT]`.
    default: Option<usize>,
}

/// How many bytes a value may have with its references filled in: a value that refers to others many times doubles with each of them.
const MOST_BYTES: usize = 1 << 20;

impl Ini {
    /// Reads a file; a line that is neither a section nor a key is skipped.
    pub(super) fn parse(text: &str) -> Self {
        let mut ini = Self::default();
        let mut key: Option<String> = None;
        for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
            let trimmed = line.trim();
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            if trimmed.is_empty() {
                continue;
            }
            let continues = line.starts_with([' ', '\t']);
            match (&key, ini.sections.last_mut()) {
                (Some(key), Some((_, values))) if continues => {
                    let value = values.entry(key.clone()).or_default();
                    value.push('\n');
                    value.push_str(trimmed);
                }
                (_, section) => {
                    if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                        if name == "DEFAULT" && ini.default.is_none() {
                            ini.default = Some(ini.sections.len());
                        }
                        ini.sections.push((name.to_owned(), BTreeMap::new()));
                        key = None;
                    } else if let (Some((name, value)), Some((_, values))) = (trimmed.split_once(['=', ':']), section) {
                        let name = name.trim().to_lowercase();
                        values.insert(name.clone(), value.trim().to_owned());
                        key = Some(name);
                    }
                }
            }
        }
        ini
    }

    /// The sections that configure Alembic: any that says where the scripts are, and `[alembic]` itself.
    pub(super) fn alembic_sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.sections
            .iter()
            .filter(|(name, values)| name == "alembic" || values.contains_key("script_location"))
            .map(|(name, values)| Section {
                ini: self,
                name,
                values,
            })
    }
}

/// One section, whose missing values are those of `[DEFAULT]`.
pub(super) struct Section<'i> {
    /// What it is called.
    pub(super) name: &'i str,
    ini: &'i Ini,
    values: &'i BTreeMap<String, String>,
}

impl Section<'_> {
    /// A value with `%(here)s` and references to other keys filled in; `here` is the folder of the file.
    pub(super) fn get(&self, key: &str, here: &str) -> Option<String> {
        self.get_within(key, here, 8, &mut 0)
    }

    /// `size` counts the bytes of the value, at all depths.
    fn get_within(&self, key: &str, here: &str, depth: usize, size: &mut usize) -> Option<String> {
        let default = || {
            let (_, values) = self.ini.sections.get(self.ini.default?)?;
            values.get(key)
        };
        let raw = self.values.get(key).or_else(default)?;
        let depth = depth.checked_sub(1)?;
        *size += raw.len() + 1;
        if *size > MOST_BYTES {
            return None;
        }
        let mut result = String::new();
        let mut rest = raw.as_str();
        while let Some(at) = rest.find('%') {
            result.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                result.push('%');
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(")s")) {
                if name == "here" {
                    *size += here.len();
                    result.push_str(here);
                } else {
                    result.push_str(&self.get_within(&name.to_lowercase(), here, depth, size)?);
                }
                rest = after;
            } else {
                result.push('%');
            }
            if result.len() > MOST_BYTES {
                return None;
            }
        }
        result.push_str(rest);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_and_values_are_read_as_configparser_does() {
        let ini = Ini::parse(
            "; top\n[DEFAULT]\nbase = %(here)s/db\n[alembic]\nScript_Location: %(base)s/migrations\n# no\nversion_locations = a\n    b\nsqlalchemy.url = postgresql://u:p%%40@h/d\n[loggers]\nkeys = root\n",
        );
        let sections: Vec<_> = ini.alembic_sections().collect();
        assert_eq!(sections.len(), 1);
        let get = |key: &str| sections[0].get(key, "svc");
        assert_eq!(get("script_location").as_deref(), Some("svc/db/migrations"));
        assert_eq!(get("version_locations").as_deref(), Some("a\nb"));
        assert_eq!(get("sqlalchemy.url").as_deref(), Some("postgresql://u:p%40@h/d"));
        assert_eq!(get("missing"), None);
    }

    #[test]
    fn a_section_by_any_name_counts_and_a_cycle_ends() {
        let ini = Ini::parse("[tenants]\nscript_location = x%(a)s\na = %(b)s\nb = %(a)s\n");
        let section = ini.alembic_sections().next().unwrap();
        assert_eq!(section.get("script_location", ""), None);
    }

    #[test]
    fn a_value_that_doubles_again_and_again_is_none() {
        let doubles = |from: usize| format!("k{from} = {}\n", format!("%(k{})s", from + 1).repeat(1_000));
        let text: String = (0..6).map(doubles).collect();
        let ini = Ini::parse(&format!("[alembic]\nscript_location = %(k0)s\n{text}k6 = x\n"));
        assert_eq!(ini.alembic_sections().next().unwrap().get("script_location", ""), None);
        let ini = Ini::parse(&format!("[alembic]\nscript_location = {}\n", "%(here)s".repeat(1_000)));
        let here = "h".repeat(10_000);
        assert_eq!(ini.alembic_sections().next().unwrap().get("script_location", &here), None);
    }
}
