"""A certificate is believed when a trusted key signed exactly this."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from heptad.core.errors import InputError, IntegrityError
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.lifecycle.erasing.certificate import OUTSIDE, Certificate, ErasedFrom, signed, verify_certificate

SAID = Certificate(
    project="rides",
    erasure="erasure-x",
    asked_at=datetime(2026, 1, 1, tzinfo=UTC),
    finished_at=datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
    actor="user:me",
    columns=["ride"],
    subjects=1,
    removed={"data versions": 3},
    versions=[ErasedFrom(name="rides", version=1, rows=3)],
    models=[],
    plan="",
    files_searched=10,
    bytes_searched=1000,
    still_holding=[],
    in_models=[],
    sources_still_holding={"rides": None},
    outside=list(OUTSIDE),
)


def test_it_reads_back_as_it_was_signed(workspace: Workspace, tmp_path: Path) -> None:
    """However it is laid out: the bytes that are signed are made of what it says."""
    path = tmp_path / "certificate.json"
    path.write_bytes(signed(workspace, SAID))
    certificate, signer = verify_certificate(workspace, path)
    assert certificate == SAID
    assert len(signer) == 16
    path.write_bytes(path.read_bytes().replace(b"\n", b"").replace(b"  ", b""))
    assert verify_certificate(workspace, path)[0] == SAID


def test_a_changed_one_and_one_of_a_stranger_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    """And a file that is none is named."""
    path = tmp_path / "certificate.json"
    path.write_bytes(signed(workspace, SAID).replace(b'"data versions": 3', b'"data versions": 2'))
    with pytest.raises(IntegrityError, match="certificate"):
        verify_certificate(workspace, path)
    path.write_bytes(signed(open_workspace(tmp_path / "other", "other", StoreSettings()), SAID))
    with pytest.raises(IntegrityError, match="not trusted"):
        verify_certificate(workspace, path)
    path.write_text("{}")
    with pytest.raises(InputError, match="no certificate"):
        verify_certificate(workspace, path)
    with pytest.raises(InputError, match="cannot be read"):
        verify_certificate(workspace, tmp_path / "none")
