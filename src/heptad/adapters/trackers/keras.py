"""Follows Keras: metrics and learning rate of each epoch, where it stopped early, and the model at the end."""

import tempfile
from pathlib import Path
from typing import Any

import keras

from heptad.experiments import ActiveRun, ModelField, ModelSignature, WrittenModel, fields_of


class Follower(keras.callbacks.Callback):
    """One of the `callbacks` of `model.fit`."""

    def __init__(self, run: ActiveRun, *, model: str = "model") -> None:
        super().__init__()
        self._run, self._path = run, model
        self._epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras gives them
        optimizer = {name: value for name, value in self.model.optimizer.get_config().items() if value is not None}
        # A subclassed model may have no weights before its first batch, and Keras refuses to count them.
        parameters = self.model.count_params() if self.model.built else None
        self._run.set_params(epochs=self.params.get("epochs"), parameters=parameters, optimizer=optimizer)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        values = {name: float(value) for name, value in (logs or {}).items()}
        values["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._run.log(values, step=epoch)

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras gives them
        if self._epoch + 1 < self.params.get("epochs", 0):
            self._run.log(stopped_epoch=self._epoch)
        self._run.model(self._path, self.model)


def write_model(model: Any) -> WrittenModel:
    """A model as `.keras`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return WrittenModel({path.name: path.read_bytes()}, _signature(model))


def _signature(model: Any) -> ModelSignature:
    """What a model takes and answers; a subclassed one knows neither."""
    inputs, outputs = getattr(model, "inputs", None) or (), getattr(model, "outputs", None) or ()
    return ModelSignature(inputs=_fields(inputs), outputs=_fields(outputs))


def _fields(tensors: Any) -> list[ModelField]:
    return [field for tensor in tensors for field in fields_of(tensor, tensor.name)]
