//! The program is killed at any moment while it fixes and stages: what it leaves is a whole repository.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::random::Random;
use crate::support::{NAMED, PROGRAM, Repo, UNNAMED, migration, words};

const KILLS: usize = 200;
const COMMAND: [&str; 3] = ["fix", "--staged", "--restage"];
const FILES: [&str; 3] = ["versions/a.py", "versions/b.py", "versions/c.py"];

/// Starts the program, kills it, and waits until all that it started has ended too.
///
/// The shell keeps a copy of its output open under a number that programs hand on; the end of the output is the end of the last of them.
fn kill_after(repo: &Repo, delay: Option<Duration>) {
    let mut command: Command = repo.command("sh");
    command
        .args(["-c", "exec 9>&1; exec \"$0\" \"$@\" >/dev/null 2>&1", PROGRAM])
        .args(COMMAND)
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    if let Some(delay) = delay {
        std::thread::sleep(delay);
    }
    // It may have ended already.
    let _ = child.kill();
    let mut rest = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    child.wait().unwrap();
}

#[test]
fn a_kill_leaves_each_file_old_or_new_and_nothing_in_the_way() {
    let repo = Repo::new();
    let start = repo.commit("first");
    let (old, new) = (migration(UNNAMED), migration(NAMED));
    for file in FILES {
        repo.stage(file, &old);
    }
    let saved = repo.join(".git/saved-index");
    fs::copy(repo.join(".git/index"), &saved).unwrap();
    let [old_id, new_id] = [&old, &new].map(|text| repo.git_with_input(&["hash-object", "--stdin"], text.as_bytes()));
    let again = || {
        repo.git(&["update-ref", "HEAD", &start]);
        fs::copy(&saved, repo.join(".git/index")).unwrap();
        for file in FILES {
            repo.write(file, &old);
        }
    };
    // How long it takes decides only where the kills fall, and as many as fall behind the end shall fall before the first change.
    let began = Instant::now();
    assert!(repo.run(&COMMAND).status.success());
    let mut longest = began.elapsed();
    let mut random = Random::new(9);
    let mut outcomes = [0; 3];
    for round in 0..KILLS {
        again();
        let share = f64::from(u32::try_from(random.below(1000)).unwrap()) / 1000.0;
        let delay = (!random.once_in(20)).then(|| longest.mul_f64(share));
        kill_after(&repo, delay);

        let at = format!("round {round}, killed after {delay:?}");
        assert!(!repo.join(".git/index.lock").exists(), "{at}: the index is locked");
        let entries = repo.git(&["ls-files", "-s"]);
        let staged: Vec<&str> = entries.lines().filter_map(|entry| entry.split(' ').nth(1)).collect();
        let is_staged = staged == [new_id.as_str(); FILES.len()];
        assert!(is_staged || staged == [old_id.as_str(); FILES.len()], "{at}: neither old nor new: {entries}");
        let working = FILES.map(|file| repo.read(file));
        for text in &working {
            assert!(*text == old || is_staged && *text == new, "{at}: neither old nor new:\n{text}");
        }
        let is_done = working.iter().all(|text| *text == new);
        let steps = usize::from(is_staged) + usize::from(is_done);
        outcomes[steps] += 1;
        longest = longest.mul_f64([1.05, 1.0, 0.95][steps]);
        if round % 40 == 0 {
            let fsck = repo.try_git(&["fsck", "--strict", "--no-dangling"]);
            assert!(fsck.status.success(), "{at}: {}", words(&fsck));
        }
        repo.git(&["commit", "--quiet", "--no-verify", "-m", "after the kill"]);
        // What was being written lies where no `git add` finds it.
        let beside = repo.git(&["ls-files", "--others"]);
        assert_eq!(beside, "", "{at}");
    }
    repo.git(&["fsck", "--strict"]);
    // No assertion: how far it got depends on the machine.
    println!("killed before: {}, between: {}, after: {}", outcomes[0], outcomes[1], outcomes[2]);
}
