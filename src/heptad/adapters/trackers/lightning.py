"""Follows Lightning: metrics and learning rates of each epoch, where it stopped early, and the weights at the end."""

from typing import Any

from lightning.pytorch.callbacks import Callback, EarlyStopping

from heptad.adapters.trackers.torch import watch_shapes
from heptad.experiments import ActiveRun


class Follower(Callback):
    """One of the `callbacks` of a `Trainer`; of several processes that train together only the first tells."""

    def __init__(self, run: ActiveRun, *, model: str = "model") -> None:
        super().__init__()
        self._run, self._path = run, model

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        if trainer.is_global_zero:
            # Modules often keep the epochs among their own parameters.
            self._run.set_params(**{**pl_module.hparams, "max_epochs": trainer.max_epochs})
            # Told where a step calls the module itself; one that calls its parts passes `forward` by.
            self._shapes, self._handles = watch_shapes(pl_module)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - Lightning gives both
        if not trainer.is_global_zero:
            return
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        for number, optimizer in enumerate(trainer.optimizers):
            name = f"learning_rate_{number}" if number else "learning_rate"
            values[name] = float(optimizer.param_groups[0]["lr"])
        self._run.log(values, step=trainer.current_epoch)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        if not trainer.is_global_zero:
            return
        for one in trainer.callbacks:
            if isinstance(one, EarlyStopping) and one.stopped_epoch:
                self._run.log(stopped_epoch=one.stopped_epoch)
        for handle in self._handles:
            handle.remove()
        self._run.model(self._path, pl_module, self._shapes.signature)
