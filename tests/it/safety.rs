//! A check touches nothing, waits for nobody, needs no memory for what it does not read, and never passes because it
//! could not read.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::formats::{ASK_GIT, environment};
use crate::support::{PROGRAM, Repo, executable, index, path_with, real_git, users, words};
use alembic_named::git::{Backend, Repository};

const BAD: &str =
    "from alembic import op\nrevision = '1'\n\n\ndef upgrade():\n    op.create_unique_constraint(None, 't', ['a'])\n";

/// The ways of calling that look at the index or at revisions.
const CALLS: [&[&str]; 5] = [
    &[],
    &["--staged", "a.py"],
    &["--all"],
    &["--from-ref", "HEAD", "--to-ref", "HEAD"],
    &["--format", "json", "a.py"],
];

fn started() -> Repo {
    let repo = Repo::new();
    for path in ["a.py", "b.py", "pkg/c.py", "pkg/d.txt", "plain"] {
        repo.stage(path, format!("{path}\n"));
    }
    repo.commit("start");
    repo
}

/// One finding, one deletion.
fn change(repo: &Repo) {
    repo.stage("pkg/bad.py", BAD);
    repo.git(&["rm", "--quiet", "b.py"]);
}

/// Inode, times of change, length and content.
type State = (u64, i64, i64, i64, u64, Vec<u8>);

/// The state of everything below a folder, folders included.
fn state(folder: &Path) -> BTreeMap<PathBuf, State> {
    let mut open = vec![folder.to_owned()];
    let mut state = BTreeMap::new();
    while let Some(path) = open.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let mut content = Vec::new();
        if metadata.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|child| child.unwrap().path()));
        } else if metadata.is_file() {
            content = std::fs::read(&path).unwrap();
        }
        let mut times = (metadata.mtime(), metadata.mtime_nsec(), metadata.ctime_nsec());
        // The shared half of a split index: whenever git reads it, it notes that it is still in use.
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("sharedindex."))
        {
            times = (0, 0, 0);
        }
        state.insert(path, (metadata.ino(), times.0, times.1, times.2, metadata.len(), content));
    }
    state
}

/// An index of each kind that is read in its own way.
fn kinds() -> Vec<(&'static str, Repo)> {
    let prepared = |prepare: &dyn Fn(&Repo)| {
        let repo = started();
        change(&repo);
        prepare(&repo);
        repo
    };
    vec![
        ("by hand", prepared(&|_| ())),
        ("as in a hook", prepared(&|repo| drop(repo.git(&["write-tree"])))),
        ("split", prepared(&|repo| drop(repo.git(&["update-index", "--split-index"])))),
        (
            "stale",
            prepared(&|repo| {
                // Times of working files that a refresh would bring up to date.
                repo.write("plain", "plain\n").write("a.py", "edited\n");
            }),
        ),
    ]
}

#[test]
fn nothing_is_written_touched_or_replaced() {
    for (kind, repo) in kinds() {
        let before = state(repo.path());
        for call in CALLS {
            let output = repo.run(call);
            assert!(output.status.code().unwrap() < 2, "{kind} {call:?}: {}", words(&output));
            assert!(state(repo.path()) == before, "{kind}: changed by {call:?}");
        }
        for environment in [environment(&[]), environment(&[ASK_GIT])] {
            let repository = Repository::discover_in(&environment, repo.path()).unwrap().unwrap();
            repository.staged().unwrap();
            repository.tracked().unwrap();
            repository.index().unwrap().read(&"a.py".into()).unwrap();
            let backend = repository.backend();
            assert!(state(repo.path()) == before, "{kind}: changed by {backend}");
        }
    }
}

#[test]
fn another_process_may_hold_the_lock() {
    for (kind, repo) in kinds() {
        let free = repo.run(&[]);
        let lock = repo.join(".git/index.lock");
        std::fs::write(&lock, "not an index").unwrap();
        let before = state(repo.path());
        let held = repo.run(&[]);
        assert_eq!(held.status.code(), Some(1), "{kind}: {}", words(&held));
        assert_eq!(words(&held), words(&free), "{kind}");
        assert!(state(repo.path()) == before, "{kind}");
    }
}

