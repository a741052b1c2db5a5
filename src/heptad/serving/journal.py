"""The local log of answers: shared by the workers, one entry an id, durable before a client sees an answer."""

import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

import msgspec

from heptad.core.errors import RequestError, UnavailableError, WorkspaceError
from heptad.core.faults import boundary
from heptad.core.files import locked, make_folder
from heptad.core.records import new_id
from heptad.serving.codecs import join_answers, split_answers
from heptad.serving.messages import Answer, Entries, Part

FORMAT = 1
WAIT_SECONDS = 10.0
"""How long a commit waits for another process; the longest transaction here takes milliseconds."""
_AT_ONCE = 64
"""Requests that are trimmed or forgotten in one transaction."""

_TABLES = (
    "CREATE TABLE journal (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, replies BLOB NOT NULL, entries BLOB)",
    """CREATE TABLE answered
    (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, place INTEGER NOT NULL, digest INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE about (name TEXT NOT NULL, trimmed INTEGER NOT NULL)",
    # One statement for one row, which is its own transaction: most requests are such.
    "CREATE VIEW single AS SELECT '' AS id, 0 AS digest, 0 AS at, '' AS replies, '' AS entries",
    """CREATE TRIGGER store_single INSTEAD OF INSERT ON single BEGIN
        INSERT INTO journal (at, replies, entries) VALUES (NEW.at, NEW.replies, NEW.entries);
        INSERT INTO answered VALUES (NEW.id, last_insert_rowid(), 0, NEW.digest);
    END""",
)
REPEATED = "this id was answered before, for another row; its first answer stands"

_entries = msgspec.msgpack.Decoder(Entries)
_answer = msgspec.json.Decoder(Answer)
_ROWS = "SELECT seq, replies, entries FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"


class _Named(msgspec.Struct):
    """All that is looked at of an answer; `null` stands for one that was erased."""

    id: str


_named = msgspec.json.Decoder(_Named | None)
_encode = msgspec.msgpack.Encoder().encode
pack = _encode
"""Entries as the journal stores them."""


class Journal:
    """An SQLite file in WAL mode. Safe to use from several threads and processes.

    `answered` says which ids were answered and where: in row `seq` of `journal`, at `place` of its `replies`. Its
    rows are small, since ids may come in any order and each then touches a page of its own. `entries` is set to null
    once it is in the prediction log. `forget` removes the row, and with it the answers; their ids stay, so that one
    that comes back is refused and not answered anew.

    A commit survives `kill -9` of any process; `Syncer` makes it survive a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        """Commits so far; `Syncer` looks at it."""
        self.unsafe = ""
        """Why what is written would not survive a power cut, as `Syncer` found; nothing is stored meanwhile."""
        self._lock = threading.Lock()
        with _as_our_errors(path):
            self._connection = _connect(path)
            self.name: str = self._connection.execute("SELECT name FROM about").fetchone()[0]

    def add(self, parts: Sequence[Part]) -> list[bytes]:
        """Store all parts in one transaction; answers the replies of each, with earlier answers of repeated ids.

        Raises `RequestError` (409) for an id whose answer was forgotten, `UnavailableError` where nothing can be
        stored now; then none of the parts is.
        """
        if self.unsafe:
            raise UnavailableError(
                f"The prediction log {self.path} cannot be synced: {self.unsafe}.", remedy="see `heptad doctor`"
            )
        boundary("journal.before_commit")
        with self._lock, _as_our_errors(self.path):
            replies = self._add_single(parts) or self._add_all(parts)
            self.written += 1
        boundary("journal.after_commit")
        return replies

    def _add_single(self, parts: Sequence[Part]) -> list[bytes]:
        """Store one new row; nothing is stored where it is another number of them, or its id was answered before."""
        if len(parts) != 1 or len(parts[0].digests) != 1:
            return []
        (part,) = parts
        row = (part.entries.ids[0], part.digests[0], part.entries.at, part.replies, part.packed)
        try:
            self._connection.execute("INSERT INTO single VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            return []
        return [part.replies]

    def _add_all(self, parts: Sequence[Part]) -> list[bytes]:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            replies = [self._add(part) for part in parts]
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        return replies

    def _add(self, part: Part) -> bytes:
        run, ids = self._connection.execute, part.entries.ids
        insert = "INSERT INTO journal (at, replies, entries) VALUES (?, ?, ?)"
        seq = run(insert, (part.entries.at, part.replies, part.packed)).lastrowid
        rows = [(one, seq, place, digest) for place, (one, digest) in enumerate(zip(ids, part.digests, strict=True))]
        insert = "INSERT INTO answered VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        added = (run(insert, rows[0]) if len(rows) == 1 else self._connection.executemany(insert, rows)).rowcount
        return part.replies if added == len(rows) else self._repeat(part, seq or 0)

    def _repeat(self, part: Part, seq: int) -> bytes:
        """Some ids were answered before: give those answers, and keep only the new entries under `seq`."""
        run = self._connection.execute
        answers = split_answers(part.replies)
        new: list[int] = []
        known: dict[int, list[msgspec.Raw]] = {}
        for position, one in enumerate(part.entries.ids):
            earlier, place, digest = run("SELECT seq, place, digest FROM answered WHERE id = ?", (one,)).fetchone()
            if earlier == seq:
                new.append(position)
                continue
            if earlier not in known:
                known[earlier] = self._answers(earlier, one)
            answers[position] = known[earlier][place]
            if digest != part.digests[position]:
                answers[position] = _with_warning(answers[position], REPEATED)
        if new:
            run("UPDATE journal SET entries = ? WHERE seq = ?", (_encode(only(part.entries, new)), seq))
        else:
            run("DELETE FROM journal WHERE seq = ?", (seq,))
        return join_answers(answers)

    def _answers(self, seq: int, identity: str) -> list[msgspec.Raw]:
        found = self._connection.execute("SELECT replies FROM journal WHERE seq = ?", (seq,)).fetchone()
        if found is None:
            raise RequestError(
                f"The id {identity!a} was answered long ago, and its answer is not at hand any more.",
                status=409,
                field="ids",
                allowed="a new id, or one that was answered lately ([deploy] answers_kept)",
                remedy=f"`heptad why {identity}` tells the answer; ask anew with another id",
            )
        return split_answers(found[0])

    def after(self, seq: int, limit: int) -> list[tuple[int, Entries]]:
        """Entries behind a sequence number that are not trimmed, in order; at most `limit` requests."""
        query = "SELECT seq, entries FROM journal WHERE seq > ? AND entries IS NOT NULL ORDER BY seq LIMIT ?"
        with self._lock, _as_our_errors(self.path):
            found = self._connection.execute(query, (seq, limit)).fetchall()
        return [(number, _entries.decode(packed)) for number, packed in found]

    def find(self, identity: str) -> list[tuple[int, Entries]]:
        """The entry of an id with its sequence number; nothing where it is trimmed, or was never answered here."""
        query = "SELECT seq, entries FROM journal JOIN answered USING (seq) WHERE id = ? AND entries IS NOT NULL"
        with self._lock, _as_our_errors(self.path):
            found = self._connection.execute(query, (identity,)).fetchall()
        decoded = [(seq, _entries.decode(packed)) for seq, packed in found]
        return [(seq, only(entries, [entries.ids.index(identity)])) for seq, entries in decoded]

    def newest(self, limit: int) -> list[tuple[int, Entries]]:
        """The last entries that are not trimmed, in order; at most `limit` requests."""
        query = "SELECT seq, entries FROM journal WHERE entries IS NOT NULL ORDER BY seq DESC LIMIT ?"
        with self._lock, _as_our_errors(self.path):
            found = self._connection.execute(query, (limit,)).fetchall()
        return [(seq, _entries.decode(packed)) for seq, packed in reversed(found)]

    def trimmed(self) -> int:
        """Up to which number entries were let go of."""
        with self._lock, _as_our_errors(self.path):
            (number,) = self._connection.execute("SELECT trimmed FROM about").fetchone()
        return int(number)

    def trim(self, until: int) -> None:
        """Let go of the entries up to a sequence number, in short transactions; ids and replies stay."""
        with self._lock, _as_our_errors(self.path):
            run = self._connection.execute
            (low,) = run("SELECT trimmed FROM about").fetchone()
            while low < until:
                high = min(low + _AT_ONCE, until)
                run("BEGIN IMMEDIATE")
                run("UPDATE journal SET entries = NULL WHERE seq > ? AND seq <= ?", (low, high))
                run("UPDATE about SET trimmed = ?", (high,))
                run("COMMIT")
                low = high

    def forget(self, before: int) -> None:
        """Let go of the answers given before a moment (microseconds since 1970), in short transactions.

        Answers that are not in the prediction log yet stay, and so does the last one: its number must not be given
        again. The file does not shrink; its room is used again.
        """
        kept = """SELECT coalesce(
            (SELECT seq FROM journal WHERE at >= ? OR entries IS NOT NULL ORDER BY seq LIMIT 1),
            (SELECT max(seq) FROM journal), 0)"""
        forget = "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE seq < ? ORDER BY seq LIMIT ?)"
        with self._lock, _as_our_errors(self.path):
            (first,) = self._connection.execute(kept, (before,)).fetchone()
            while self._connection.execute(forget, (first, _AT_ONCE)).rowcount:
                pass

    def erase(self, ids: Collection[str]) -> int:
        """Take ids out with their entries and answers, and leave nothing of them in the file; answers how many.

        An id that was taken out and comes again is answered anew. Raises `UnavailableError` where somebody else reads
        or writes the file for longer than `WAIT_SECONDS`; done again, it finishes.
        """
        wanted, erased = set(ids), 0
        run = self._connection.execute
        with self._lock, _as_our_errors(self.path):
            last = 0
            while found := run(_ROWS, (last, _AT_ONCE)).fetchall():
                last = found[-1][0]
                changed = [row for one in found if (row := _without(wanted, *one)) is not None]
                run("BEGIN IMMEDIATE")
                self._connection.executemany("UPDATE journal SET replies = ?, entries = ? WHERE seq = ?", changed)
                run("COMMIT")
            for identity in wanted:
                erased += run("DELETE FROM answered WHERE id = ?", (identity,)).rowcount
            boundary("journal.before_vacuum")
            run("VACUUM")
            give_up = time.monotonic() + WAIT_SECONDS
            while run("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > give_up:
                    raise UnavailableError(f"The prediction log {self.path} is read by another process for long.")
                time.sleep(0.05)
            boundary("journal.after_vacuum")
        return erased

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def create_journal(path: Path) -> None:
    """Make the file where there is none yet; raises `WorkspaceError` where it is of a newer program."""
    make_folder(path.parent)
    with locked(path.with_name("journal.lock")), _as_our_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=WAIT_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > FORMAT:
                raise WorkspaceError(
                    f"{path} has format {found}, and this program knows formats up to {FORMAT}.",
                    remedy="use the newer Heptad that wrote it",
                )
            if found == 0:
                connection.execute("BEGIN IMMEDIATE")
                for statement in _TABLES:
                    connection.execute(statement)
                connection.execute("INSERT INTO about VALUES (?, 0)", (new_id("journal"),))
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute("COMMIT")
        finally:
            connection.close()


def only(entries: Entries, positions: Sequence[int]) -> Entries:
    """The entries at these positions."""

    def cell(column: bytes | list[str | None]) -> bytes | list[str | None]:
        if isinstance(column, bytes):
            return b"".join(column[8 * position : 8 * position + 8] for position in positions)
        return [column[position] for position in positions]

    return msgspec.structs.replace(
        entries,
        ids=[entries.ids[position] for position in positions],
        labels=[entries.labels[position] for position in positions],
        scores=[entries.scores[position] for position in positions],
        probabilities=[entries.probabilities[position] for position in positions] if entries.probabilities else [],
        shadows={label: [scores[one] for one in positions] for label, scores in entries.shadows.items()},
        warnings={new: entries.warnings[old] for new, old in enumerate(positions) if old in entries.warnings},
        columns=[cell(column) for column in entries.columns],
    )


def _without(
    ids: AbstractSet[str], seq: int, replies: bytes, packed: bytes | None
) -> tuple[bytes, bytes | None, int] | None:
    """A row of the journal with nothing in the place of these ids; `None` where it has none of them."""
    answers = split_answers(replies)
    kept = [msgspec.Raw(b"null") if _id(answer) in ids else answer for answer in answers]
    entries = _entries.decode(packed) if packed is not None else None
    stay = [place for place, one in enumerate(entries.ids) if one not in ids] if entries else []
    if entries is not None and len(stay) < len(entries.ids):
        packed = _encode(only(entries, stay)) if stay else None
    elif kept == answers:
        return None
    return join_answers(kept), packed, seq


def _id(answer: msgspec.Raw) -> str:
    named = _named.decode(answer)
    return named.id if named else ""


def _with_warning(answer: msgspec.Raw, warning: str) -> msgspec.Raw:
    known = _answer.decode(answer)
    return msgspec.Raw(msgspec.json.encode(msgspec.structs.replace(known, warnings=[*known.warnings, warning])))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=WAIT_SECONDS,
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    # Checkpoints sync to disk; `Syncer` makes them, so that no client waits for one.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -16000")
    return connection


@contextmanager
def _as_our_errors(path: Path) -> Iterator[None]:
    """What SQLite reports, in our words: busy or full may pass, everything else will not."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnavailableError(
            f"The prediction log {path} cannot be written: {error}.",
            remedy="free space on the disk and look at `heptad doctor`",
        ) from error
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(
            f"The prediction log {path} is damaged: {error}.",
            remedy="move it away and restart the server; what was collected is in the table of predictions",
        ) from error
