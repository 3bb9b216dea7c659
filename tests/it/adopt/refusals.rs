//! What `adopt` refuses, and what it never writes to.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{ENV, FIRST, INI, VERSIONS, adopted, commit, farm, holds, refused};
use crate::support::{BASE, MODELS, Repo, said};

#[test]
fn a_metadata_that_cannot_be_told_is_refused() {
    for (env, parts) in [
        (ENV.replace("Base.metadata", "None"), &["`migrations/env.py` hands no metadata to Alembic"][..]),
        (ENV.replace("Base.metadata", "load()"), &["cannot be told (", "--revision-only"]),
        (ENV.replace("Base.metadata", "[Base.metadata, Base.metadata]"), &["hands several metadata"]),
    ] {
        let repo = farm();
        repo.write("migrations/env.py", env);
        commit(&repo);
        holds(&refused(&repo, &[]), parts);
    }
    let repo = farm();
    repo.write("migrations/script.py.mako", "def upgrade(engine_name):\n    pass\n");
    commit(&repo);
    holds(&refused(&repo, &[]), &["for several databases at once"]);
    for (models, sentence) in [
        ("from sqlalchemy import MetaData\nBase = Thing(metadata=MetaData())\n", "cannot be told"),
        (
            "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=load())\n",
            "cannot be read",
        ),
        (
            "from sqlalchemy.orm import DeclarativeBase\nNAMING_CONVENTION = 1\nclass Base(DeclarativeBase):\n    pass\n",
            "cannot be written into `app/models.py` by itself",
        ),
    ] {
        let repo = farm();
        repo.write(MODELS, models);
        commit(&repo);
        holds(&refused(&repo, &[]), &[sentence]);
    }
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let repo = farm();
    let versions = repo.join(VERSIONS);
    fs::set_permissions(&versions, fs::Permissions::from_mode(0o555)).unwrap();
    holds(&refused(&repo, &[]), &["migrations/versions` is read-only", "chmod u+w"]);
    fs::set_permissions(&versions, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(repo.join(MODELS), fs::Permissions::from_mode(0o444)).unwrap();
    holds(&refused(&repo, &[]), &["app/models.py` is read-only"]);
    fs::set_permissions(repo.join(MODELS), fs::Permissions::from_mode(0o644)).unwrap();

    repo.write("alembic.ini", format!("{INI}version_locations = /elsewhere\n"));
    commit(&repo);
    holds(&refused(&repo, &[]), &["the revisions lie in `/elsewhere`, outside of `"]);
    repo.write("alembic.ini", format!("{INI}file_template = %%(message)s\n"));
    commit(&repo);
    holds(&refused(&repo, &[]), &["`file_template` is `%(message)s`"]);
    repo.write("alembic.ini", format!("{INI}file_template = a1_goats\n"));
    commit(&repo);
    holds(&refused(&repo, &[]), &["`migrations/versions/a1_goats.py` is there already"]);
}

#[test]
fn a_file_template_that_gives_no_fit_name_is_refused() {
    let slashes = "%%(rev)s/".repeat(20) + "a";
    for (template, reason) in [
        ("%%(epoch)0100000d", "more than 20 digits"),
        ("%%(epoch)065000d", "more than 20 digits"),
        ("%%(epoch).21d", "more than 20 digits"),
        ("%%(epoch)099999999999999999999999d", "more than 20 digits"),
        (&"a".repeat(198), "more than 200 bytes"),
        (&slashes, "more than 200 bytes"),
        ("a\u{1b}b", "characters that are not seen"),
        ("a\u{202e}b", "characters that are not seen"),
    ] {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}file_template = {template}\n"));
        commit(&repo);
        for options in [&["--dry-run"][..], &[]] {
            let error = refused(&repo, options);
            holds(&error, &["`file_template` is `", reason, "`%(rev)s_%(slug)s`"]);
            assert!(error.len() < 300, "{error}");
        }
    }
    let repo = farm();
    repo.write("alembic.ini", format!("{INI}file_template = {}%%(epoch)020d\n", "a".repeat(177)));
    commit(&repo);
    let (path, _) = adopted(&repo, &[]);
    assert_eq!(path.len(), VERSIONS.len() + 1 + 200);
}

