//! What cannot be fixed, or not to the end: everything is as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Stdio;

use super::in_index;
use crate::support::users::{as_nobody, git_on_nobody, hand_over, is_root, take_back};
use crate::support::{
    FILE, NAMED, OTHER, PROGRAM, Repo, SUGGESTED, UNNAMED, executable, leftovers, migration, path_with, real_git,
    staged_later, words,
};

/// One file that is refused and another one that is fixed: status 2, and the refusal says `why`.
#[track_caller]
fn refuses(repo: &Repo, why: &str) {
    repo.stage(OTHER, migration(UNNAMED));
    let said = repo.ends(&["fix", "--staged"], 2);
    assert!(said.contains(why), "{said}");
    assert_eq!(repo.read(OTHER), migration(NAMED), "the other one is fixed: {said}");
    assert_eq!(leftovers(repo), Vec::<String>::new());
}

#[test]
fn what_is_no_plain_file_is_refused() {
    let repo = staged_later(UNNAMED);
    fs::rename(repo.join(FILE), repo.join("real.py")).unwrap();
    symlink("../../real.py", repo.join(FILE)).unwrap();
    refuses(&repo, "is a symbolic link");
    assert_eq!(repo.read("real.py"), migration(UNNAMED));
    assert!(repo.join(FILE).is_symlink());
    repo.ends(&["fix", FILE], 2);
    assert_eq!(repo.read("real.py"), migration(UNNAMED));

    let repo = staged_later(UNNAMED);
    fs::remove_file(repo.join(FILE)).unwrap();
    refuses(&repo, "is not a file in the working tree");

    let repo = staged_later(UNNAMED);
    fs::remove_file(repo.join(FILE)).unwrap();
    fs::create_dir(repo.join(FILE)).unwrap();
    refuses(&repo, "is not a file in the working tree");
}

#[test]
fn a_folder_that_leads_out_of_the_working_tree_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("add_invoice.py");
    fs::write(&path, migration(UNNAMED)).unwrap();
    let repo = staged_later(UNNAMED);
    fs::remove_dir_all(repo.join("migrations/versions")).unwrap();
    symlink(outside.path(), repo.join("migrations/versions")).unwrap();
    for arguments in [["fix", "--staged"].as_slice(), &["fix", "--staged", "--restage"]] {
        let said = repo.ends(arguments, 2);
        assert!(said.contains("symbolic link"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), migration(UNNAMED));
        assert_eq!(in_index(&repo, FILE), migration(UNNAMED));
    }
}

#[test]
fn a_read_only_file_is_refused() {
    let repo = staged_later(UNNAMED);
    fs::set_permissions(repo.join(FILE), fs::Permissions::from_mode(0o444)).unwrap();
    refuses(&repo, "is read-only");
    assert_eq!(repo.read(FILE), migration(UNNAMED));
}

#[test]
fn what_is_no_utf_8_is_refused() {
    let repo = staged_later(UNNAMED);
    let latin = migration(UNNAMED).replace("a step", "").into_bytes();
    repo.stage(FILE, [latin.as_slice(), b"# \xe4\n"].concat());
    refuses(&repo, "is not UTF-8");
    // Text that git turns into something else when it is checked out.
    let repo = staged_later(UNNAMED);
    let wide: Vec<u8> = migration(UNNAMED).encode_utf16().flat_map(u16::to_le_bytes).collect();
    repo.write(FILE, &wide);
    let said = repo.ends(&["fix", "--staged"], 1);
    assert!(said.contains("was left alone"), "{said}");
    assert_eq!(fs::read(repo.join(FILE)).unwrap(), wide);
}

#[test]
fn mode_and_owner_are_kept() {
    for mode in [0o755, 0o640, 0o600] {
        let repo = staged_later(UNNAMED);
        fs::set_permissions(repo.join(FILE), fs::Permissions::from_mode(mode)).unwrap();
        repo.git(&["add", "-A"]);
        let entry = |repo: &Repo| {
            repo.git(&["ls-files", "-s", FILE])
                .split(' ')
                .next()
                .unwrap()
                .to_owned()
        };
        let staged_mode = entry(&repo);
        repo.ends(&["fix", "--staged", "--restage"], 0);
        let metadata = fs::metadata(repo.join(FILE)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, mode);
        assert_eq!(entry(&repo), staged_mode);
    }
    if !is_root() {
        eprintln!("skipped: only root can give a file to somebody else");
        return;
    }
    let repo = staged_later(UNNAMED);
    std::os::unix::fs::chown(repo.join(FILE), Some(65534), Some(65534)).unwrap();
    repo.ends(&["fix", FILE], 0);
    let metadata = fs::metadata(repo.join(FILE)).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534));
    assert_eq!(repo.read(FILE), migration(NAMED));
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    let repo = staged_later(UNNAMED);
    if !git_on_nobody(&repo) {
        return;
    }
    repo.stage("second/m.py", migration(UNNAMED));
    fs::set_permissions(repo.join("second"), fs::Permissions::from_mode(0o555)).unwrap();
    for (arguments, index) in [(["fix", "--staged"].as_slice(), UNNAMED), (&["fix", "--staged", "--restage"], NAMED)] {
        hand_over(&repo);
        let mut command = repo.command(PROGRAM);
        let output = as_nobody(command.args(arguments)).output().unwrap();
        take_back(&repo);
        assert_eq!(output.status.code(), Some(2), "{}", words(&output));
        assert!(words(&output).contains("cannot write"), "{}", words(&output));
        assert_eq!(repo.read(FILE), migration(NAMED));
        assert_eq!(repo.read("second/m.py"), migration(UNNAMED));
        assert_eq!(in_index(&repo, FILE), migration(index));
        assert_eq!(in_index(&repo, "second/m.py"), migration(UNNAMED));
        assert_eq!(leftovers(&repo), Vec::<String>::new());
    }
    fs::set_permissions(repo.join("second"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The search path with a git in front that runs a script once, after the first change of the index.
fn git_and_then(happens: &str) -> (tempfile::TempDir, std::ffi::OsString) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "#!/bin/sh\n'{}' \"$@\"; status=$?\ncase $* in *--index-info) [ -e .git/seen ] || {{ touch .git/seen; {happens}; }} ;; esac\nexit $status\n",
        real_git(),
    );
    executable(&folder.path().join("git"), &script);
    let path = path_with(folder.path());
    (folder, path)
}

