//! The commands of `adopt` that a report prints, copied as they are.

use std::process::Output;

use crate::support::{BASE, ENV, MODELS, PROGRAM, Repo, UNNAMED, migration, words};

/// A repository with these services, each with an environment of its own, staged.
fn services(folders: &[&str]) -> Repo {
    let repo = Repo::new();
    for folder in folders {
        for (path, text) in [("migrations/env.py", ENV), (MODELS, BASE), ("app/__init__.py", "")] {
            repo.stage(format!("{folder}/{path}"), text);
        }
    }
    repo.commit("services");
    repo
}

/// The first command of `adopt` in a text.
#[track_caller]
fn printed(said: &str) -> String {
    let at = said
        .find("alembic-named adopt")
        .unwrap_or_else(|| panic!("no command in {said}"));
    said[at..].lines().next().unwrap().to_owned()
}

/// Runs the command in a folder; gives the files that it changes or makes, without their names.
#[track_caller]
fn adopts(repo: &Repo, folder: &str, command: &str) -> Vec<String> {
    let mut shell = repo.command("sh");
    let output = shell
        .args(["-c", command])
        .current_dir(repo.join(folder))
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", words(&output));
    let status = repo.git(&["diff", "--name-only"]);
    status.lines().map(str::to_owned).collect()
}

/// What a commit is told that was made from a folder.
#[track_caller]
fn commits(repo: &Repo, folder: &str) -> String {
    repo.hook("pre-commit", &format!("exec '{PROGRAM}'"));
    let mut git = repo.command("git");
    let output = git
        .args(["commit", "-m", "models"])
        .current_dir(repo.join(folder))
        .output()
        .unwrap();
    assert!(!output.status.success(), "{}", words(&output));
    words(&output)
}

#[test]
fn the_service_that_the_commit_changes_gets_the_convention() {
    for (folders, changed, from, expected) in [
        (
            &["services/shop", "services/billing"][..],
            "services/billing",
            "services/shop",
            "alembic-named adopt --environment ../billing/migrations",
        ),
        (
            &["services/shop", "services/billing"],
            "services/billing",
            "",
            "alembic-named adopt --environment services/billing/migrations",
        ),
        (
            &["services/shop", "services/my billing"],
            "services/my billing",
            "services/my billing/migrations",
            "alembic-named adopt --environment .",
        ),
        (
            &["services/shop", "services/my billing"],
            "services/my billing",
            "services",
            "alembic-named adopt --environment 'my billing/migrations'",
        ),
        (&[".", "other"], ".", "", "alembic-named adopt --environment migrations"),
        (&[".", "services/shop"], ".", "services/shop", "alembic-named adopt --environment ../../migrations"),
        (&["."], ".", "", "alembic-named adopt"),
        (&["."], ".", "app", "alembic-named adopt"),
    ] {
        let repo = services(folders);
        let models = if changed == "." {
            MODELS.to_owned()
        } else {
            format!("{changed}/{MODELS}")
        };
        repo.stage(&models, format!("{BASE}\n\nX = 1\n"));
        let command = printed(&commits(&repo, from));
        assert_eq!(command, expected);
        assert_eq!(adopts(&repo, from, &command), [models]);
    }
}

#[test]
fn the_convention_that_spares_the_names_of_a_migration_is_of_its_own_environment() {
    let repo = services(&["services/shop", "services/billing"]);
    repo.stage("services/billing/migrations/versions/a.py", migration(UNNAMED));
    let command = printed(&commits(&repo, "services/shop"));
    assert_eq!(command, "alembic-named adopt --environment ../billing/migrations");
    let repo = services(&["."]);
    repo.stage("migrations/versions/a.py", migration(UNNAMED));
    assert_eq!(printed(&commits(&repo, "")), "alembic-named adopt");
}

#[test]
fn install_tells_the_environment_as_well() {
    let repo = services(&["services/shop", "services/billing"]);
    let command = printed(&repo.ends(&["install"], 0));
    assert_eq!(command, "alembic-named adopt --environment services/billing/migrations");
    assert_eq!(adopts(&repo, "", &command), ["services/billing/app/models.py"]);
    let repo = services(&[".", "services/a/shop"]);
    let command = printed(&repo.ends(&["install"], 0));
    assert_eq!(command, "alembic-named adopt --environment migrations");
}

#[test]
fn the_environments_of_a_refusal_are_named_as_they_are_typed() {
    let repo = services(&["services/shop", "services/my billing"]);
    let adopt = |folder: &str, options: &[&str]| -> Output {
        let arguments = [&["adopt", "--dry-run"], options].concat();
        repo.tool_in(folder, &arguments).output().unwrap()
    };
    for (folder, options, first) in [
        ("", &[][..], "'services/my billing/migrations'"),
        ("services", &[], "'my billing/migrations'"),
        ("services/shop", &["--environment", "migration"], "'../my billing/migrations'"),
        ("services/my billing/migrations", &["--environment", ".."], "."),
        ("services/shop", &[".."], "'../my billing/migrations'"),
    ] {
        let refused = adopt(folder, options);
        assert_eq!(refused.status.code(), Some(2));
        let said = words(&refused);
        let shown: Vec<&str> = said.rsplit_once('(').unwrap().1.split('`').skip(1).step_by(2).collect();
        assert_eq!((shown.len(), shown[0]), (2, first), "{said}");
        for environment in shown {
            let again = adopt(folder, &["--environment", environment.trim_matches('\'')]);
            assert_eq!(again.status.code(), Some(0), "{environment}: {}", words(&again));
        }
    }
}
