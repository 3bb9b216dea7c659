//! What `install` says of the modules that will ask, and of a line that a commit never reaches.

use crate::support::{self, BASE, ENV, MODELS, PROGRAM, Repo, UNNAMED, migration, words};

/// `PATH` without the program, wherever this machine has it.
fn path_without_program() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let has_none = |folder: &std::path::PathBuf| !folder.join("alembic-named").exists();
    std::env::join_paths(std::env::split_paths(&path).filter(has_none)).unwrap()
}

/// What `install` says on standard error, and that it installed the hook.
#[track_caller]
fn installs(repo: &Repo) -> String {
    let output = repo.run(&["install"]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(repo.join(".git/hooks/pre-commit").is_file(), "{said}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn install_names_the_modules_that_will_ask() {
    let repo = Repo::new();
    repo.stage("migrations/env.py", ENV).stage(MODELS, BASE);
    repo.stage("app/notes.py", "x = 'MetaData'\n");
    let expected = "\
note: 1 module has a metadata without a naming convention, and a commit
that changes one is stopped until you have decided:
  app/models.py:4
decide now, in one of three ways (or set the rule's `severity`):
  the database is live: alembic-named adopt
  nothing is deployed: alembic-named explain missing-naming-convention
  not now: alembic-named fix --ignore=missing-naming-convention app/models.py
";
    let by = |path| {
        let mut install = repo.command(PROGRAM);
        words(&install.arg("install").env("PATH", path).output().unwrap())
    };
    let said = by(support::path_to_program());
    assert!(said.contains(expected), "{said}");
    // A long path stands on a line of its own.
    let one_line = |said: &str| said.replace(":\n    ", ": ");
    let by_path = by(path_without_program());
    let expected = expected.replace("alembic-named ", &format!("{PROGRAM} "));
    assert!(one_line(&by_path).contains(&expected), "{by_path}");
    let ours = said.lines().skip_while(|line| !line.starts_with("note: "));
    assert!(ours.into_iter().all(|line| line.chars().count() <= 80), "{said}");

    // Whoever decides is not told again.
    repo.ends(&["fix", "--ignore", "--restage"], 0);
    assert!(!installs(&repo).contains("naming convention"));
    repo.stage(MODELS, BASE);
    repo.stage("alembic-named.toml", "severity = { missing-naming-convention = 'warning' }\n");
    assert!(!installs(&repo).contains("naming convention"));
    repo.stage("alembic-named.toml", "exclude = ['app']\n");
    assert!(!installs(&repo).contains("naming convention"));
    // Nor is somebody told who only asks what would be written.
    repo.stage("alembic-named.toml", "");
    let said = repo.ends(&["install", "--dry-run"], 0);
    assert!(!said.contains("naming convention"), "{said}");
}

#[test]
fn install_names_a_handful_of_modules() {
    let repo = Repo::new();
    for number in 0..8 {
        let service = format!("services/s{number}");
        repo.stage(format!("{service}/migrations/env.py"), ENV);
        repo.stage(format!("{service}/{MODELS}"), BASE);
    }
    let said = installs(&repo);
    assert!(said.contains("note: 8 modules have"), "{said}");
    assert!(said.contains("  services/s4/app/models.py:4\n  and 3 more\n"), "{said}");
}

#[test]
fn install_does_not_fail_over_what_it_cannot_list() {
    let repo = Repo::new();
    repo.stage("migrations/env.py", ENV).stage(MODELS, BASE);
    repo.stage("alembic-named.toml", "nonsense = 1\n");
    let said = installs(&repo);
    assert!(
        said.contains("note: it could not be found out which modules have a metadata without a naming convention (")
            && said.contains("alembic-named --all --select missing-naming-convention`"),
        "{said}"
    );
}

/// A repository as husky lays it out, with a migration that must not pass: git runs the inner hook, which runs the project's own.
fn with_husky(script: &str) -> Repo {
    let repo = Repo::new();
    repo.write(".husky/pre-commit", script);
    repo.git(&["config", "core.hooksPath", ".husky/_"]);
    repo.hook("pre-commit", "exec sh -e .husky/pre-commit \"$@\"");
    repo.stage("migrations/versions/a.py", migration(UNNAMED));
    repo
}

/// Whether git makes a commit of what is staged, with the program in `PATH`.
fn passes(repo: &Repo) -> bool {
    let mut git = repo.command("git");
    let output = git
        .args(["commit", "-m", "migration"])
        .env("PATH", support::path_to_program())
        .output()
        .unwrap();
    let said = words(&output);
    assert!(output.status.success() || said.contains("unnamed-constraint"), "{said}");
    output.status.success()
}

const LINE: &str = "alembic-named check --staged\n";

/// The number that stands behind these words.
#[track_caller]
fn number_behind(said: &str, words: &str) -> usize {
    let (_, rest) = said.split_once(words).unwrap_or_else(|| panic!("{said}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Each of these lets every commit pass where the line stands at its end, which git is asked first. What `install` says instead is followed.
#[test]
fn install_adds_no_line_that_a_commit_never_reaches() {
    for script in [
        "main() {\n  true\n  exit 0\n}\nmain \"$@\"\n",
        "function_with_return() { return 0; }\nfinish() {\n  exit\n}\nfinish\n",
        "case \"$1\" in\n  x) true; exit $? ;;\n  *) exit 0 ;;\nesac\n",
        "case a in (b) ;; (a) exit 0 ;; esac\ntrue\n",
        "x=$(echo \")\")\ntrue\nexit 0\n",
        "x=`echo '\"'`\ntrue\nexit 0\n",
        "x=$(cat <<END\n)\nEND\n)\nexit 0\n",
        "x=\"$(echo \"it's )\")\"\nexit 0\n",
        "true\ncommand exec true\n",
        "true\neval \"exit 0\"\n",
        "trap 'exit 0' EXIT\ntrue\n",
        "true && exit 0\n",
        "true &&\n  exit 0\n",
        "if true; then\n  true\n  exit 0\nelse\n  exit 1\nfi\n",
        "cat <<END >&2\ntext\n",
        "echo lint \\\n",
        "false ||\n  true ||\n",
        "true\nexit $?\nalembic-named check --staged",
        "echo 'we like alembic-named'\nexit 0\n",
    ] {
        let is_ended = script.ends_with('\n');
        let with_line = format!("{script}{}{LINE}", if is_ended { "" } else { "\n" });
        assert!(passes(&with_husky(&with_line)), "the trap does not work: {script}");

        let repo = with_husky(script);
        let said = repo.ends(&["install"], 2);
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(said.contains(LINE.trim_end()), "{said}");
        assert_eq!(repo.read(".husky/pre-commit"), script);
        // What an older one left behind is not called installed.
        let left = with_husky(&with_line);
        let told = words(&left.run(&["install"]));
        // Behind `||` it is taken for the project's own condition.
        let is_choice = script.ends_with("||\n");
        assert!(is_choice || !told.contains("Nothing to do"), "{script}: {told}");
        assert!(!told.contains("Added") || !passes(&left), "{told}");

        let above = number_behind(&said, "above line ");
        let mut lines: Vec<&str> = script.split_inclusive('\n').collect();
        lines.insert(above - 1, LINE);
        repo.write(".husky/pre-commit", lines.concat());
        assert!(!passes(&repo), "{said}");
        let said = repo.ends(&["install"], 0);
        assert!(said.contains("Nothing to do"), "{said}");
    }
}

#[test]
fn install_adds_the_line_to_what_projects_have() {
    for script in [
        "",
        "#!/bin/sh\n[ -f \"$(dirname \"$0\")/_/husky.sh\" ] && . \"$(dirname \"$0\")/_/husky.sh\"\n\necho npx lint-staged\n",
        "set -e\nexec 1>&2\nexec 3<&1 </dev/null\ngit --version\n",
        "if [ -n \"$NOT_SET\" ]; then\n  echo skipped\n  exit 0\nfi\ngit --version\n",
        "[ -n \"$NOT_SET\" ] && exit 0\ngit --version || exit 1\n",
        "git --version || { echo \"it's wrong\"; exit 1; }\n",
        "die() { echo \"$1\" >&2; exit 1; }\ngit --version || die 'no git'\n",
        "case \"$1\" in\n  --help|-h) echo usage; exit 2 ;;\n  *) ;;\nesac\n",
        "eval \"$(echo true)\"\ncommand -v git >/dev/null || exit 1\n",
        "branch=\"$(git rev-parse --abbrev-ref \"HEAD\" 2>/dev/null || echo ')')\"\necho \"${branch#it\\'s}\" `echo a`\n",
        "echo 'we like alembic-named'\n",
        "git diff --cached --name-only | while read -r file; do\n  echo \"$file\"\ndone\n",
    ] {
        let repo = with_husky(script);
        let said = repo.ends(&["install"], 0);
        assert!(said.contains("Added alembic-named to "), "{script}: {said}");
        assert!(!passes(&repo), "{script}");
        assert!(repo.ends(&["install"], 0).contains("Nothing to do"), "{script}");
        repo.ends(&["uninstall"], 0);
        assert_eq!(repo.read(".husky/pre-commit"), script);
    }
}

#[test]
fn install_prints_what_fits_the_file_of_lefthook() {
    for (file, text, entry, place) in [
        (
            "lefthook.yml",
            "pre-commit:\n  jobs:\n    - run: x\n",
            "    - name: alembic-named\n      run: alembic-named check --staged\n",
            ", below `jobs:` of `pre-commit:`, or let `PROGRAM install --write` do it\n",
        ),
        (
            ".lefthook.yaml",
            "pre-commit:\n  parallel: true\n",
            "  commands:\n    alembic-named:\n      run: alembic-named check --staged\n",
            ", below `pre-commit:`, or let `PROGRAM install --write` do it\n",
        ),
        // Where adding fails, it is not offered.
        (
            "lefthook.yml",
            "pre-commit: {parallel: true}\n",
            "alembic-named:\n  run: alembic-named check --staged\n",
            ", into `commands:` of `pre-commit:`\n",
        ),
        (
            "lefthook.yml",
            "pre-commit:\n  jobs: []\n",
            "- name: alembic-named\n  run: alembic-named check --staged\n",
            ", into `jobs:` of `pre-commit:`\n",
        ),
        (
            "lefthook.yml",
            "pre-commit:\n  commands:\npre-push:\n  jobs:\n    - run: x\n",
            "alembic-named:\n  run: alembic-named check --staged\n",
            ", into `commands:` of `pre-commit:`\n",
        ),
        (
            "lefthook.yml",
            "'pre-commit':\n  parallel: true\n",
            "alembic-named:\n  run: alembic-named check --staged\n",
            ", into `commands:` of `pre-commit:`\n",
        ),
        (
            ".pre-commit-config.yaml",
            "repos: []\n",
            "  - repo: local\n    hooks:\n      - id: alembic-named\n        name: ",
            ", below `repos:`\n",
        ),
        (
            ".config/lefthook.toml",
            "[[pre-commit.jobs]]\nrun = 'x'\n",
            "[[pre-commit.jobs]]\nname = \"alembic-named\"\nrun = \"alembic-named check --staged\"\n",
            ", at its end\n",
        ),
        (
            "lefthook.json",
            "{\"pre-commit\": {\"jobs\": [{\"run\": \"x\"}]}}",
            "{ \"name\": \"alembic-named\", \"run\": \"alembic-named check --staged\" }\n",
            ", into `jobs` of `pre-commit`\n",
        ),
    ] {
        let repo = Repo::new();
        repo.write(file, text);
        let mut install = repo.command(PROGRAM);
        let output = install
            .arg("install")
            .env("PATH", path_without_program())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8(output.stdout).unwrap().starts_with(entry), "{entry}");
        let said = String::from_utf8(output.stderr).unwrap();
        let note = format!(
            "note: nothing was written: put these lines into {}{}",
            repo.join(file).display(),
            place.replace("PROGRAM", PROGRAM)
        );
        assert!(said.starts_with(&note), "{said}\nand not\n{note}");
        assert_eq!(repo.read(file), text);
        assert!(!repo.join(".git/hooks/pre-commit").exists());
    }
}
