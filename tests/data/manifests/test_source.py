"""A folder is a table: a row for each file, with what is broken and what is alike."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.data.manifests.conftest import encoded, picture, recorded, sound, tune

from heptad.core.errors import DataError
from heptad.data import DataSettings, Estimate, Source, SourceSettings
from heptad.data.manifests import source as module
from heptad.data.manifests.source import SCHEMA
from heptad.testing.source_contract import STORED

Put = Callable[[str, bytes | str], Path]
Open = Callable[..., Source]


def rows(source: Source) -> dict[str, dict[str, Any]]:
    table = source.read().rows.collect()
    assert table.schema == SCHEMA
    return {one["path"]: one for one in table.to_dicts()}


def test_every_file_is_a_row(put: Put, manifest: Open) -> None:
    """Images, sounds, texts and others, with what is known of each, labelled by their folders."""
    put("cats/a.png", encoded(picture(1)))
    put("cats/deep/b.jpg", encoded(picture(2, 64, 48), "JPEG"))
    put("dogs/c.wav", sound(1.5))
    put("d.txt", "Grüße an alle")
    put("dogs/e.bin", b"\0\1\2")
    put(".hidden/x.txt", "no")
    found = rows(manifest())
    assert list(found) == ["cats/a.png", "cats/deep/b.jpg", "d.txt", "dogs/c.wav", "dogs/e.bin"]
    assert [one["label"] for one in found.values()] == ["cats", "cats", None, "dogs", "dogs"]
    assert (found["cats/a.png"]["width"], found["cats/a.png"]["height"]) == (120, 90)
    assert found["cats/deep/b.jpg"]["media"] == "image/jpeg"
    assert found["dogs/c.wav"]["seconds"] == pytest.approx(1.5)
    assert (found["d.txt"]["characters"], found["d.txt"]["media"]) == (13, "text/plain")
    assert found["dogs/e.bin"]["bytes"] == 3
    assert not any(one["problem"] for one in found.values())
    assert set(SCHEMA.dtypes()) <= STORED


def test_broken_files_are_found(put: Put, manifest: Open, tmp_path: Path) -> None:
    """They stay rows, are counted, and some are named; no problem depends on where the folder lies."""
    put("cut.png", encoded(picture(1))[:400])
    put("cut.jpg", encoded(picture(1), "JPEG", quality=95)[:1500])
    put("none.gif", "this is no image")
    put("empty.jpg", b"")
    put("cut.wav", sound(2)[:9000])
    put("none.mp3", b"\0" * 300)
    put("bytes.txt", b"\0\xff" * 50)
    put("whole.png", encoded(picture(1)))
    source = manifest()
    found = rows(source)
    assert [path for path, one in found.items() if not one["problem"]] == ["whole.png"]
    assert "cut short: 9,000 of 32,044 bytes" in found["cut.wav"]["problem"]
    assert "that of no image" in found["none.gif"]["problem"]
    assert not any(str(tmp_path) in one["problem"] for one in found.values() if one["problem"])
    (repair,) = source.read().repairs
    assert (repair.rule, repair.rows) == ("broken_file", 7)
    assert source.read().understood["broken"] == "7"


def test_an_image_that_would_take_all_memory_is_not_decoded(put: Put, manifest: Open) -> None:
    """A few bytes can claim any size."""
    from PIL import Image

    put("bomb.png", encoded(Image.new("1", (30_000, 30_000))))
    put("large.png", encoded(picture(1, 2000, 1000)))
    found = rows(manifest())
    assert found["bomb.png"]["problem"] == "it claims more than 179 million pixels"
    assert found["large.png"]["problem"] is None
    less = rows(manifest(pixels_millions=1.0))["large.png"]
    assert (less["width"], less["problem"]) == (2000, "it claims 2,000 by 1,000 pixels, more than 1 million")


def test_copies_and_near_copies_are_named(put: Put, manifest: Open) -> None:
    """Other sizes, formats and qualities of an image; texts with a few words changed."""
    photo, text = picture(5, 400, 300), " ".join(f"word{x}" for x in range(300))
    put("a.png", encoded(photo))
    put("b.jpg", encoded(photo.resize((200, 150)), "JPEG", quality=60))
    put("c.png", encoded(photo))
    put("d.png", encoded(picture(6, 400, 300)))
    put("e.txt", text)
    put("f.txt", text.replace("word150", "another"))
    put("g.txt", " ".join(f"other{x}" for x in range(300)))
    found = rows(manifest())
    assert {path: one["duplicate_of"] for path, one in found.items() if one["duplicate_of"]} == {"c.png": "a.png"}
    near = {path: one["near_duplicate_of"] for path, one in found.items() if one["near_duplicate_of"]}
    assert near == {"b.jpg": "a.png", "f.txt": "e.txt"}
    assert manifest().read().understood == {
        "format": "manifest",
        "files": "7",
        "duplicates": "1",
        "near duplicates": "2",
    }
    assert not any(one["near_duplicate_of"] for one in rows(manifest(bits=0, alike=1.0)).values())


def test_labels_may_come_from_a_table(put: Put, manifest: Open, tmp_path: Path) -> None:
    """By path; files without one have none, and labels without a file are counted."""
    put("1.txt", "a")
    put("in/2.txt", "b")
    (tmp_path / "labels.csv").write_text("path,label\n1.txt,7\nnone.txt,8\n")
    source = manifest(labels="labels.csv")
    assert {path: one["label"] for path, one in rows(source).items()} == {"1.txt": "7", "in/2.txt": None}
    assert source.read().understood["labels without a file"] == "1"
    first = source.digest()
    (tmp_path / "labels.csv").write_text("path,label\n1.txt,9\n")
    assert manifest(labels="labels.csv").digest() != first
    (tmp_path / "labels.csv").write_text("path,label\n1.txt,9\n1.txt,8\n")
    with pytest.raises(DataError, match=r"several labels, such as '1\.txt'"):
        manifest(labels="labels.csv").read()
    (tmp_path / "labels.csv").write_text("file,label\n1.txt,9\n")
    with pytest.raises(DataError, match="no column 'path'"):
        manifest(labels="labels.csv").read()


def test_only_files_that_were_written_are_read_again(put: Put, manifest: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """By other processes too; the digest is that of the contents, and not of when they were written."""
    read: list[str] = []
    original = module.read_entry
    monkeypatch.setattr(
        module, "read_entry", lambda folder, path, most: read.append(path) or original(folder, path, most)
    )
    put("a.txt", "one")
    path = put("b.txt", "two")
    first = manifest().digest()
    assert sorted(read) == ["a.txt", "b.txt"]
    assert manifest().digest() == first
    assert len(read) == 2
    put("b.txt", "three")
    assert manifest().digest() != first
    put("b.txt", "two")
    os.utime(path, (1, 1))
    assert manifest().digest() == first
    assert read[2:] == ["b.txt", "b.txt"]
    path.unlink()
    assert list(rows(manifest())) == ["a.txt"]


def test_links_lead_nowhere(put: Put, manifest: Open, tmp_path: Path) -> None:
    """Neither out of the folder nor in circles; and a pipe is no file."""
    put("a.txt", "one")
    (tmp_path / "secret.txt").write_text("sesame")
    (tmp_path / "files" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "files" / "round").symlink_to(tmp_path / "files")
    os.mkfifo(tmp_path / "files" / "pipe.txt")
    assert list(rows(manifest())) == ["a.txt"]


def test_names_of_any_letters(put: Put, manifest: Open) -> None:
    """As file systems have them."""
    put("ä b/ñ,\"'.txt", "x")
    assert rows(manifest())["ä b/ñ,\"'.txt"]["label"] == "ä b"


def test_a_folder_without_files_and_no_folder(manifest: Open, tmp_path: Path) -> None:
    """Each is told."""
    with pytest.raises(DataError, match="There is no folder"):
        manifest().digest()
    (tmp_path / "files").mkdir()
    with pytest.raises(DataError, match="has no files"):
        manifest().read()


def test_a_manifest_becomes_versions(put: Put, open_data: Callable[..., Any]) -> None:
    """Like any source."""
    for number in range(12):
        put(f"{'xy'[number % 2]}/{number}.txt", f"text number {number}")
    sources = {"notes": SourceSettings(uri="files", format="manifest")}
    body = open_data(DataSettings(target="label", key=["path"]), sources=sources).collect().body
    assert (body.rows, body.schema.classes) == (12, ["x", "y"])


def test_sounds_that_are_alike_are_named(put: Put, manifest: Open) -> None:
    """In another format, at another volume; other tunes are others, and what cannot be decoded is broken."""
    put("a.wav", recorded(tune(1, 4), "WAV"))
    put("b.flac", recorded(tune(1, 4) * 0.2, "FLAC"))
    put("c.mp3", recorded(tune(1, 4), "MP3"))
    put("d.ogg", recorded(tune(2, 4), "OGG"))
    put("e.flac", recorded(tune(3, 4), "FLAC")[:5_000])
    found = rows(manifest())
    near = {path: one["near_duplicate_of"] for path, one in found.items()}
    assert near == {"a.wav": None, "b.flac": "a.wav", "c.mp3": "a.wav", "d.ogg": None, "e.flac": None}
    assert {path for path, one in found.items() if one["problem"]} == {"e.flac"}
    assert "it cannot be decoded" in found["e.flac"]["problem"]


def test_files_that_have_to_be_read_are_the_estimate(put: Put, manifest: Open) -> None:
    """Those that were read before are not."""
    put("a.txt", "a")
    put("b.txt", "b")
    source = manifest()
    assert source.estimate() == Estimate(2, "files")
    source.digest()
    put("c.txt", "c")
    assert source.estimate() == Estimate(1, "files")
