//! Links that lead out of the working tree: nothing is written through them.

use crate::support::{NAMED, Repo, UNNAMED, migration, said};

#[test]
fn nothing_is_written_through_a_folder_that_leads_out() {
    let outside = Repo::none();
    outside.write("b.py", migration(UNNAMED));
    let repo = Repo::new();
    repo.stage("versions/a.py", migration(UNNAMED));
    std::os::unix::fs::symlink(outside.path(), repo.join("away")).unwrap();
    repo.git(&["add", "away"]);
    for arguments in
        [&["fix", "away/b.py"][..], &["fix", "away"], &["fix", "versions/a.py", "away/b.py"], &["away/b.py"]]
    {
        let told = said(repo.tool(arguments), 2);
        assert!(
            told.err.contains("lies behind a link that leads out of") && told.err.contains("go to where the file is"),
            "{}",
            told.err
        );
        assert_eq!(told.err.lines().count(), 1, "{}", told.err);
    }
    assert_eq!(outside.read("b.py"), migration(UNNAMED));
    assert_eq!(repo.read("versions/a.py"), migration(UNNAMED));
    // Where somebody says so, it is theirs.
    let beside = Repo::make(outside.path().join("top"));
    said(beside.tool(&["../b.py"]), 1);
    // A link that stays inside is followed, and somebody's own folder without a repository is theirs.
    std::os::unix::fs::symlink("versions", repo.join("near")).unwrap();
    said(repo.tool(&["fix", "near/a.py"]), 0);
    assert_eq!(repo.read("versions/a.py"), migration(NAMED));
    let home = Repo::none();
    std::os::unix::fs::symlink(outside.path(), home.join("away")).unwrap();
    said(home.tool(&["fix", "away/b.py"]), 0);
    assert_eq!(outside.read("b.py"), migration(NAMED));
}

#[test]
fn no_report_is_written_through_a_link_that_leads_out() {
    use std::os::unix::fs::symlink;
    let outside = Repo::none();
    outside.write("file", "as it was\n");
    let around = Repo::none();
    let repo = Repo::make(around.join("top"));
    repo.stage("a.py", "");
    symlink(outside.join("file"), repo.join("report")).unwrap();
    symlink(outside.join("new"), repo.join("dangling")).unwrap();
    symlink(outside.path(), repo.join("folder")).unwrap();
    symlink(".git/description", repo.join("description")).unwrap();
    symlink("a.py", repo.join("near")).unwrap();
    let before = repo.read(".git/description");
    for path in ["report", "dangling", "folder/file", "folder/new", "description"] {
        let told = said(repo.tool(&["--output-file", path]), 2);
        let sentence = format!(
            "the output file `{path}` leads through a link out of the working tree: name one that is not a link"
        );
        assert!(told.err.contains(&sentence), "{}", told.err);
    }
    assert_eq!((outside.read("file"), repo.read(".git/description")), ("as it was\n".to_owned(), before));
    assert!(!outside.join("new").exists());
    for path in ["near", "new", ".git/report", "../report", "/dev/stdout"] {
        said(repo.tool(&["--output-file", path]), 0);
    }
    assert!(around.join("report").exists());
}

#[test]
fn install_writes_nothing_through_a_link_that_leads_out() {
    use std::os::unix::fs::symlink;
    let outside = Repo::none();
    let text = "repos:\n- repo: meta\n  hooks: []\n";
    for (link, target, manager) in [
        (".husky/pre-commit", "file", "husky"),
        (".husky", "folder", "husky"),
        (".pre-commit-config.yaml", "file", "pre-commit"),
        (".githooks", "folder", "git"),
        (".husky/pre-commit", "../.git/description", "husky"),
    ] {
        outside.write("file", text).write("folder/pre-commit", text);
        let repo = Repo::new();
        std::fs::create_dir_all(repo.join(link).parent().unwrap()).unwrap();
        let target = if target.starts_with("..") {
            target.into()
        } else {
            outside.join(target)
        };
        symlink(&target, repo.join(link)).unwrap();
        if link == ".githooks" {
            repo.git(&["config", "core.hooksPath", ".githooks"]);
        }
        let description = repo.read(".git/description");
        for arguments in [
            &["install", "--write", "--manager", manager][..],
            &["install", "-n", "--write", "--manager", manager],
        ] {
            let told = said(repo.tool(arguments), 2);
            assert!(told.err.contains("leads through a link out of the working tree"), "{link}: {}", told.err);
        }
        assert_eq!(
            (outside.read("file"), outside.read("folder/pre-commit")),
            (text.to_owned(), text.to_owned()),
            "{link}"
        );
        assert_eq!(std::fs::read_dir(outside.join("folder")).unwrap().count(), 1, "{link}");
        assert_eq!(repo.read(".git/description"), description);
    }
    // What leads to another file of the tree is that file.
    let repo = Repo::new();
    repo.write("config/hooks.yaml", text);
    symlink("config/hooks.yaml", repo.join(".pre-commit-config.yaml")).unwrap();
    said(repo.tool(&["install", "--write", "--manager", "pre-commit"]), 0);
    assert!(repo.read("config/hooks.yaml").contains("alembic-named check --staged"));
}
