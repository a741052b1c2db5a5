"""Versions in words, for whoever shows them."""

import json
import subprocess
import sys
from typing import Any

import pytest

from heptad.core.identity import acting_as
from heptad.release.describe import decision_lines, history_lines, version_facts, version_line


@pytest.fixture
def release(house: Any) -> Any:
    release = house.with_gates("roc_auc >= 0.6", approvals=1)
    with acting_as("user:ann"):
        for candidate in (house.weak, house.good):
            release.register(candidate, house.with_gates().decide(candidate))
        with acting_as("user:bob"):
            release.approve(1, "I read the card.")
        release.promote(1, "It is the first.")
    return release


def test_a_version_in_one_line(release: Any) -> None:
    """What a list shows: number, aliases, status, estimator, figure, when, and how many approved."""
    line = version_line(release.version(1))
    assert (line.version, line.aliases, line.status, line.estimator) == ("m@1", "champion", "registered", "baseline")
    assert (line.metric, line.registered, line.approvals) == ("roc_auc", "2026-01-01 00:00", 1)
    assert version_line(release.version(2)).aliases == ""


def test_the_facts_of_a_version_come_in_order(release: Any) -> None:
    """From what it is to why it was let in and who approved."""
    details = release.show(1)
    facts = version_facts(details)
    assert [label for label, _ in facts] == [
        "version",
        "status",
        "registered",
        "estimator",
        "roc_auc",
        "data",
        "decision",
        "package",
        "approved by",
    ]
    texts = dict(facts)
    assert texts["status"] == "registered, champion"
    assert texts["registered"] == "2026-01-01 00:00 UTC by user:ann"
    assert texts["estimator"] == "baseline, its defaults"
    assert texts["approved by"] == "user:bob: I read the card."
    assert details.decision.id in texts["decision"]
    assert dict(version_facts(release.show(2)))["estimator"] == "linear, penalty = 1"


def test_the_history_says_who_did_what_and_why(release: Any) -> None:
    """One line an act, oldest first, those of other versions left out."""
    with acting_as("user:ann"), acting_as("user:bob"):
        release.approve(2, "I read that card too.")
        release.promote(2, "It is better.")
        release.rollback("It answers too slowly.")
    assert history_lines(release.show(1).history) == [
        "2026-01-01 00:00  m@1 registered by user:ann",
        "2026-01-01 00:00  m@1 approved by user:bob: I read the card.",
        "2026-01-01 00:00  m@1 promoted by user:ann: It is the first.",
        "2026-01-01 00:00  m@1 made champion again in place of m@2 by user:bob: It answers too slowly.",
    ]
    assert history_lines(release.show(2).history)[-1] == (
        "2026-01-01 00:00  m@2 promoted in place of m@1 by user:bob: It is better."
    )


def test_a_decision_has_a_line_for_each_gate(house: Any) -> None:
    """Gates that fail stand out."""
    decision = house.with_gates("roc_auc >= 0.6", "roc_auc >= 0.999").decide(house.good).body
    lines = decision_lines(decision)
    assert lines[0].startswith("holds  parity: The exported model agrees")
    assert lines[1].startswith("holds  roc_auc >= 0.6: roc_auc is")
    assert lines[2].startswith("FAILS  roc_auc >= 0.999: ")


SHOW = """
import json, sys
from pathlib import Path
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.release import show_version
from heptad.data import to_markdown
details = show_version(open_workspace(Path(sys.argv[1]), "m", StoreSettings()), "", "champion")
print(json.dumps([to_markdown(details.card)[:20], sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_showing_a_version_loads_nothing_that_trains(release: Any, house: Any) -> None:
    """It is read off the records: no tables, no models, no keys."""
    command = [sys.executable, "-c", SHOW, str(house.workspace.root)]
    shown, loaded = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert shown.startswith("# Model card of m@1")
    assert {"polars", "numpy", "onnxruntime", "sklearn", "lightgbm", "cryptography", "deltalake"} & set(loaded) == set()
