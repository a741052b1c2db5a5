"""An artifact path names a file of one run or model, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.owners import digest_at, place_in, place_of
from heptad.core.errors import InputError
from heptad.core.workspace import Workspace
from heptad.experiments import checked_name
from tests.api.mlflow.asking import Asker


@pytest.fixture
def ask(workspace: Workspace) -> Asker:
    return Asker(workspace)


def test_a_path_is_split_into_the_owner_and_the_name_of_its_file(ask: Asker) -> None:
    """Whatever stands before the id decides nothing; a folder called `artifacts` inside is an ordinary one."""
    run, model = ask.run(), ask.model()
    for path in (f"0/{run}/artifacts/a/artifacts/b", f"any/where/{run}/artifacts/a/artifacts/b"):
        place = place_of(ask.context, path)
        assert (place.owner.id, place.name) == (run, "a/artifacts/b")
    place = place_of(ask.context, f"0/models/{model}/artifacts")
    assert (place.owner.id, place.name, place.is_writable) == (model, "", True)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a//b",
        "./a",
        "a\\b",
        "a#b",
        "a\0b",
        "%2e%2e/x",
        "%2Fetc",
        "a/%2e%2e/b",
        "a\nb",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(ask: Asker, name: str) -> None:
    """As it stands, and unquoted once more: a mistake of the client, which finds nothing."""
    with pytest.raises(ProtocolError) as caught:
        place_of(ask.context, f"0/{ask.run()}/artifacts/{name}")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "path", ["", "0", "0/run-none/artifacts/x", "artifacts/x", "x/artifacts", "0/\u00e9/artifacts/x"]
)
def test_a_path_of_nobody_is_not_found(ask: Asker, path: str) -> None:
    """Also one that names an experiment only, or a record that has no files."""
    with pytest.raises(ProtocolError) as caught:
        place_of(ask.context, path)
    assert caught.value.status == 404


def test_a_file_of_one_run_is_no_file_of_another(ask: Asker) -> None:
    """Names are looked up at the owner only."""
    one, other = ask.run(), ask.run()
    ask.keep(one, "secret.txt")
    with pytest.raises(ProtocolError) as caught:
        digest_at(ask.context, place_of(ask.context, f"0/{other}/artifacts/secret.txt"))
    assert caught.value.status == 404
    with pytest.raises(ProtocolError):
        place_of(ask.context, f"0/{other}/artifacts/../../{one}/artifacts/secret.txt")


def test_addresses_of_other_places_are_not_ours(ask: Asker) -> None:
    """Only the proxy of this server is looked into."""
    run = ask.run()
    assert place_in(ask.context, f"s3://bucket/{run}/artifacts/x") is None
    assert place_in(ask.context, f"http://x/{run}/artifacts/x") is None
    assert place_in(ask.context, f"mlflow-artifacts:/0/{run}/artifacts/x").name == "x"
    assert place_in(ask.context, f"http://h/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/x").name == "x"


@given(st.text(max_size=40))
def test_a_name_that_is_allowed_stays_in_its_folder(name: str) -> None:
    """Whatever is given: what passes has no empty part, no dots alone, and nothing that a reader could cut or turn."""
    try:
        checked = checked_name(name)
    except InputError:
        return
    assert checked == name
    assert not {"", ".", ".."} & set(name.split("/"))
    assert not set(name) & set("\\#\0\n")
