"""An error of a source says which of several sources it is about."""

from pathlib import Path

import pytest

from heptad.core.errors import HeptadError, SettingsError, UnavailableError
from heptad.data import DataSettings, SourceSettings
from heptad.data.sources.naming import called


@pytest.mark.parametrize(("name", "section"), [("orders", "[sources.orders]"), ("two words", '[sources."two words"]')])
def test_the_section_has_the_name_of_the_source(name: str, section: str) -> None:
    """In what is wrong, what is allowed and what to do; trying again stays possible where it was."""
    with pytest.raises(UnavailableError) as caught, called(name):
        raise UnavailableError("[sources.NAME] uri is away.", remedy="[sources.NAME] timeout says how long to wait")
    assert str(caught.value) == f"{section} uri is away.\nRemedy: {section} timeout says how long to wait"
    assert caught.value.args == (f"{section} uri is away.",)
    with pytest.raises(SettingsError, match="three mistakes") as several, called(name):
        raise SettingsError("three mistakes", problems=["[sources.NAME] a", "b"], allowed="[sources.NAME] c")
    assert f"{section} a" in several.value.problem


def test_whoever_has_several_sources_is_told_which(open_data, tmp_path: Path) -> None:
    """When they are opened, and when they are read."""
    (tmp_path / "rows.csv").write_text("a,y\n1,2\n")
    fine = SourceSettings(uri="rows.csv")
    for wrong in (SourceSettings(uri="rows.csv", table="t"), SourceSettings(uri="rows.csv", columns=["one"])):
        with pytest.raises(HeptadError, match=r"sources\.trips"):
            open_data(DataSettings(target="y", source="rows"), sources={"rows": fine, "trips": wrong}).collect()
