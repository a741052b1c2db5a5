"""What was appended is there, whoever dies; what a full disk refuses is counted, and the rest stays readable."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core.errors import InputError, RefusedError
from heptad.experiments.journal import entries, journal
from heptad.experiments.journal.entries import HEADER, Points
from heptad.experiments.journal.journal import Journal, files_of, hold, journals_below, release, remove

RUN = "run-aaaaaaaaaaaaaaaa"


@pytest.fixture
def own(tmp_path: Path) -> Journal:
    """The journal of a run."""
    return Journal.create(tmp_path, RUN)


def values_of(folder: Path) -> list[float]:
    """All points of a journal, in order."""
    found = []
    for path in files_of(folder):
        for _, payload in entries.whole(path.read_bytes(), HEADER):
            entry = entries.decoded(payload)
            if isinstance(entry, Points):
                found += entry.values
    return found


def test_a_journal_belongs_to_one_writer(own: Journal, tmp_path: Path):
    """A second one is refused while the first lives, and may go on when it has let go."""
    with pytest.raises(RefusedError):
        Journal.create(tmp_path, RUN)
    assert hold(own.folder) is None
    own.close()
    Journal.create(tmp_path, RUN).close()
    assert len(files_of(own.folder)) == 2


def test_journals_are_found_by_their_run(own: Journal, tmp_path: Path):
    """Of one run or of all; what is being removed is none."""
    other = Journal.create(tmp_path, RUN, "17-ab")
    Journal.create(tmp_path, "run-bbbbbbbbbbbbbbbb")
    assert journals_below(tmp_path, RUN) == [other.folder, own.folder]
    assert len(journals_below(tmp_path)) == 3
    remove(own.folder)
    assert len(journals_below(tmp_path)) == 2


def test_other_writers_mark_their_series(tmp_path: Path):
    """So that two processes on one run are told apart."""
    other = Journal.create(tmp_path, RUN, "17-ab")
    other.add_points({"loss": 1.0, "loss[subset=val]": 2.0}, None, 0.0)
    keys = [entry.key for entry in map(entries.decoded, _payloads(other)) if isinstance(entry, entries.Definition)]
    assert keys == ["loss[process=17-ab]", "loss[subset=val,process=17-ab]"]


def _payloads(own: Journal) -> list[bytes]:
    return [payload for _, payload in entries.whole(files_of(own.folder)[0].read_bytes(), HEADER)]


@pytest.mark.parametrize("name", ["", "a\0b", "a\ud800", "x" * 600])
def test_a_name_that_cannot_be_stored_is_refused(own: Journal, name: str):
    """Before anything is appended."""
    with pytest.raises(InputError, match="no name for a metric"):
        own.check({name: 1.0})


def test_a_long_journal_goes_on_in_further_files(own: Journal, monkeypatch: pytest.MonkeyPatch):
    """Each of which says anew what its numbers stand for, and where its series go on."""
    monkeypatch.setattr(journal, "LARGEST", 200)
    for value in range(50):
        own.add_points({"loss": float(value)}, None, 0.0)
    files = files_of(own.folder)
    assert len(files) > 3
    assert values_of(own.folder) == list(range(50))
    firsts = [entries.decoded(next(entries.whole(path.read_bytes(), HEADER))[1]) for path in files]
    counts = [entry.first for entry in firsts if isinstance(entry, entries.Definition)]
    assert len(counts) == len(files)
    assert counts == sorted(set(counts))


def test_a_full_disk_loses_what_it_refuses_and_nothing_else(tmp_path: Path):
    """The process goes on, the loss is counted, half an entry is taken back, and later there is room again."""
    script = f"""
import resource
from pathlib import Path
from heptad.experiments.journal.journal import Journal
own = Journal.create(Path({str(tmp_path)!r}), {RUN!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (300, {resource.RLIM_INFINITY}))
for value in range(20):
    own.add_points({{"loss": float(value)}}, None, 0.0)
lost = own.lost
assert own.trouble, "nothing was said"
resource.setrlimit(resource.RLIMIT_FSIZE, ({resource.RLIM_INFINITY}, {resource.RLIM_INFINITY}))
own.add_points({{"loss": 99.0}}, None, 0.0)
assert not own.trouble
print(lost)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lost = int(done.stdout)
    assert 0 < lost < 20
    assert values_of(tmp_path / f"{RUN}.main") == [*map(float, range(20 - lost)), 99.0]


def test_staged_bytes_are_named_by_their_digest(own: Journal):
    """And are there once, however often they are logged."""
    assert own.stage(b"x") == own.stage(b"x")
    assert [path.read_bytes() for path in (own.folder / "files").iterdir()] == [b"x"]


def test_syncing_and_closing_twice_is_harmless(own: Journal):
    """Whoever ends a run does not ask whether somebody has."""
    own.add_points({"a": 1.0}, None, 0.0)
    own.sync()
    own.close()
    own.sync()
    own.close()
    lock = hold(own.folder)
    assert lock is not None
    release(lock)