/// As a user who may write nothing there. Permissions do not bind root, so root becomes another user first.
#[test]
fn git_s_folder_may_be_read_only() {
    let repo = started();
    change(&repo);
    let folders = [repo.path(), &repo.join(".git")].map(Path::to_owned);
    if !users::git_on_nobody(&repo) {
        return;
    }
    users::hand_over(&repo);
    let permit = |mode: u32| {
        let mut open = folders.to_vec();
        while let Some(path) = open.pop() {
            let metadata = path.symlink_metadata().unwrap();
            let is_folder = metadata.is_dir();
            let mode = if is_folder { mode | 0o111 } else { mode };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            if is_folder {
                open.extend(std::fs::read_dir(&path).unwrap().map(|child| child.unwrap().path()));
            }
        }
    };
    permit(0o444);
    let before = state(repo.path());
    let output = users::as_nobody(&mut repo.command(PROGRAM)).output().unwrap();
    assert!(state(repo.path()) == before);
    permit(0o644);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("pkg/bad.py"), "{}", words(&output));
}

/// The program has less memory than one of the files is large.
#[test]
fn a_large_file_costs_no_memory() {
    const SIZE: u64 = 512 * 1024 * 1024;
    let repo = started();
    let zeros = repo.join("zeros");
    std::fs::File::create(&zeros).unwrap().set_len(SIZE).unwrap();
    let hashed = repo
        .command("git")
        .args(["hash-object", "-w", "--stdin"])
        .stdin(Stdio::from(std::fs::File::open(&zeros).unwrap()))
        .output()
        .unwrap();
    let id = String::from_utf8_lossy(&hashed.stdout).trim().to_owned();
    let stage = |path: &str| repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")]);
    let confined = || -> Command {
        let mut shell = repo.command("sh");
        shell.args(["-c", "ulimit -v 262144 && exec \"$0\"", PROGRAM]);
        shell
    };
    stage("model.bin");
    let output = confined().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    stage("large.py");
    for packed in [false, true] {
        if packed {
            repo.git(&["repack", "--quiet", "-a", "-d"]);
        }
        let output = confined().output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", words(&output));
        assert!(words(&output).contains("large.py"), "{}", words(&output));
    }
}

/// The repository is left open when the process ends; the git that answers for it is not.
#[test]
fn no_git_is_left_behind() {
    let Some(repo) = Repo::with(&["--object-format=sha256"]) else {
        eprintln!("skipped: this git makes no SHA-256 repository");
        return;
    };
    repo.stage("migrations/versions/a.py", BAD);
    // It records its number and goes on when its input ends, so only killing it ends it.
    let folder = tempfile::tempdir().unwrap();
    let (git, numbers) = (folder.path().join("git"), folder.path().join("numbers"));
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' --batch '*) echo $$ >>'{}' && '{git}' \"$@\" && exec sleep 60 ;;\nesac\nexec '{git}' \"$@\"\n",
        numbers.display(),
        git = real_git(),
    );
    executable(&git, &script);
    let mut command = repo.command(PROGRAM);
    let output = command.env("PATH", path_with(folder.path())).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let numbers = std::fs::read_to_string(&numbers).expect("git was asked for the file");
    for number in numbers.lines() {
        let mut kill = repo.command("kill");
        let lives = kill.args(["-0", number]).stderr(Stdio::null()).status().unwrap();
        assert!(!lives.success(), "git {number} is left behind");
    }
}

#[test]
fn a_closed_door_is_an_error() {
    let repo = started();
    change(&repo);
    std::fs::remove_file(repo.join(".git/index")).unwrap();
    symlink("index", repo.join(".git/index")).unwrap();
    assert_eq!(repo.run(&[]).status.code(), Some(2));
}

