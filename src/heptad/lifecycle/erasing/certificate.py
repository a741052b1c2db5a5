"""The signed certificate of an erasure: what was removed and when, and nothing that says whose it was."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from heptad.core.errors import InputError, IntegrityError
from heptad.core.records import canonical_json
from heptad.core.workspace import Workspace
from heptad.lifecycle.records import SeenBy
from heptad.release import check_signature, fingerprint, sign, signing_key, trusted_keys

FORMAT = 1
_DOMAIN = b"heptad erasure certificate\n"
"""Comes before what is signed, so that the signature proves nothing about any other kind of file."""
OUTSIDE = (
    "backups, exports and packages that were made before, and files that anybody wrote from this data",
    "the sources themselves, as far as they still hold rows",
    "what models learnt, until they are retrained and the old versions are gone",
    "memory, log and snapshots of a Redis server, until it has used or written them anew",
    "blocks of the disk that a file system or an SSD has not written over yet",
)
"""What no program of this kind can reach."""


class ErasedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """A data version, and how many rows of it went."""

    name: str
    version: int
    rows: int


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed."""

    format: int = FORMAT
    project: str
    erasure: str
    """Id of the record."""
    asked_at: datetime
    finished_at: datetime
    actor: str
    columns: list[str]
    subjects: int
    removed: dict[str, int]
    """Place to rows."""
    versions: list[ErasedFrom]
    models: list[SeenBy]
    plan: str
    """Id of the plan to retrain, where one was begun."""
    files_searched: int
    bytes_searched: int
    still_holding: list[str]
    """Files of the workspace, and records, in which a value of theirs was found afterwards."""
    in_models: list[str]
    """The same, of what belongs to models; it goes when they do."""
    sources_still_holding: dict[str, int | None]
    entities: dict[str, int] = {}
    """Columns to how many entities of online features were theirs alone, and went."""
    unsure: list[str] = []
    """Columns of entities of online features that stay: others have them too, or no table told whose they are."""
    outside: list[str]


class _Signed(msgspec.Struct, frozen=True, kw_only=True):
    certificate: msgspec.Raw
    signature: str


def signed(workspace: Workspace, certificate: Certificate) -> bytes:
    """The certificate with its signature, as JSON."""
    stated = canonical_json(certificate)
    proof = sign(signing_key(workspace), _DOMAIN + stated)
    document = {"certificate": msgspec.Raw(stated), "signature": proof.hex()}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def verify_certificate(workspace: Workspace, path: Path) -> tuple[Certificate, str]:
    """What a certificate says, and the fingerprint of the key that signed it.

    Raises `InputError` for a file that is none, `IntegrityError` where it was changed or the key is not trusted here.
    """
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Signed)
        certificate = msgspec.json.decode(document.certificate, type=Certificate)
        proof = bytes.fromhex(document.signature)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", allowed="a certificate") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise InputError(f"{path} is no certificate of an erasure: {error}.") from error
    stated = canonical_json(msgspec.json.decode(document.certificate))
    try:
        check_signature(_DOMAIN + stated, proof, trusted_keys(workspace))
    except IntegrityError as error:
        problem = error.problem.replace("package's manifest", "certificate").replace("package", "certificate")
        raise IntegrityError(problem, allowed=error.allowed, remedy=error.remedy) from error
    return certificate, fingerprint(proof[:32])


def in_words(removed: Mapping[str, int]) -> list[dict[str, object]]:
    """The places as rows of a table."""
    return [{"place": place, "rows": rows} for place, rows in removed.items()]
