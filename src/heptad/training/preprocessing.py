"""From columns to the matrix that an estimator learns from: learned once, then run as an ONNX graph everywhere."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from scipy import sparse

from heptad.core.errors import DataError
from heptad.training.columns import Array, Columns, is_string
from heptad.training.model import GraphSession
from heptad.training.onnx_categories import (
    Categories,
    CategoryScores,
    learn_categories,
    learn_scores,
    with_indicators,
    write_codes,
    write_indicators,
    write_scores,
)
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_numbers import (
    MOMENT_PARTS,
    Scaling,
    learn_scaling,
    write_finite,
    write_moments,
    write_scaling,
)
from heptad.training.onnx_text import Vocabulary, learn_vocabulary, write_tfidf, write_words
from heptad.training.records import Input, Signature

Matrix: TypeAlias = Any
"""`(n, w)` float64: a NumPy array, or a SciPy CSR array where most of it is zero."""

_MOSTLY_ZERO = 64
"""From this many indicators and terms on a matrix is kept sparse."""
_LARGEST_SINGLE = 1e30
"""Numbers beyond it are cut off where float32 is used, so that whole columns can still be added up in it."""
_VOCABULARY_ROWS = 50_000
"""Texts that a vocabulary is learnt from at most, evenly spaced."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What an estimator wants of each kind of column.

    `numbers`: `raw` keeps gaps as NaN; `scaled` fills them with the median, flags them, and standardises; `single`
    is raw but within the range of float32. `categories`: `codes`, 0/1 `indicators`, or one `scores` column each.
    """

    numbers: Literal["raw", "scaled", "single"]
    categories: Literal["codes", "indicators", "scores"]
    most_categories: int
    most_terms: int


@dataclass(frozen=True)
class Preprocessing:
    """A learned transformation. `origins` names the input that each column of the matrix comes from."""

    signature: Signature
    recipe: Recipe
    scaling: Scaling | None
    categories: list[Categories]
    scores: list[CategoryScores]
    vocabularies: list[Vocabulary]
    origins: list[str]

    @property
    def code_columns(self) -> list[int]:
        """Which columns of the matrix hold codes, where the recipe asks for codes."""
        return self.category_columns if self.recipe.categories == "codes" else []

    @property
    def category_columns(self) -> list[int]:
        """The column of each category, where the recipe asks for codes or scores."""
        return [self.origins.index(one.name) for one in self.categories]

    @property
    def plain_width(self) -> int:
        """How many columns come before the indicators and terms."""
        indicators = sum(one.codes for one in self.categories) if self._has_indicators else 0
        return len(self.origins) - indicators - sum(one.size for one in self.vocabularies)

    @property
    def is_sparse(self) -> bool:
        return len(self.origins) - self.plain_width >= _MOSTLY_ZERO

    @property
    def _has_indicators(self) -> bool:
        return bool(self.categories) and self.recipe.categories == "indicators"

    def notes(self, rows: int) -> list[str]:
        """What of the `rows` training rows was left out of it, in sentences."""
        rare = [
            f"{one.name}: the {len(one.values):,} most frequent of {one.different:,} values are told apart, "
            "all others count as one."
            for one in self.categories
            if one.other is not None
        ]
        borne = dict.fromkeys(self.origins[place] for place in (self.scaling.robust if self.scaling else ()))
        rare += [
            f"{name}: measured by its median and quartiles and cut off five spreads away, as its outliers were kept."
            for name in borne
        ]
        return rare + [
            f"{one.name}: its {one.size:,} words and pairs of words were chosen by {one.texts:,} of {rows:,} texts."
            for one in self.vocabularies
            if one.texts < rows
        ]

    def write(self, graph: GraphWriter) -> str:
        """Append the transformation; answers the name of the matrix."""
        parts = self._write_plain(graph) if self.plain_width else []
        if self._has_indicators:
            parts.append(write_indicators(graph, write_codes(graph, self.categories), self.categories))
        return graph.concat(parts + [_write_terms(graph, one) for one in self.vocabularies])

    def transform(self, columns: Columns) -> Matrix:
        """The matrix `(n, w)`: 8 bytes a number, or 12 for each that is not zero where it is sparse.

        It is computed by onnxruntime with the nodes that a model begins with, except for indicators: they are set from
        the codes, as to compute millions of zeros takes most of a training's time.
        """
        return self.beside(self.plain(columns), columns)

    def plain(self, columns: Columns) -> Array:
        """The columns that come before the indicators and terms."""
        inputs = [one for one in self.signature.inputs if not is_string(one.type)]
        if not self._has_indicators:
            inputs += [one for one in self.signature.inputs if one.type == "category"]
        if not inputs:
            return np.empty((_rows(columns), 0))
        return _evaluate(inputs, lambda graph: graph.concat(self._write_plain(graph)), columns, self.plain_width)

    def beside(self, plain: Array, columns: Columns) -> Matrix:
        """The matrix of `plain` and the indicators and terms."""
        if self.plain_width == len(self.origins):
            return plain
        coded = self.categories if self._has_indicators else []
        codes = _codes(coded, columns) if coded else np.empty((len(plain), 0))
        whole = with_indicators(plain, codes, coded)
        del plain, codes
        if self.vocabularies:
            whole = sparse.hstack([whole, *(_terms(one, columns) for one in self.vocabularies)], format="csr")
        return whole if self.is_sparse else whole.toarray()

    def _write_plain(self, graph: GraphWriter) -> list[str]:
        parts = []
        if any(not is_string(column.type) for column in graph.inputs):
            parts += _NUMBERS[self.recipe.numbers](graph, _write_numbers(graph), self.scaling)
        if self.categories and self.recipe.categories == "codes":
            parts.append(write_codes(graph, self.categories))
        if self.categories and self.recipe.categories == "scores":
            parts.append(write_scores(graph, self.categories, self.scores))
        return parts


def learn_preprocessing(
    columns: Columns, signature: Signature, target: Array, recipe: Recipe, robust: Collection[str] = ()
) -> tuple[Preprocessing, Matrix]:
    """Learn the transformation from the training rows; answers it and the matrix of these rows to learn from.

    `target` `(n, k)` holds a class each or one number, and is looked at by `scores` only, with which the matrix is not
    what `transform` gives: see `learn_scores`. `robust` are columns whose outliers were kept. Raises `DataError` where
    no column has anything to learn from.
    """
    numbers = [one for one in signature.inputs if not is_string(one.type)]
    origins = _number_origins(numbers)
    scaling = None
    if numbers and recipe.numbers == "scaled":
        borne = [place for place, name in enumerate(origins) if name in robust]
        scaling = learn_scaling(_evaluate(numbers, _write_numbers, columns, len(origins)), borne)
        origins += [origins[column] for column in scaling.missing]
    categories = [
        learn_categories(column.name, columns[column.name], recipe.most_categories)
        for column in signature.inputs
        if column.type == "category"
    ]
    for one in categories:
        origins += [one.name] * (one.codes if recipe.categories == "indicators" else 1)
    scored: list[tuple[CategoryScores, Array]] = []
    if categories and recipe.categories == "scores":
        codes = _codes(categories, columns).astype(np.int64)
        scored = [learn_scores(own, one.codes, target) for one, own in zip(categories, codes.T, strict=True)]
    vocabularies = [_vocabulary(columns, one, recipe.most_terms) for one in signature.inputs if one.type == "text"]
    vocabularies = [one for one in vocabularies if one.size]
    for vocabulary in vocabularies:
        origins += [vocabulary.name] * vocabulary.size
    if not origins:
        raise DataError(
            "No column has anything that a model could learn from: there are only texts without words.",
            remedy="add columns, or correct [data.types]",
        )
    learned = Preprocessing(
        signature, recipe, scaling, categories, [scores for scores, _ in scored], vocabularies, origins
    )
    plain = learned.plain(columns)
    if scored:
        plain[:, learned.category_columns] = np.stack([own for _, own in scored], axis=1)
    return learned, learned.beside(plain, columns)


def _number_origins(inputs: Sequence[Input]) -> list[str]:
    """Where the columns of `_write_numbers` come from: the numbers first, then each part of all moments."""
    numbers, moments = _numbers_and_moments(inputs)
    return numbers + moments * len(MOMENT_PARTS)


def _numbers_and_moments(inputs: Sequence[Input]) -> tuple[list[str], list[str]]:
    numeric = [one for one in inputs if not is_string(one.type)]
    moments = [one.name for one in numeric if one.type == "datetime"]
    return [one.name for one in numeric if one.type != "datetime"], moments


def _write_numbers(graph: GraphWriter) -> str:
    """All numbers and the parts of all moments side by side, gaps as NaN."""
    numbers, moments = _numbers_and_moments(graph.inputs)
    return graph.concat(numbers + (write_moments(graph, graph.concat(moments)) if moments else []))


def _write_terms(graph: GraphWriter, vocabulary: Vocabulary) -> str:
    return write_tfidf(graph, write_words(graph, vocabulary.name), vocabulary)


def _codes(categories: Sequence[Categories], columns: Columns) -> Array:
    """Codes `(n, c)`; NaN where a value has none."""
    inputs = [Input(name=one.name, type="category") for one in categories]
    return _evaluate(inputs, lambda graph: write_codes(graph, categories), columns, len(categories))


def _terms(vocabulary: Vocabulary, columns: Columns) -> Any:
    """Weighted terms `(n, size)`, sparse: 200,000 short messages were learnt from in 0.6 GB in all."""
    inputs = [Input(name=vocabulary.name, type="text")]
    session = _session(inputs, lambda graph: _write_terms(graph, vocabulary), vocabulary.size)
    parts = [sparse.csr_array(part) for part in session.batches({vocabulary.name: columns[vocabulary.name]})]
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_array((0, vocabulary.size))


def _vocabulary(columns: Columns, column: Input, most: int) -> Vocabulary:
    session = _session([column], lambda graph: write_words(graph, column.name), None)
    texts = columns[column.name]
    step = -(-len(texts) // _VOCABULARY_ROWS)
    return learn_vocabulary(column.name, session.batches({column.name: texts[::step]}), most)


def _evaluate(inputs: Sequence[Input], write: Callable[[GraphWriter], str], columns: Columns, width: int) -> Array:
    return _session(inputs, write, width).run({one.name: columns[one.name] for one in inputs})


def _session(inputs: Sequence[Input], write: Callable[[GraphWriter], str], width: int | None) -> GraphSession:
    graph = GraphWriter(inputs)
    signature = Signature(inputs=list(inputs), task="regression", target="")
    return GraphSession(graph.finish(write(graph), width), signature)


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _raw(_graph: GraphWriter, numbers: str, _scaling: Scaling | None) -> list[str]:
    return [numbers]


def _single(graph: GraphWriter, numbers: str, _scaling: Scaling | None) -> list[str]:
    return [write_finite(graph, numbers, _LARGEST_SINGLE)]


def _scaled(graph: GraphWriter, numbers: str, scaling: Scaling | None) -> list[str]:
    assert scaling is not None
    return write_scaling(graph, numbers, scaling)


_NUMBERS: dict[str, Callable[[GraphWriter, str, Scaling | None], list[str]]] = {
    "raw": _raw,
    "single": _single,
    "scaled": _scaled,
}
