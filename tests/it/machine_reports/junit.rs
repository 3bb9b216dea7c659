//! JUnit, as a reader of XML takes it.

use std::collections::HashSet;

use super::{ODD, ODDER, failing, odd, report, situations, warning};
use crate::support::{NAMED, Repo, UNNAMED, staged};
use roxmltree::{Document, Node};

fn cases<'d>(document: &'d Document<'_>) -> Vec<Node<'d, 'd>> {
    let all = document.descendants();
    all.filter(|node| node.has_tag_name("testcase")).collect()
}

fn inside<'n>(case: Node<'n, 'n>, name: &str) -> Option<Node<'n, 'n>> {
    case.children().find(|node| node.has_tag_name(name))
}

#[test]
fn junit_reads_a_test_for_every_finding_and_every_clean_file() {
    insta::assert_snapshot!(report(&staged(UNNAMED), "junit", 1), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="alembic-named" tests="2" failures="2" errors="0" skipped="0">
        <testcase classname="migrations/versions/add_invoice.py" name="unnamed-constraint: foreign key `order.invoice_id` has no name" file="migrations/versions/add_invoice.py">
          <failure type="unnamed-constraint" message="foreign key `order.invoice_id` has no name">migrations/versions/add_invoice.py:11:5: foreign key `order.invoice_id` has no name: Alembic never learns the name it gets&#10;help: name it in both functions: `fk_order_invoice_id_invoice`</failure>
        </testcase>
        <testcase classname="migrations/versions/add_invoice.py" name="unnamed-drop: foreign key `order.invoice_id` is dropped without its name" file="migrations/versions/add_invoice.py">
          <failure type="unnamed-drop" message="foreign key `order.invoice_id` is dropped without its name">migrations/versions/add_invoice.py:15:5: foreign key `order.invoice_id` is dropped without its name: this downgrade fails: it does not say which constraint&#10;help: name it in both functions: `fk_order_invoice_id_invoice`</failure>
        </testcase>
        <system-out>1 file checked: 2 errors, both fixable</system-out>
      </testsuite>
    </testsuites>
    "#);
    insta::assert_snapshot!(report(&staged(NAMED), "junit", 0), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="alembic-named" tests="1" failures="0" errors="0" skipped="0">
        <testcase classname="migrations/versions/add_invoice.py" name="nothing found" file="migrations/versions/add_invoice.py"/>
        <system-out>1 file checked, nothing found</system-out>
      </testsuite>
    </testsuites>
    "#);
    insta::assert_snapshot!(report(&failing(), "junit", 2), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="alembic-named" tests="2" failures="0" errors="1" skipped="0">
        <testcase classname="migrations/versions/add_invoice.py" name="nothing found" file="migrations/versions/add_invoice.py"/>
        <testcase classname="alembic-named" name="could not be checked (1)">
          <error type="failure" message="`migrations/latin.py` is not UTF-8 (byte 433): save it as UTF-8, or exclude it">`migrations/latin.py` is not UTF-8 (byte 433): save it as UTF-8, or exclude it</error>
        </testcase>
        <system-out>1 file checked, nothing found; 1 file could not be checked</system-out>
      </testsuite>
    </testsuites>
    "#);
    insta::assert_snapshot!(report(&Repo::new(), "junit", 0), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="alembic-named" tests="0" failures="0" errors="0" skipped="0">
        <system-out>0 files checked: nothing new or changed is staged</system-out>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn junit_counts_what_it_holds() {
    for (name, repo, status) in situations() {
        let text = report(&repo, "junit", status);
        let document = Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let suite = document
            .descendants()
            .find(|node| node.has_tag_name("testsuite"))
            .unwrap();
        let cases = cases(&document);
        let holding = |tag: &str| {
            cases
                .iter()
                .filter(|case| inside(**case, tag).is_some())
                .count()
                .to_string()
        };
        assert_eq!(suite.attribute("tests"), Some(&*cases.len().to_string()), "{name}");
        assert_eq!(suite.attribute("failures"), Some(&*holding("failure")), "{name}");
        assert_eq!(suite.attribute("errors"), Some(&*holding("error")), "{name}");
        let identities: HashSet<_> = cases
            .iter()
            .map(|case| (case.attribute("classname"), case.attribute("name")))
            .collect();
        assert_eq!(identities.len(), cases.len(), "{name}: {text}");
    }
}

#[test]
fn junit_keeps_every_name_and_fails_no_test_for_a_warning() {
    let text = report(&odd(), "junit", 1);
    let document = Document::parse(&text).unwrap();
    let written: HashSet<&str> = cases(&document)
        .iter()
        .map(|case| case.attribute("classname").unwrap())
        .collect();
    assert_eq!(written, HashSet::from([ODD, ODDER]));
    let first = cases(&document)
        .into_iter()
        .find(|case| case.attribute("classname") == Some(ODD))
        .unwrap();
    let said = inside(first, "failure").unwrap().text().unwrap();
    assert!(said.starts_with(&format!("{ODD}:7:12: ")), "{said}");

    let text = report(&warning(), "junit", 0);
    let document = Document::parse(&text).unwrap();
    let case = cases(&document)[0];
    assert!(inside(case, "failure").is_none());
    let said = inside(case, "system-out").unwrap().text().unwrap();
    assert!(said.starts_with("warning: migrations/versions/add_invoice.py:18:"), "{said}");
}
