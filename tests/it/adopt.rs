//! `adopt`: what it writes, onto what, and what it refuses. What the revision does is shown on real databases (tests/e2e/adopt).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Repo, said};

const MODELS: &str = "app/models.py";
const VERSIONS: &str = "migrations/versions";
const INI: &str = "[alembic]\nscript_location = migrations\n";
const ENV: &str = "from alembic import context\nfrom app.models import Base\n\ntarget_metadata = Base.metadata\ncontext.configure(target_metadata=target_metadata)\n";
const BASE: &str = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n";
const FIRST: &str = "from alembic import op\nimport sqlalchemy as sa\n\nrevision = 'a1'\ndown_revision = None\n\n\ndef upgrade():\n    op.create_table('goat', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('tag', sa.String(9), unique=True))\n\n\ndef downgrade():\n    op.drop_table('goat')\n";

/// A committed project with one revision.
fn farm() -> Repo {
    let repo = Repo::new();
    for (path, text) in [
        ("alembic.ini", INI),
        ("migrations/env.py", ENV),
        ("app/__init__.py", ""),
        (MODELS, BASE),
        ("migrations/versions/a1_goats.py", FIRST),
    ] {
        repo.write(path, text);
    }
    commit(&repo);
    repo
}

fn commit(repo: &Repo) {
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--message", "farm"]);
}

fn read(repo: &Repo, path: &str) -> String {
    fs::read_to_string(repo.join(path)).unwrap()
}

/// The file that a run made, and what it said.
fn adopted(repo: &Repo, options: &[&str]) -> (String, String) {
    let said = said(repo.tool(&[&["adopt"], options].concat()), 0);
    let status = repo.git(&["status", "--porcelain", "--untracked-files=all"]);
    let new = status.lines().find_map(|line| line.strip_prefix("?? "));
    (new.expect("a revision").to_owned(), said.out)
}

