"""A package is what was signed, or it is not opened."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import IntegrityError
from heptad.core.records import canonical_json, digest_of
from heptad.release import package as module
from heptad.release.archive import read_archive, write_archive
from heptad.release.keys import public_bytes, sign
from heptad.release.package import build_package, open_package


def resigned(packed: bytes, key: Ed25519PrivateKey, changes: dict[str, Any], **members: bytes) -> bytes:
    """The package as its owner could have signed it: with other members, and a manifest changed to match."""
    parts = read_archive(packed) | {name.replace("_", ".", 1): data for name, data in members.items()}
    manifest = json.loads(parts["manifest.json"])
    for name in manifest["members"]:
        manifest["members"][name] = {"size": len(parts[name]), "digest": digest_of(parts[name])}
    parts["manifest.json"] = canonical_json(manifest | changes)
    parts["manifest.sig"] = sign(key, module._DOMAIN + parts["manifest.json"])
    return write_archive(parts)


def forged(packed: bytes, name: str, data: bytes) -> bytes:
    """The package with one member replaced and every checksum right, as somebody without the key could do."""
    return write_archive(read_archive(packed) | {name: data})


def test_what_was_packed_is_there_when_opened(tiny: SimpleNamespace, packed: bytes, key: Ed25519PrivateKey) -> None:
    """Everything comes back, and the model answers."""
    package = open_package(packed, [public_bytes(key)])
    assert package.signature == tiny.signature
    assert package.background == tiny.background
    assert package.card == "# Model card\n"
    assert package.lineage == {"candidate": "candidate-1"}
    assert package.manifest.candidate == tiny.about.candidate
    assert package.manifest.made_with.keys() == {"heptad", "onnxruntime"}
    assert package.digest == digest_of(packed)
    assert package.model.predict({"x": [0.0], "colour": ["blue"]}).scores.tolist() == [0.5]


def test_equal_contents_give_equal_bytes(tiny: SimpleNamespace, packed: bytes, key: Ed25519PrivateKey) -> None:
    """Packing again makes the same file, so that it is stored once and its digest names it."""
    assert build_package(tiny.about, tiny.contents(), key) == packed


@pytest.mark.parametrize(
    "name",
    [
        "model.onnx",
        "signature.json",
        "golden.json",
        "background.json",
        "profile.json",
        "environment.json",
        "lineage.json",
        "card.md",
    ],
)
def test_a_forged_member_is_named(packed: bytes, key: Ed25519PrivateKey, name: str) -> None:
    """Whatever the member, one changed byte with a right checksum is found by the signed digest."""
    data = bytearray(read_archive(packed)[name])
    data[len(data) // 2] ^= 1
    with pytest.raises(IntegrityError, match=f"'{name}' in the package is not the one that was signed"):
        open_package(forged(packed, name, bytes(data)), [public_bytes(key)])


def test_replaced_golden_answers_are_found_even_when_signed(packed: bytes, key: Ed25519PrivateKey) -> None:
    """Golden rows bind the model to its answers, whoever signed them."""
    golden = json.loads(read_archive(packed)["golden.json"])
    golden["scores"][3] += 0.01
    with pytest.raises(IntegrityError, match="Golden row 3 was answered"):
        open_package(resigned(packed, key, {}, golden_json=canonical_json(golden)), [public_bytes(key)])


def test_a_forged_manifest_is_refused(packed: bytes, key: Ed25519PrivateKey) -> None:
    """Digests that were made to match do not help without the key."""
    manifest = json.loads(read_archive(packed)["manifest.json"]) | {"name": "other"}
    with pytest.raises(IntegrityError, match="manifest is not the one that was signed"):
        open_package(forged(packed, "manifest.json", canonical_json(manifest)), [public_bytes(key)])


def test_a_tampered_signature_is_refused(packed: bytes, key: Ed25519PrivateKey) -> None:
    """One bit of it is enough."""
    signature = bytearray(read_archive(packed)["manifest.sig"])
    signature[70] ^= 1
    with pytest.raises(IntegrityError, match="manifest is not the one that was signed"):
        open_package(forged(packed, "manifest.sig", bytes(signature)), [public_bytes(key)])


def test_a_foreign_key_is_refused_until_it_is_trusted(
    tiny: SimpleNamespace, packed: bytes, key: Ed25519PrivateKey
) -> None:
    """A package that somebody else signed is sound, and still not opened here."""
    theirs = Ed25519PrivateKey.generate()
    foreign = resigned(packed, theirs, {})
    with pytest.raises(IntegrityError, match="which is not trusted here"):
        open_package(foreign, [public_bytes(key)])
    assert open_package(foreign, [public_bytes(key), public_bytes(theirs)]).signature == tiny.signature


def test_nothing_is_opened_where_nobody_is_trusted(packed: bytes) -> None:
    """No key, no package."""
    with pytest.raises(IntegrityError, match="not trusted"):
        open_package(packed, [])


def test_a_signature_for_another_kind_of_file_proves_nothing(packed: bytes, key: Ed25519PrivateKey) -> None:
    """The signed text begins with what it is a signature of."""
    bare = sign(key, read_archive(packed)["manifest.json"])
    with pytest.raises(IntegrityError, match="not the one that was signed"):
        open_package(forged(packed, "manifest.sig", bare), [public_bytes(key)])


def test_a_newer_format_is_told_in_plain_words(packed: bytes, key: Ed25519PrivateKey) -> None:
    """The remedy is to update."""
    with pytest.raises(IntegrityError, match="has the format 2, and this program reads 1") as failed:
        open_package(resigned(packed, key, {"format": 2}), [public_bytes(key)])
    assert failed.value.remedy == "update heptad"


def test_members_that_cannot_be_understood_are_refused(packed: bytes, key: Ed25519PrivateKey) -> None:
    """Signed and yet no signature of a model: the error names the member."""
    with pytest.raises(IntegrityError, match=r"'signature\.json' in the package cannot be understood"):
        open_package(resigned(packed, key, {}, signature_json=b"[]"), [public_bytes(key)])


def test_nothing_is_loaded_before_it_is_verified(
    packed: bytes, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged graph never reaches the runtime."""
    loaded: list[object] = []
    monkeypatch.setattr(module, "OnnxModel", lambda *given: loaded.append(given))
    with pytest.raises(IntegrityError):
        open_package(forged(packed, "model.onnx", b"not a graph"), [public_bytes(key)])
    assert loaded == []


@given(data=st.data())
def test_any_altered_or_missing_byte_is_found(packed: bytes, key: Ed25519PrivateKey, data: st.DataObject) -> None:
    """Wherever it is."""
    position = data.draw(st.integers(0, len(packed) - 1))
    altered = bytearray(packed)
    altered[position] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(altered), packed[:position]):
        with pytest.raises(IntegrityError):
            open_package(broken, [public_bytes(key)])


def test_opening_a_package_needs_no_training_libraries() -> None:
    """A serve worker opens packages with the runtime alone."""
    script = (
        "import sys; from heptad.release import open_package; "
        "heavy = {'sklearn', 'lightgbm', 'polars', 'sqlalchemy', 'optuna', 'onnx', 'deltalake', 'pandas', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