/// Two staged files, and something that happens between the writing of the index and that of the files.
///
/// A git that runs a script once, after it has changed the index.
#[track_caller]
fn restores(happens: &str, why: &str, second: impl Fn(&Repo)) {
    let repo = staged_later(UNNAMED);
    repo.stage(OTHER, migration(UNNAMED));
    let before = repo.git(&["ls-files", "-s"]);
    let (_folder, path) = git_and_then(happens);
    let mut command = repo.command(PROGRAM);
    let output = command
        .args(["fix", "--staged", "--restage"])
        .env("PATH", path)
        .output()
        .unwrap();
    let said = words(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(repo.join(".git/seen").exists(), "nothing happened: {said}");
    assert!(said.contains(why), "{said}");
    assert!(!said.contains("fixed and staged"), "{said}");
    assert_eq!(repo.read(FILE), migration(UNNAMED), "the first file is as it was");
    assert_eq!(repo.git(&["ls-files", "-s"]), before, "and so is the index");
    second(&repo);
    assert_eq!(leftovers(&repo), Vec::<String>::new());
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn a_failure_half_way_restores_everything() {
    restores(&format!("echo '# mine' >> {OTHER}"), "was changed while it was being fixed", |repo| {
        assert_eq!(repo.read(OTHER), migration(UNNAMED) + "# mine\n");
    });
    restores(&format!("rm {OTHER} && mkdir {OTHER}"), "another.py", |repo| {
        assert!(repo.join(OTHER).is_dir());
    });
    restores(&format!("mv {OTHER} real.py && ln -s ../../real.py {OTHER}"), "another.py", |repo| {
        assert!(repo.join(OTHER).is_symlink());
        assert_eq!(repo.read("real.py"), migration(UNNAMED));
    });
    restores(&format!("rm {OTHER}"), "another.py", |repo| {
        assert!(!repo.join(OTHER).exists());
    });
}

#[test]
fn a_folder_that_may_not_be_written_any_more_restores_everything() {
    let repo = Repo::new();
    repo.stage("a/m.py", migration(UNNAMED))
        .stage("b/m.py", migration(UNNAMED));
    if !git_on_nobody(&repo) {
        return;
    }
    let before = repo.git(&["ls-files", "-s"]);
    let (folder, path) = git_and_then("chmod 555 b");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    hand_over(&repo);
    let mut command = repo.command(PROGRAM);
    let output = as_nobody(command.args(["fix", "--staged", "--restage"]).env("PATH", path))
        .output()
        .unwrap();
    fs::set_permissions(repo.join("b"), fs::Permissions::from_mode(0o755)).unwrap();
    take_back(&repo);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(words(&output).contains("cannot write"), "{}", words(&output));
    assert_eq!((repo.read("a/m.py"), repo.read("b/m.py")), (migration(UNNAMED), migration(UNNAMED)));
    assert_eq!(repo.git(&["ls-files", "-s"]), before);
}

#[test]
fn an_index_that_is_locked_changes_nothing() {
    let repo = staged_later(UNNAMED);
    repo.write(".git/index.lock", "");
    let said = repo.ends(&["fix", "--staged", "--restage"], 2);
    assert!(said.contains("index.lock"), "{said}");
    assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (migration(UNNAMED), migration(UNNAMED)));
    fs::remove_file(repo.join(".git/index.lock")).unwrap();
    assert_eq!(leftovers(&repo), Vec::<String>::new());
}

#[test]
fn a_fix_by_a_program_that_nobody_reads() {
    let repo = staged_later(UNNAMED);
    let mut command = repo.command(PROGRAM);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command
        .args(["fix", "--staged", "--restage"])
        .stdout(Stdio::from(writer.try_clone().unwrap()))
        .stderr(Stdio::from(writer))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!((repo.read(FILE), in_index(&repo, FILE)), (migration(NAMED), migration(NAMED)));
    assert!(repo.read(FILE).contains(SUGGESTED));
}
