"""What an event of an event file says: points, texts, pictures, sounds, histograms, parameters, and how a run ended."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from heptad.core.records import Scalar
from heptad.experiments.event_files import tensors
from heptad.experiments.event_files.wire import Message, WireError, readable
from heptad.experiments.records import Status


class Point(NamedTuple):
    """A value of a metric. A float of 32 bits is here the same number in 64."""

    tag: str
    step: int
    time: float
    value: float


class Text(NamedTuple):
    """Words, as Markdown."""

    tag: str
    step: int
    time: float
    text: str


class File(NamedTuple):
    """A picture or a sound; `ending` says its format, and `number` which it is of several in one summary."""

    tag: str
    step: int
    time: float
    content: bytes
    ending: str
    number: int = 0


class Histogram(NamedTuple):
    """How often values lay in each interval, from `lefts` to `rights`."""

    tag: str
    step: int
    time: float
    lefts: Sequence[float]
    rights: Sequence[float]
    counts: Sequence[float]


class Params(NamedTuple):
    """Parameters of a run, as the dashboard for them knows them, and its tags where we wrote them."""

    time: float
    values: dict[str, Scalar]
    tags: dict[str, Scalar] = {}


class Exact(msgspec.Struct, frozen=True, kw_only=True):
    """What a parameter of the dashboard cannot say of a run."""

    params: dict[str, Scalar] = {}
    """Whole numbers, and those whose names a tag may have here."""
    tags: dict[str, Scalar] = {}


class Ended(NamedTuple):
    """How a run ended, where its program said so."""

    time: float
    status: Status


class LeftOut(NamedTuple):
    """A value of a kind that has no place in a run here, for example a graph or a mesh."""

    tag: str
    what: str


Item: TypeAlias = Point | Text | File | Histogram | Params | Ended | LeftOut

SCALARS, TEXTS, IMAGES, SOUNDS, HISTOGRAMS, PARAMS = "scalars", "text", "images", "audio", "histograms", "hparams"
"""Names of the plug-ins that show each kind."""
SESSION_START, SESSION_END = "_hparams_/session_start_info", "_hparams_/session_end_info"
EXACT: Final = 1000
"""Field that holds what others cannot hold; written here, and ignored by others.

