"""The key that signs packages, made once for a workspace, and the public keys whose packages are trusted.

Ed25519 (RFC 8032): 32 bytes of public key, 64 bytes of signature, the same signature for the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from heptad.core.errors import IntegrityError, WorkspaceError
from heptad.core.files import locked, write_atomically, writing
from heptad.core.records import digest_of
from heptad.core.workspace import Workspace

PRIVATE, PUBLIC, TRUSTED = "release.ed25519", "release.ed25519.pub", "trusted"


def keys_folder(workspace: Workspace) -> Path:
    return workspace.folder / "keys"


def signing_key(workspace: Workspace) -> Ed25519PrivateKey:
    """The workspace's private key, made when it is first asked for; of two that ask at once, one makes it for both.

    It lies unencrypted in a file that its owner alone may read, and a backup leaves it out. Raises `WorkspaceError`
    where others may read it, or where only its public half is left.
    """
    folder = keys_folder(workspace)
    path, public = folder / PRIVATE, folder / PUBLIC
    if not (path.exists() and public.exists()):
        _create(path, public)
    if path.stat().st_mode & 0o077:
        raise WorkspaceError(f"Others may read the private key {path}.", remedy=f"chmod 600 {path}")
    return _private(path)


def trusted_keys(workspace: Workspace) -> list[bytes]:
    """Public keys, 32 bytes each, whose packages may be opened: the workspace's own, and those put into `trusted`."""
    folder = keys_folder(workspace)
    paths = [path for path in [folder / PUBLIC, *sorted((folder / TRUSTED).glob("*.pub"))] if path.exists()]
    return [_public(path) for path in paths]


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The public half, 32 bytes."""
    return key.public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """A short name of a public key, for people to compare."""
    return digest_of(public)[:16]


def sign(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """96 bytes: the public key, and the signature of the message by it."""
    return public_bytes(key) + key.sign(message)


def check_signature(message: bytes, signature: bytes, trusted: Sequence[bytes]) -> None:
    """Raise `IntegrityError` unless one of the trusted keys signed exactly this message."""
    public, proof = signature[:32], signature[32:]
    if public not in trusted:
        names = ", ".join(fingerprint(one) for one in trusted) or "none"
        raise IntegrityError(
            f"The package is signed with the key {fingerprint(public)}, which is not trusted here.",
            allowed=f"the keys {names}",
            remedy="if you know its owner, put the public key into .heptad/keys/trusted/NAME.pub",
        )
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(proof, message)
    except InvalidSignature as error:
        raise IntegrityError("The package's manifest is not the one that was signed.") from error


def _create(path: Path, public: Path) -> None:
    """Make what is missing of the two halves; the public one is written last."""
    folder = path.parent
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder / "lock"):
        if not path.exists():
            if public.exists():
                raise WorkspaceError(
                    f"The private key {path} is gone, and its public half is still there.",
                    remedy=f"put it back, or move {public.name} into {folder / TRUSTED}: "
                    "packages signed so far stay trusted and a new key is made",
                )
            key = Ed25519PrivateKey.generate()
            write_atomically(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
        half = _private(path).public_key()
        write_atomically(public, half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise WorkspaceError(f"{path} is not a private key: {error}.", remedy="restore it from a backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WorkspaceError(f"{path} is not an Ed25519 key.", remedy="restore it from a backup")
    return key


def _public(path: Path) -> bytes:
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError as error:
        raise WorkspaceError(f"{path} is not a public key: {error}.", remedy="replace or remove the file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise WorkspaceError(f"{path} is not an Ed25519 key.", remedy="replace or remove the file")
    return key.public_bytes_raw()
