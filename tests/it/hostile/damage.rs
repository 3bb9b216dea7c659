//! A repository that is damaged, in other encodings, on a full disk, or used by two at once.

use std::process::{Command, Stdio};

use crate::support::{NAMED, PROGRAM, Repo, SUGGESTED, UNNAMED, index, migration, said};

/// Paths and what is written there.
type Files<'a> = &'a [(&'a str, &'a str)];

#[test]
fn a_head_that_is_damaged_is_none_without_commits() {
    const MISSING: &str = "1234567890123456789012345678901234567890\n";
    let all: [(&str, Files<'_>, &str); 9] = [
        ("a commit that is not there", &[(".git/refs/heads/main", MISSING)], "bad object HEAD (1234567890"),
        ("detached from one", &[(".git/HEAD", MISSING)], "bad object HEAD (1234567890"),
        (
            "a branch that is itself",
            &[(".git/refs/heads/main", "ref: refs/heads/main\n")],
            "names no commit and is not new either",
        ),
        (
            "a circle",
            &[(".git/refs/heads/main", "ref: refs/heads/a\n"), (".git/refs/heads/a", "ref: refs/heads/main\n")],
            "names no commit and is not new either",
        ),
        (
            "a branch that is none",
            &[(".git/refs/heads/main", "hello\n")],
            "names no commit and is not new either",
        ),
        ("an empty branch", &[(".git/refs/heads/main", "")], "names no commit and is not new either"),
        (
            "garbage",
            &[(".git/HEAD", "hello\n")],
            "HEAD` names neither a branch nor a commit: write `ref: refs/heads/`",
        ),
        (
            "nothing",
            &[(".git/HEAD", "")],
            "HEAD` names neither a branch nor a commit: write `ref: refs/heads/`",
        ),
        ("a pack that ends early", &[], "bad object HEAD"),
    ];
    for (what, files, sentence) in all {
        let repo = Repo::new();
        repo.stage("versions/a.py", migration(UNNAMED));
        repo.commit("start");
        repo.stage("b.py", "");
        for (path, text) in files {
            repo.write(path, text);
        }
        if files.is_empty() {
            repo.git(&["repack", "--quiet", "-a", "-d"]);
            let packs = std::fs::read_dir(repo.join(".git/objects/pack"))
                .unwrap()
                .map(|entry| entry.unwrap().path());
            let pack = packs
                .into_iter()
                .find(|path| path.extension().is_some_and(|kind| kind == "pack"))
                .unwrap();
            let content = std::fs::read(&pack).unwrap();
            std::fs::remove_file(&pack).unwrap();
            std::fs::write(&pack, &content[..60]).unwrap();
        }
        let index = std::fs::read(repo.join(".git/index")).unwrap();
        for arguments in [&["--staged"][..], &["--all"], &["fix", "--staged", "--restage"], &["fix", "versions/a.py"]] {
            let told = said(repo.tool(arguments), 2);
            assert!(told.err.contains(sentence), "{what}, {arguments:?}: {}", told.err);
        }
        assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index, "{what}");
        assert_eq!(repo.read("versions/a.py"), migration(UNNAMED), "{what}");
    }
}

/// git would read on behind the end of the file.
#[test]
fn an_index_that_counts_more_entries_than_it_holds_is_refused_without_git() {
    for version in ["2", "4"] {
        let repo = Repo::new();
        repo.stage("versions/a.py", migration(UNNAMED));
        repo.git(&["update-index", "--index-version", version]);
        let whole = std::fs::read(repo.join(".git/index")).unwrap();
        for (at, bit) in [(8, 7), (8, 0), (9, 0), (10, 3)] {
            let mut bytes = whole[..whole.len() - 20].to_vec();
            bytes[at] ^= 1 << bit;
            std::fs::write(repo.join(".git/index"), index::with_hash(&bytes)).unwrap();
            for arguments in [&["--staged"][..], &["--all"], &["--staged", "versions/a.py"]] {
                let mut tool = repo.tool(arguments);
                tool.env("PATH", "");
                let told = said(tool, 2);
                assert!(told.err.contains("is damaged (it counts "), "{version}, {at}, {arguments:?}: {}", told.err);
            }
        }
    }
}

