//! Version 1 of the JSON report.

use std::os::unix::fs::symlink;

use super::{json, several, shop};
use crate::support::{FILE, NAMED, Repo, SUGGESTED, UNNAMED, migration, said};
use insta::assert_snapshot;
use serde_json::Value;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_json_report_has_these_keys_in_this_order() {
    let repo = shop();
    let report = json(&repo, &[], 1);
    assert_eq!(keys(&report), ["version", "summary", "files", "diagnostics"]);
    assert_eq!(report["version"], 1);
    assert_eq!(keys(&report["summary"]), ["files_checked", "errors", "warnings", "fixable", "fixed"]);
    let files = report["files"].as_array().unwrap();
    assert_eq!(report["summary"]["files_checked"], files.len());
    for file in files {
        assert_eq!(keys(file), ["path", "status", "kind"]);
        assert_eq!(file["status"], "added");
    }
    let kind = |path: &str| {
        let file = files.iter().find(|file| file["path"] == path);
        file.unwrap_or_else(|| panic!("{path} is not listed"))["kind"].clone()
    };
    assert_eq!(kind("app/models.py"), "metadata");
    assert_eq!(kind("migrations/versions/9b3e64c8d215_add_invoice_to_order.py"), "migration");
    assert_eq!(kind("app/__init__.py"), "other");
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let count = |severity: &str| diagnostics.iter().filter(|one| one["severity"] == severity).count();
    assert_eq!(report["summary"]["errors"], count("error"));
    assert_eq!(report["summary"]["warnings"], count("warning"));
    assert_eq!(report["summary"]["fixable"], diagnostics.iter().filter(|one| !one["fix"].is_null()).count());
    assert_eq!(report["summary"]["fixed"], 0);
    let mut repairs = 0;
    for diagnostic in diagnostics {
        assert_eq!(
            keys(diagnostic),
            [
                "rule",
                "severity",
                "path",
                "line",
                "column",
                "end_line",
                "end_column",
                "message",
                "help",
                "suggested_name",
                "related",
                "fix"
            ]
        );
        for related in diagnostic["related"].as_array().unwrap() {
            assert_eq!(keys(related), ["path", "line", "column", "message"]);
            assert!(related["path"].is_string() && related["line"].is_u64() && related["column"].is_u64());
        }
        for name in ["help", "suggested_name"] {
            assert!(diagnostic[name].is_string() || diagnostic[name].is_null());
        }
        if !diagnostic["fix"].is_null() {
            repairs += 1;
            assert_eq!(keys(&diagnostic["fix"]), ["title", "safety", "edits"]);
            assert!(["safe", "suggested"].contains(&diagnostic["fix"]["safety"].as_str().unwrap()));
            for edit in diagnostic["fix"]["edits"].as_array().unwrap() {
                assert_eq!(keys(edit), ["path", "start", "end", "text"]);
            }
        }
    }
    assert!(repairs > 0);
}

#[test]
fn the_json_report_of_the_shop() {
    assert_snapshot!(said(shop().tool(&["--format=json"]), 1).out);
}

#[test]
fn nothing_found_is_a_report_too() {
    let repo = Repo::new();
    assert_snapshot!(said(repo.tool(&["--format=json"]), 0).out);
}