/// The sentence of a refusal, after which everything is as it was.
#[track_caller]
fn refused(repo: &Repo, options: &[&str]) -> String {
    let before = repo.git(&["status", "--porcelain", "--untracked-files=all", "--ignored"]);
    let said = said(repo.tool(&[&["adopt"], options].concat()), 2);
    let after = repo.git(&["status", "--porcelain", "--untracked-files=all", "--ignored"]);
    assert_eq!(after, before);
    assert_eq!(said.out, "");
    assert_eq!(said.err.trim_end().lines().count(), 1, "{}", said.err);
    said.err
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn the_convention_and_the_revision_are_written() {
    let repo = farm();
    let (path, told) = adopted(&repo, &[]);
    holds(
        &read(&repo, MODELS),
        &[
            "NAMING_CONVENTION = {",
            "\"ck\": ",
            "naming_convention=NAMING_CONVENTION",
        ],
    );
    let revision = read(&repo, &path);
    let id = &path[VERSIONS.len() + 1..][..12];
    assert_eq!(path, format!("{VERSIONS}/{id}_adopt_the_naming_convention.py"));
    holds(
        &revision,
        &[
            &format!("\nrevision = \"{id}\"\ndown_revision = \"a1\"\n"),
            "    \"fk\": \"fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s\",\n",
            "KEPT = ()\n",
            "CHECKS = ()\n",
            "NUMBERS = {}\n",
        ],
    );
    // As formatters leave it.
    assert!(revision.is_ascii() && revision.lines().all(|line| line.len() <= 88 && line.trim_end() == line));
    assert!(!revision.contains('$') && revision.contains("SELECT @@SESSION."));
    let imports: Vec<&str> = revision.lines().filter(|line| line.contains("import ")).collect();
    assert_eq!(imports, ["import sqlalchemy as sa", "from alembic import op, util"]);
    let next: Vec<&str> = told.lines().rev().take(4).collect();
    holds(next[0], &["  git add app/models.py ", &path, " && git commit"]);
    assert_eq!(
        next[1..],
        [
            "  alembic check",
            "  alembic upgrade head",
            "Next, on a copy of a live database first:"
        ]
    );

    // Again, and committed with the hook.
    let again = said(repo.tool(&["adopt"]), 0);
    holds(&again.out, &["nothing is left to do"]);
    assert_eq!(read(&repo, &path), revision);
    said(repo.tool(&["install"]), 0);
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--message", "adopt"]);
    holds(&said(repo.tool(&["adopt"]), 0).out, &["nothing is left to do"]);
}

#[test]
fn a_dry_run_shows_it_as_git_apply_reads_it() {
    let (one, other) = (farm(), farm());
    let shown = said(one.tool(&["adopt", "--dry-run"]), 0);
    assert_eq!(one.git(&["status", "--porcelain"]), "");
    holds(
        &shown.out,
        &["--- a/app/models.py\n", "--- /dev/null\n+++ b/migrations/versions/"],
    );
    holds(&shown.err, &["alembic upgrade head"]);
    one.write(".git/shown.diff", &shown.out);
    one.git(&["apply", ".git/shown.diff"]);
    let (path, _) = adopted(&other, &[]);
    for path in [MODELS, &path] {
        assert_eq!(read(&one, path), read(&other, path));
    }
}

#[test]
fn the_convention_is_the_one_that_is_asked_for() {
    let repo = farm();
    repo.write(
        "alembic-named.toml",
        "convention = { fk = \"%(table_name)s_to_%(referred_table_name)s\", ix = \"ix_%(column_0_label)s\" }\n",
    );
    commit(&repo);
    let (path, _) = adopted(&repo, &[]);
    holds(
        &read(&repo, &path),
        &["    \"fk\": \"%(table_name)s_to_%(referred_table_name)s\",\n"],
    );
    let repo = farm();
    let (path, _) = adopted(&repo, &["--convention", "postgresql"]);
    holds(&read(&repo, &path), &["    \"pk\": \"%(table_name)s_pkey\",\n"]);
    assert!(!read(&repo, MODELS).contains("\"ck\""));
}

#[test]
fn checks_are_left_out_where_they_would_fail_or_be_in_doubt() {
    let with = |models: &str, revision: &str| {
        let repo = farm();
        repo.write(MODELS, format!("{BASE}{models}"));
        repo.write(
            "migrations/versions/a1_goats.py",
            FIRST.replace("    op.drop_table", &format!("{revision}    op.drop_table")),
        );
        commit(&repo);
        let (path, told) = adopted(&repo, &[]);
        (read(&repo, &path), told)
    };
    for (models, revision, place) in [
        ("\nA = CheckConstraint('year > 0')\n", "", "app/models.py:7"),
        ("\nA = CheckConstraint('year > 0', name=NAME)\n", "", "app/models.py:7"),
        (
            "\nA = CheckConstraint('year > 0', name='ck_goat_year')\n",
            "",
            "app/models.py:7",
        ),
        (
            "",
            "    op.create_check_constraint(None, 'goat', 'id > 0')\n",
            "migrations/versions/a1_goats.py:13",
        ),
        (
            "",
            "    op.drop_constraint('year_ok', 'goat', type_='check')\n",
            "migrations/versions/a1_goats.py:13",
        ),
    ] {
        let (text, told) = with(models, revision);
        assert!(!text.contains("\"ck\":"), "{models}{revision}");
        holds(&told, &["`ck` is left out of the convention", place]);
        holds(&text, &["CHECKS = ()\n"]);
    }
    for (models, checks) in [
        (
            "\nA = CheckConstraint('year > 0', name='year_ok')\n",
            "CHECKS = (\n    \"year_ok\",\n)\n",
        ),
        (
            "\nA = CheckConstraint('year > 0', name=conv('ck_goat_year'))\n",
            "CHECKS = ()\n",
        ),
        (
            "\nA = Enum('kid', 'doe', name='kind', native_enum=False, create_constraint=True)\nB = CheckConstraint('a', name='\\'\"\\\\\u{fc}\u{1f410}')\n",
            "CHECKS = (\n    \"'\\\"\\\\\\u00fc\\U0001f410\",\n    \"kind\",\n)\n",
        ),
    ] {
        let (text, told) = with(models, "");
        holds(&text, &["\"ck\":", checks]);
        assert!(!told.contains("`ck`"), "{told}");
    }
}

#[test]
fn names_that_somebody_chose_are_kept() {
    let repo = farm();
    let models = "
A = UniqueConstraint('tag', name='goat_tag_key')
B = ForeignKey('goat.id', name='goat_ibfk_7')
C = UniqueConstraint('tag', 'year', name='tag')
D = Index('year_2', 'year')
E = UniqueConstraint('tag', name='one_tag')
F = UniqueConstraint('tag', name=conv('uq_goat_tag'))
";
    repo.write(MODELS, format!("{BASE}{models}"));
    let more = "    op.create_foreign_key(op.f('fk_goat_mother_goat'), 'goat', 'goat', ['mother'], ['id'])\n    op.create_unique_constraint('goat_name_key', 'goat', ['name'])\n";
    repo.write(
        "migrations/versions/a1_goats.py",
        FIRST.replace("\n\ndef downgrade", &format!("{more}\n\ndef downgrade")),
    );
    commit(&repo);
    let (path, _) = adopted(&repo, &[]);
    let kept = "KEPT = (\n    \"fk_goat_mother_goat\",\n    \"goat_ibfk_7\",\n    \"goat_tag_key\",\n    \"tag\",\n    \"uq_goat_tag\",\n    \"year_2\",\n)\n";
    holds(&read(&repo, &path), &[kept]);
}

/// Run on MariaDB 10.11 in tests/e2e/adopt.
#[test]
fn keys_that_are_not_in_order_have_their_numbers_written() {
    let columns = "sa.Column('z', sa.Integer()), sa.Column('a', sa.Integer()), sa.ForeignKeyConstraint(['z'], ['r.id']), sa.ForeignKeyConstraint(['a'], ['r.id'])";
    let numbered = |url: &str, schema: &str, requirements: &str| {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}sqlalchemy.url = {url}\n"));
        repo.write("requirements.txt", requirements);
        let table = format!("op.create_table('t', {columns}{schema})\n    op.create_table('goat'");
        repo.write(
            "migrations/versions/a1_goats.py",
            FIRST.replace("op.create_table('goat'", &table),
        );
        commit(&repo);
        let (path, _) = adopted(&repo, &[]);
        read(&repo, &path)
    };
    let numbers = "NUMBERS = {\n    (\"t\", \"a\"): 2,\n    (\"t\", \"z\"): 1,\n}\n";
    holds(&numbered("mysql+pymysql://h/d", "", "psycopg2"), &[numbers]);
    holds(
        &numbered("driver://h/d", ", schema='s'", ""),
        &["    (\"s.t\", \"a\"): 2,\n"],
    );
    holds(&numbered("postgresql://h/d", "", ""), &["NUMBERS = {}\n"]);
    holds(&numbered("driver://h/d", "", "psycopg2"), &["NUMBERS = {}\n"]);
    holds(&numbered("driver://h/d", "", "psycopg2\npymysql"), &[numbers]);
}