/// Where nothing is deployed, nobody asks whether HEAD holds the file.
#[test]
fn a_head_that_cannot_be_read_is_no_empty_one() {
    let repo = Repo::new();
    repo.stage("alembic-named.toml", "deployed = false\n");
    repo.stage("versions/a.py", migration(NAMED));
    repo.commit("start");
    said(repo.tool(&["versions/a.py"]), 0);
    repo.write(".git/refs/heads/main", "1234567890123456789012345678901234567890\n");
    let told = said(repo.tool(&["versions/a.py"]), 2);
    assert!(told.err.contains("bad object HEAD (1234567890"), "{}", told.err);
}

#[test]
fn a_branch_without_commits_is_one_in_every_kind_of_repository() {
    for init in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let Some(repo) = Repo::with(init) else { continue };
        repo.stage("versions/a.py", migration(UNNAMED));
        said(repo.tool(&["fix", "--staged", "--restage"]), 0);
        assert_eq!(repo.git(&["show", ":versions/a.py"]) + "\n", migration(NAMED));
        repo.commit("first");
        repo.git(&["checkout", "--quiet", "--orphan", "other"]);
        said(repo.tool(&["--staged"]), 0);
    }
}

#[test]
fn of_two_that_stage_the_second_waits_for_another_time() {
    let repo = Repo::new();
    repo.stage("versions/a.py", migration(UNNAMED));
    let index = std::fs::read(repo.join(".git/index")).unwrap();
    let turn = std::fs::File::open(repo.join(".git")).unwrap();
    turn.lock().unwrap();
    let told = said(repo.tool(&["fix", "--staged", "--restage"]), 2);
    assert!(
        told.err.contains("another `fix --restage` is at work in") && told.err.contains("run the command again"),
        "{}",
        told.err
    );
    assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index);
    assert_eq!(repo.read("versions/a.py"), migration(UNNAMED));
    // A check asks for nothing, and who comes after the first has their turn.
    said(repo.tool(&[]), 1);
    drop(turn);
    said(repo.tool(&["fix", "--staged", "--restage"]), 0);
}

#[test]
fn what_somebody_else_has_staged_since_is_not_taken_back() {
    use alembic_named::git::{Environment, Repository, Restage};
    use alembic_named::snapshot::ObjectId;
    let repo = Repo::new();
    for path in ["a.py", "b.py"] {
        repo.stage(path, "old\n");
    }
    let opened = Repository::discover_in(&Environment::of_process().for_another_repository(), repo.path())
        .unwrap()
        .unwrap();
    let old = ObjectId::parse(&repo.git(&["rev-parse", ":a.py"])).unwrap();
    let paths = ["a.py", "b.py"].map(Into::into);
    let change = |at: usize| Restage {
        path: &paths[at],
        old: &old,
        content: b"new\n",
    };
    let undo = opened.restage(&[change(0), change(1)]).unwrap();
    repo.stage("b.py", "theirs\n");
    opened.unstage(&undo).unwrap();
    assert_eq!(
        (repo.git(&["show", ":a.py"]), repo.git(&["show", ":b.py"])),
        ("old".to_owned(), "theirs".to_owned())
    );
}

