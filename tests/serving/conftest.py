"""A tiny real model in signed packages, a serve folder that publishes them, and servers on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from heptad.core.records import digest_of
from heptad.release.cleaning import Cleaning
from heptad.release.package import About, Contents, build_package
from heptad.serving import ServerProcess
from heptad.serving.dataplane import Asked, answer
from heptad.serving.http import Limits
from heptad.serving.journal import Journal, create_journal
from heptad.serving.messages import Entries, Part
from heptad.serving.records import Route
from heptad.serving.runtime import Snapshot, load
from heptad.serving.snapshot import Published, ServeFolder
from heptad.serving.worker import ServerOptions
from heptad.training import Input, Signature

NUMBERS = ("x", "y")
INPUTS = [
    Input(name="x", type="number"),
    Input(name="y", type="integer"),
    Input(name="colour", type="category", categories=["blue", "red"]),
    Input(name="sunny", type="boolean"),
    Input(name="at", type="datetime"),
]
SIGNATURE = Signature(inputs=INPUTS, task="classification", target="late", classes=["late", "on time"], threshold=0.5)
ROW: dict[str, Any] = {"x": 1.0, "y": 2, "colour": "red", "sunny": True, "at": "2013-04-01T06:30:00Z"}


def make_graph(signature: Signature, shift: float) -> bytes:
    """Half of the first number, and `shift`, through a logistic function (or bare, for a regression)."""
    first = signature.inputs[0].name
    values = {"half": [[0.5]], "shift": [[shift]], "one": [[1.0]], "nothing": [[0.0]]}
    nodes = [
        helper.make_node("IsNaN", [first], ["missing"]),
        helper.make_node("Where", ["missing", "nothing", first], ["known"]),
        helper.make_node("Mul", ["known", "half"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["raw"]),
    ]
    width = len(signature.classes) or 1
    if width == 1:
        nodes.append(helper.make_node("Identity", ["raw"], ["out"]))
    else:
        nodes += [helper.make_node("Sigmoid", ["raw"], ["p"]), helper.make_node("Sub", ["one", "p"], ["q"])]
        rest = [] if width == 2 else ["nothing_of_p"] * (width - 2)
        nodes.append(helper.make_node("Sub", ["p", "p"], ["nothing_of_p"]))
        nodes.append(helper.make_node("Concat", ["q", "p", *rest], ["out"], axis=1))
    strings = {"category", "text"}
    inputs = [
        helper.make_tensor_value_info(
            one.name, TensorProto.STRING if one.type in strings else TensorProto.DOUBLE, ["n", 1]
        )
        for one in signature.inputs
    ]
    outputs = [helper.make_tensor_value_info("out", TensorProto.DOUBLE, ["n", width])]
    constants = [numpy_helper.from_array(np.array(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 18)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString())


@dataclass
class Shop:
    """A serve folder with someone who signs packages and publishes generations of them."""

    folder: ServeFolder
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    packages: dict[str, bytes] = field(default_factory=dict)
    generation: int = 0
    cleaning: Cleaning | None = None
    """The rules that go into the packages made from now on."""

    def package(self, shift: float = 0.0, signature: Signature = SIGNATURE) -> str:
        usual = {"number": 1.0, "integer": 2, "category": "red", "text": "", "boolean": True, "datetime": ROW["at"]}
        background = [{one.name: usual[one.type] for one in signature.inputs}] * 3
        data = build_package(
            About(
                name="tiny",
                candidate="candidate-1",
                decision="decision-1",
                estimator="linear",
                metric="roc_auc",
                value=0.7,
                model_digest="0",
            ),
            Contents(
                graph=make_graph(signature, shift),
                signature=signature,
                background=background,
                cleaning=self.cleaning,
                profile=b"{}",
                environment=b"{}",
                lineage={},
                card="tiny",
            ),
            self.key,
        )
        self.packages[digest_of(data)] = data
        return digest_of(data)

    def route(
        self, number: int, role: str = "live", share: float = 1.0, signature: Signature = SIGNATURE, shift: float = 0.0
    ) -> Route:
        package = self.package(shift, signature)
        return Route(version=f"model-{number}", label=f"tiny@{number}", package=package, role=role, share=share)

    def publish(self, *routes: Route, trusted: list[str] | None = None) -> int:
        self.generation += 1
        keys = [self.key.public_key().public_bytes_raw().hex()] if trusted is None else trusted
        published = Published(endpoint="tiny", generation=self.generation, routes=list(routes), trusted=keys)
        self.folder.publish(published, self.packages.__getitem__)
        return self.generation

    def snapshot(self) -> Snapshot:
        return load(self.folder, self.folder.read(self.generation), None)

    def options(self, **changed: Any) -> ServerOptions:
        limits = Limits(max_body=1 << 20, max_rows=2000, log_inputs=True)
        options = ServerOptions(
            workspace=str(self.folder.path.parents[1]),
            folder=str(self.folder.path),
            endpoint="tiny",
            host="127.0.0.1",
            port=0,
            workers=1,
            limits=limits,
        )
        return msgspec.structs.replace(options, **changed)

    def journal(self) -> Journal:
        create_journal(self.folder.journal)
        return Journal(self.folder.journal)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A serve folder with nothing published."""
    return Shop(ServeFolder(tmp_path / "serving" / "tiny"))


@pytest.fixture(scope="module")
def open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, ServerProcess]]:
    """A server that answers by `tiny@1`, shared by the tests of a module."""
    shop = Shop(ServeFolder(tmp_path_factory.mktemp("serving") / "tiny"))
    shop.publish(shop.route(1))
    with ServerProcess(shop.options()) as server:
        yield shop, server


@pytest.fixture
def part_of(shop: Shop) -> Callable[..., Part]:
    """Rows answered by `tiny@1`, ready to be stored: ids, then what to change of each row."""
    shop.publish(shop.route(1))
    snapshot = shop.snapshot()

    def make(*ids: str, at: int = 1_364_774_400_000_000, caller: str = "test", **changed: Any) -> Part:
        asked = Asked(rows=[ROW | changed for _ in ids], ids=list(ids), caller=caller, at=at, began=0.0)
        (part,) = answer(snapshot, asked, log_inputs=True)
        return part

    return make


@pytest.fixture
def row() -> dict[str, Any]:
    """A row that the tiny model takes."""
    return dict(ROW)


@pytest.fixture
def signature() -> Signature:
    """What the tiny model takes and gives."""
    return SIGNATURE


@pytest.fixture
def entries_of(part_of: Callable[..., Part]) -> Callable[..., Entries]:
    """As `part_of`, without what belongs to the reply."""
    return lambda *ids, **changed: part_of(*ids, **changed).entries