#[test]
fn old_revisions_that_fail_on_a_new_database_are_told() {
    let repo = farm();
    let second = "from alembic import op\n\nrevision = 'b2'\ndown_revision = 'a1'\n\n\ndef upgrade():\n    op.drop_constraint('goat_tag_key', 'goat', type_='unique')\n\n\ndef downgrade():\n    op.create_unique_constraint('goat_tag_key', 'goat', ['tag'])\n";
    repo.write("migrations/versions/b2_tags.py", second);
    // Silenced for a commit, it fails all the same.
    repo.write("alembic-named.toml", "ignore = [\"default-name-dependency\"]\n");
    commit(&repo);
    let (_, told) = adopted(&repo, &[]);
    holds(
        &told,
        &[
            "these old revisions fail on every new database:\n  migrations/versions/b2_tags.py:8: ",
            "goat_tag_key",
            "uq_goat_tag",
        ],
    );
    let (_, told) = adopted(&farm(), &[]);
    assert!(!told.contains("old revisions"), "{told}");
}

#[test]
fn the_file_goes_where_the_configuration_says() {
    let place = |ini: &str, pyproject: &str, first: &str| {
        let repo = farm();
        repo.write("alembic.ini", ini);
        repo.write("pyproject.toml", pyproject);
        fs::remove_file(repo.join("migrations/versions/a1_goats.py")).unwrap();
        repo.write(first, FIRST);
        commit(&repo);
        let (path, _) = adopted(&repo, &[]);
        let text = read(&repo, &path);
        let id = text.split("revision = \"").nth(1).unwrap().split('"').next().unwrap();
        path.replace(id, "ID")
    };
    let first = "migrations/versions/a1_goats.py";
    for (options, file, expected) in [
        (
            "file_template = %%(slug)s-%%(rev)s\n",
            first,
            "migrations/versions/adopt_the_naming_convention-ID.py",
        ),
        (
            "truncate_slug_length = 12\n",
            first,
            "migrations/versions/ID_adopt_the_.py",
        ),
        (
            "version_locations = one two\n",
            "two/a1.py",
            "two/ID_adopt_the_naming_convention.py",
        ),
        (
            "path_separator = os\nversion_locations = %(here)s/one:%(here)s/two\n",
            "one/deep/a1.py",
            "one/ID_adopt_the_naming_convention.py",
        ),
    ] {
        assert_eq!(place(&format!("{INI}{options}"), "", file), expected, "{options}");
    }
    let pyproject = "[tool.alembic]\nscript_location = \"%(here)s/migrations\"\nversion_locations = [\"%(here)s/two\"]\nfile_template = \"%%(rev)s\"\n";
    assert_eq!(place("[alembic]\n", pyproject, "two/a1.py"), "two/ID.py");
    let dated = place(
        &format!("{INI}file_template = %%(year)d/%%(month).2d-%%(rev)s\n"),
        "",
        first,
    );
    let (year, rest) = dated
        .strip_prefix("migrations/versions/")
        .unwrap()
        .split_once('/')
        .unwrap();
    assert!(
        year.parse::<u32>().unwrap() > 2020 && rest.ends_with("-ID.py") && rest.len() == "07-ID.py".len(),
        "{dated}"
    );
}

