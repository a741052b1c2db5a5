"""Follows the Trainer of Transformers: what it logs as it logs it, its arguments, and the model at the end."""

import tempfile
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from heptad.adapters.trackers.torch import watch_shapes
from heptad.experiments import ActiveRun, ModelSignature, WrittenModel


class Follower(TrainerCallback):
    """One of the `callbacks` of a `Trainer`; of several processes that train together only the first tells."""

    def __init__(self, run: ActiveRun, *, model: str = "model") -> None:
        self._run, self._path = run, model

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002
        if not state.is_world_process_zero:
            return
        told = {name: value for name, value in args.to_sanitized_dict().items() if not name.endswith("token")}
        self._run.set_params(**told)
        if model is not None:
            self._shapes, self._handles = watch_shapes(model)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        if not state.is_world_process_zero:
            return
        values = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        self._run.log(values, step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:  # noqa: ARG002
        if not state.is_world_process_zero:
            return
        if state.best_metric is not None:
            self._run.log(best_metric=state.best_metric)
        if state.best_global_step is not None:
            self._run.log(best_step=state.best_global_step)
        if model is not None:
            for handle in self._handles:
                handle.remove()
            self._run.model(self._path, model, self._signature(args.label_names or ["labels"]))

    def _signature(self, labels: list[str]) -> ModelSignature:
        """What the model was given but the labels, which only a training has."""
        seen = self._shapes.signature
        return ModelSignature(inputs=[one for one in seen.inputs if one.name not in labels], outputs=seen.outputs)


def write_model(model: Any) -> WrittenModel:
    """A model with its configuration, in a folder as `from_pretrained` reads it."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return WrittenModel({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})
