"""Results as JUnit XML: parsed by anybody, whatever stands in the data."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from heptad.data import Checked, Finding, junit_xml

AT = datetime(2026, 1, 1, tzinfo=UTC)


def checked(*findings: Finding, samples: dict[int, list[dict[str, object]]] | None = None) -> Checked:
    return Checked(what="flights@1", at=AT, rows=3, findings=list(findings), samples=samples or {})


def found(text: str = "x", severity: str = "error", *, passed: bool = False) -> Finding:
    return Finding(expectation="min", column=text, severity=severity, passed=passed, sentence=text, about=text)


def test_errors_fail_and_warnings_are_skipped_with_why() -> None:
    """So that CI is red exactly where the command ends with exit code 1."""
    result = checked(found(), found("w", "warning"), found("i", "info"), found(passed=True), samples={0: [{"k": 1}]})
    suite = ET.fromstring(junit_xml(result)).find("testsuite")
    assert suite is not None
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("error: x", "x\nk=1")


@given(st.text(max_size=20))
def test_any_text_makes_xml(text: str) -> None:
    """Control signs that XML cannot hold are replaced; nothing becomes markup."""
    result = checked(found(text), samples={0: [{text: text}]})
    cases = ET.fromstring(junit_xml(result)).findall("testsuite/testcase")
    assert len(cases) == 1
    assert len(cases[0]) == 1