#[test]
fn one_environment_is_meant() {
    let repo = farm();
    for (path, text) in [
        ("other/env.py", ENV),
        ("other/script.py.mako", ""),
        ("other/versions/a1.py", FIRST),
    ] {
        repo.write(path, text);
    }
    commit(&repo);
    holds(
        &refused(&repo, &[]),
        &["several Alembic environments", "--environment (`migrations`, `other`)"],
    );
    holds(
        &refused(&repo, &["--environment", "app"]),
        &["`app` holds no `env.py` of Alembic", "`migrations`, `other`"],
    );
    holds(&refused(&repo, &["missing"]), &["`missing` does not exist"]);
    let shown = said(repo.tool(&["adopt", "--dry-run", "--environment", "other"]), 0);
    holds(&shown.out, &["+++ b/other/versions/"]);
    let (path, _) = adopted(&repo, &["migrations"]);
    assert!(path.starts_with(VERSIONS));

    // From inside the project, commands are told as they are typed there.
    let repo = farm();
    let told = said(repo.tool_in("app", &["adopt"]), 0).out;
    holds(
        &told,
        &[
            "models.py: the metadata has",
            "  alembic -c ../alembic.ini upgrade head\n",
            "  git add models.py ../migrations/versions/",
        ],
    );

    let repo = Repo::new();
    repo.write("a.py", "x = 1\n");
    commit(&repo);
    holds(&refused(&repo, &[]), &["no Alembic environment was found in `.`"]);
    holds(
        &refused(&repo, &["--environment", "a"]),
        &["no Alembic environment was found in `a`"],
    );
}

