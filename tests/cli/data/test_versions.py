"""`heptad data`: versions are listed, shown and compared."""

from tests.cli.conftest import Shell


def test_versions_are_listed_newest_first(shell: Shell):
    """Each with its rows, labels and id."""
    versions = [one["body"]["version"] for one in shell("data", "log", "--json").json]
    assert versions == sorted(versions, reverse=True)
    assert len(versions) > 1
    assert "labelled" in shell("data", "log").out


def test_a_version_is_shown_with_what_was_done_to_it(shell: Shell):
    """Sources, repairs, findings and columns, on 80 columns."""
    asked = shell("data", "show", "1")
    assert asked.code == 0
    assert "rides@1" in asked.out
    for title in ("Sources", "Repairs", "Findings", "Columns"):
        assert f"{title}\n---" in asked.out
    assert all(len(line) <= 80 for line in asked.out.splitlines())
    assert shell("data", "show", "1", "--json").json["body"]["version"] == 1


def test_two_versions_are_compared(shell: Shell):
    """How many rows came, how many labels became known, how far columns moved."""
    difference = shell("data", "diff", "1", "2", "--json").json
    assert difference["rows_added"] > 0
    assert "rows added" in shell("data", "diff", "1").out


def test_a_version_that_is_not_there_is_an_error(shell: Shell):
    """Exit code 2, with the versions that there are."""
    asked = shell("data", "show", "99")
    assert asked.code == 2
    assert "99" in asked.err


def test_a_project_without_versions_says_how_to_make_one(empty: Shell):
    """The list is not just empty."""
    assert "heptad run" in empty("data", "log").out
