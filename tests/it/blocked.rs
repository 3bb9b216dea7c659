//! Somebody who touches a module for another reason and is stopped: the ways to go on, each to the end of a real commit.

use crate::support::{self, PROGRAM, Repo, UNNAMED, migration, words};

const MODELS: &str = "app/models.py";
const BASE: &str = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n";
const IGNORED: &str = "class Base(DeclarativeBase):  # alembic-named: ignore[missing-naming-convention]\n";
const ENV: &str = "from alembic import context\nfrom app.models import Base\n\ntarget_metadata = Base.metadata\n";

/// A living project without a convention, with the hook, and a commit that adds a comment to its models.
fn blocked() -> Repo {
    let repo = Repo::new();
    repo.stage("migrations/env.py", ENV).stage(MODELS, BASE);
    repo.commit("first");
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged"));
    repo.stage(MODELS, format!("{BASE}\n\n# The shop's models.\n"));
    let said = words(&repo.try_git(&["commit", "-m", "comment"]));
    assert!(said.contains("error[missing-naming-convention]"), "{said}");
    repo
}

/// The program must end like this, and say something.
#[track_caller]
fn ends(repo: &Repo, arguments: &[&str], status: i32) -> String {
    let output = repo.command(PROGRAM).args(arguments).output().unwrap();
    let said = words(&output);
    assert_eq!(output.status.code(), Some(status), "{arguments:?} said: {said}");
    said
}

#[track_caller]
fn commits(repo: &Repo) {
    let said = words(&repo.try_git(&["commit", "-m", "comment"]));
    assert!(said.contains("checked, nothing found"), "{said}");
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "comment");
}

#[test]
fn an_ignore_comment_lets_the_commit_through_once_it_is_staged() {
    let repo = blocked();
    let said = ends(&repo, &["fix", "--ignore", "--staged"], 1);
    assert!(
        said.contains("ignored 1 finding from now on; look at the change and stage it again: git add app/models.py"),
        "{said}"
    );
    let text = repo.read(MODELS);
    assert_eq!(
        text,
        format!(
            "{}\n\n# The shop's models.\n",
            BASE.replace("class Base(DeclarativeBase):\n", IGNORED)
        )
    );
    let said = words(&repo.try_git(&["commit", "-m", "comment"]));
    assert!(
        said.contains("is fixed in your working tree: stage it with `git add app/models.py`"),
        "{said}"
    );
    repo.git(&["add", MODELS]);
    commits(&repo);
    // Nothing is left to be ignored, so that nothing is written.
    for arguments in [&["fix", "--ignore", MODELS][..], &["fix", "--ignore", "--all"]] {
        let said = ends(&repo, arguments, 0);
        assert!(said.contains("nothing found") && !said.contains("ignored"), "{said}");
        assert_eq!(repo.read(MODELS), text);
    }
}

#[test]
fn an_ignore_comment_can_be_staged_at_once_beside_other_edits() {
    let repo = blocked();
    let mine = format!("import os\n{}", repo.read(MODELS));
    repo.write(MODELS, &mine);
    let said = ends(&repo, &["fix", "--ignore", "--restage"], 0);
    assert!(
        said.contains("ignored and staged 1 finding from now on in app/models.py"),
        "{said}"
    );
    assert_eq!(
        repo.read(MODELS),
        mine.replace("class Base(DeclarativeBase):\n", IGNORED)
    );
    commits(&repo);
    assert!(!repo.git(&["show", "HEAD:app/models.py"]).contains("import os"));
}

#[test]
fn every_way_to_name_files_takes_comments() {
    for (arguments, status) in [
        (&["fix", "--ignore", MODELS][..], 0),
        (&["fix", "--ignore", "app"], 0),
        (&["fix", "--ignore", "--staged", MODELS], 1),
        (&["fix", "--ignore", "--all"], 1),
        (&["fix", "--ignore=missing-naming-convention", "--staged"], 1),
        (&["fix", "--ignore", "--select", "missing-naming-convention"], 1),
    ] {
        let repo = blocked();
        ends(&repo, arguments, status);
        assert!(repo.read(MODELS).contains(IGNORED), "{arguments:?}");
        repo.git(&["add", MODELS]);
        commits(&repo);
    }
}