#[test]
fn a_metadata_that_cannot_be_told_is_refused() {
    for (env, parts) in [
        (
            ENV.replace("Base.metadata", "None"),
            &["`migrations/env.py` hands no metadata to Alembic"][..],
        ),
        (
            ENV.replace("Base.metadata", "load()"),
            &["cannot be told (", "--revision-only"],
        ),
        (
            ENV.replace("Base.metadata", "[Base.metadata, Base.metadata]"),
            &["hands several metadata"],
        ),
    ] {
        let repo = farm();
        repo.write("migrations/env.py", env);
        commit(&repo);
        holds(&refused(&repo, &[]), parts);
    }
    let repo = farm();
    repo.write("migrations/script.py.mako", "def upgrade(engine_name):\n    pass\n");
    commit(&repo);
    holds(&refused(&repo, &[]), &["for several databases at once"]);
    for (models, sentence) in [
        (
            "from sqlalchemy import MetaData\nBase = Thing(metadata=MetaData())\n",
            "cannot be told",
        ),
        (
            "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=load())\n",
            "cannot be read",
        ),
        (
            "from sqlalchemy.orm import DeclarativeBase\nNAMING_CONVENTION = 1\nclass Base(DeclarativeBase):\n    pass\n",
            "cannot be written into `app/models.py` by itself",
        ),
    ] {
        let repo = farm();
        repo.write(MODELS, models);
        commit(&repo);
        holds(&refused(&repo, &[]), &[sentence]);
    }
}

#[test]
fn a_convention_that_is_there_is_taken_as_it_is() {
    let repo = farm();
    let models = "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n\nNAMES = {\"pk\": \"pk_%(table_name)s\", \"uq\": None}\n\n\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NAMES)\n";
    holds(&refused(&repo, &["--revision-only"]), &["has no naming convention"]);
    repo.write(MODELS, models);
    commit(&repo);
    holds(
        &refused(&repo, &[]),
        &["`app/models.py:4` has a naming convention", "--revision-only"],
    );
    let (path, _) = adopted(&repo, &["--revision-only"]);
    holds(
        &read(&repo, &path),
        &["CONVENTION = {\n    \"pk\": \"pk_%(table_name)s\",\n    \"uq\": None,\n}\n"],
    );
    assert_eq!(read(&repo, MODELS), models);
    holds(
        &said(repo.tool(&["adopt", "--revision-only"]), 0).out,
        &["nothing is left to do"],
    );
    // Another convention wants another revision.
    repo.write(MODELS, models.replace("pk_%", "key_%"));
    commit(&repo);
    let (second, _) = adopted(&repo, &["--revision-only"]);
    assert_ne!(second, path);

    let repo = farm();
    repo.write(MODELS, models.replace("None", "name_of"));
    repo.write("app/name_of.py", "");
    commit(&repo);
    holds(&refused(&repo, &["--revision-only"]), &["cannot be read"]);
    let clash = said(
        repo.tool(&["adopt", "--revision-only", "--convention", "sqlalchemy"]),
        2,
    );
    holds(&clash.err, &["cannot be used with"]);
}