/// What git finds: status letter, mode, path and object of everything; `None` where it refuses.
fn git_finds(repo: &Repo, arguments: &[&str]) -> Option<Vec<(String, String)>> {
    let output = repo.try_git(&[arguments, &["--raw", "-z", "--no-abbrev", "--no-renames"]].concat());
    let text = output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())?;
    let mut fields = text.strip_suffix('\0').unwrap_or_default().split('\0');
    let mut found = Vec::new();
    while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
        let words: Vec<&str> = head.split(' ').collect();
        if words[1].starts_with("100") && words[4] != "U" {
            found.push((path.to_owned(), words[3].to_owned()));
        }
    }
    found.sort();
    Some(found)
}

/// What is found here: paths and objects; `None` where it is refused.
fn we_find(repo: &Repo) -> Option<(Vec<(String, String)>, Backend)> {
    let repository = Repository::discover_in(&environment(&[]), repo.path()).ok()??;
    let staged = repository.staged().ok()?;
    let found = staged
        .changes
        .iter()
        .map(|change| (change.path.to_string(), change.id.to_string()))
        .collect();
    Some((found, repository.backend()))
}

/// The index is damaged: what is found is what git finds, or nothing is found and it is said so. Gives who found it.
#[track_caller]
fn assert_as_git(repo: &Repo, what: &str) -> Option<Backend> {
    let expected = git_finds(repo, &["diff", "--cached"]);
    let (found, backend) = we_find(repo)?;
    if expected.as_ref().is_none_or(|expected| found == *expected) {
        return Some(backend);
    }
    // Where an entry and the cached tree contradict each other, `git diff` goes by the one and `git commit` by the other. The cached
    // tree must be one of the two. Without a tree there is no commit.
    assert_eq!(backend, Backend::CachedTree, "{what}: {found:?} is not {expected:?}");
    if let Some(committed) = git_commits(repo) {
        assert_eq!(found, committed, "{what}, the cached tree");
    }
    Some(backend)
}

/// What the next commit would change; `None` where git makes no tree of the index.
fn git_commits(repo: &Repo) -> Option<Vec<(String, String)>> {
    let tree = repo.try_git(&["write-tree"]);
    let id = String::from_utf8_lossy(&tree.stdout).trim().to_owned();
    tree.status
        .success()
        .then(|| git_finds(repo, &["diff-tree", "-r", "HEAD", &id]))?
}

#[test]
fn an_index_that_is_cut_off_never_passes() {
    let repo = started();
    change(&repo);
    repo.git(&["write-tree"]);
    let path = repo.join(".git/index");
    let whole = std::fs::read(&path).unwrap();
    let stripped = index::without_cached_tree(&whole).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        assert_as_git(&repo, &format!("cut off at {end} of {}", whole.len()));
    }
    // With a hash that is right, libgit2 reads it.
    for end in 0..stripped.len() - 20 {
        std::fs::write(&path, index::with_hash(&stripped[..end])).unwrap();
        assert_as_git(&repo, &format!("cut off at {end} of {}, hashed again", stripped.len()));
    }
}

#[test]
fn an_index_with_flipped_bytes_never_passes() {
    for version in ["2", "4"] {
        let repo = started();
        repo.git(&["update-index", "--index-version", version]);
        change(&repo);
        repo.git(&["write-tree"]);
        let path = repo.join(".git/index");
        let whole = std::fs::read(&path).unwrap();
        let stripped = index::without_cached_tree(&whole).unwrap();
        // xorshift64: the same bytes on every machine.
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random >> 33).unwrap() % below
        };
        let (mut by_cached_tree, mut by_libgit2) = (0, 0);
        for round in 0..200 {
            let mut bytes = whole.clone();
            let at = next(bytes.len());
            bytes[at] ^= 1 << next(8);
            std::fs::write(&path, &bytes).unwrap();
            let what = format!("version {version}, round {round}, byte {at} of {}", whole.len());
            let backend = assert_as_git(&repo, &what);
            by_cached_tree += u32::from(backend == Some(Backend::CachedTree));
            // The hash is made right again, or libgit2 would read none of them.
            let mut bytes = stripped.clone();
            let at = next(bytes.len() - 20);
            bytes[at] ^= 1 << next(8);
            bytes.truncate(stripped.len() - 20);
            std::fs::write(&path, index::with_hash(&bytes)).unwrap();
            let what = format!("version {version}, round {round}, byte {at} of {}, hashed again", stripped.len());
            let backend = assert_as_git(&repo, &what);
            by_libgit2 += u32::from(matches!(backend, Some(Backend::Libgit2 { .. })));
        }
        assert!(by_cached_tree > 50 && by_libgit2 > 50, "{by_cached_tree}, {by_libgit2}");
    }
}