#[test]
fn what_was_not_selected_is_not_ignored() {
    let repo = blocked();
    repo.stage("migrations/versions/a.py", migration(UNNAMED));
    ends(&repo, &["fix", "--ignore=missing-naming-convention", "--restage"], 0);
    assert!(repo.read(MODELS).contains(IGNORED));
    assert_eq!(repo.read("migrations/versions/a.py"), migration(UNNAMED));
    ends(&repo, &["fix", "--ignore", "--restage"], 0);
    let said = ends(&repo, &["check", "--staged"], 0);
    assert!(said.contains("2 files checked, nothing found"), "{said}");
}

#[test]
fn a_diff_shows_the_comments_and_changes_nothing() {
    let repo = blocked();
    let before = repo.read(MODELS);
    let said = ends(&repo, &["fix", "--ignore", "--staged", "--diff"], 1);
    assert!(said.contains(&format!("\n+{IGNORED}")), "{said}");
    assert!(said.contains("alembic-named fix --ignore --staged\n"), "{said}");
    assert_eq!(repo.read(MODELS), before);
    let patch = repo
        .command(PROGRAM)
        .args(["fix", "--ignore", "--staged", "--diff", "--quiet"])
        .output()
        .unwrap();
    repo.git_with_input(&["apply", "--index", "-"], &patch.stdout);
    commits(&repo);
}

#[test]
fn comments_are_not_mixed_with_fixes() {
    let repo = blocked();
    let before = repo.read(MODELS);
    let said = ends(&repo, &["fix", "--ignore", "--unsafe-fixes", "--staged"], 2);
    assert!(
        said.contains("'--ignore[=<RULE>]' cannot be used with '--unsafe-fixes'"),
        "{said}"
    );
    let said = ends(&repo, &["fix", "--ignore", "unnamed-drop"], 2);
    assert!(
        said.contains("`unnamed-drop` is a rule and no path: `fix --ignore=unnamed-drop`"),
        "{said}"
    );
    assert_eq!(repo.read(MODELS), before);
    // `check` means by `--ignore` what it always did.
    ends(
        &repo,
        &[
            "check",
            "--fix",
            "--unsafe-fixes",
            "--staged",
            "--ignore",
            "missing-naming-convention",
        ],
        0,
    );
    assert_eq!(repo.read(MODELS), before);
}

#[test]
fn only_reported_lines_get_comments() {
    let repo = Repo::new();
    let old = "from alembic import op\nrevision = 'a'\ndown_revision = None\n\n\ndef upgrade():\n    op.create_unique_constraint(None, 't', ['a'])\n";
    let path = "migrations/versions/a.py";
    repo.stage(path, old);
    repo.commit("first");
    let new = "    op.create_unique_constraint(None, 't', ['b'])";
    repo.stage(path, format!("{old}{new}\n"));
    let arguments = ["fix", "--ignore", "--restage", "--changed-lines-only"];
    ends(&repo, &arguments, 0);
    let comment = "  # alembic-named: ignore[unnamed-constraint]";
    assert_eq!(repo.read(path), format!("{old}{new}{comment}\n"));
    ends(&repo, &arguments, 0);
    assert_eq!(repo.read(path), format!("{old}{new}{comment}\n"));
}

/// `PATH` without the program, wherever this machine has it.
fn path_without_program() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let has_none = |folder: &std::path::PathBuf| !folder.join("alembic-named").exists();
    std::env::join_paths(std::env::split_paths(&path).filter(has_none)).unwrap()
}