#[test]
fn the_only_head_is_built_on() {
    let repo = farm();
    repo.write("migrations/versions/b1.py", "revision = 'b1'\ndown_revision = None\n");
    commit(&repo);
    holds(
        &refused(&repo, &[]),
        &["several heads (`a1`, `b1`)", "`alembic merge heads`"],
    );
    repo.write(
        "migrations/versions/c1.py",
        "revision = 'c1'\ndown_revision = ('a1', 'b1')\n",
    );
    commit(&repo);
    let (path, _) = adopted(&repo, &[]);
    holds(&read(&repo, &path), &["\ndown_revision = \"c1\"\n"]);

    let repo = farm();
    repo.write("migrations/versions/b1.py", "revision = 'b1'\ndown_revision = LAST\n");
    commit(&repo);
    holds(
        &refused(&repo, &[]),
        &["what `migrations/versions/b1.py` builds on is computed"],
    );

    // Without any, the convention is all there is to do.
    let repo = farm();
    fs::remove_file(repo.join("migrations/versions/a1_goats.py")).unwrap();
    commit(&repo);
    let told = said(repo.tool(&["adopt"]), 0).out;
    holds(
        &told,
        &["there is no revision yet", "  git add app/models.py && git commit"],
    );
    assert_eq!(repo.git(&["status", "--porcelain"]).trim(), "M app/models.py");
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let repo = farm();
    let versions = repo.join(VERSIONS);
    fs::set_permissions(&versions, fs::Permissions::from_mode(0o555)).unwrap();
    holds(
        &refused(&repo, &[]),
        &["migrations/versions` is read-only", "chmod u+w"],
    );
    fs::set_permissions(&versions, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(repo.join(MODELS), fs::Permissions::from_mode(0o444)).unwrap();
    holds(&refused(&repo, &[]), &["app/models.py` is read-only"]);
    fs::set_permissions(repo.join(MODELS), fs::Permissions::from_mode(0o644)).unwrap();

    repo.write("alembic.ini", format!("{INI}version_locations = /elsewhere\n"));
    commit(&repo);
    holds(
        &refused(&repo, &[]),
        &["the revisions lie in `/elsewhere`, outside of `"],
    );
    repo.write("alembic.ini", format!("{INI}file_template = %%(message)s\n"));
    commit(&repo);
    holds(&refused(&repo, &[]), &["`file_template` is `%(message)s`"]);
    repo.write("alembic.ini", format!("{INI}file_template = a1_goats\n"));
    commit(&repo);
    holds(
        &refused(&repo, &[]),
        &["`migrations/versions/a1_goats.py` is there already"],
    );
}

#[test]
fn a_file_template_that_gives_no_fit_name_is_refused() {
    let slashes = "%%(rev)s/".repeat(20) + "a";
    for (template, reason) in [
        ("%%(epoch)0100000d", "more than 20 digits"),
        ("%%(epoch)065000d", "more than 20 digits"),
        ("%%(epoch).21d", "more than 20 digits"),
        ("%%(epoch)099999999999999999999999d", "more than 20 digits"),
        (&"a".repeat(198), "more than 200 bytes"),
        (&slashes, "more than 200 bytes"),
        ("a\u{1b}b", "characters that are not seen"),
        ("a\u{202e}b", "characters that are not seen"),
    ] {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}file_template = {template}\n"));
        commit(&repo);
        for options in [&["--dry-run"][..], &[]] {
            let error = refused(&repo, options);
            holds(&error, &["`file_template` is `", reason, "`%(rev)s_%(slug)s`"]);
            assert!(error.len() < 300, "{error}");
        }
    }
    let repo = farm();
    repo.write(
        "alembic.ini",
        format!("{INI}file_template = {}%%(epoch)020d\n", "a".repeat(177)),
    );
    commit(&repo);
    let (path, _) = adopted(&repo, &[]);
    assert_eq!(path.len(), VERSIONS.len() + 1 + 200);
}

