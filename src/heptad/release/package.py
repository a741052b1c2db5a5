"""The signed package of a model version: made once, and verified as a whole before any of it is used.

A file of this kind holds the ONNX graph with its signature, golden rows, the rules that clean a row before it, the
background that predictions are explained against, the profile that monitoring compares with, card, environment, and
lineage; a manifest with the digest of each; and the manifest's signature. Serving loads nothing else, and nothing in it
is executable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import Any, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from heptad.core.errors import IntegrityError
from heptad.core.records import canonical_json, digest_of
from heptad.data import RowCleaner
from heptad.release.archive import read_archive, write_archive
from heptad.release.cleaning import Cleaning, open_cleaner
from heptad.release.golden import Golden, answer, golden_rows, replay
from heptad.release.keys import check_signature, sign
from heptad.training import OnnxModel, Signature

FORMAT = 1
TOLERANCE = 1e-6
"""How far golden rows may be answered differently on another machine; relative above 1."""
_DOMAIN = b"heptad package manifest\n"
"""Comes before what is signed, so that the signature proves nothing about any other kind of file."""

T = TypeVar("T")


class Member(msgspec.Struct, frozen=True):
    """What the manifest says of a member."""

    size: int
    digest: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Which model is packed, and where it comes from."""

    name: str
    candidate: str
    decision: str
    estimator: str
    metric: str
    value: float | None
    model_digest: str


class Manifest(About, frozen=True, kw_only=True):
    """What is signed."""

    format: int = FORMAT
    members: dict[str, Member]
    made_with: dict[str, str]
    tolerance: float = TOLERANCE


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a package is made of; background rows are JSON data with made-up values, nobody's real row."""

    graph: bytes
    signature: Signature
    background: Sequence[Mapping[str, Any]]
    cleaning: Cleaning | None = None
    profile: bytes
    environment: bytes
    lineage: Mapping[str, Any]
    card: str


@dataclass(frozen=True, kw_only=True)
class Package:
    """An opened package: everything in it is what was signed, and the model answers as it did when it was made."""

    digest: str
    manifest: Manifest
    model: OnnxModel
    signature: Signature
    golden: Golden
    cleaner: RowCleaner | None
    """What cleans rows before the model takes them; `None` where the version had no rules for them."""
    background: list[dict[str, Any]]
    profile: bytes
    environment: bytes
    lineage: dict[str, Any]
    card: str


def build_package(about: About, contents: Contents, key: Ed25519PrivateKey) -> bytes:
    """The package as one file; equal contents and key give equal bytes.

    Raises `RefusedError` for a model that answers a golden row with no number.
    """
    model = OnnxModel(contents.graph, contents.signature)
    golden = answer(model, golden_rows(contents.background, contents.signature))
    members = {
        "model.onnx": contents.graph,
        "signature.json": canonical_json(contents.signature),
        "golden.json": canonical_json(golden),
        "cleaning.json": canonical_json(contents.cleaning),
        "background.json": canonical_json(contents.background),
        "profile.json": contents.profile,
        "environment.json": contents.environment,
        "lineage.json": canonical_json(contents.lineage),
        "card.md": contents.card.encode(),
    }
    manifest = Manifest(
        **msgspec.structs.asdict(about),
        members={name: Member(len(data), digest_of(data)) for name, data in members.items()},
        made_with={name: version_of(name) for name in ("heptad", "onnxruntime")},
    )
    stated = canonical_json(manifest)
    return write_archive({"manifest.json": stated, "manifest.sig": sign(key, _DOMAIN + stated), **members})


def open_package(data: bytes, trusted: Sequence[bytes], *, threads: int = 1) -> Package:
    """Verify a package from the outside in, then load it: container, signature, digests, and at last golden rows.

    `trusted` are public keys of 32 bytes. Anything that is not as it was signed raises `IntegrityError`, and nothing
    is decoded before its digest has been compared with the signed one.
    """
    members = read_archive(data)
    manifest = _verified(members, trusted)
    signature = _decode(members, "signature.json", Signature)
    golden = _decode(members, "golden.json", Golden)
    model = OnnxModel(members["model.onnx"], signature, threads)
    replay(model, golden, manifest.tolerance)
    cleaning = None if members["cleaning.json"] == b"null" else _decode(members, "cleaning.json", Cleaning)
    return Package(
        digest=digest_of(data),
        manifest=manifest,
        model=model,
        signature=signature,
        golden=golden,
        cleaner=open_cleaner(cleaning) if cleaning else None,
        background=_decode(members, "background.json", list[dict[str, Any]]),
        profile=members["profile.json"],
        environment=members["environment.json"],
        lineage=_decode(members, "lineage.json", dict[str, Any]),
        card=members["card.md"].decode(),
    )


def _verified(members: Mapping[str, bytes], trusted: Sequence[bytes]) -> Manifest:
    stated = members["manifest.json"]
    check_signature(_DOMAIN + stated, members["manifest.sig"], trusted)
    made_by = _decode(members, "manifest.json", dict[str, Any]).get("format")
    if made_by != FORMAT:
        raise IntegrityError(
            f"The package has the format {made_by!r}, and this program reads {FORMAT}.", remedy="update heptad"
        )
    manifest = _decode(members, "manifest.json", Manifest)
    for name in members.keys() - {"manifest.json", "manifest.sig"}:
        found = Member(len(members[name]), digest_of(members[name]))
        if manifest.members.get(name) != found:
            raise IntegrityError(
                f"{name!r} in the package is not the one that was signed: its digest is {found.digest[:16]}.",
                allowed=manifest.members[name].digest[:16] if name in manifest.members else "none",
                remedy="restore the package from a backup, or register the candidate again",
            )
    return manifest


def _decode(members: Mapping[str, bytes], name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(members[name], type=kind)
    except msgspec.DecodeError as error:
        raise IntegrityError(f"{name!r} in the package cannot be understood: {error}.") from error
