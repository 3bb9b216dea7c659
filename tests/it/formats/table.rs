//! One table of every kind of repository, with a column for each way to what is staged.
//!
//! Every repository is built with the installed git, and every way must give the files that `git diff --cached` gives:
//! status, path and object. What the installed git is too old to build is said aloud.

use std::fmt::Write as _;
use std::io::Write as _;

use super::*;

/// A repository and how it is called.
struct Built {
    repo: Repo,
    /// What it needs to stay alive: other repositories, temporary folders.
    #[allow(dead_code, reason = "they are kept, not read")]
    others: Vec<Repo>,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl From<Repo> for Built {
    fn from(repo: Repo) -> Self {
        Self {
            folder: repo.path().to_owned(),
            repo,
            others: Vec::new(),
            variables: Vec::new(),
        }
    }
}

impl Built {
    fn beside(mut self, other: Repo) -> Self {
        self.others.push(other);
        self
    }

    fn with(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.variables
            .push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = self.repo.join(folder);
        self
    }
}

type Case = (&'static str, fn() -> Option<Built>);

/// What is staged: the files, and the paths in conflict.
type Answer = (Vec<Record>, Vec<RepoPath>);

const CASES: &[Case] = &[
    ("index version 2", || {
        changed(|repo| repo.git(&["update-index", "--index-version=2"]))
    }),
    ("index version 3 (extended flags)", || {
        changed(|repo| repo.git(&["update-index", "--skip-worktree", "c.py"]))
    }),
    ("index version 4", || {
        changed(|repo| repo.git(&["update-index", "--index-version=4"]))
    }),
    ("core.fileMode=false", || {
        changed(|repo| {
            repo.git(&["config", "core.fileMode", "false"]);
            repo.git(&["update-index", "--chmod=+x", "c.py"])
        })
    }),
    ("symbolic links", || {
        changed(|repo| {
            symlink("plain", repo.join("link.py")).unwrap();
            repo.git(&["add", "link.py"])
        })
    }),
    ("a file becomes a link", || {
        changed(|repo| {
            std::fs::remove_file(repo.join("c.py")).unwrap();
            symlink("plain", repo.join("c.py")).unwrap();
            repo.git(&["add", "c.py"])
        })
    }),
    ("a link becomes a file", || {
        let repo = started();
        symlink("plain", repo.join("was.py")).unwrap();
        repo.git(&["add", "was.py"]);
        repo.commit("link");
        std::fs::remove_file(repo.join("was.py")).unwrap();
        repo.stage("was.py", "x\n");
        Some(repo.into())
    }),
    ("chmod", || {
        changed(|repo| repo.git(&["update-index", "--chmod=+x", "plain"]))
    }),
    ("modes of an old git (100664)", || {
        let repo = Repo::new();
        let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x\n");
        let rows = format!("100664 blob {id}\ta.py\n100640 blob {id}\tb.py\n");
        let tree = repo.git_with_input(&["mktree"], rows.as_bytes());
        let commit = repo.git(&["commit-tree", "-m", "old", &tree]);
        repo.git(&["update-ref", "refs/heads/main", &commit]);
        repo.git(&["read-tree", "HEAD"]);
        repo.stage("b.py", "y\n");
        Some(repo.into())
    }),
    ("split index", || {
        changed(|repo| repo.git(&["update-index", "--split-index"]))
    }),
    ("sparse checkout, full index", || {
        changed(|repo| repo.git(&["sparse-checkout", "set", "--cone", "--no-sparse-index", "new"]))
    }),
    ("sparse index", || {
        let repo = started();
        repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "new"]);
        repo.stage("new/n.py", "new\n");
        let entries = repo.try_git(&["ls-files", "--sparse"]).stdout;
        entries.windows(5).any(|part| part == b"pkg/\n").then(|| repo.into())
    }),
    ("untracked cache", || {
        holding("UNTR", |repo| {
            repo.git(&["update-index", "--force-untracked-cache"]);
            repo.git(&["status"])
        })
    }),
    ("fsmonitor extension", || {
        holding("FSMN", |repo| {
            repo.hook("monitor", "printf 'token\\0/\\0'");
            repo.git(&["config", "core.fsmonitor", ".git/hooks/monitor"]);
            repo.git(&["update-index", "--fsmonitor"])
        })
    }),
    ("end of entries and offset table", || {
        holding("EOIE", |repo| {
            repo.git(&["config", "index.threads", "4"]);
            repo.git(&["config", "index.recordEndOfIndexEntries", "true"]);
            repo.git(&["config", "index.recordOffsetTable", "true"]);
            repo.stage("again.py", "x\n")
                .git(&["update-index", "--force-write-index"])
        })
    }),
    ("resolve-undo", || {
        let built = conflict()?;
        built
            .repo
            .stage("a.py", "resolved\n")
            .stage("both.py", "resolved\n")
            .stage("gone.py", "resolved\n");
        Some(built)
    }),
    ("index.skipHash", || {
        let repo = started();
        repo.git(&["config", "index.skipHash", "true"]);
        change(&repo);
        let index = std::fs::read(repo.join(".git/index")).unwrap();
        index.ends_with(&[0; 20]).then(|| repo.into())
    }),
    ("feature.manyFiles", || {
        let repo = started();
        repo.git(&["config", "feature.manyFiles", "true"]);
        change(&repo);
        Some(repo.into())
    }),
    ("intent-to-add, new", || {
        changed(|repo| {
            repo.write("later.py", "x\n");
            repo.git(&["add", "--intent-to-add", "later.py"])
        })
    }),
    ("intent-to-add, in HEAD", || {
        changed(|repo| {
            repo.git(&["rm", "--quiet", "--cached", "c.py"]);
            repo.git(&["add", "--intent-to-add", "c.py"])
        })
    }),
    ("skip-worktree", || {
        changed(|repo| repo.git(&["update-index", "--skip-worktree", "a.py", "new/n.py"]))
    }),
    ("assume-unchanged", || {
        changed(|repo| repo.git(&["update-index", "--assume-unchanged", "a.py", "new/n.py"]))
    }),
    ("SHA-256", || made(&["--object-format=sha256"])),
    ("reftable", || made(&["--ref-format=reftable"])),
    ("partial clone", || cloned(&["--filter=blob:none"])),
    ("partial clone, extensions.partialClone", || {
        let built = cloned(&["--filter=blob:none"])?;
        built.repo.git(&["config", "core.repositoryFormatVersion", "1"]);
        built.repo.git(&["config", "extensions.partialClone", "origin"]);
        Some(built)
    }),
    ("partial clone without trees, nothing staged", || {
        let built = cloned(&["--filter=tree:0"])?;
        built.repo.git(&["reset", "--quiet"]);
        Some(built)
    }),
    ("shallow clone", || cloned(&["--depth=1"])),
    ("clone with alternates", || cloned(&["--shared"])),
    ("packed references", || {
        changed(|repo| repo.git(&["pack-refs", "--all"]))
    }),
    ("all packed", || {
        changed(|repo| repo.git(&["gc", "--quiet", "--prune=now"]))
    }),
    ("commit graph", || {
        changed(|repo| repo.git(&["commit-graph", "write", "--reachable"]))
    }),
    ("multi-pack index", || {
        changed(|repo| {
            repo.git(&["repack", "--quiet", "-d"]);
            repo.stage("more.py", "x\n");
            repo.git(&["repack", "--quiet", "-d"]);
            repo.git(&["multi-pack-index", "write"])
        })
    }),
    ("pack index version 1", || {
        changed(|repo| {
            repo.git(&["config", "pack.indexVersion", "1"]);
            repo.git(&["repack", "--quiet", "-a", "-d"])
        })
    }),
    ("cruft pack", || {
        changed(|repo| repo.git(&["repack", "--quiet", "--cruft", "-d"]))
    }),
    ("linked worktree", || linked(&[])),
    ("linked worktree with its own configuration", || {
        linked(&["extensions.worktreeConfig"])
    }),
    ("linked worktree, relative links", || {
        let built = linked(&[])?;
        let name = built.folder.file_name()?.to_str()?.to_owned();
        std::fs::write(built.folder.join(".git"), format!("gitdir: ../.git/worktrees/{name}\n")).unwrap();
        std::fs::write(
            built.repo.join(".git/worktrees").join(&name).join("gitdir"),
            format!("../../../{name}/.git\n"),
        )
        .unwrap();
        Some(built)
    }),
    ("extensions.relativeWorktrees", || {
        extension("relativeWorktrees", "true")
    }),
    ("extensions.preciousObjects", || extension("preciousObjects", "true")),
    ("extensions.compatObjectFormat", || {
        extension("compatObjectFormat", "sha256")
    }),
    ("an unknown extension", || extension("neverHeardOf", "true")),
    ("an unknown extension, format 0", || {
        changed(|repo| repo.git(&["config", "extensions.neverHeardOf", "true"]))
    }),
    ("format 2", || {
        changed(|repo| repo.git(&["config", "core.repositoryFormatVersion", "2"]))
    }),
    ("no index", || {
        changed(|repo| {
            std::fs::remove_file(repo.join(".git/index")).unwrap();
            String::new()
        })
    }),
    ("an index of no bytes", || {
        changed(|repo| {
            std::fs::write(repo.join(".git/index"), "").unwrap();
            String::new()
        })
    }),
    ("an index with a wrong checksum", || {
        changed(|repo| {
            let mut index = std::fs::read(repo.join(".git/index")).unwrap();
            *index.last_mut().unwrap() ^= 1;
            std::fs::write(repo.join(".git/index"), index).unwrap();
            String::new()
        })
    }),
    ("detached HEAD", || {
        changed(|repo| repo.git(&["checkout", "--quiet", "--detach"]))
    }),
    ("no commit yet", || {
        let repo = Repo::new();
        change_unborn(&repo);
        Some(repo.into())
    }),
    ("no commit yet on a renamed branch", || {
        let repo = started();
        repo.git(&["checkout", "--quiet", "--orphan", "other/name"]);
        change_unborn(&repo);
        Some(repo.into())
    }),
    ("nothing staged", || Some(started().into())),
    ("git replace", || {
        let repo = started();
        let first = repo.git(&["rev-parse", "HEAD"]);
        change(&repo);
        let second = repo.commit("second");
        repo.git(&["replace", &second, &first]);
        Some(repo.into())
    }),
    (".git is a file", || {
        let repo = started();
        change(&repo);
        let away = Repo::new();
        let target = away.join("moved");
        std::fs::rename(repo.join(".git"), &target).unwrap();
        std::fs::write(repo.join(".git"), format!("gitdir: {}\n", target.display())).unwrap();
        Some(Built::from(repo).beside(away))
    }),
    (".git is a link", || {
        let repo = started();
        change(&repo);
        let away = Repo::new();
        let target = away.join("moved");
        std::fs::rename(repo.join(".git"), &target).unwrap();
        symlink(&target, repo.join(".git")).unwrap();
        Some(Built::from(repo).beside(away))
    }),
    ("core.worktree", || {
        let repo = started();
        change(&repo);
        std::fs::create_dir(repo.join("else where")).unwrap();
        repo.git(&["config", "core.worktree", "../else where"]);
        let git_dir = repo.join(".git");
        Some(Built::from(repo).in_folder("else where").with("GIT_DIR", git_dir))
    }),
    ("inside a submodule", || Some(with_submodule().in_folder("sub"))),
    ("around a submodule", || Some(with_submodule())),
    ("a submodule that .gitmodules says to ignore", || {
        let built = with_submodule();
        built
            .repo
            .git(&["config", "-f", ".gitmodules", "submodule.sub.ignore", "all"]);
        built.repo.git(&["add", ".gitmodules"]);
        Some(built)
    }),
    ("a repository inside another", || {
        let repo = started();
        repo.git(&["init", "--quiet", "inner"]);
        let inner = Repo::at(repo.join("inner"));
        inner.stage("x.py", "x\n");
        change(&repo);
        Some(Built::from(repo).in_folder("inner"))
    }),
    ("a submodule in place of a file", || {
        changed(|repo| {
            let commit = repo.git(&["rev-parse", "HEAD"]);
            repo.git(&["update-index", "--cacheinfo", &format!("160000,{commit},c.py")])
        })
    }),
    ("conflicts (both changed, both added, one deleted)", conflict),
    ("CRLF and eol", || {
        attributes(
            "* text=auto\n*.py eol=lf\n",
            b"one\r\ntwo\r\n",
            &[("core.autocrlf", "true")],
        )
    }),
    ("working-tree-encoding", || {
        attributes("*.py working-tree-encoding=UTF-16LE\n", b"x\0=\0\x31\0\n\0", &[])
    }),
    ("a clean filter", || {
        attributes(
            "*.py filter=upper\n",
            b"x = 1\n",
            &[("filter.upper.clean", "tr a-z A-Z")],
        )
    }),
    ("a pointer of git LFS", || {
        changed(|repo| {
            let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n";
            repo.stage(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
                .stage("model.bin", pointer);
            String::new()
        })
    }),
    ("odd names", || {
        changed(|repo| {
            let names: [&[u8]; 12] = [
                b"with space.py",
                b"quo\"te.py",
                b"new\nline.py",
                b"tab\t.py",
                b"back\\slash.py",
                b"*.py",
                b"-dash.py",
                b"CON",
                b"\xff\xfe.py",
                "nfc-\u{e9}.py".as_bytes(),
                "nfd-e\u{301}.py".as_bytes(),
                b"UPPER.py",
            ];
            for name in names {
                repo.stage(std::ffi::OsStr::from_bytes(name), name);
            }
            String::new()
        })
    }),
    ("a rename of case only", || {
        changed(|repo| {
            repo.git(&["config", "core.ignorecase", "true"]);
            repo.git(&["mv", "-f", "c.py", "C.py"])
        })
    }),
    ("core.ignorecase with mixed case", || {
        changed(|repo| {
            repo.stage("Zeta.py", "x\n")
                .stage("alpha.py", "x\n")
                .stage("Beta/x.py", "x\n")
                .stage("beta2/x.py", "x\n");
            repo.git(&["config", "core.ignorecase", "true"])
        })
    }),
    ("paths of 605 and 4,095 bytes", || long(&[605, 4095], 2)),
    ("a path of 4,201 bytes", || long(&[4201], 2)),
    ("a path of 4,201 bytes, version 4", || long(&[4201], 4)),
    ("names that are not for NTFS", || {
        changed(|repo| {
            repo.git(&["config", "core.protectNTFS", "false"]);
            let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x\n");
            let names = [
                "GIT~1/x.py",
                "x/.git./y.py",
                "x/.git /y.py",
                "x/.git::$INDEX_ALLOCATION/y.py",
            ];
            let rows: String = names
                .iter()
                .fold(String::new(), |rows, name| rows + &format!("100644 {id}\t{name}\n"));
            repo.git_with_input(&["update-index", "--index-info"], rows.as_bytes())
        })
    }),
    ("500 new files", || {
        changed(|repo| {
            for number in 0..500 {
                repo.write(format!("many/{:02}/{number}.py", number % 30), format!("{number}\n"));
            }
            repo.git(&["add", "many"])
        })
    }),
    ("all deleted", || {
        changed(|repo| repo.git(&["rm", "-r", "--quiet", "--cached", "."]))
    }),
    ("a folder renamed", || {
        changed(|repo| repo.git(&["mv", "pkg", "package"]))
    }),
    ("a file in place of a folder and the reverse", || {
        let repo = started();
        repo.git(&["rm", "-r", "--quiet", "pkg", "a.py"]);
        repo.stage("pkg", "a file\n").stage("a.py/inner.py", "x\n");
        Some(repo.into())
    }),
    ("names around the slash in the order", || {
        let repo = Repo::new();
        for path in ["a/x.py", "a.py", "a-b/x.py", "a0/x.py", "ab"] {
            repo.stage(path, path);
        }
        repo.commit("start");
        for path in ["a/y.py", "a.pyi", "a-b.py", "a0.py", "a-b/x.py"] {
            repo.stage(path, "new\n");
        }
        repo.git(&["rm", "--quiet", "a.py"]);
        Some(repo.into())
    }),
    ("configuration of diffs", || {
        changed(|repo| {
            repo.git(&["config", "diff.ignoreSubmodules", "all"]);
            repo.git(&["config", "diff.noprefix", "true"])
        })
    }),
    ("GIT_DIR and a relative GIT_WORK_TREE", || {
        Some(variables()?.with("GIT_DIR", ".git").with("GIT_WORK_TREE", "."))
    }),
    ("a relative GIT_INDEX_FILE, in a folder", || {
        Some(variables()?.in_folder("pkg").with("GIT_INDEX_FILE", ".git/index"))
    }),
    ("GIT_OBJECT_DIRECTORY", || {
        let built = variables()?;
        let objects = built.repo.join(".git/objects");
        Some(built.with("GIT_OBJECT_DIRECTORY", objects))
    }),
    ("quarantine", || {
        let built = variables()?;
        let objects = built.repo.join(".git/objects");
        let incoming = built.repo.join(".git/objects/incoming");
        std::fs::create_dir(&incoming).unwrap();
        let built = built.with("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
        Some(built.with("GIT_OBJECT_DIRECTORY", incoming))
    }),
    ("GIT_COMMON_DIR", || {
        let built = variables()?;
        let git_dir = built.repo.join(".git");
        Some(built.with("GIT_DIR", &git_dir).with("GIT_COMMON_DIR", &git_dir))
    }),
    ("GIT_NAMESPACE", || Some(variables()?.with("GIT_NAMESPACE", "other"))),
    ("git -c", || {
        Some(variables()?.with("GIT_CONFIG_PARAMETERS", "'core.ignorecase'='true'"))
    }),
    ("GIT_CEILING_DIRECTORIES", || {
        let built = variables()?;
        let above = built.repo.path().parent()?.to_owned();
        Some(built.in_folder("pkg").with("GIT_CEILING_DIRECTORIES", above))
    }),
    ("GIT_DISCOVERY_ACROSS_FILESYSTEM", || {
        Some(variables()?.with("GIT_DISCOVERY_ACROSS_FILESYSTEM", "true"))
    }),
    ("GIT_DEFAULT_HASH", || {
        Some(variables()?.with("GIT_DEFAULT_HASH", "sha256"))
    }),
    ("GIT_LITERAL_PATHSPECS", || {
        Some(variables()?.with("GIT_LITERAL_PATHSPECS", "1"))
    }),
];

/// [`started`] and [`change`], and then something more.
#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn changed(then: impl FnOnce(&Repo) -> String) -> Option<Built> {
    let repo = started();
    change(&repo);
    then(&repo);
    Some(repo.into())
}

fn change_unborn(repo: &Repo) {
    repo.stage("a.py", "a\n").stage("pkg/b.py", "b\n").stage("c.txt", "c\n");
}

/// The same, where the index then has an extension; `None` if this git did not write it.
fn holding(extension: &str, then: impl FnOnce(&Repo) -> String) -> Option<Built> {
    let built = changed(then)?;
    let index = std::fs::read(built.repo.join(".git/index")).unwrap();
    index
        .windows(4)
        .any(|part| part == extension.as_bytes())
        .then_some(built)
}

fn made(arguments: &[&str]) -> Option<Built> {
    let repo = Repo::with(arguments)?;
    start(&repo);
    change(&repo);
    Some(repo.into())
}

fn extension(name: &str, value: &str) -> Option<Built> {
    changed(|repo| {
        repo.git(&["config", "core.repositoryFormatVersion", "1"]);
        repo.git(&["config", &format!("extensions.{name}"), value])
    })
}

#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn cloned(arguments: &[&str]) -> Option<Built> {
    let origin = started();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = Repo::new();
    let url = if arguments.contains(&"--shared") {
        origin.path().display().to_string()
    } else {
        format!("file://{}", origin.path().display())
    };
    clone.git(&[&["clone", "--quiet"], arguments, &[&url, "clone"]].concat());
    let inner = Repo::at(clone.join("clone"));
    inner.git(&["config", "core.autocrlf", "false"]);
    inner.stage("a.py", "changed\n").stage("new/n.py", "new\n");
    let built = Built::from(inner).beside(origin);
    Some(built.beside(clone))
}