/// All files with their content, git's own as well.
fn everything(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            found.push((path, Vec::new()));
        } else if path.is_dir() {
            found.extend(everything(&path));
            found.push((path, Vec::new()));
        } else if path.file_name().is_some_and(|name| name != "index") {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

/// A refusal after which no file is another, git's own included.
#[track_caller]
fn refused_to_the_byte(repo: &Repo, parts: &[&str]) {
    let before = everything(repo.path());
    for options in [&["--dry-run"][..], &[]] {
        holds(&refused(repo, options), parts);
    }
    assert_eq!(everything(repo.path()), before);
}

#[test]
fn a_file_template_does_not_lead_out_of_the_folder_of_revisions() {
    for (template, path) in [
        ("../../.git/hooks/evil", "migrations/versions/../../.git/hooks/evil.py"),
        ("../evil", "migrations/versions/../evil.py"),
        ("x/../../versions/evil", "migrations/versions/x/../../versions/evil.py"),
        ("/tmp/evil", "/tmp/evil.py"),
        ("../../../evil", "migrations/versions/../../../evil.py"),
    ] {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}file_template = {template}\n"));
        commit(&repo);
        refused_to_the_byte(
            &repo,
            &[
                &format!("`{path}`"),
                "folder of revisions `migrations/versions`",
                "`..`",
            ],
        );
    }
    for template in [
        ".git/hooks/evil",
        ".GIT/evil",
        "a/.Git/evil",
        ".git./evil",
        "git~1/evil",
    ] {
        let repo = farm();
        repo.write("alembic.ini", format!("{INI}file_template = {template}\n"));
        commit(&repo);
        refused_to_the_byte(
            &repo,
            &[&format!("`migrations/versions/{template}.py`"), "git's own folder"],
        );
    }
}

