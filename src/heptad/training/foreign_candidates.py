"""Measures a graph that was made elsewhere on the project's held-out rows: a candidate like those that are trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import polars as pl
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from heptad.core.errors import RefusedError
from heptad.core.records import Id, Record
from heptad.data import DatasetVersion, Schema, profile_frame
from heptad.experiments import Experiments
from heptad.training.background import generate_rows
from heptad.training.candidates import BACKGROUND_ROWS, find_candidate, ipc, keep_candidate, score_table
from heptad.training.columns import MISSING, Array, Columns, columns_of, is_string
from heptad.training.evaluation import evaluate
from heptad.training.explanation import explain
from heptad.training.fitting import signature_of
from heptad.training.foreign import Foreign, Wiring, adapted, wire
from heptad.training.model import OnnxModel, Scores, decide
from heptad.training.onnx_graph import digest_of_numbers
from heptad.training.records import EXTERNAL, Candidate, Input, Signature
from heptad.training.splits import WHOLE, Parts
from heptad.training.training import Training, rules_of

_SUM_TOLERANCE = 1e-3
_PROBED_ROWS = 20
_EXPLAINED_ROWS = 25
"""Rows that say how much each input moves the score, and as many that they are held against."""
_NEVER_SEEN = "never seen before"
_FAILURES = (
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.NotImplemented,
    runtime.RuntimeException,
)
"""What ONNX Runtime raises for a graph or a value that it cannot do."""


class ForeignCandidates:
    """Candidates of one project that were trained elsewhere; measuring the same again finds what is there."""

    def __init__(self, training: Training, experiments: Experiments) -> None:
        self._training = training
        self._experiments = experiments

    def measure(
        self, version: Record[DatasetVersion], foreign: Foreign, *, source: Id, label: str, run: Id
    ) -> Record[Candidate]:
        """The candidate; `source` is the id of the external version, `label` its name, and `run` the run it is of.

        Raises `RefusedError` that says what does not fit: a column, a type, classes, answers that are no numbers or no
        probabilities, held-out rows that it cannot answer.
        """
        training, schema = self._training, version.body.schema
        seed, settings = training.project.seed, msgspec.to_builtins(training.settings)
        key = (version.id, source, seed, *training.parting.key(), settings)
        found = find_candidate(training.workspace, key)
        if found is not None:
            return found
        wiring = wire(foreign, schema)
        parts = training.parting.parts(version)
        native = _Native(foreign.graph, wiring, parts.train.head(_PROBED_ROWS), schema, seed)
        graph = adapted(wiring, native.signature.inputs, native.width)
        signature = _bounded(graph, native.signature, parts)
        _check_answers(graph, signature, parts.judged)
        used = {one.name for one in signature.inputs}
        profile = profile_frame(parts.train, [one for one in schema.features() if one.name in used])
        background = _answerable(generate_rows(profile, BACKGROUND_ROWS, seed), signature)
        native.adapt(OnnxModel(graph, signature), background)
        rules = rules_of(training, self._experiments, schema, "one half, as nobody here has chosen it")
        evaluation, scores = evaluate(native, native.served, parts, schema, rules)
        put = training.workspace.blobs.put
        candidate = Candidate(
            name=version.body.name,
            estimator=EXTERNAL,
            params={},
            seed=seed,
            dataset=version.id,
            run=run,
            window=WHOLE,
            split=parts.split,
            signature=signature,
            notes=[_trained_elsewhere(label), *wiring.notes, *_bounds_told(native.inputs, signature)],
            evaluation=evaluation,
            model=put(graph),
            model_digest=digest_of_numbers(graph),
            profile=put(msgspec.json.encode(profile)),
            background=put(ipc(background)),
            environment=self._experiments.environment,
            scores=put(ipc(score_table(parts.judged, schema, scores))),
            external=source,
        )
        return keep_candidate(training.workspace, candidate, key, [("external", source)])


class _Native:
    """The graph as its own client runs it: the other side of parity."""

    def __init__(self, graph: bytes, wiring: Wiring, rows: pl.DataFrame, schema: Schema, seed: int) -> None:
        whole = signature_of(rows, schema)
        places = {one.name: one for one in whole.inputs}
        self.inputs = [places[name] for name in dict.fromkeys(wiring.columns)]
        self.signature = msgspec.structs.replace(whole, inputs=self.inputs)
        self._wiring, self._seed = wiring, seed
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            self.width = self._run(columns_of(_filled(rows, self.inputs), self.signature)).shape[1]
        except _FAILURES as error:
            raise _cannot("the first rows of the data", error) from error
        classes = len(schema.classes) if schema.task == "classification" else 1
        if self.width != classes and not (self.width == 1 and classes == 2):
            raise RefusedError(
                f"The model answers each row with {self.width} numbers.",
                allowed=f"one for each of the {classes} classes" if classes > 1 else "one number",
            )

    def adapt(self, served: OnnxModel, background: pl.DataFrame) -> None:
        """Take over what is known once the graph has our form; before this there are no attributions."""
        self.signature, self.served = served.signature, served
        # As a client would send them, like the rows that explain an answer later.
        self._background = msgspec.json.decode(msgspec.json.encode(background.to_dicts()))

    def predict_native(self, frame: pl.DataFrame) -> Scores:
        output = self._run(columns_of(frame, self.signature))
        if self._wiring.order and output.shape[1] == 1:
            output = np.hstack([1 - output, output])
        return decide(output[:, list(self._wiring.order)] if self._wiring.order else output, self.signature)

    def attributions(self, _frame: pl.DataFrame) -> dict[str, float]:
        """How much each input moves the answered score, on average over some background rows; largest first.

        It takes the model's own library to say what moves its raw score. From outside only answers are seen, so these
        are sampled as `explain` samples those of one answer.
        """
        explained, others = self._background[:_EXPLAINED_ROWS], self._background[_EXPLAINED_ROWS:][:_EXPLAINED_ROWS]
        sums = dict.fromkeys((one.name for one in self.inputs), 0.0)
        for row in explained if others else ():
            for name, value in explain(self.served, row, others, self._seed).contributions.items():
                sums[name] += abs(value) / len(explained)
        return dict(sorted(sums.items(), key=lambda one: (-one[1], one[0])))

    def _run(self, columns: Columns) -> Array:
        feeds = {}
        for value in self._session.get_inputs():
            names = next(taken for name, taken in self._wiring.feeds.items() if name.endswith(f"/{value.name}"))
            matrix = np.hstack([columns[name] for name in names])
            feeds[value.name] = _as_type(matrix, value.type).reshape([-1] if len(value.shape) == 1 else matrix.shape)
        outputs = self._session.run(None, feeds)
        return self._numbers(dict(zip([one.name for one in self._session.get_outputs()], outputs, strict=True)))

    def _numbers(self, outputs: Mapping[str, Any]) -> Array:
        """The output that is wired; dictionaries of probabilities hold them by class, in the order of the labels."""
        plain = self._wiring.output.partition("/")[2]
        found = outputs.get(plain)
        if found is None:
            (found,) = [one for one in outputs.values() if isinstance(one, list)]
            found = [[row[label] for label in sorted(row, key=self._place)] for row in found]
        return np.asarray(found, dtype=float).reshape(len(found), -1)

    def _place(self, label: object) -> int:
        return self._wiring.labels.index(str(label))


def _as_type(matrix: Array, kind: str) -> Array:
    known = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64,
             "tensor(int32)": np.int32, "tensor(bool)": np.bool_, "tensor(float16)": np.float16}  # fmt: skip
    return matrix.astype(known[kind]) if kind in known else matrix


def _filled(rows: pl.DataFrame, inputs: Sequence[Input]) -> pl.DataFrame:
    """The rows with what is missing taken from other rows, as far as there is something."""
    names = [one.name for one in inputs]
    return rows.with_columns(pl.col(names).fill_null(strategy="forward")).with_columns(
        pl.col(names).fill_null(strategy="backward")
    )


def _bounded(graph: bytes, signature: Signature, parts: Parts) -> Signature:
    """The signature with what the graph cannot answer: columns that have to be there, sets that are closed."""
    model = OnnxModel(graph, signature)
    usual = columns_of(_filled(parts.train.head(_PROBED_ROWS), signature.inputs), signature)

    def answers(name: str, value: object) -> bool:
        column = np.full_like(usual[name], value)
        try:
            scores = model.predict({**usual, name: column})
        except _FAILURES:
            return False
        return bool(np.isfinite(scores.scores).all())

    found = []
    for one in signature.inputs:
        missing: object = MISSING if one.type == "category" else "" if is_string(one.type) else np.nan
        closed = one.type == "category" and not (answers(one.name, _NEVER_SEEN) and answers(one.name, ""))
        seen = parts.train.get_column(one.name).drop_nulls().cast(pl.String).unique().sort().to_list() if closed else []
        bounded = msgspec.structs.replace(one, required=one.required or not answers(one.name, missing))
        found.append(msgspec.structs.replace(bounded, closed=True, categories=seen) if closed else bounded)
    return msgspec.structs.replace(signature, inputs=found)


def _check_answers(graph: bytes, signature: Signature, judged: pl.DataFrame) -> None:
    """Raise `RefusedError` unless every held-out row is answered with a number, or with probabilities."""
    for one in signature.inputs:
        missing = judged.get_column(one.name).null_count()
        if one.required and missing:
            raise RefusedError(
                f"{one.name!r} is missing in {missing:,} of the {len(judged):,} held-out rows, and the model answers "
                "them with no number.",
                remedy="log a pipeline that fills what is missing, or fill it with [clean] fill",
            )
    try:
        scores = OnnxModel(graph, signature).predict(columns_of(judged, signature))
    except _FAILURES as error:
        raise _cannot("the held-out rows", error) from error
    output = scores.scores[:, None] if scores.probabilities is None else scores.probabilities
    if not np.isfinite(output).all():
        raise RefusedError(
            f"The model answers {int((~np.isfinite(output)).any(axis=1).sum()):,} of the {len(judged):,} held-out rows "
            "with no number."
        )
    if scores.probabilities is not None and (
        output.min() < -_SUM_TOLERANCE or (np.abs(output.sum(axis=1) - 1) > _SUM_TOLERANCE).any()
    ):
        raise RefusedError(
            f"The model answers with numbers from {output.min():.3g} to {output.max():.3g}: no probabilities.",
            allowed="numbers from 0 to 1 that add up to 1 in each row",
            remedy="export it with probabilities instead of raw scores",
        )


def _answerable(background: pl.DataFrame, signature: Signature) -> pl.DataFrame:
    """The background without gaps where the model must have a value."""
    names = [one.name for one in signature.inputs if one.required]
    return _filled(background, [one for one in signature.inputs if one.required]) if names else background


def _trained_elsewhere(label: str) -> str:
    return f"{label} was trained elsewhere: whether it had seen the held-out rows is not known here."


def _bounds_told(before: Sequence[Input], after: Signature) -> list[str]:
    was = {one.name: one for one in before}
    required = [one.name for one in after.inputs if one.required and not was[one.name].required]
    closed = [one.name for one in after.inputs if one.closed and not was[one.name].closed]
    return [
        f"{what} {', '.join(names)}: it answers with no number there."
        for what, names in (("A missing value is refused in", required), ("A value never seen is refused in", closed))
        if names
    ]


def _cannot(rows: str, error: Exception) -> RefusedError:
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return RefusedError(
        f"The model cannot answer {rows}: {first[:300]}",
        remedy="log the whole pipeline, with what prepares the columns",
    )
