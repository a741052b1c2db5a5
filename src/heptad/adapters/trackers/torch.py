"""Follows a training loop of PyTorch: learning rates as the optimizer steps, and the weights at the end."""

import inspect
import io
from collections.abc import Mapping
from typing import Any

import torch

from heptad.core.errors import InputError
from heptad.experiments import ActiveRun, ModelField, ModelSignature, WrittenModel, fields_of


class BatchShapes:
    """A hook of a module's `forward`: what it took and answered, by names, types and shapes.

    An axis along which batches differ has the length -1, as the first one has. Holds no tensor and no run, so that the
    module can be copied and sent to another process. Compiled code is left alone, and tells nothing.
    """

    def __init__(self) -> None:
        self.signature = ModelSignature()

    def __call__(self, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any) -> None:
        if torch.compiler.is_compiling():
            return
        given = inspect.signature(module.forward).bind(*args, **kwargs).arguments
        seen = ModelSignature(inputs=fields_of(given), outputs=fields_of(output))
        self.signature = ModelSignature(
            inputs=_merged(self.signature.inputs, seen.inputs), outputs=_merged(self.signature.outputs, seen.outputs)
        )


def watch_shapes(module: Any) -> tuple[BatchShapes, list[Any]]:
    """The shapes that will be seen, and the handles by which `remove` ends the watching; TorchScript takes no hooks."""
    shapes = BatchShapes()
    if isinstance(module, torch.jit.ScriptModule):
        return shapes, []
    return shapes, [module.register_forward_hook(shapes, with_kwargs=True)]


def _merged(before: list[ModelField], now: list[ModelField]) -> list[ModelField]:
    """Axes of another length than before are free; arrays that were not there before come last."""
    known = {one.name: one for one in before}
    for one in now:
        shape = getattr(known.get(one.name), "shape", None)
        if shape is None or one.shape is None or len(shape) != len(one.shape):
            known[one.name] = one
        elif shape != one.shape:
            merged = [a if a == b else -1 for a, b in zip(shape, one.shape, strict=True)]
            known[one.name] = ModelField(name=one.name, type=one.type, shape=merged)
    return list(known.values())


class Follower:
    """Watches an optimizer and a module; the loss is logged by the loop, which alone knows it."""

    def __init__(self, run: ActiveRun, *subjects: Any, every: int = 50, model: str = "model") -> None:
        self._run, self._every, self._path = run, every, model
        self._steps = 0
        self._handles: list[Any] = []
        for subject in subjects:
            if isinstance(subject, torch.nn.Module):
                self._module = subject
                self._shapes, handles = watch_shapes(subject)
                self._handles += handles
                run.set_params(parameters=sum(one.numel() for one in subject.parameters()))
                run.ending.append(self._end)
            elif isinstance(subject, torch.optim.Optimizer):
                groups = [{k: v for k, v in group.items() if k != "params"} for group in subject.param_groups]
                run.set_params(optimizer={"name": type(subject).__name__, **groups[0]})
                self._handles.append(subject.register_step_post_hook(self._stepped))
            else:
                raise InputError(f"A {type(subject).__qualname__} cannot be watched.", allowed="a module, an optimizer")
        run.ending.append(self._let_go)

    def _stepped(self, optimizer: Any, *_: Any) -> None:
        if self._steps % self._every == 0:
            names = ["learning_rate", *(f"learning_rate_{n}" for n in range(1, len(optimizer.param_groups)))]
            rates = [float(group["lr"]) for group in optimizer.param_groups]
            self._run.log(dict(zip(names, rates, strict=True)), step=self._steps)
        self._steps += 1

    def _end(self) -> None:
        self._run.model(self._path, self._module, self._shapes.signature)

    def _let_go(self) -> None:
        for handle in self._handles:
            handle.remove()


def write_model(model: Any) -> WrittenModel:
    """The weights of a module, as `torch.load(..., weights_only=True)` reads them, and the module in words."""
    stream = io.BytesIO()
    torch.save({name: value.detach().cpu() for name, value in model.state_dict().items()}, stream)
    return WrittenModel({"state.pt": stream.getvalue(), "module.txt": f"{model}\n".encode()})