/// What `install` says on standard error, and that it installed the hook.
#[track_caller]
fn installs(repo: &Repo) -> String {
    let output = repo.command(PROGRAM).arg("install").output().unwrap();
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
    ends(&repo, &["fix", "--ignore", "--restage"], 0);
    assert!(!installs(&repo).contains("naming convention"));
    repo.stage(MODELS, BASE);
    repo.stage(
        "alembic-named.toml",
        "severity = { missing-naming-convention = 'warning' }\n",
    );
    assert!(!installs(&repo).contains("naming convention"));
    repo.stage("alembic-named.toml", "exclude = ['app']\n");
    assert!(!installs(&repo).contains("naming convention"));
    // Nor is somebody told who only asks what would be written.
    repo.stage("alembic-named.toml", "");
    let said = ends(&repo, &["install", "--dry-run"], 0);
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
        let said = ends(&repo, &["install"], 2);
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(said.contains(LINE.trim_end()), "{said}");
        assert_eq!(repo.read(".husky/pre-commit"), script);
        // What an older one left behind is not called installed.
        let left = with_husky(&with_line);
        let told = words(&left.command(PROGRAM).arg("install").output().unwrap());
        // Behind `||` it is taken for the project's own condition.
        let is_choice = script.ends_with("||\n");
        assert!(is_choice || !told.contains("Nothing to do"), "{script}: {told}");
        assert!(!told.contains("Added") || !passes(&left), "{told}");

        let above = number_behind(&said, "above line ");
        let mut lines: Vec<&str> = script.split_inclusive('\n').collect();
        lines.insert(above - 1, LINE);
        repo.write(".husky/pre-commit", lines.concat());
        assert!(!passes(&repo), "{said}");
        let said = ends(&repo, &["install"], 0);
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
        let said = ends(&repo, &["install"], 0);
        assert!(said.contains("Added alembic-named to "), "{script}: {said}");
        assert!(!passes(&repo), "{script}");
        assert!(ends(&repo, &["install"], 0).contains("Nothing to do"), "{script}");
        ends(&repo, &["uninstall"], 0);
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

/// The value of a key of a hook in `.pre-commit-hooks.yaml`.
fn of_hook(id: &str, key: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let hook = text
        .split("\n- id: ")
        .find(|hook| hook.lines().next() == Some(id))
        .unwrap();
    let line = hook
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{key}: ")));
    line.unwrap().to_owned()
}

#[test]
fn the_hook_that_fixes_gets_the_commit_through() {
    let id = alembic_named::typed::FIXING_HOOK;
    assert_eq!(of_hook(id, "stages"), "[manual]");
    assert_eq!(
        of_hook(id, "language"),
        of_hook("alembic-named-system", "language").replace("system", "rust")
    );
    let entry = of_hook(id, "entry");
    let (program, arguments) = entry.split_once(' ').unwrap();
    assert_eq!(program, "alembic-named");
    let repo = Repo::new();
    repo.stage("README.md", "");
    repo.commit("first");
    repo.hook("pre-commit", &format!("exec '{PROGRAM}' check --staged"));
    let file = "migrations/versions/a.py";
    repo.stage(file, migration(UNNAMED));
    // pre-commit adds the names of the files that are staged.
    let arguments: Vec<&str> = arguments.split(' ').chain([file]).collect();
    let said = ends(&repo, &arguments, 1);
    assert!(
        said.contains("stage it again: git add migrations/versions/a.py"),
        "{said}"
    );
    repo.git(&["add", file]);
    commits(&repo);
}

/// As pre-commit 4.7 and prek 0.5 start what they installed: the folder of the program is in `PATH`, for the hook alone.
#[test]
fn a_printed_command_can_be_typed_outside_of_the_hook() {
    let repo = blocked();
    let bin = repo.join("cache/repo1/rustenv-default/bin");
    std::fs::create_dir_all(&bin).unwrap();
    // By another process: a file that this one has open for writing cannot be run while another test starts a program.
    let copied = repo.command("cp").arg(PROGRAM).arg(bin.join("alembic-named")).status();
    assert!(copied.unwrap().success());
    let typed = |folders: &[&std::path::Path]| {
        let path = std::env::join_paths(folders).unwrap();
        let output = repo
            .command(bin.join("alembic-named"))
            .args(["fix", "--ignore", "--diff"])
            .env("PRE_COMMIT", "1")
            .env("PATH", path)
            .output();
        let said = words(&output.unwrap());
        let (_, command) = said
            .split_once("write these comments: ")
            .unwrap_or_else(|| panic!("{said}"));
        command.trim().to_owned()
    };
    let own = std::path::Path::new(PROGRAM).parent().unwrap();
    assert_eq!(typed(&[&bin, own]), "alembic-named fix --ignore --staged");
    let command = typed(&[&bin]);
    assert_eq!(
        command,
        format!("{} fix --ignore --staged", bin.join("alembic-named").display())
    );
    let output = repo.command("sh").args(["-c", &command]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    repo.git(&["add", MODELS]);
    commits(&repo);
}
