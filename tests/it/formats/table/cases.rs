//! The repositories of the table.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::{
    Built, Case, attributes, change_unborn, changed, cloned, conflict, extension, holding, linked, long, made,
    variables, with_submodule,
};
use crate::formats::{change, started};
use crate::support::Repo;

pub(super) const CASES: &[Case] = &[
    ("index version 2", || changed(|repo| repo.git(&["update-index", "--index-version=2"]))),
    ("index version 3 (extended flags)", || {
        changed(|repo| repo.git(&["update-index", "--skip-worktree", "c.py"]))
    }),
    ("index version 4", || changed(|repo| repo.git(&["update-index", "--index-version=4"]))),
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
    ("chmod", || changed(|repo| repo.git(&["update-index", "--chmod=+x", "plain"]))),
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
    ("split index", || changed(|repo| repo.git(&["update-index", "--split-index"]))),
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
    ("packed references", || changed(|repo| repo.git(&["pack-refs", "--all"]))),
    ("all packed", || changed(|repo| repo.git(&["gc", "--quiet", "--prune=now"]))),
    ("commit graph", || changed(|repo| repo.git(&["commit-graph", "write", "--reachable"]))),
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
    ("cruft pack", || changed(|repo| repo.git(&["repack", "--quiet", "--cruft", "-d"]))),
    ("linked worktree", || linked(&[])),
    ("linked worktree with its own configuration", || linked(&["extensions.worktreeConfig"])),
    ("linked worktree, relative links", || {
        let built = linked(&[])?;
        let name = built.folder.file_name()?.to_str()?.to_owned();
        std::fs::write(built.folder.join(".git"), format!("gitdir: ../.git/worktrees/{name}\n")).unwrap();
        std::fs::write(built.repo.join(".git/worktrees").join(&name).join("gitdir"), format!("../../../{name}/.git\n"))
            .unwrap();
        Some(built)
    }),
    ("extensions.relativeWorktrees", || extension("relativeWorktrees", "true")),
    ("extensions.preciousObjects", || extension("preciousObjects", "true")),
    ("extensions.compatObjectFormat", || extension("compatObjectFormat", "sha256")),
    ("an unknown extension", || extension("neverHeardOf", "true")),
    ("an unknown extension, format 0", || {
        changed(|repo| repo.git(&["config", "extensions.neverHeardOf", "true"]))
    }),
    ("format 2", || changed(|repo| repo.git(&["config", "core.repositoryFormatVersion", "2"]))),
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
    ("detached HEAD", || changed(|repo| repo.git(&["checkout", "--quiet", "--detach"]))),
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
        attributes("* text=auto\n*.py eol=lf\n", b"one\r\ntwo\r\n", &[("core.autocrlf", "true")])
    }),
    ("working-tree-encoding", || {
        attributes("*.py working-tree-encoding=UTF-16LE\n", b"x\0=\0\x31\0\n\0", &[])
    }),
    ("a clean filter", || {
        attributes("*.py filter=upper\n", b"x = 1\n", &[("filter.upper.clean", "tr a-z A-Z")])
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
            let names = ["GIT~1/x.py", "x/.git./y.py", "x/.git /y.py", "x/.git::$INDEX_ALLOCATION/y.py"];
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
    ("all deleted", || changed(|repo| repo.git(&["rm", "-r", "--quiet", "--cached", "."]))),
    ("a folder renamed", || changed(|repo| repo.git(&["mv", "pkg", "package"]))),
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
    ("git -c", || Some(variables()?.with("GIT_CONFIG_PARAMETERS", "'core.ignorecase'='true'"))),
    ("GIT_CEILING_DIRECTORIES", || {
        let built = variables()?;
        let above = built.repo.path().parent()?.to_owned();
        Some(built.in_folder("pkg").with("GIT_CEILING_DIRECTORIES", above))
    }),
    ("GIT_DISCOVERY_ACROSS_FILESYSTEM", || {
        Some(variables()?.with("GIT_DISCOVERY_ACROSS_FILESYSTEM", "true"))
    }),
    ("GIT_DEFAULT_HASH", || Some(variables()?.with("GIT_DEFAULT_HASH", "sha256"))),
    ("GIT_LITERAL_PATHSPECS", || Some(variables()?.with("GIT_LITERAL_PATHSPECS", "1"))),
];
