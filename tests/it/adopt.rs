//! `adopt`: what it writes, onto what, and what it refuses. What the revision does is shown on real databases (tests/e2e/adopt).

mod printed;
mod refusals;

use std::fs;

use crate::support::{BASE, MODELS, Repo, said};

const VERSIONS: &str = "migrations/versions";
const INI: &str = "[alembic]\nscript_location = migrations\n";
const ENV: &str = "from alembic import context\nfrom app.models import Base\n\ntarget_metadata = Base.metadata\ncontext.configure(target_metadata=target_metadata)\n";
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
    holds(&repo.read(MODELS), &["NAMING_CONVENTION = {", "\"ck\": ", "naming_convention=NAMING_CONVENTION"]);
    let revision = repo.read(&path);
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
        ["  alembic check", "  alembic upgrade head", "Next, on a copy of a live database first:"]
    );

    // Again, and committed with the hook.
    let again = said(repo.tool(&["adopt"]), 0);
    holds(&again.out, &["nothing is left to do"]);
    assert_eq!(repo.read(&path), revision);
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
    holds(&shown.out, &["--- a/app/models.py\n", "--- /dev/null\n+++ b/migrations/versions/"]);
    holds(&shown.err, &["alembic upgrade head"]);
    one.write(".git/shown.diff", &shown.out);
    one.git(&["apply", ".git/shown.diff"]);
    let (path, _) = adopted(&other, &[]);
    for path in [MODELS, &path] {
        assert_eq!(one.read(path), other.read(path));
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
    holds(&repo.read(&path), &["    \"fk\": \"%(table_name)s_to_%(referred_table_name)s\",\n"]);
    let repo = farm();
    let (path, _) = adopted(&repo, &["--convention", "postgresql"]);
    holds(&repo.read(&path), &["    \"pk\": \"%(table_name)s_pkey\",\n"]);
    assert!(!repo.read(MODELS).contains("\"ck\""));
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
        (repo.read(&path), told)
    };
    for (models, revision, place) in [
        ("\nA = CheckConstraint('year > 0')\n", "", "app/models.py:7"),
        ("\nA = CheckConstraint('year > 0', name=NAME)\n", "", "app/models.py:7"),
        ("\nA = CheckConstraint('year > 0', name='ck_goat_year')\n", "", "app/models.py:7"),
        ("", "    op.create_check_constraint(None, 'goat', 'id > 0')\n", "migrations/versions/a1_goats.py:13"),
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
        ("\nA = CheckConstraint('year > 0', name='year_ok')\n", "CHECKS = (\n    \"year_ok\",\n)\n"),
        ("\nA = CheckConstraint('year > 0', name=conv('ck_goat_year'))\n", "CHECKS = ()\n"),
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
    holds(&repo.read(&path), &[kept]);
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
        repo.write("migrations/versions/a1_goats.py", FIRST.replace("op.create_table('goat'", &table));
        commit(&repo);
        let (path, _) = adopted(&repo, &[]);
        repo.read(&path)
    };
    let numbers = "NUMBERS = {\n    (\"t\", \"a\"): 2,\n    (\"t\", \"z\"): 1,\n}\n";
    holds(&numbered("mysql+pymysql://h/d", "", "psycopg2"), &[numbers]);
    holds(&numbered("driver://h/d", ", schema='s'", ""), &["    (\"s.t\", \"a\"): 2,\n"]);
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
        let text = repo.read(&path);
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
        ("truncate_slug_length = 12\n", first, "migrations/versions/ID_adopt_the_.py"),
        ("version_locations = one two\n", "two/a1.py", "two/ID_adopt_the_naming_convention.py"),
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
    let dated = place(&format!("{INI}file_template = %%(year)d/%%(month).2d-%%(rev)s\n"), "", first);
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
    for (path, text) in [("other/env.py", ENV), ("other/script.py.mako", ""), ("other/versions/a1.py", FIRST)] {
        repo.write(path, text);
    }
    commit(&repo);
    holds(&refused(&repo, &[]), &["several Alembic environments", "--environment (`migrations`, `other`)"]);
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
    holds(&refused(&repo, &["--environment", "a"]), &["no Alembic environment was found in `a`"]);
}

#[test]
fn a_convention_that_is_there_is_taken_as_it_is() {
    let repo = farm();
    let models = "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n\nNAMES = {\"pk\": \"pk_%(table_name)s\", \"uq\": None}\n\n\nclass Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NAMES)\n";
    holds(&refused(&repo, &["--revision-only"]), &["has no naming convention"]);
    repo.write(MODELS, models);
    commit(&repo);
    holds(&refused(&repo, &[]), &["`app/models.py:4` has a naming convention", "--revision-only"]);
    let (path, _) = adopted(&repo, &["--revision-only"]);
    holds(&repo.read(&path), &["CONVENTION = {\n    \"pk\": \"pk_%(table_name)s\",\n    \"uq\": None,\n}\n"]);
    assert_eq!(repo.read(MODELS), models);
    holds(&said(repo.tool(&["adopt", "--revision-only"]), 0).out, &["nothing is left to do"]);
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
    let clash = said(repo.tool(&["adopt", "--revision-only", "--convention", "sqlalchemy"]), 2);
    holds(&clash.err, &["cannot be used with"]);
}

#[test]
fn the_only_head_is_built_on() {
    let repo = farm();
    repo.write("migrations/versions/b1.py", "revision = 'b1'\ndown_revision = None\n");
    commit(&repo);
    holds(&refused(&repo, &[]), &["several heads (`a1`, `b1`)", "`alembic merge heads`"]);
    repo.write("migrations/versions/c1.py", "revision = 'c1'\ndown_revision = ('a1', 'b1')\n");
    commit(&repo);
    let (path, _) = adopted(&repo, &[]);
    holds(&repo.read(&path), &["\ndown_revision = \"c1\"\n"]);

    let repo = farm();
    repo.write("migrations/versions/b1.py", "revision = 'b1'\ndown_revision = LAST\n");
    commit(&repo);
    holds(&refused(&repo, &[]), &["what `migrations/versions/b1.py` builds on is computed"]);

    // Without any, the convention is all there is to do.
    let repo = farm();
    fs::remove_file(repo.join("migrations/versions/a1_goats.py")).unwrap();
    commit(&repo);
    let told = said(repo.tool(&["adopt"]), 0).out;
    holds(&told, &["there is no revision yet", "  git add app/models.py && git commit"]);
    assert_eq!(repo.git(&["status", "--porcelain"]).trim(), "M app/models.py");
}