In the metadata of a point all 64 bits of its value; where a session starts, as JSON, the parameters that are whole
numbers, and the tags, which the dashboard shows as parameters `tags.NAME`; where one ends, that it was killed, which is
a failure for others.
"""
TAG: Final = "tags."
_ENDINGS: Final = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "wav"}
_STATUS: Final[dict[int, Status]] = {1: "finished", 2: "failed", 3: "running"}
_ELSEWHERE: Final = {4: "graph", 8: "trace", 9: "graph"}
"""Fields of an event that hold neither a summary nor anything that a run keeps."""
_OLD_HISTOGRAM: Final = 3
_SINGLE, _IMAGE, _HISTOGRAM, _SOUND, _TENSOR = 2, 4, 5, 6, 8
"""Fields of a value of a summary, one of which it has."""
_Place: TypeAlias = tuple[str, int, float]


class Decoder:
    """Reads the events of one run in their order: what a tag is shown by may be said with its first value only."""

    def __init__(self) -> None:
        self._plugins: dict[str, str] = {}

    def items(self, record: bytes) -> Iterator[Item]:
        """What a record of an event file says; raises `WireError` where it is no event."""
        event = Message(record)
        yield from (LeftOut("", what) for number, what in _ELSEWHERE.items() if number in event)
        for summary in event.messages(5):
            for value in summary.messages(1):
                yield from self._value(value, event.whole(2), event.floating(1))

    def _value(self, value: Message, step: int, time: float) -> Iterator[Item]:
        tag = value.text(1)
        said = value.message(9).message(1)
        plugin = self._plugins[tag] = said.text(1) or self._plugins.get(tag, "")
        place = tag, step, time
        if plugin == PARAMS:
            yield from _session(tag, said.message(2), time)
        elif _SINGLE in value:
            exact = Message(said.block(2)) if plugin == SCALARS else Message()
            yield Point(*place, exact.floating(EXACT) if EXACT in exact else value.floating(_SINGLE))
        elif _TENSOR in value:
            yield from _tensor(plugin, value.message(_TENSOR), place)
        elif _HISTOGRAM in value:
            yield _histogram(value.message(_HISTOGRAM), place)
        elif _IMAGE in value or _SOUND in value:
            held = value.message(_IMAGE if _IMAGE in value else _SOUND)
            yield from _files([held.block(4)], place)
        elif _OLD_HISTOGRAM in value:
            yield LeftOut(tag, "histogram of an old form")


def _tensor(plugin: str, tensor: Message, place: _Place) -> Iterator[Item]:
    if plugin == TEXTS:
        yield from (Text(*place, readable(one)) for one in tensors.texts_of(tensor))
    elif plugin == IMAGES:
        # The first two texts are the width and the height.
        yield from _files(tensors.texts_of(tensor)[2:], place)
    elif plugin == SOUNDS:
        # Rows of a sound and what is said of it, or sounds alone.
        yield from _files([one for one in tensors.texts_of(tensor) if _ending(one)], place)
    elif plugin == HISTOGRAMS:
        rows = tensors.numbers_of(tensor)
        if rows.size and (rows.ndim != 2 or rows.shape[1] != 3):
            raise WireError(f"a histogram of the shape {rows.shape}")
        yield Histogram(*place, *(rows[:, column].tolist() if rows.size else [] for column in range(3)))
    elif plugin in {SCALARS, ""} and (found := _single(tensor)) is not None:
        yield Point(*place, found)
    else:
        yield LeftOut(place[0], plugin or "tensor")


def _single(tensor: Message) -> float | None:
    """The one number of a tensor; none of a tensor that holds several, or texts."""
    if tensor.whole(1) == tensors.STRING:
        return None
    values = tensors.numbers_of(tensor)
    return float(values.reshape(-1)[0]) if values.size == 1 else None


def _files(contents: Sequence[bytes], place: _Place) -> Iterator[Item]:
    for number, content in enumerate(contents):
        if ending := _ending(content):
            yield File(*place, content, ending, number)
        else:
            yield LeftOut(place[0], "picture or sound of an unknown format")


def _ending(content: bytes) -> str:
    return next((ending for mark, ending in _ENDINGS.items() if content.startswith(mark)), "")


def _histogram(held: Message, place: _Place) -> Histogram:
    """A histogram of the older form, which says upper limits, the outer ones being the largest floats.

    As TensorBoard does it: without the empty intervals at either end, from the least value to the largest.
    """
    limits, counts = held.floats(6), held.floats(7)
    if len(limits) != len(counts):
        raise WireError("a histogram with other limits than counts")
    filled = [index for index, count in enumerate(counts) if count > 0]
    if not filled:
        return Histogram(*place, [], [], [])
    start, end = filled[0], filled[-1]
    inner = limits[start:end]
    return Histogram(*place, [held.floating(1), *inner], [*inner, held.floating(2)], counts[start : end + 1])


def _session(tag: str, said: Message, time: float) -> Iterator[Item]:
    """What the plug-in for hyperparameters was told: it stands in the metadata, not in a value."""
    if tag == SESSION_START:
        start = said.message(3)
        shown = {pair.text(1): _plain(pair.message(2)) for pair in start.messages(1)}
        yield _exactly(Params(time, shown), start.block(EXACT))
    elif tag == SESSION_END:
        end = said.message(4)
        status = "killed" if EXACT in end else _STATUS.get(end.whole(1), "finished")
        yield Ended(end.floating(2) or time, status)


def _exactly(shown: Params, said: bytes) -> Params:
    """Parameters and tags as they were, where a file says so."""
    if not said:
        return shown
    try:
        exact = msgspec.json.decode(said, type=Exact)
    except (msgspec.DecodeError, RecursionError) as error:
        raise WireError(f"parameters that do not read: {error}") from None
    tags = {TAG + name for name in exact.tags}
    params = {name: value for name, value in shown.values.items() if name not in tags}
    return Params(shown.time, params | exact.params, exact.tags)


def _plain(value: Message) -> Scalar:
    """A value as `google.protobuf.Value` holds it: a number, text, a truth value; lists and the like as JSON."""
    found = _nested(value)
    return found if isinstance(found, str | int | float | None) else msgspec.json.encode(found).decode()


def _nested(value: Message) -> object:
    if 2 in value:
        return value.floating(2)
    if 3 in value:
        return value.text(3)
    if 4 in value:
        return bool(value.whole(4))
    if 5 in value:
        return {pair.text(1): _nested(pair.message(2)) for pair in value.message(5).messages(1)}
    return [_nested(one) for one in value.message(6).messages(1)] if 6 in value else None
