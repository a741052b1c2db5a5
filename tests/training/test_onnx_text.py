"""Texts become weighted words and pairs of words, as scikit-learn weighs them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_text import Vocabulary, learn_vocabulary, write_tfidf, write_words
from heptad.training.records import Input, Signature

SIGNATURE = Signature(inputs=[Input(name="t", type="text")], task="regression", target="y")


def column(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype=object).reshape(-1, 1)


def words_session() -> GraphSession:
    graph = GraphWriter(SIGNATURE.inputs)
    return GraphSession(graph.finish(write_words(graph, "t"), None), SIGNATURE)


def words_of(text: str) -> list[str]:
    return [word for word in words_session().run({"t": column([text])}).ravel().tolist() if word]


def learn(texts: list[str], most: int = 1000) -> Vocabulary:
    return learn_vocabulary("t", words_session().batches({"t": column(texts)}), most)


def tfidf(vocabulary: Vocabulary, texts: list[str]) -> np.ndarray:
    graph = GraphWriter(SIGNATURE.inputs)
    output = write_tfidf(graph, write_words(graph, "t"), vocabulary)
    return GraphSession(graph.finish(output, vocabulary.size), SIGNATURE).run({"t": column(texts)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Win a FREE prize, now!!", ["win", "a", "free", "prize", "now"]),
        ("it's £5_00", ["it", "s", "5_00"]),
        ("Grüße Ünder ÉCOLE", ["grüße", "ünder", "école"]),
        ("日本 語", ["日本", "語"]),
        ("", []),
        ("?!", []),
        ("a\x00b\nc\td", ["a", "b", "c", "d"]),
    ],
)
def test_words_are_runs_of_letters_digits_and_underscores(text: str, words: list[str]) -> None:
    """In small letters, of every script."""
    assert words_of(text) == words


ASCII = st.text(alphabet="abAB01_ .,\n!", max_size=40)


@given(st.lists(ASCII, min_size=1, max_size=25), st.lists(ASCII, min_size=1, max_size=10))
def test_weights_are_those_of_scikit_learn(texts: list[str], asked: list[str]) -> None:
    """With the same vocabulary, TfidfVectorizer gives the same matrix to 1e-12."""
    learned = learn(texts)
    if not learned.size:
        assert all(not words_of(text) for text in texts) or len(texts) >= 10
        return
    terms = [*learned.words, *(" ".join(pair) for pair in learned.pairs)]
    peer = TfidfVectorizer(ngram_range=(1, 2), token_pattern="[a-zA-Z0-9_]+", vocabulary=terms).fit(texts)
    np.testing.assert_allclose(tfidf(learned, asked), peer.transform(asked).toarray(), rtol=0, atol=1e-12)


def test_the_most_common_terms_are_kept() -> None:
    """By how many texts they are in; of ten texts or more, a term must be in two."""
    texts = ["red apple"] * 6 + ["red pear"] * 4 + ["lonely"]
    assert learn(texts, most=3).words == ["apple", "red"]
    assert learn(texts, most=3).pairs == [("red", "apple")]
    assert "lonely" not in learn(texts).words
    assert learn(["lonely"]).words == ["lonely"]


def test_a_text_without_known_words_is_all_zero() -> None:
    """No division by a length of 0."""
    got = tfidf(learn(["red apple", "red pear"]), ["", "blue", "!!"])
    np.testing.assert_array_equal(got, np.zeros_like(got))


def test_long_and_short_texts_do_not_pad_each_other_out_of_memory() -> None:
    """A text of a million words is computed by itself, and nothing changes for the others."""
    learned = learn(["red apple", "green pear"])
    texts = ["red apple"] * 50 + ["red " * 1_000_000] + ["green pear"] * 50
    got = tfidf(learned, texts)
    np.testing.assert_array_equal(got[:50], tfidf(learned, texts[:50]))
    np.testing.assert_array_equal(got[51:], tfidf(learned, texts[51:]))
    assert got[50].max() == 1.0