/// All files with their content, git's own as well.
fn everything(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            found.push((path, Vec::new()));
        } else if path.is_dir() {
            found.extend(everything(&path));
            found.push((path, Vec::new()));
        } else if path.file_name().is_some_and(|name| name != "index") {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

/// A refusal after which no file is another, git's own included.
#[track_caller]
fn refused_to_the_byte(repo: &Repo, parts: &[&str]) {
    let before = everything(repo.path());
    for options in [&["--dry-run"][..], &[]] {
        holds(&refused(repo, options), parts);
    }
    assert_eq!(everything(repo.path()), before);
}

#[test]
fn a_file_template_does_not_lead_out_of_the_folder_of_revisions() {
    for (template, path) in [
        ("../../.git/hooks/evil", "migrations/versions/../../.git/hooks/evil.py"),
        ("../evil", "migrations/versions/../evil.py"),
        ("x/../../versions/evil", "migrations/versions/x/../../versions/evil.py"),
        ("/tmp/evil", "/tmp/evil.py"),
        ("../../../evil", "migrations/versions/../../../evil.py"),
    ] {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}file_template = {template}\n"));
        commit(&repo);
        refused_to_the_byte(&repo, &[&format!("`{path}`"), "folder of revisions `migrations/versions`", "`..`"]);
    }
    for template in [".git/hooks/evil", ".GIT/evil", "a/.Git/evil", ".git./evil", "git~1/evil"] {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}file_template = {template}\n"));
        commit(&repo);
        refused_to_the_byte(&repo, &[&format!("`migrations/versions/{template}.py`"), "git's own folder"]);
    }
}

