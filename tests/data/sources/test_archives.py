"""Members of archives are chosen by name, and nothing dangerous is unpacked."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.data import FileSource, Place, SourceSettings
from heptad.data.sources import compression


def source_at(root: Path, address: str, **settings: object) -> FileSource:
    return FileSource(address, SourceSettings(uri=address, **settings), Place(root=root, cache=root / "cache"))  # type: ignore[arg-type]


def tar(path: Path, mode: str, members: dict[str, bytes]) -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


TABLE = {"in/a.csv": b"x,y\n1,p\n", "in/b.csv": b"x,y\n2,q\n", "in/readme.txt": b"no table"}


@pytest.mark.parametrize(
    ("name", "mode"), [("t.tar", "w"), ("t.tar.gz", "w:gz"), ("t.tgz", "w:gz"), ("t.tar.xz", "w:xz")]
)
def test_members_of_tars_are_read(tmp_path: Path, name: str, mode: str) -> None:
    """One by name, several by a pattern, compressed or not."""
    tar(tmp_path / name, mode, TABLE)
    assert source_at(tmp_path, f"{name}/in/b.csv").read().rows.collect()["x"].to_list() == [2]
    assert source_at(tmp_path, f"{name}/in/*.csv").read().rows.collect()["x"].to_list() == [1, 2]
    with pytest.raises(DataError, match="holds 3 files"):
        source_at(tmp_path, name).read()
    with pytest.raises(DataError, match=r"no member 'in/c\.csv'"):
        source_at(tmp_path, f"{name}/in/c.csv").read()


def test_patterns_choose_members_of_a_zip(tmp_path: Path) -> None:
    """Compressed members too."""
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv.gz", gzip.compress(b"x,y\n1,p\n"))
        archive.writestr("b.csv", b"x,y\n2,q\n")
    assert source_at(tmp_path, "t.zip/*.csv*").read().rows.collect()["x"].to_list() == [1, 2]


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:\\evil.csv"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_with_a_name_that_leads_out_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    """Even where another member is asked for."""
    members = {"good.csv": b"x,y\n1,p\n", name: b"x,y\n1,p\n"}
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            for one, content in members.items():
                archive.writestr(one, content)
    else:
        tar(tmp_path / "t.tar", "w", members)
    with pytest.raises(DataError, match="leads out of its folder"):
        source_at(tmp_path, f"t.{kind}/good.csv").read()


def test_links_in_archives_are_no_members(tmp_path: Path) -> None:
    """A link to a file of the machine is not followed."""
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        link = tarfile.TarInfo("rows.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(DataError, match="holds 0 files"):
        source_at(tmp_path, "t.tar").read()


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    """The flag in the archive's directory tells."""
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
    data = bytearray((tmp_path / "t.zip").read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "t.zip").write_bytes(data)
    with pytest.raises(DataError, match="encrypted"):
        source_at(tmp_path, "t.zip").read()


def test_a_bomb_in_a_zip_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By ratio and by size, whatever size the directory claims; nothing of it stays in the cache."""
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(30 << 20))
    with pytest.raises(DataError, match=r"more than 0\.01 GB"):
        source_at(tmp_path, "t.zip", unpacked_gb=0.01).read()
    monkeypatch.setattr(compression, "UNJUDGED_BYTES", 1 << 20)
    with pytest.raises(DataError, match="made to fill a disk"):
        source_at(tmp_path, "t.zip").read()
    assert [one for one in (tmp_path / "cache").rglob("*") if one.is_file()] == []


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    """Cut in the middle, and a member whose bytes have changed."""
    tar(tmp_path / "t.tar", "w", {"a.csv": b"x,y\n" + b"1,p\n" * 10_000})
    whole = (tmp_path / "t.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be unpacked"):
        source_at(tmp_path, "t.tar").read()
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "x,y\n1,p\n")
    (tmp_path / "t.zip").write_bytes((tmp_path / "t.zip").read_bytes().replace(b"1,p", b"2,p"))
    with pytest.raises(DataError, match="cannot be unpacked"):
        source_at(tmp_path, "t.zip").read()
