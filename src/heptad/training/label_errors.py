"""Finds labels that are likely wrong: what a row is called against what models say of it that have not seen it."""

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from heptad.core import catalogue
from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.data import DatasetVersion
from heptad.training.fitting import target_of
from heptad.training.out_of_fold import Model, out_of_fold
from heptad.training.parting import Parting

FINDER = "cleanlab"


class LabelError(msgspec.Struct, frozen=True, kw_only=True):
    """A row whose label is likely wrong. `quality` is how likely the given label is right, 0 to 1, least first."""

    key: dict[str, str | int | float | bool | None]
    given: str
    likely: str
    given_probability: float
    likely_probability: float
    quality: float


class LabelErrors(msgspec.Struct, frozen=True, kw_only=True):
    """What was found among the labelled rows of a version, the least credible label first."""

    version: str
    target: str
    rows: int
    estimator: str
    agreement: float
    """Share of the rows that the models call as they are labelled."""
    errors: list[LabelError]

    @property
    def sentence(self) -> str:
        return f"{len(self.errors):,} of {self.rows:,} labels of {self.version} are likely wrong."

    def table(self) -> pl.DataFrame:
        """A line for each, as `heptad data correct` reads it: the likely label is proposed as the right one."""
        lines = [
            {
                **one.key,
                "column": self.target,
                "value": one.likely,
                "reason": f"a model that had not seen it says {one.likely} with {one.likely_probability:.1%}, "
                f"{one.given} with {one.given_probability:.1%}",
                "given": one.given,
                "quality": one.quality,
            }
            for one in self.errors
        ]
        return pl.DataFrame(lines, infer_schema_length=None)


def find_label_errors(
    parting: Parting, version: Record[DatasetVersion], model: Model, seed: int, *, finder: str = FINDER
) -> LabelErrors:
    """The labels that are likely wrong, by confident learning over a cross-validation.

    Raises `DataError` for a target that is a number, and `WorkspaceError` where the finder is not installed.
    """
    schema = version.body.schema
    if schema.task != "classification":
        raise DataError(
            f"{schema.target!r} is a number, and wrong ones among numbers are not looked for.",
            allowed="a target of classes",
        )
    find = catalogue.find("label_errors", finder)
    frame = parting.labelled(version)
    labels = target_of(frame, schema)
    probabilities, _ = out_of_fold(parting, version, frame, model, seed, others=frame.head(0))
    judged = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    present, numbers = np.unique(labels[judged], return_inverse=True)
    # A class that no labelled row has can be nobody's right label either.
    shares = probabilities[judged][:, present] + 1e-12
    shares /= shares.sum(axis=1, keepdims=True)
    suspects, quality = find(numbers, shares)
    found = np.flatnonzero(suspects)
    found = found[np.argsort(quality[found], kind="stable")]
    names = [schema.classes[one] for one in present]
    return LabelErrors(
        version=f"{version.body.name}@{version.body.version}",
        target=schema.target,
        rows=len(judged),
        estimator=model.estimator,
        agreement=float((shares.argmax(axis=1) == numbers).mean()),
        errors=[
            _error(
                frame[int(judged[row])], schema.named("key"), names, int(numbers[row]), shares[row], float(quality[row])
            )
            for row in found
        ],
    )


def _error(
    row: pl.DataFrame, key: Sequence[str], names: Sequence[str], given: int, shares: np.ndarray, quality: float
) -> LabelError:
    others = shares.copy()
    others[given] = -1
    likely = int(others.argmax())
    return LabelError(
        key=row.select(
            pl.col(name) if not row[name].dtype.is_temporal() else pl.col(name).cast(pl.String) for name in key
        ).row(0, named=True),
        given=names[given],
        likely=names[likely],
        given_probability=float(shares[given]),
        likely_probability=float(shares[likely]),
        quality=quality,
    )