#[test]
fn findings_are_in_order() {
    let repo = several();
    repo.stage("a/z.py", migration(UNNAMED))
        .stage("a.py", migration(UNNAMED))
        .stage("B.py", migration(UNNAMED));
    let report = json(&repo, &[], 1);
    let place = |one: &Value| {
        let number = |name: &str| one[name].as_u64().unwrap();
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        (text("path"), number("line"), number("column"), text("rule"))
    };
    let places: Vec<_> = report["diagnostics"].as_array().unwrap().iter().map(place).collect();
    assert!(places.is_sorted(), "{places:#?}");
    assert!(
        report["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str())
            .is_sorted()
    );
}

/// The text that the edits of a report make of `before`.
fn edited(before: &[u8], report: &Value) -> Vec<u8> {
    let edit = |edit: &Value| {
        let at = |name: &str| usize::try_from(edit[name].as_u64().unwrap()).unwrap();
        (at("start"), at("end"), edit["text"].as_str().unwrap().to_owned())
    };
    let all = report["diagnostics"].as_array().unwrap().iter();
    let mut edits: Vec<_> = all
        .filter_map(|one| one["fix"]["edits"].as_array())
        .flatten()
        .map(edit)
        .collect();
    edits.sort();
    // A create and its drop have one fix, told with both.
    edits.dedup();
    let mut after = before.to_vec();
    for (start, end, text) in edits.into_iter().rev() {
        after.splice(start..end, text.into_bytes());
    }
    after
}

#[test]
fn lines_count_characters_and_edits_count_bytes() {
    let plain = migration(UNNAMED)
        .replace("add invoice", "füge 🧾 hinzu")
        .replace("'invoice_id', sa", "'größe', sa");
    let before_call = "    grüße = '🧾'; op.create_foreign_key(None";
    let plain = plain.replace("    op.create_foreign_key(None", before_call);
    for text in [plain.clone(), plain.replace('\n', "\r\n"), format!("\u{feff}{plain}")] {
        let repo = Repo::new();
        repo.stage(FILE, &text).write(FILE, "nothing of this is looked at\n");
        let report = json(&repo, &[], 1);
        let created = &report["diagnostics"][0];
        assert_eq!(created["line"], 11);
        assert_eq!(created["column"], "    grüße = '🧾'; ".chars().count() + 1);
        assert_eq!(created["end_line"], 11);
        let end = "    grüße = '🧾'; op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
        assert_eq!(created["end_column"], end.chars().count() + 1);
        assert_eq!(created["suggested_name"], SUGGESTED);
        let fixed = edited(text.as_bytes(), &report);
        let expected = text
            .replace("key(None", &format!("key({NAMED}"))
            .replace("constraint(None", &format!("constraint({NAMED}"));
        assert_eq!(String::from_utf8(fixed.clone()).unwrap(), expected);
        repo.stage(FILE, fixed);
        assert_eq!(json(&repo, &[], 0)["summary"]["errors"], 0);
    }
}

#[test]
fn a_call_over_several_lines_is_told_whole() {
    let report = json(&several(), &["--select=unnamed-constraint"], 1);
    let check = report["diagnostics"].as_array().unwrap().last().unwrap();
    assert_eq!((check["line"].as_u64(), check["end_line"].as_u64()), (Some(10), Some(14)));
    assert_eq!((check["column"].as_u64(), check["end_column"].as_u64()), (Some(5), Some(6)));
}

#[test]
fn every_status_is_told() {
    let repo = Repo::new();
    let text = |name: &str| migration(UNNAMED).replace("a1", name);
    let long = |name: &str| text(UNNAMED) + &format!("# {name}\n").repeat(50);
    for name in ["modified", "old", "copied_from", "unmodified"] {
        repo.stage(format!("{name}.py"), long(name));
    }
    symlink("nowhere", repo.join("typechange.py")).unwrap();
    repo.git(&["add", "typechange.py"]);
    repo.commit("first");
    repo.git(&["mv", "old.py", "renamed.py"]);
    repo.stage("copied.py", long("copied_from"))
        .stage("copied_from.py", long("copied_from") + "# changed\n")
        .stage("modified.py", long("modified") + "# changed\n")
        .stage("added.py", text("added"));
    std::fs::remove_file(repo.join("typechange.py")).unwrap();
    repo.stage("typechange.py", text("typechange"))
        .write("untracked.py", text("untracked"));
    let status = |report: &Value, path: &str| {
        let file = report["files"]
            .as_array()
            .unwrap()
            .iter()
            .find(|file| file["path"] == path);
        file.map_or_else(|| "not listed".to_owned(), |file| file["status"].as_str().unwrap().to_owned())
    };
    let staged = json(&repo, &[], 1);
    for name in ["added", "copied", "modified", "renamed", "typechange"] {
        assert_eq!(status(&staged, &format!("{name}.py")), name);
    }
    for name in ["unmodified", "untracked", "old"] {
        assert_eq!(status(&staged, &format!("{name}.py")), "not listed");
    }
    let named = json(&repo, &["."], 1);
    for name in ["added", "copied", "modified", "renamed", "typechange", "unmodified", "untracked"] {
        assert_eq!(status(&named, &format!("{name}.py")), name);
    }
    assert_eq!(status(&json(&repo, &["--all"], 1), "unmodified.py"), "unmodified");
    let folder = Repo::none();
    folder.write("a.py", text("a"));
    assert_eq!(status(&json(&folder, &["a.py"], 1), "a.py"), "untracked");
}
