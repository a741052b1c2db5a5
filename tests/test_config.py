"""heptad.toml: every mistake at once, each with its line, what is allowed and the nearest name."""

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heptad.config import FILE, default_name, effective_toml, has_table, read_config, read_folder_config
from heptad.core.errors import InputError, SettingsError
from heptad.experiments.settings import EstimatorName, MetricName
from heptad.training import MEASURES
from heptad.training.estimators import known_estimators


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


@pytest.mark.parametrize(
    ("section", "line", "said"),
    [
        ("project", 'name = "../x"', "letters from a to z"),
        ("project", 'timezone = "Europe/Berlln"', "did you mean 'Europe/Berlin'"),
        ("project", "seed = -1", "from 0 to 4294967295"),
        ("execute", 'executor = "thread"', "did you mean 'threads'"),
        ("sources.a", 'uri = "x"\nseparator = ";;"', "one character"),
        ("sources.a", 'uri = "x"\nformat = "csb"', "did you mean 'csv'?"),
        ("sources.a", 'uri = "x"\nencoding = "klingon"', "there is no encoding 'klingon'"),
        ("search", 'estimators = ["linear", "lightbgm"]', "[... 'lightbgm' ...] cannot be used. Allowed: did you mean"),
        ("search", "estimators = []", "a list of one or more"),
        ("search", "folds = 1", "2 or more"),
        ("search", 'metric = "auc"', "did you mean 'roc_auc'? accuracy"),
        ("validate", "holdout = 0", "above 0, up to 0.9"),
        ("validate", "confidence = 95", "above 0 and below 1"),
        ("release", 'gates = ["roc_acu >= 0.6"]', "there is no metric 'roc_acu'. Allowed: did you mean 'roc_auc'"),
        ("release", 'gates = ["roc_auc is good"]', "METRIC OP NUMBER"),
        ("deploy", "port = 70000", "a port from 1 to 65535"),
        ("deploy", 'port = "${PORT}"', "a port from 1 to 65535"),
        ("monitor", 'window = "0s"', "a duration above zero"),
        ("monitor", "drift = true", "drift = true cannot be used. Allowed: a number"),
        ("retrain", 'when = ["every tuesday"]', "'tuesday' is not a duration"),
        ("retrain", 'when = ["roc_auc > reference + 0.1"]', "roc_auc is better when it is higher"),
        ("retrain", 'train_on = ["all", "lots"]', "[... 'lots' ...] cannot be used. Allowed: all, or a duration"),
    ],
)
def test_a_value_that_could_never_work_is_refused_before_anything_runs(
    section: str, line: str, said: str, tmp_path: Path
) -> None:
    """Numbers out of range, names that nothing has, rules that cannot be read: with the line, and what is allowed."""
    (sentence,) = mistakes(tmp_path, f'[data]\ntarget = "y"\n[{section}]\n{line}\n')
    assert sentence.startswith(f"line {4 + line.count(chr(10))}: {section}.")
    assert said in sentence


def test_the_names_that_settings_know_are_those_that_exist() -> None:
    """A metric or estimator that is added in step 3 is added to what settings may name."""
    assert set(get_args(MetricName)) == set(MEASURES)
    assert set(get_args(EstimatorName)) == set(known_estimators())


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


def test_lines_inside_a_text_are_no_settings(tmp_path: Path) -> None:
    """A text over several lines may look like settings; the line that is named is the real one."""
    text = '[project]\nabout = """\n[search]\ntrials = 1\n"""\n[data]\ntarget = "y"\n[search]\ntrials = -1\n'
    (sentence,) = mistakes(tmp_path, text)
    assert sentence.startswith("line 9: search.trials = -1")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Some editors begin every file with one."""
    (tmp_path / FILE).write_bytes(b'\xef\xbb\xbf[data]\r\ntarget = "late"\r\n')
    assert read_config(tmp_path).data.target == "late"


@given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=40))
@example("飛行機")
@example("...")
def test_every_folder_gives_a_project_a_name(name: str) -> None:
    """Also one without a latin letter: a name that settings would take, fit for addresses, and the same each time."""
    given_name = default_name(Path("/home") / name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", given_name)
    assert given_name == default_name(Path("/home") / name)


def test_folders_in_letters_of_ones_own_have_names_of_their_own() -> None:
    """Accents are dropped; what has no latin letter at all is told apart."""
    assert default_name(Path("/home/Maß & Größe")) == "mass-grosse"
    assert default_name(Path("/home/飛行機")) != default_name(Path("/home/самолёт"))


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
    assert "# task is not set" in printed
    assert 'target = "y"\n' in printed
    other = tmp_path / "other"
    other.mkdir()
    assert read_config(written(other, printed)) == config


def test_folders_need_no_table(tmp_path: Path) -> None:
    """The sections that they need are read alone, with every mistake in them; the others may be missing or wrong."""
    assert read_folder_config(tmp_path).project.name == default_name(tmp_path)
    (tmp_path / "heptad.toml").write_text('[remote]\nuri = "../data"\n[data]\nsource = 3\n')
    assert read_folder_config(tmp_path).remote.uri == "../data"
    (tmp_path / "heptad.toml").write_text('[remote]\nuri = 3\ntimeot = "1s"\n')
    with pytest.raises(SettingsError) as error:
        read_folder_config(tmp_path)
    assert len(error.value.problems) == 2
    assert "did you mean 'timeout'" in str(error.value)


def test_a_mistyped_section_is_told_without_a_table_too(tmp_path: Path) -> None:
    """Runs would else go elsewhere than the file says, in silence."""
    (tmp_path / "heptad.toml").write_text('[trakcing]\nserver = "http://host:1"\n')
    with pytest.raises(SettingsError, match=r"there is no section \[trakcing\]. .* did you mean 'tracking'"):
        read_folder_config(tmp_path)


def test_a_file_without_data_is_of_runs_and_folders_alone(tmp_path: Path) -> None:
    """As is a folder without the file; mistakes in what they do not need are not looked for."""
    assert not has_table(tmp_path)
    (tmp_path / "heptad.toml").write_text('[project]\nname = "runs"\n')
    assert not has_table(tmp_path)
    (tmp_path / "heptad.toml").write_text("[data]\nsource = 3\n")
    assert has_table(tmp_path)
