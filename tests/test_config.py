"""heptad.toml: every mistake at once, each with its line, what is allowed and the nearest name."""

from pathlib import Path

import pytest

from heptad.config import FILE, effective_toml, read_config
from heptad.core.errors import InputError, SettingsError


def written(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def mistakes(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_config(written(folder, text))
    return caught.value.problems


def test_only_the_target_is_required(tmp_path: Path) -> None:
    """A file that names the target is a whole project; the folder gives it its name."""
    config = read_config(written(tmp_path, '[data]\ntarget = "late"\n'))
    assert config.data.target == "late"
    assert config.project.name
    assert config.search.trials > 0


def test_all_mistakes_are_named_at_once_with_their_lines(tmp_path: Path) -> None:
    """Unknown names, wrong types and missing settings are listed together, in the order of the file."""
    text = '[project]\nnam = "x"\n[data]\ntime = 3\n[monitor]\nwindow = "7 days"\nmissing = 2\n[searh]\n'
    found = mistakes(tmp_path, text)
    assert [sentence.split(":")[0] for sentence in found] == [
        "line 2",
        "line 3",
        "line 4",
        "line 6",
        "line 7",
        "line 8",
    ]
    assert "did you mean 'name'" in found[0]
    assert "data.target is missing" in found[1]
    assert "7d" in found[3]
    assert "between 0 and 1" in found[4]
    assert "did you mean 'search'" in found[5]


def test_a_choice_names_what_can_be_chosen(tmp_path: Path) -> None:
    """A misspelt choice is answered with the nearest one."""
    (sentence,) = mistakes(tmp_path, '[data]\ntarget = "y"\ntask = "classificaton"\n')
    assert "did you mean 'classification'" in sentence


def test_a_mistake_in_a_named_table_and_an_inline_table_has_its_line(tmp_path: Path) -> None:
    """Sources, features and columns are checked as sections are."""
    text = '[data]\ntarget = "y"\n[sources.a]\nuri = "x.csv"\nsepaator = ";"\n[expect]\ncolumns.age = { mim = 0 }\n'
    found = mistakes(tmp_path, text)
    assert found[0].startswith("line 5: there is no setting 'sources.a.sepaator'")
    assert found[1].startswith("line 7: there is no setting 'expect.columns.age.mim'")


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    """What is no TOML at all is refused with the place."""
    with pytest.raises(SettingsError, match="line 1"):
        read_config(written(tmp_path, "[data\n"))


def test_a_folder_without_settings_is_no_project(tmp_path: Path) -> None:
    """The error says how to make one."""
    with pytest.raises(InputError, match="heptad init"):
        read_config(tmp_path)


def test_secrets_stay_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value of the environment never enters the settings, so it cannot reach a record or a page."""
    monkeypatch.setenv("SESAME", "open")
    folder = written(tmp_path, '[data]\ntarget = "y"\n[sources.a]\nuri = "https://${SESAME}@host/x.csv"\n')
    config = read_config(folder)
    assert config.sources["a"].uri == "https://${SESAME}@host/x.csv"
    assert "open" not in effective_toml(config, folder / FILE)


def test_the_effective_configuration_is_a_valid_file_that_means_the_same(tmp_path: Path) -> None:
    """What `heptad explain-config` prints can be used as the file itself, and marks what was not given."""
    text = '[data]\ntarget = "y"\n[data.types]\nage = "number"\n[expect]\ncolumns."a b" = { min = 0 }\n'
    config = read_config(written(tmp_path, text))
    printed = effective_toml(config, tmp_path / FILE)
    assert "trials = 24   # default" in printed
    assert 'target = "y"\n' in printed
    other = tmp_path / "other"
    other.mkdir()
    assert read_config(written(other, printed)) == config
