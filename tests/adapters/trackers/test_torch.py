"""A loop of PyTorch is followed in one line: learning rates, and the weights at the end."""

import copy
import io
import pickle

import pytest

from heptad.core.errors import InputError

torch = pytest.importorskip("torch")


def test_rates_are_logged_as_the_optimizer_steps(run, attributes, series, kept, signature):
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
    assert signature() == "input float32[-1, 2] -> float32[-1, 1]"
    assert not module._forward_hooks


def test_other_things_cannot_be_watched(run):
    """The message says what can."""
    with pytest.raises(InputError, match="cannot be watched"):
        run.watch("torch", 3)


class Words(torch.nn.Module):
    """Takes two arrays by name, and answers two."""

    def forward(self, ids, *, mask):
        return {"loss": ids.sum(), "scores": ids * mask, "first": ids[:, 0]}


def test_axes_that_change_from_batch_to_batch_are_free(run, signature):
    """Arrays have the names of the arguments; a single number is none."""
    module = Words()
    run.watch("torch", module)
    for length in (3, 5):
        module(torch.ones(2, length, dtype=torch.int64), mask=torch.ones(2, length, dtype=torch.bool))
    run.finish()
    assert signature() == "ids int64[-1, -1], mask bool[-1, -1] -> scores int64[-1, -1], first int64[-1]"


def test_a_module_that_is_watched_can_be_copied_and_sent_to_another_process(run, attributes):
    """The run stays here; a module that was never called tells nothing."""
    module = torch.nn.Linear(2, 1)
    run.watch("torch", module)
    pickle.loads(pickle.dumps(copy.deepcopy(module)))(torch.ones(1, 2))
    run.finish()
    assert "tags.signature.model" not in attributes()


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_compiled_and_scripted_modules_run_as_before(run, attributes):
    """Neither tells what it takes."""
    plain = torch.nn.Linear(2, 1)
    run.watch("torch", plain, model="compiled")
    torch.compile(plain, backend="eager", fullgraph=True)(torch.ones(3, 2))
    scripted = torch.jit.script(torch.nn.Linear(2, 1))
    run.watch("torch", scripted, model="scripted")
    scripted(torch.ones(3, 2))
    run.finish()
    assert {"tags.model.compiled", "tags.model.scripted"} <= set(attributes())
    assert not any(name.startswith("tags.signature.") for name in attributes())
