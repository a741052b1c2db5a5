"""The workspace's key: made once, kept private, and trusted by its public half."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from heptad.core.errors import IntegrityError, WorkspaceError
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.lifecycle import backup, restore
from heptad.release.keys import (
    PRIVATE,
    PUBLIC,
    TRUSTED,
    check_signature,
    fingerprint,
    keys_folder,
    public_bytes,
    sign,
    signing_key,
    trusted_keys,
)


def pem_of(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_the_key_is_made_once_and_only_its_owner_reads_it(workspace: Workspace) -> None:
    """Asked twice the same key answers; its file has mode 0600 in a folder with 0700, whatever the umask is."""
    before = os.umask(0)
    try:
        first, second = signing_key(workspace), signing_key(workspace)
    finally:
        os.umask(before)
    folder = keys_folder(workspace)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert public_bytes(first) == public_bytes(second)
    assert (folder / PRIVATE).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in folder.iterdir()} == {PRIVATE, PUBLIC, "lock"}
    assert trusted_keys(workspace) == [public_bytes(first)]


MAKE_KEY = """
import sys
from pathlib import Path
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.release.keys import public_bytes, signing_key

print(public_bytes(signing_key(open_workspace(Path(sys.argv[1]), "test", StoreSettings()))).hex())
"""


def test_processes_at_once_agree_on_one_key(workspace: Workspace) -> None:
    """Whoever asks first at the same instant, all get the key that is kept."""
    command = [sys.executable, "-c", MAKE_KEY, str(workspace.root)]
    makers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    made = {maker.communicate(timeout=60)[0].strip() for maker in makers}
    assert made == {public_bytes(signing_key(workspace)).hex()}


def test_a_killed_maker_leaves_a_key_that_is_completed(workspace: Workspace) -> None:
    """Where the public half was not written yet, it is derived again."""
    key = signing_key(workspace)
    (keys_folder(workspace) / PUBLIC).unlink()
    assert public_bytes(signing_key(workspace)) == public_bytes(key)
    assert trusted_keys(workspace) == [public_bytes(key)]


def test_a_lost_private_key_is_not_replaced_in_silence(workspace: Workspace) -> None:
    """A new key would disown every package signed so far; the error says both ways out."""
    old = public_bytes(signing_key(workspace))
    folder = keys_folder(workspace)
    (folder / PRIVATE).unlink()
    with pytest.raises(WorkspaceError, match="is gone") as failed:
        signing_key(workspace)
    assert str(folder / TRUSTED) in failed.value.remedy
    (folder / TRUSTED).mkdir()
    (folder / PUBLIC).rename(folder / TRUSTED / "old.pub")
    new = public_bytes(signing_key(workspace))
    assert trusted_keys(workspace) == [new, old]


def test_a_key_that_others_may_read_is_refused(workspace: Workspace) -> None:
    """The remedy is the command."""
    signing_key(workspace)
    path = keys_folder(workspace) / PRIVATE
    path.chmod(0o644)
    with pytest.raises(WorkspaceError, match="Others may read") as failed:
        signing_key(workspace)
    assert failed.value.remedy == f"chmod 600 {path}"


@pytest.mark.parametrize("content", [b"", b"not a key", b"rsa"])
def test_a_file_that_is_no_ed25519_key_is_named(workspace: Workspace, content: bytes) -> None:
    """A damaged key, private or trusted, is an error with its path."""
    if content == b"rsa":
        other = rsa.generate_private_key(65537, 2048)
        content = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    else:
        public = content
    folder = keys_folder(workspace)
    (folder / TRUSTED).mkdir(parents=True)
    with os.fdopen(os.open(folder / PRIVATE, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)
    (folder / TRUSTED / "theirs.pub").write_bytes(public)
    with pytest.raises(WorkspaceError, match=str(folder / PRIVATE)):
        signing_key(workspace)
    with pytest.raises(WorkspaceError, match=r"theirs\.pub"):
        trusted_keys(workspace)


def test_a_signature_holds_for_its_message_and_its_key_only() -> None:
    """Another message, a cut signature and an untrusted key are each refused, with what is wrong."""
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    trusted = [public_bytes(key)]
    signature = sign(key, b"message")
    check_signature(b"message", signature, trusted)
    assert sign(key, b"message") == signature
    for message, proof in ((b"massage", signature), (b"message", signature[:-1]), (b"message", signature[:40])):
        with pytest.raises(IntegrityError, match="not the one that was signed"):
            check_signature(message, proof, trusted)
    for proof in (sign(other, b"message"), b"", signature[:31]):
        with pytest.raises(IntegrityError, match="not trusted here") as failed:
            check_signature(b"message", proof, trusted)
        assert fingerprint(trusted[0]) in failed.value.allowed


def test_keys_of_others_are_trusted_where_a_person_put_them(workspace: Workspace) -> None:
    """A file in `trusted` is enough, and an empty workspace trusts nobody."""
    assert trusted_keys(workspace) == []
    theirs = Ed25519PrivateKey.generate()
    folder = keys_folder(workspace) / TRUSTED
    folder.mkdir(parents=True)
    (folder / "ci.pub").write_bytes(pem_of(theirs))
    assert trusted_keys(workspace) == [public_bytes(theirs)]


def test_a_restored_workspace_signs_with_a_key_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    """A backup has no private key: what was signed before stays trusted, and what comes next is signed anew."""
    old = signing_key(workspace)
    backup(workspace, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "elsewhere")
    restored = open_workspace(tmp_path / "elsewhere", "test", StoreSettings())
    assert trusted_keys(restored) == [public_bytes(old)]
    new = signing_key(restored)
    assert public_bytes(new) != public_bytes(old)
    check_signature(b"message", sign(old, b"message"), trusted_keys(restored))
    check_signature(b"message", sign(new, b"message"), trusted_keys(restored))
