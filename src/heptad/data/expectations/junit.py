"""The results of a check as JUnit XML, which CI systems show as tests."""

import re
from xml.etree import ElementTree as ET

from heptad.data.expectations.checking import Checked
from heptad.data.records import Finding

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, however they are written."""


def junit_xml(checked: Checked) -> str:
    """One test for each expectation: a broken `error` fails, a broken `warning` or `info` is skipped with why."""
    failures = [one for one in checked.findings if not one.passed and one.severity == "error"]
    skipped = [one for one in checked.findings if not one.passed and one.severity != "error"]
    counts = {"tests": str(len(checked.findings)), "failures": str(len(failures)), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": _text(checked.what),
            **counts,
            "skipped": str(len(skipped)),
            "timestamp": f"{checked.at:%Y-%m-%dT%H:%M:%S}",
        },
    )
    for place, finding in enumerate(checked.findings):
        case = ET.SubElement(suite, "testcase", {"classname": _text(checked.what), "name": _text(_name(finding))})
        if finding.passed:
            continue
        said = _text(f"{finding.severity}: {finding.sentence}")
        tag = "failure" if finding.severity == "error" else "skipped"
        told = ET.SubElement(case, tag, {"message": said})
        if tag == "failure":
            told.set("type", finding.expectation)
        told.text = _text("\n".join([*([finding.about] * bool(finding.about)), *_rows(checked, place)]))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _name(finding: Finding) -> str:
    """Several expectations of one column may have one name, and differ in the rows that they look at."""
    where = f"where {finding.where}" if finding.where else ""
    return " ".join(one for one in (finding.column, finding.expectation, finding.expected, where) if one)


def _rows(checked: Checked, place: int) -> list[str]:
    return [", ".join(f"{name}={value}" for name, value in row.items()) for row in checked.samples.get(place, [])]


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