/// libgit2's binding would read past the end of such a name.
#[test]
fn a_name_of_another_length_is_not_for_libgit2() {
    for version in ["2", "4"] {
        let repo = started();
        repo.git(&["update-index", "--index-version", version]);
        change(&repo);
        let path = repo.join(".git/index");
        let whole = std::fs::read(&path).unwrap();
        let stripped = index::without_cached_tree(&whole).unwrap();
        std::fs::write(&path, &stripped).unwrap();
        assert!(matches!(we_find(&repo).unwrap().1, Backend::Libgit2 { .. }));
        let name = stripped.windows(4).position(|part| part == b"a.py").unwrap();
        let length = if version == "2" { name - 1 } else { name - 2 };
        assert_eq!(stripped[length], 4);
        for (at, bits) in [(length, 8), (length - 1, 4)] {
            for bit in 0..bits {
                let mut bytes = stripped[..stripped.len() - 20].to_vec();
                bytes[at] ^= 1 << bit;
                std::fs::write(&path, index::with_hash(&bytes)).unwrap();
                let what = format!("version {version}, byte {at}, bit {bit}");
                let backend = assert_as_git(&repo, &what);
                assert!(!matches!(backend, Some(Backend::Libgit2 { .. })), "{what}");
            }
        }
    }
}

/// Names, counts and trees: each byte of the cached tree.
#[test]
fn a_cached_tree_with_flipped_bits_never_passes() {
    const FILES: [&str; 6] =
        ["svc/app/m/env.py", "svc/app/m/b.py", "svc/b/c/d.py", "q/r/s/t.py", "q/r/c/t.py", "e/f.py"];
    let changes: [(&str, &[&str], &[&str]); 5] = [
        ("a file into a folder of folders", &["svc/app/rev.py"], &[]),
        ("a folder", &["svc/d/x.py", "q/x/y/z.py"], &[]),
        ("a folder under another name", &["q/r/b/t.py"], &["q/r/c/t.py"]),
        ("files", &["svc/app/m/b.py", "q/r/s/t.py"], &[]),
        ("a folder less", &[], &["svc/b/c/d.py"]),
    ];
    for (what, written, removed) in changes {
        let repo = Repo::new();
        for path in FILES {
            repo.stage(path, "old\n");
        }
        repo.commit("start");
        for path in written {
            let content = if FILES.contains(path) { "new\n" } else { "old\n" };
            repo.stage(path, content);
        }
        for path in removed {
            repo.git(&["rm", "--quiet", path]);
        }
        repo.git(&["write-tree"]);
        let path = repo.join(".git/index");
        let whole = std::fs::read(&path).unwrap();
        let start = whole.windows(4).rposition(|bytes| bytes == b"TREE").unwrap() + 8;
        assert_eq!(we_find(&repo).unwrap().1, Backend::CachedTree);
        for at in start..whole.len() - 20 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let accepted = [git_finds(&repo, &["diff", "--cached"]), git_commits(&repo)];
            // git may have written it anew.
            std::fs::write(&path, &bytes).unwrap();
            let Some((found, backend)) = we_find(&repo) else {
                continue;
            };
            assert!(
                accepted.contains(&Some(found.clone())) || accepted == [None, None],
                "{what}, byte {at} of {start} to {}, {backend}: {found:?} is not {accepted:?}",
                whole.len()
            );
        }
    }
}
