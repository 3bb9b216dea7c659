//! Files whose contents cannot be read.

use super::{fails, fails_as};
use crate::support::{FILE, NAMED, PROGRAM, Repo, SUGGESTED, UNNAMED, migration, said, staged_later, words};

#[test]
fn text_that_is_not_utf_8() {
    let repo = staged_later(NAMED);
    let latin = |name: &str| {
        let text = migration(name).replace("add invoice", "add invoice \u{2014}");
        text.bytes()
            .filter(|byte| *byte != 0x80 && *byte != 0x94)
            .collect::<Vec<u8>>()
    };
    repo.stage("latin.py", latin(NAMED))
        .stage("other.py", migration(UNNAMED));
    fails(&repo, &["latin.py"], &["`latin.py` is not UTF-8 (byte 15)", "save it as UTF-8, or exclude it"]);
    // The others are checked all the same, and the failure counts more than what was found.
    let told = said(repo.tool(&[]), 2);
    assert!(told.out.contains(SUGGESTED), "{}", told.out);
    assert!(
        told.out
            .ends_with("2 files checked: 2 errors, both fixable; 1 file could not be checked\n"),
        "{}",
        told.out
    );
    fails(&repo, &[], &["`latin.py`"]);
    assert!(
        said(repo.tool(&["--exclude=latin.py"]), 1)
            .out
            .contains("2 files checked")
    );
    // A file that cannot matter is not decoded.
    repo.stage("latin.py", b"NAME = '\xe9'\n".as_slice())
        .stage("other.py", "");
    said(repo.tool(&[]), 0);
}

#[test]
fn bytes_that_no_editor_writes() {
    let repo = staged_later(NAMED);
    let text = migration(UNNAMED);
    for odd in [
        text.replace("'order'", "'or\0der'").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        text.as_bytes()[..text.len() / 2].to_vec(),
        ["op.drop_index(".repeat(5000).as_bytes(), text.as_bytes()].concat(),
        [text.as_bytes(), "(".repeat(100_000).as_bytes()].concat(),
        [text.as_bytes(), "    if op:\n".as_bytes(), "not ".repeat(100_000).as_bytes()].concat(),
    ] {
        repo.stage("odd.py", &odd);
        let output = repo.tool(&["--format=concise"]).output().unwrap();
        let status = output.status.code();
        assert!(matches!(status, Some(0..=2)), "{status:?}: {}", words(&output));
        assert!(!words(&output).contains("panicked"), "{}", words(&output));
    }
}

/// Runs the program with so little memory that a large file cannot be read.
fn with_little_memory(repo: &Repo, arguments: &[&str]) -> assert_cmd::Command {
    let mut shell = repo.command("sh");
    shell
        .args(["-c", "ulimit -v 400000 && exec \"$0\" \"$@\"", PROGRAM])
        .args(arguments);
    assert_cmd::Command::from_std(shell)
}

#[test]
fn a_large_file_is_not_read() {
    const SIZE: u64 = 500_000_000;
    let repo = staged_later(NAMED);
    let mut zeros = repo.command("sh");
    let zeros = zeros.args(["-c", &format!("head -c {SIZE} /dev/zero | git hash-object -w --stdin")]);
    let id = zeros.output().unwrap();
    assert!(id.status.success(), "{}", words(&id));
    let id = String::from_utf8(id.stdout).unwrap();
    let entry = format!("100644,{},migrations/versions/big.py", id.trim());
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
    let parts = [
        "`migrations/versions/big.py` is 500000000 bytes",
        "more than the 4194304 that are read",
        "exclude the file from the check",
    ];
    fails_as(&repo, with_little_memory(&repo, &[]), &parts);
    assert!(
        said(repo.tool(&["--exclude=big.py"]), 0)
            .out
            .starts_with("1 file checked")
    );
    repo.git(&["update-index", "--split-index"]);
    fails_as(&repo, with_little_memory(&repo, &[]), &parts);
    // On disk, where it takes no room.
    let sparse = std::fs::File::create(repo.join("sparse.py")).unwrap();
    sparse.set_len(SIZE).unwrap();
    fails_as(&repo, with_little_memory(&repo, &["sparse.py"]), &["`sparse.py` is 500000000 bytes"]);
}

#[test]
fn the_limit_can_be_set() {
    let repo = staged_later(NAMED);
    let size = migration(NAMED).len();
    said(repo.tool(&["--max-file-size", &size.to_string()]), 0);
    let less = (size - 1).to_string();
    fails(&repo, &["--max-file-size", &less], &[FILE, &format!("more than the {less} that are read")]);
    fails(&repo, &["--max-file-size", &less, FILE], &[FILE, &format!("more than the {less} that are read")]);
}

#[cfg(unix)]
#[test]
fn a_file_that_a_filter_makes_larger_is_as_large_as_git_holds_it() {
    let repo = Repo::new();
    repo.git(&["config", "filter.grow.clean", "cat; printf '# %0900d\\n' 0"]);
    repo.write(".gitattributes", "*.py filter=grow\n");
    repo.write(FILE, "x = 1\n");
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--message", "start"]);
    // The index has noted six bytes.
    said(repo.tool(&["--all", "--max-file-size", "1000"]), 0);
    fails(
        &repo,
        &["--all", "--max-file-size", "100"],
        &[&format!("`{FILE}` is 909 bytes, more than the 100 that are read")],
    );
}
