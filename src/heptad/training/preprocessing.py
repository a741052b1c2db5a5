"""From columns to the matrix that an estimator learns from: learned once, then run as an ONNX graph everywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec
from scipy import sparse

from heptad.core.errors import DataError
from heptad.training.columns import Array, Columns, is_string
from heptad.training.model import GraphSession
from heptad.training.onnx_categories import (
    Categories,
    learn_categories,
    learn_scores,
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
    scores: list[tuple[Array, float]]
    vocabularies: list[Vocabulary]
    origins: list[str]

    @property
    def code_columns(self) -> list[int]:
        """Which columns of the matrix hold codes, where the recipe asks for codes."""
        if self.recipe.categories != "codes":
            return []
        return [self.origins.index(one.name) for one in self.categories]

    @property
    def is_sparse(self) -> bool:
        indicators = sum(one.codes for one in self.categories) if self.recipe.categories == "indicators" else 0
        return indicators + sum(one.size for one in self.vocabularies) >= _MOSTLY_ZERO

    def write(self, graph: GraphWriter) -> str:
        """Append the transformation; answers the name of the matrix."""
        parts = []
        if any(not is_string(column.type) for column in graph.inputs):
            parts += _NUMBERS[self.recipe.numbers](graph, _write_numbers(graph), self.scaling)
        if self.categories:
            parts.append(_CATEGORIES[self.recipe.categories](graph, self))
        parts += [write_tfidf(graph, write_words(graph, one.name), one) for one in self.vocabularies]
        return graph.concat(parts)

    def session(self) -> GraphSession:
        """The transformation as a graph of its own, the same nodes that a model begins with."""
        graph = GraphWriter(self.signature.inputs)
        return GraphSession(graph.finish(self.write(graph), len(self.origins)), self.signature)

    def transform(self, columns: Columns) -> Matrix:
        """The matrix `(n, w)`, computed by onnxruntime in batches.

        It takes 8 bytes a number, or 12 for each that is not zero where it is sparse: 200,000 short messages were
        learnt from in 0.6 GB in all.
        """
        session = self.session()
        if not self.is_sparse:
            return session.run(columns)
        parts = [sparse.csr_array(part) for part in session.batches(columns)]
        return sparse.vstack(parts, format="csr") if parts else sparse.csr_array((0, session.width))


def learn_preprocessing(columns: Columns, signature: Signature, target: Array, recipe: Recipe) -> Preprocessing:
    """Learn the transformation from the training rows.

    `target` `(n, k)` holds a class each or one number, and is looked at by `scores` only. Raises `DataError` where
    no column has anything to learn from.
    """
    inputs = signature.inputs
    origins: list[str] = []
    scaling = None
    if any(not is_string(column.type) for column in inputs):
        names = _number_origins(inputs)
        origins += names
        if recipe.numbers == "scaled":
            scaling = learn_scaling(_evaluate(signature, _write_numbers, columns, len(names)))
            origins += [names[column] for column in scaling.missing]
    categories = [
        learn_categories(column.name, columns[column.name], recipe.most_categories)
        for column in inputs
        if column.type == "category"
    ]
    for one in categories:
        origins += [one.name] * (one.codes if recipe.categories == "indicators" else 1)
    scores = [learn_scores(one, columns[one.name], target) for one in categories if recipe.categories == "scores"]
    vocabularies = [
        vocabulary
        for column in inputs
        if column.type == "text" and (vocabulary := _vocabulary(columns, column, recipe.most_terms)).size
    ]
    for vocabulary in vocabularies:
        origins += [vocabulary.name] * vocabulary.size
    if not origins:
        raise DataError(
            "No column has anything that a model could learn from: there are only texts without words.",
            remedy="add columns, or correct [data.types]",
        )
    return Preprocessing(signature, recipe, scaling, categories, scores, vocabularies, origins)


def _numbers_and_moments(inputs: Sequence[Input]) -> tuple[list[str], list[str]]:
    numeric = [one for one in inputs if not is_string(one.type)]
    moments = [one.name for one in numeric if one.type == "datetime"]
    return [one.name for one in numeric if one.type != "datetime"], moments


def _number_origins(inputs: Sequence[Input]) -> list[str]:
    """Where the columns of `_write_numbers` come from: the numbers first, then each part of all moments."""
    numbers, moments = _numbers_and_moments(inputs)
    return numbers + moments * len(MOMENT_PARTS)


def _write_numbers(graph: GraphWriter) -> str:
    """All numbers and the parts of all moments side by side, gaps as NaN."""
    numbers, moments = _numbers_and_moments(graph.inputs)
    return graph.concat(numbers + (write_moments(graph, graph.concat(moments)) if moments else []))


def _vocabulary(columns: Columns, column: Input, most: int) -> Vocabulary:
    alone = Signature(inputs=[column], task="regression", target="")
    graph = GraphWriter(alone.inputs)
    session = GraphSession(graph.finish(write_words(graph, column.name), None), alone)
    texts = columns[column.name]
    step = -(-len(texts) // _VOCABULARY_ROWS)
    return learn_vocabulary(column.name, session.batches({column.name: texts[::step]}), most)


def _evaluate(signature: Signature, write: Callable[[GraphWriter], str], columns: Columns, width: int) -> Array:
    graph = GraphWriter(signature.inputs)
    return GraphSession(graph.finish(write(graph), width), signature).run(columns)


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
_CATEGORIES: dict[str, Callable[[GraphWriter, Preprocessing], str]] = {
    "codes": lambda graph, learned: write_codes(graph, learned.categories),
    "indicators": lambda graph, learned: write_indicators(
        graph, write_codes(graph, learned.categories), learned.categories
    ),
    "scores": lambda graph, learned: write_scores(graph, learned.categories, learned.scores),
}