#[test]
fn a_full_disk_is_named() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let repo = Repo::new();
    repo.stage("versions/a.py", migration(UNNAMED));
    // A limit for what a process may write; it is told as if the disk were full.
    let within_nothing = |script: &str| {
        let mut shell = repo.command("sh");
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" {script}"), PROGRAM]);
        said(assert_cmd::Command::from_std(shell), 2).err
    };
    let sentence = "the disk it is on is full, or your share of it: make room and run the command again";
    for script in ["fix versions/a.py", "fix --staged --restage"] {
        let told = within_nothing(script);
        assert!(told.contains(&format!("/versions/a.py`: {sentence}")), "{script}: {told}");
    }
    assert_eq!(repo.read("versions/a.py"), migration(UNNAMED));
    // Fixed already, so that only the index is to be written.
    repo.write("versions/a.py", migration(NAMED));
    let told = within_nothing("fix --staged --restage");
    assert!(
        told.contains("the disk with `") && told.contains("/.git` is full, or your share of it: make room"),
        "{told}"
    );
    repo.write("versions/a.py", migration(UNNAMED));
    for arguments in ["", "--format=json", "--diff", "explain unnamed-drop", "install -n"] {
        let mut shell = repo.command("sh");
        shell.args(["-c", &format!("exec \"$0\" {arguments} >/dev/full"), PROGRAM]);
        let told = said(assert_cmd::Command::from_std(shell), 2).err;
        assert!(
            told.contains("error: cannot write to standard output: where it leads there is no room left: make room"),
            "{arguments}: {told}"
        );
    }
    let told = said(repo.tool(&["--output-file", "/dev/full"]), 2).err;
    assert!(told.contains("cannot write the output file `/dev/full`: the disk it is on is full"), "{told}");
}

/// A disk of 64 KiB, where the system lets this user make one.
#[test]
fn a_repository_on_a_full_disk_says_so_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| {
        Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status()
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs"]).is_ok_and(|status| status.success()) {
        return;
    }
    let ended = std::panic::catch_unwind(|| {
        let top = folder.path().join("top");
        std::fs::create_dir(&top).unwrap();
        let repo = Repo::at(top);
        repo.git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
        repo.stage("a.py", migration(UNNAMED));
        let index = std::fs::read(repo.join(".git/index")).unwrap();
        let _ = std::fs::write(repo.join("../rest"), vec![0; 1024 * 1024]);
        let told = said(repo.tool(&["fix", "--staged", "--restage"]), 2).err;
        assert!(told.contains("is full, or your share of it: make room and run the command again"), "{told}");
        assert_eq!(repo.read("a.py"), migration(UNNAMED));
        assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index);
        // With room for the working file alone, the objects or the index have none.
        repo.write("a.py", migration(NAMED));
        let told = said(repo.tool(&["fix", "--staged", "--restage"]), 2).err;
        assert!(told.contains("/.git` is full, or your share of it"), "{told}");
        assert_eq!(std::fs::read(repo.join(".git/index")).unwrap(), index);
    });
    assert!(mount(&["umount"]).is_ok_and(|status| status.success()));
    ended.unwrap();
}

#[test]
fn what_cannot_be_read_is_never_clean() {
    let text = migration(UNNAMED);
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let wider: Vec<u8> = text
        .chars()
        .flat_map(|letter| u32::from(letter).to_be_bytes())
        .collect();
    let latin = [b"# -*- coding: latin-1 -*-\n# \xe9\n", text.as_bytes()].concat();
    let hidden = format!("# coding: unicode_escape\n{}", text.replace('o', "\\x6f"));
    let repo = Repo::new();
    for (content, sentence) in [
        (wide, "`a.py` is UTF-16 or UTF-32: save it as UTF-8, or exclude it"),
        (wider, "`a.py` is UTF-16 or UTF-32: save it as UTF-8, or exclude it"),
        (
            latin,
            "`a.py` is not UTF-8 but `latin-1`, as it declares: save it as UTF-8, and remove the declaration, or exclude it",
        ),
        (
            hidden.into_bytes(),
            "`a.py` declares the encoding `unicode_escape`, in which nothing can be looked for: save it as UTF-8, and remove the declaration, or exclude it",
        ),
    ] {
        repo.stage("a.py", content);
        for arguments in [&[][..], &["--all"], &["a.py"], &["."], &["fix", "--staged", "--restage"]] {
            let told = said(repo.tool(arguments), 2);
            assert!(told.err.contains(sentence), "{arguments:?}: {}", told.err);
        }
        said(repo.tool(&["--exclude=a.py"]), 0);
    }
    repo.stage("a.py", format!("# coding: latin-1\n{text}"));
    assert!(said(repo.tool(&[]), 1).out.contains(SUGGESTED));
    repo.stage("a.py", "x = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    said(repo.tool(&[]), 0);
}
