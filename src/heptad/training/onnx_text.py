"""Free text in a graph: words and pairs of words, weighted by how rare they are (TF-IDF)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from heptad.training.columns import Array
from heptad.training.onnx_graph import MICROSOFT, GraphWriter

_WORD = r"[\p{L}\p{N}_]+"
_LOCALE = "C.UTF-8"
"""A locale that every Linux has; the default of onnxruntime is missing in most containers."""
_DISTINCT_TERMS = 2_000_000
"""Terms that are counted at once; beyond it those seen only once are forgotten."""


@dataclass(frozen=True)
class Vocabulary:
    """The terms of a column that are told apart: single words first, then pairs of words, with their weights."""

    name: str
    words: list[str]
    pairs: list[tuple[str, str]]
    weights: Array
    texts: int
    """How many texts they were chosen by."""

    @property
    def size(self) -> int:
        return len(self.words) + len(self.pairs)


def write_words(graph: GraphWriter, column: str) -> str:
    """Texts `(n, 1)` to their words in small letters `(n, longest)`, short texts filled up with empty words.

    A word is a run of letters, digits and underscores of any script.
    """
    flat = graph.node("Reshape", column, graph.constant([-1], np.int64))
    small = graph.node("StringNormalizer", flat, case_change_action="LOWER", is_case_sensitive=1, locale=_LOCALE)
    return graph.node("Tokenizer", small, domain=MICROSOFT, mark=0, pad_value="", mincharnum=1, tokenexp=_WORD)


def learn_vocabulary(name: str, batches: Iterator[Array], most: int) -> Vocabulary:
    """The `most` terms that are in most texts, but in two at least where there are ten texts or more.

    `batches` are what `write_words` makes of the training rows. The weight of a term is its smooth inverse document
    frequency `1 + ln((1 + texts) / (1 + texts with it))`, as in scikit-learn.
    """
    counts: Counter[str | tuple[str, str]] = Counter()
    texts = 0
    for batch in batches:
        for row in batch:
            words = [word for word in row.tolist() if word]
            counts.update({*words, *pairwise(words)})
        texts += len(batch)
        if len(counts) > _DISTINCT_TERMS:
            counts = Counter({term: count for term, count in counts.items() if count > 1})
    needed = 2 if texts >= 10 else 1
    known = [term for term, count in counts.items() if count >= needed]
    kept = sorted(known, key=lambda term: (-counts[term], _spelled(term)))[:most]
    words = sorted(term for term in kept if isinstance(term, str))
    pairs = sorted(term for term in kept if isinstance(term, tuple))
    frequencies = np.array([counts[term] for term in (*words, *pairs)], dtype=float)
    return Vocabulary(name, words, pairs, 1.0 + np.log((1.0 + texts) / (1.0 + frequencies)), texts)


def write_tfidf(graph: GraphWriter, words: str, vocabulary: Vocabulary) -> str:
    """Words `(n, longest)` to weighted counts of the vocabulary's terms `(n, size)`, each row of length 1 or all 0."""
    graph.reserve(vocabulary.size)
    counts = graph.node(
        "TfIdfVectorizer",
        words,
        mode="TF",
        min_gram_length=1,
        max_gram_length=2,
        max_skip_count=0,
        ngram_counts=[0, len(vocabulary.words)],
        ngram_indexes=list(range(vocabulary.size)),
        pool_strings=[*vocabulary.words, *(word for pair in vocabulary.pairs for word in pair)],
    )
    weighted = graph.node("Mul", graph.as_numbers(counts), graph.constant(vocabulary.weights))
    length = graph.node("ReduceL2", weighted, graph.constant([1], np.int64), keepdims=1)
    # A text without a known term has length 0, and stays 0.
    return graph.node("Div", weighted, graph.node("Max", length, graph.constant(np.finfo(np.float64).tiny)))


def _spelled(term: str | tuple[str, str]) -> tuple[str, ...]:
    return (term,) if isinstance(term, str) else term
