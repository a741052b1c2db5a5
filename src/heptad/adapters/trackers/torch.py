"""Follows a training loop of PyTorch: learning rates as the optimizer steps, and the weights at the end."""

import io
from typing import Any

import torch

from heptad.core.errors import InputError
from heptad.experiments import ActiveRun


class Follower:
    """Watches an optimizer and a module; the loss is logged by the loop, which alone knows it."""

    def __init__(self, run: ActiveRun, *subjects: Any, every: int = 50, model: str = "model") -> None:
        self._run, self._every, self._path = run, every, model
        self._steps = 0
        self._handles = []
        for subject in subjects:
            if isinstance(subject, torch.nn.Module):
                self._module = subject
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
        self._run.model(self._path, self._module)

    def _let_go(self) -> None:
        for handle in self._handles:
            handle.remove()


def write_model(model: Any) -> dict[str, bytes]:
    """The weights of a module, as `torch.load(..., weights_only=True)` reads them, and the module in words."""
    stream = io.BytesIO()
    torch.save({name: value.detach().cpu() for name, value in model.state_dict().items()}, stream)
    return {"state.pt": stream.getvalue(), "module.txt": f"{model}\n".encode()}
