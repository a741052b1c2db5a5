"""Runs side by side: the parameters in which they differ, and their metrics."""

from collections.abc import Sequence

import msgspec
import polars as pl

from heptad.core.records import Id, Record, Scalar
from heptad.experiments.records import Run


class RunComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Each table maps a name to its value in each run, in the order of `runs`; `None`: the run has none."""

    runs: list[Id]
    names: list[str]
    params: dict[str, list[Scalar]]
    """Only the parameters in which the runs differ."""
    metrics: dict[str, list[Scalar]]
    status: list[Scalar]

    def frame(self) -> pl.DataFrame:
        """One row a run."""
        columns = {f"params.{name}": values for name, values in self.params.items()}
        columns |= {f"metrics.{name}": values for name, values in self.metrics.items()}
        return pl.DataFrame(
            {"run": self.runs, "name": self.names, "status": self.status, **columns},
            strict=False,
            infer_schema_length=None,
        )


def compare_runs(runs: Sequence[Record[Run]]) -> RunComparison:
    """The runs side by side."""
    params = attribute_table(runs, "params.")
    return RunComparison(
        runs=[run.id for run in runs],
        names=[run.body.name for run in runs],
        params={name: values for name, values in params.items() if any(value != values[0] for value in values)},
        metrics=attribute_table(runs, "metrics."),
        status=[run.attributes.get("status") for run in runs],
    )


def attribute_table(runs: Sequence[Record[Run]], prefix: str) -> dict[str, list[Scalar]]:
    """Attributes whose key starts with `prefix`, by the rest of the key, a value for each run."""
    names = sorted({key for run in runs for key in run.attributes if key.startswith(prefix)})
    return {name.removeprefix(prefix): [run.attributes.get(name) for run in runs] for name in names}