#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn linked(settings: &[&str]) -> Option<Built> {
    let repo = started();
    repo.git(&["worktree", "add", "--quiet", "linked", "-b", "linked"]);
    let linked = Repo::at(repo.join("linked"));
    for setting in settings {
        repo.git(&["config", setting, "true"]);
        linked.git(&["config", "--worktree", "core.ignorecase", "false"]);
    }
    change(&linked);
    Some(Built::from(repo).in_folder("linked"))
}

fn with_submodule() -> Built {
    let inner = started();
    let repo = started();
    let file = ["-c", "protocol.file.allow=always"];
    let add = ["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "sub"];
    repo.git(&[&file[..], &add].concat());
    change(&Repo::at(repo.join("sub")));
    Built::from(repo).beside(inner)
}

#[allow(clippy::unnecessary_wraps, reason = "what a case is")]
fn conflict() -> Option<Built> {
    let repo = started();
    repo.stage("gone.py", "x\n");
    repo.commit("more");
    for branch in ["topic", "main"] {
        repo.git(&["checkout", "--quiet", "-B", branch, "HEAD"]);
        if branch == "main" {
            repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        }
        repo.stage("a.py", format!("{branch}\n"))
            .stage("both.py", format!("{branch}\n"));
        if branch == "topic" {
            repo.git(&["rm", "--quiet", "gone.py"]);
        } else {
            repo.stage("gone.py", "kept and changed\n");
        }
        repo.commit(branch);
    }
    repo.try_git(&["merge", "--quiet", "topic"]);
    Some(repo.into())
}

fn attributes(text: &str, content: &[u8], settings: &[(&str, &str)]) -> Option<Built> {
    changed(|repo| {
        for (name, value) in settings {
            repo.git(&["config", name, value]);
        }
        repo.stage(".gitattributes", text).stage("filtered.py", content);
        String::new()
    })
}

fn long(lengths: &[usize], version: u32) -> Option<Built> {
    changed(|repo| {
        repo.git(&["update-index", &format!("--index-version={version}")]);
        let id = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x\n");
        let mut rows = String::new();
        for length in lengths {
            let path = "folder/".repeat((length - 1) / 7);
            let name = "n".repeat(length - path.len());
            writeln!(rows, "100644 {id}\t{path}{name}").unwrap();
        }
        repo.git_with_input(&["update-index", "--index-info"], rows.as_bytes())
    })
}

fn variables() -> Option<Built> {
    changed(|_| String::new())
}

/// What git says; `None` where it refuses.
fn git_says(built: &Built, variables: Variables<'_>) -> Option<Answer> {
    let mut git = Repo::at(&built.folder).command("git");
    let output = git
        .envs(variables.iter().copied())
        .args([
            "diff",
            "--cached",
            "--raw",
            "-z",
            "--no-abbrev",
            "-M",
            "--ignore-submodules=none",
        ])
        .output()
        .unwrap();
    output.status.success().then(|| parse(&output.stdout))
}

fn parse(output: &[u8]) -> Answer {
    let mut unmerged: Vec<RepoPath> = Vec::new();
    let records = records(output, |path| unmerged.push(path));
    unmerged.sort();
    unmerged.dedup();
    (records, unmerged)
}

/// What is said, and by whom; `None` where it is refused.
fn we_say(built: &Built, variables: Variables<'_>) -> Option<(Answer, Backend)> {
    let repository = Repository::discover_in(&environment(variables), &built.folder).ok()??;
    let staged = repository.staged().ok()?;
    let answer = (staged.changes.iter().map(record).collect(), staged.unmerged);
    Some((answer, repository.backend()))
}

/// One cell of the table: who gave the answer; an error where it is not git's.
fn cell(built: &Built, variables: Variables<'_>) -> Result<&'static str, &'static str> {
    match (we_say(built, variables), git_says(built, variables)) {
        (None, None) => Ok("refused"),
        (Some((answer, backend)), Some(expected)) if answer == expected => Ok(match backend {
            Backend::CachedTree => "cached",
            Backend::Libgit2 { .. } => "libgit2",
            Backend::Git { .. } => "git",
        }),
        (None, Some(_)) => Err("REFUSED"),
        // Where git gives up no commit can be made; to say more than git is no harm.
        (Some(_), None) => Ok("beyond"),
        (Some(_), Some(_)) => Err("DIFFERENT"),
    }
}

/// The cell of a copy of the index, of which git must say what it says of the index itself; `-` where there is none to be had.
fn cell_of(copy: Option<Copy>, built: &Built, variables: Variables<'_>) -> Result<&'static str, &'static str> {
    let Some(copy) = copy else { return Ok("-") };
    let of_copy = copy.variables(variables);
    if git_says(built, &of_copy) != git_says(built, variables) {
        return Err("ANOTHER");
    }
    cell(built, &of_copy)
}

#[test]
fn every_format_in_every_way() {
    let mut table = format!(
        "\n{:50} {:9} {:9} {:9} {:9}\n",
        "what git can build", "as it is", "completed", "stripped", "git"
    );
    let (mut built_count, mut right, mut skipped) = (0, 0, Vec::new());
    let mut by = BTreeMap::new();
    for (name, build) in CASES {
        let Some(built) = build() else {
            skipped.push(*name);
            writeln!(table, "{name:50} skipped: the installed git does not build it").unwrap();
            continue;
        };
        let variables: Vec<(&str, &str)> = built
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let cells = [
            cell(&built, &variables),
            cell_of(Copy::completed(&built.folder, &variables), &built, &variables),
            cell_of(Copy::without_cached_tree(&built.folder, &variables), &built, &variables),
            cell(&built, &[variables.as_slice(), &[ASK_GIT]].concat()),
        ];
        built_count += 1;
        right += usize::from(cells.iter().all(Result::is_ok));
        for (at, cell) in cells.iter().enumerate() {
            *by.entry((at, cell.unwrap_or_default())).or_insert(0) += 1;
        }
        let words: Vec<String> = cells
            .iter()
            .map(|cell| format!("{:9}", cell.unwrap_or_else(|wrong| wrong)))
            .collect();
        writeln!(table, "{name:50} {}", words.join(" ").trim_end()).unwrap();
    }
    writeln!(
        table,
        "{right} of {built_count} the same as git, {} skipped {skipped:?}",
        skipped.len()
    )
    .unwrap();
    // Past the test harness, which keeps back what a test that passes prints.
    std::io::stderr().write_all(table.as_bytes()).unwrap();
    assert_eq!(right, built_count);
    // Each way is the one that it should be, but for what libgit2 refuses and for what is no whole index.
    let most = built_count - 20;
    for (at, backend) in [(1, "cached"), (2, "libgit2"), (3, "git")] {
        assert!(by.get(&(at, backend)).is_some_and(|&count| count > most), "{by:?}");
    }
}