#[test]
fn a_linked_folder_does_not_lead_out_of_the_folder_of_revisions() {
    let elsewhere = tempfile::tempdir().unwrap();
    let repo = farm();
    repo.write("alembic.ini", format!("{INI}file_template = deep/%%(rev)s\n"));
    commit(&repo);
    let link = repo.join("migrations/versions/deep");
    for (target, parts) in [
        (elsewhere.path().to_owned(), &["the revisions lie in `", "outside of `"][..]),
        (repo.join("app"), &["`migrations/versions/deep/", "folder of revisions `migrations/versions`"]),
        (repo.join(".git/hooks"), &["`migrations/versions/deep", "git's own folder"]),
        (repo.join("nowhere"), &["`migrations/versions/deep", "leads nowhere"]),
    ] {
        symlink(target, &link).unwrap();
        refused_to_the_byte(&repo, parts);
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    // One that stays is followed.
    fs::create_dir(repo.join("migrations/versions/real")).unwrap();
    symlink("real", &link).unwrap();
    said(repo.tool(&["adopt"]), 0);
    assert_eq!(fs::read_dir(repo.join("migrations/versions/real")).unwrap().count(), 1);
}

#[test]
fn a_folder_of_revisions_behind_a_link_out_is_refused() {
    // What is in it is not read: it would look as if there were no revision yet.
    let elsewhere = tempfile::tempdir().unwrap();
    for target in [elsewhere.path().join("versions"), "/nowhere/at/all".into()] {
        let repo = farm();
        fs::create_dir_all(elsewhere.path().join("versions")).unwrap();
        let versions = repo.join(VERSIONS);
        fs::rename(versions.join("a1_goats.py"), elsewhere.path().join("versions/a1_goats.py")).unwrap();
        fs::remove_dir(&versions).unwrap();
        symlink(&target, &versions).unwrap();
        commit(&repo);
        let parts = if target.exists() {
            ["the revisions lie in `", "outside of `"]
        } else {
            ["`migrations/versions` is a symbolic link that leads nowhere", ": "]
        };
        refused_to_the_byte(&repo, &parts);
        assert_eq!(fs::read_dir(elsewhere.path().join("versions")).unwrap().count(), 1);
    }
    // Within the repository it is one like any other.
    let repo = farm();
    fs::rename(repo.join(VERSIONS), repo.join("history")).unwrap();
    symlink("../history", repo.join(VERSIONS)).unwrap();
    commit(&repo);
    said(repo.tool(&["adopt"]), 0);
    assert_eq!(fs::read_dir(repo.join("history")).unwrap().count(), 2);
}

#[test]
fn git_s_own_folder_is_kept_clear_wherever_it_is() {
    // Of a linked working tree both its own and the one that is shared lie elsewhere; here they are within.
    let repo = Repo::none();
    repo.git(&["init", "--quiet", "--separate-git-dir=meta", "tree"]);
    let main = Repo::at(repo.join("tree"));
    for (path, text) in [
        ("alembic.ini", INI),
        ("migrations/env.py", ENV),
        ("app/__init__.py", ""),
        (MODELS, BASE),
        ("migrations/versions/a1_goats.py", FIRST),
    ] {
        main.write(path, text);
    }
    commit(&main);
    main.git(&["worktree", "add", "--quiet", "../linked"]);
    let linked = Repo::at(repo.join("linked"));
    fs::rename(repo.join("meta"), linked.join("meta")).unwrap();
    let meta = linked.join("meta");
    fs::write(main.join(".git"), format!("gitdir: {}\n", meta.display())).unwrap();
    fs::write(linked.join(".git"), format!("gitdir: {}/worktrees/linked\n", meta.display())).unwrap();
    fs::write(meta.join("info/exclude"), "meta\n").unwrap();
    let versions = linked.join("migrations/versions/deep");
    linked.write("alembic.ini", format!("{INI}file_template = deep/%%(rev)s\n"));
    commit(&linked);
    for target in [meta.join("hooks"), meta.join("worktrees/linked")] {
        symlink(&target, &versions).unwrap();
        refused_to_the_byte(&linked, &["`migrations/versions/deep", "git's own folder"]);
        fs::remove_file(&versions).unwrap();
    }
    said(linked.tool(&["adopt"]), 0);
}

#[test]
fn what_a_repository_holds_does_not_steer_the_terminal() {
    const HOSTILE: &str = "\u{1b}]0;x\u{9b}2J\u{202e}";
    let folder = format!("m{HOSTILE}");
    let second = format!(
        "from alembic import op\n\nrevision = 'b{HOSTILE}'\ndown_revision = 'a1'\n\n\ndef upgrade():\n    op.drop_constraint('goat_tag_key', 'goat', type_='unique')\n\n\ndef downgrade():\n    op.create_unique_constraint('goat_tag_key', 'goat', ['tag'])\n"
    );
    let hostile = || {
        let repo = farm();
        fs::rename(repo.join("migrations"), repo.join(&folder)).unwrap();
        repo.write("alembic.ini", format!("[alembic]\nscript_location = {folder}\n"));
        repo.write(format!("{folder}/versions/b2.py"), &second);
        commit(&repo);
        repo
    };
    // Told, shown as a diff with colour, and refused.
    let told = hostile();
    let shown = hostile();
    let heads = hostile();
    heads.write(format!("{folder}/versions/c3.py"), second.replace("revision = 'b", "revision = 'c"));
    let escaped = ["\\x1b]0;x", "\\u202e"];
    // As a shell reads it, since it can be typed.
    let quoted = ["\\033]0;x", "\\342\\200\\256"];
    for (repo, options, status, seen) in [
        (&shown, &["--dry-run"][..], 0, escaped),
        (&told, &[], 0, escaped),
        (&heads, &[], 2, escaped),
        (&told, &["--environment", "app"], 2, quoted),
    ] {
        for variables in [&[][..], &[("CLICOLOR_FORCE", "1")]] {
            if variables.is_empty() && status == 0 && !options.is_empty() {
                // A program gets a diff to the byte.
                continue;
            }
            if !variables.is_empty() && options.is_empty() && status == 0 {
                repo.git(&["checkout", "--quiet", "."]);
                repo.git(&["clean", "--quiet", "--force", "-d"]);
            }
            let mut command = repo.tool(&[&["adopt"], options].concat());
            command.envs(variables.iter().copied());
            let said = said(command, status);
            let all = format!("{}{}", said.out, said.err);
            holds(&all, &seen);
            let is_style = |rest: &str| {
                let rest =
                    rest.trim_start_matches(|letter: char| letter == '[' || letter == ';' || letter.is_ascii_digit());
                rest.starts_with('m')
            };
            assert!(all.split('\u{1b}').skip(1).all(is_style), "{all:?}");
            assert!(!all.contains(['\u{9b}', '\u{202e}']), "{all:?}");
        }
    }
}