#[test]
fn a_linked_folder_does_not_lead_out_of_the_folder_of_revisions() {
    let elsewhere = tempfile::tempdir().unwrap();
    let repo = farm();
    repo.write("alembic.ini", format!("{INI}file_template = deep/%%(rev)s\n"));
    commit(&repo);
    let link = repo.join("migrations/versions/deep");
    for (target, parts) in [
        (
            elsewhere.path().to_owned(),
            &["the revisions lie in `", "outside of `"][..],
        ),
        (
            repo.join("app"),
            &[
                "`migrations/versions/deep/",
                "folder of revisions `migrations/versions`",
            ],
        ),
        (
            repo.join(".git/hooks"),
            &["`migrations/versions/deep", "git's own folder"],
        ),
        (repo.join("nowhere"), &["`migrations/versions/deep", "leads nowhere"]),
    ] {
        symlink(target, &link).unwrap();
        refused_to_the_byte(&repo, parts);
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    // One that stays is followed.
    fs::create_dir(repo.join("migrations/versions/real")).unwrap();
    symlink("real", &link).unwrap();
    said(repo.tool(&["adopt"]), 0);
    assert_eq!(fs::read_dir(repo.join("migrations/versions/real")).unwrap().count(), 1);
}

#[test]
fn a_folder_of_revisions_behind_a_link_out_is_refused() {
    // What is in it is not read: it would look as if there were no revision yet.
    let elsewhere = tempfile::tempdir().unwrap();
    for target in [elsewhere.path().join("versions"), "/nowhere/at/all".into()] {
        let repo = farm();
        fs::create_dir_all(elsewhere.path().join("versions")).unwrap();
        let versions = repo.join(VERSIONS);
        fs::rename(
            versions.join("a1_goats.py"),
            elsewhere.path().join("versions/a1_goats.py"),
        )
        .unwrap();
        fs::remove_dir(&versions).unwrap();
        symlink(&target, &versions).unwrap();
        commit(&repo);
        let parts = if target.exists() {
            ["the revisions lie in `", "outside of `"]
        } else {
            ["`migrations/versions` is a symbolic link that leads nowhere", ": "]
        };
        refused_to_the_byte(&repo, &parts);
        assert_eq!(fs::read_dir(elsewhere.path().join("versions")).unwrap().count(), 1);
    }
    // Within the repository it is one like any other.
    let repo = farm();
    fs::rename(repo.join(VERSIONS), repo.join("history")).unwrap();
    symlink("../history", repo.join(VERSIONS)).unwrap();
    commit(&repo);
    said(repo.tool(&["adopt"]), 0);
    assert_eq!(fs::read_dir(repo.join("history")).unwrap().count(), 2);
}

#[test]
fn git_s_own_folder_is_kept_clear_wherever_it_is() {
    // Of a linked working tree both its own and the one that is shared lie elsewhere; here they are within.
    let repo = Repo::none();
    repo.git(&["init", "--quiet", "--separate-git-dir=meta", "tree"]);
    let main = Repo::at(repo.join("tree"));
    for (path, text) in [
        ("alembic.ini", INI),
        ("migrations/env.py", ENV),
        ("app/__init__.py", ""),
        (MODELS, BASE),
        ("migrations/versions/a1_goats.py", FIRST),
    ] {
        main.write(path, text);
    }
    commit(&main);
    main.git(&["worktree", "add", "--quiet", "../linked"]);
    let linked = Repo::at(repo.join("linked"));
    fs::rename(repo.join("meta"), linked.join("meta")).unwrap();
    let meta = linked.join("meta");
    fs::write(main.join(".git"), format!("gitdir: {}\n", meta.display())).unwrap();
    fs::write(
        linked.join(".git"),
        format!("gitdir: {}/worktrees/linked\n", meta.display()),
    )
    .unwrap();
    fs::write(meta.join("info/exclude"), "meta\n").unwrap();
    let versions = linked.join("migrations/versions/deep");
    linked.write("alembic.ini", format!("{INI}file_template = deep/%%(rev)s\n"));
    commit(&linked);
    for target in [meta.join("hooks"), meta.join("worktrees/linked")] {
        symlink(&target, &versions).unwrap();
        refused_to_the_byte(&linked, &["`migrations/versions/deep", "git's own folder"]);
        fs::remove_file(&versions).unwrap();
    }
    said(linked.tool(&["adopt"]), 0);
}

#[test]
fn what_a_repository_holds_does_not_steer_the_terminal() {
    const HOSTILE: &str = "\u{1b}]0;x\u{9b}2J\u{202e}";
    let folder = format!("m{HOSTILE}");
    let second = format!(
        "from alembic import op\n\nrevision = 'b{HOSTILE}'\ndown_revision = 'a1'\n\n\ndef upgrade():\n    op.drop_constraint('goat_tag_key', 'goat', type_='unique')\n\n\ndef downgrade():\n    op.create_unique_constraint('goat_tag_key', 'goat', ['tag'])\n"
    );
    let hostile = || {
        let repo = farm();
        fs::rename(repo.join("migrations"), repo.join(&folder)).unwrap();
        repo.write("alembic.ini", format!("[alembic]\nscript_location = {folder}\n"));
        repo.write(format!("{folder}/versions/b2.py"), &second);
        commit(&repo);
        repo
    };
    // Told, shown as a diff with colour, and refused.
    let told = hostile();
    let shown = hostile();
    let heads = hostile();
    heads.write(
        format!("{folder}/versions/c3.py"),
        second.replace("revision = 'b", "revision = 'c"),
    );
    for (repo, options, status) in [
        (&shown, &["--dry-run"][..], 0),
        (&told, &[], 0),
        (&heads, &[], 2),
        (&told, &["--environment", "app"], 2),
    ] {
        for variables in [&[][..], &[("CLICOLOR_FORCE", "1")]] {
            if variables.is_empty() && status == 0 && !options.is_empty() {
                // A program gets a diff to the byte.
                continue;
            }
            if !variables.is_empty() && options.is_empty() && status == 0 {
                repo.git(&["checkout", "--quiet", "."]);
                repo.git(&["clean", "--quiet", "--force", "-d"]);
            }
            let mut command = repo.tool(&[&["adopt"], options].concat());
            command.envs(variables.iter().copied());
            let said = said(command, status);
            let all = format!("{}{}", said.out, said.err);
            holds(&all, &["\\x1b]0;x", "\\u202e"]);
            let is_style = |rest: &str| {
                let rest =
                    rest.trim_start_matches(|letter: char| letter == '[' || letter == ';' || letter.is_ascii_digit());
                rest.starts_with('m')
            };
            assert!(all.split('\u{1b}').skip(1).all(is_style), "{all:?}");
            assert!(!all.contains(['\u{9b}', '\u{202e}']), "{all:?}");
        }
    }
}
