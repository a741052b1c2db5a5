"""A loop of PyTorch is followed in one line: learning rates, and the weights at the end."""

import io

import pytest

from heptad.core.errors import InputError

torch = pytest.importorskip("torch")


def test_rates_are_logged_as_the_optimizer_steps(run, attributes, series, kept):
    """And the weights are kept, to be read without pickle."""
    module = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    run.watch("torch", module, optimizer, every=2)
    for _ in range(4):
        optimizer.zero_grad()
        module(torch.ones(3, 2)).sum().backward()
        optimizer.step()
        scheduler.step()
    run.finish()
    optimizer.step()
    assert series("learning_rate") == [0.5, 0.125]
    assert attributes()["params.optimizer.name"] == "SGD"
    assert attributes()["params.parameters"] == 3
    state = torch.load(io.BytesIO(kept("model/state.pt")), weights_only=True)
    assert set(state) == {"weight", "bias"}


def test_other_things_cannot_be_watched(run):
    """The message says what can."""
    with pytest.raises(InputError, match="cannot be watched"):
        run.watch("torch", 3)
