"""A model as it is served: one ONNX graph, transforms included, behind a signature."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from heptad.training.columns import Array, Columns, encode_columns
from heptad.training.records import Signature

DEFAULT_THRESHOLD = 0.5

_BATCH_VALUES = 500_000
"""Numbers in the widest tensor of a graph for one batch: 4 MB, which stays in a cache."""
_BATCH_WORDS = 1_000_000
"""Words of texts that are taken apart at once."""
WIDEST = "heptad.widest"
"""Entry of a graph's metadata: how many numbers a row takes in its widest tensor."""


@dataclass(frozen=True)
class Scores:
    """What a model says of `n` rows.

    `scores` `(n,)`: the probability of the positive class, of the answered class where there are more than two, or
    the number of a regression. `probabilities` `(n, k)` in the order of the signature's classes, rows adding up to 1.
    """

    labels: list[str] | list[float]
    scores: np.ndarray[Any, np.dtype[np.float64]]
    probabilities: np.ndarray[Any, np.dtype[np.float64]] | None = None


class OnnxModel:
    """Answers rows. Safe to share between threads; it keeps nothing of what it was asked."""

    def __init__(self, graph: bytes, signature: Signature, threads: int = 1) -> None:
        self.signature = signature
        self._session = GraphSession(graph, signature, threads)

    def predict(self, columns: Mapping[str, Sequence[object] | Array]) -> Scores:
        """Scores of all rows; a column that is left out is missing in every row.

        Arrays are those of `check_rows` and `columns_of`; other sequences hold values as JSON has them.
        """
        return decide(self._session.run(encode_columns(columns, self.signature)), self.signature)


def standalone_source() -> bytes:
    """The module that answers as `OnnxModel` does where Heptad is not installed: it goes with a model that leaves."""
    return Path(__file__).with_name("standalone.py").read_bytes()


def decide(output: Array, signature: Signature) -> Scores:
    """What the output of a graph means: `(n, k)` probabilities, or `(n, 1)` numbers."""
    if signature.task == "regression":
        return Scores(labels=output[:, 0].tolist(), scores=output[:, 0])
    if len(signature.classes) == 2:
        negative, positive = signature.classes
        threshold = DEFAULT_THRESHOLD if signature.threshold is None else signature.threshold
        scores = output[:, 1]
        labels = [positive if score >= threshold else negative for score in scores.tolist()]
    else:
        chosen = output.argmax(axis=1)
        scores = output[np.arange(len(output)), chosen]
        labels = [signature.classes[number] for number in chosen.tolist()]
    return Scores(labels=labels, scores=scores, probabilities=output)


class GraphSession:
    """A loaded graph: columns in, one float64 matrix out, in batches that bound the memory it takes."""

    def __init__(self, graph: bytes, signature: Signature, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = _Session(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = [one.name for one in self._session.get_inputs()]
        self._texts = [column.name for column in signature.inputs if column.type == "text"]
        output = self._session.get_outputs()[0]
        self._outputs = [output.name]
        self.width = output.shape[1] if isinstance(output.shape[1], int) else 0
        widest = int(self._session.get_modelmeta().custom_metadata_map.get(WIDEST, self.width))
        self._batch_rows = max(1, _BATCH_VALUES // max(1, widest))

    def run(self, columns: Columns) -> Array:
        """The output `(n, width)` for columns of `n` rows."""
        parts = list(self.batches(columns))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, self.width))

    def batches(self, columns: Columns) -> Iterator[Array]:
        """The output in parts, in order of the rows."""
        rows = len(columns[self._inputs[0]])
        start = 0
        while start < rows:
            end = self._end_of_batch(columns, start, rows)
            whole = end - start == rows
            part = columns if whole else {name: columns[name][start:end] for name in self._inputs}
            yield self._session.run(self._outputs, part)[0]
            start = end

    def _end_of_batch(self, columns: Columns, start: int, rows: int) -> int:
        end = min(rows, start + self._batch_rows)
        if not self._texts or end - start == 1:
            return end
        # Every text of a batch is padded to as many words as the longest has; a word takes two characters at least.
        lengths = [max(len(columns[name][row, 0]) for name in self._texts) for row in range(start, end)]
        words = np.maximum.accumulate(lengths) // 2 * np.arange(1, end - start + 1)
        return start + max(1, int(np.searchsorted(words, _BATCH_WORDS, side="right")))


class _Session(onnxruntime.InferenceSession):  # type: ignore[misc]  # onnxruntime ships no types
    """A session that takes it from us that all inputs are there."""

    def _validate_input(self, feed_input_names: list[str]) -> None:
        """Left out: it compares every name with every other, half of the time of a row with 30 columns."""

    def _validate_ortvalue_ownership(self, values: object) -> None:
        """Left out: values are arrays."""
