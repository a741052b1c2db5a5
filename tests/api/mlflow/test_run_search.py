"""Searches over runs."""

from pathlib import Path

import pytest

from tests.api.conftest import Calls


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """Twelve runs in one experiment, and one elsewhere."""
    from heptad.project import open_root

    calls = Calls(open_root(tmp_path_factory.mktemp("many")))
    experiment = calls.experiment()
    for n in range(12):
        run = calls.run(experiment, run_name=f"r{n}", start_time=1000 + n, user_id="eva" if n % 2 else "Ada")
        metrics = [{"key": "a b", "value": n, "timestamp": 1, "step": 0}]
        if n == 11:
            metrics.append({"key": "odd", "value": "NaN", "timestamp": 1, "step": 0})
        params = [{"key": "kind", "value": "tree" if n < 6 else "Linear"}, {"key": "n", "value": str(n)}]
        tags = [{"key": "third", "value": "yes"}] if n % 3 == 0 else []
        calls.post("runs/log-batch", run_id=run, metrics=metrics, params=params, tags=tags)
        data = {"name": f"d{n % 2}", "digest": str(n), "source_type": "s", "source": "s"}
        context = [{"key": "mlflow.data.context", "value": "eval" if n == 1 else "train"}]
        calls.post("runs/log-inputs", run_id=run, datasets=[{"dataset": data, "tags": context}])
        if n == 10:
            calls.post("runs/update", run_id=run, status="FAILED", end_time=5000)
    calls.run("0", run_name="elsewhere")
    return calls


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        ("", range(12)),
        ("metrics.`a b` >= 9", [9, 10, 11]),
        ('metric."a b" != 5 AND metrics.`a b` < 7', [0, 1, 2, 3, 4, 6]),
        ("metrics.odd != 1", [11]),
        ("params.kind = 'tree' and params.n != '2'", [0, 1, 3, 4, 5]),
        ("param.kind LIKE 'L%'", range(6, 12)),
        ("parameters.kind ILIKE 'l_near'", range(6, 12)),
        ("params.kind LIKE 'l%'", []),
        ("tags.third = 'yes' AND params.n != '0'", [3, 6, 9]),
        ("tag.third IS NULL AND metrics.`a b` < 3", [1, 2]),
        ("tags.third IS NOT NULL", [0, 3, 6, 9]),
        ("status = 'FAILED'", [10]),
        ("attributes.status != 'RUNNING'", [10]),
        ("status = 'failed'", []),
        ("status != 'failed' AND metrics.`a b` > 9", [10, 11]),
        ("status LIKE 'FAIL%'", [10]),
        ("status LIKE 'fail%'", []),
        ("status ILIKE 'fAiL%'", [10]),
        ("attr.start_time >= 1010", [10, 11]),
        ("created < 1001", [0]),
        ("end_time = 5000", [10]),
        ("run_name IN ('r1')", None),
        ("attribute.run_name LIKE 'r1%'", [1, 10, 11]),
        ("attributes.`Run name` = 'r1'", [1]),
        ("tags.mlflow.runName = 'r1'", [1]),
        ("user_id = 'Ada' AND metrics.`a b` > 8", [10]),
        ("datasets.name = 'd1' AND dataset.context = 'train' AND metrics.`a b` < 6", [3, 5]),
        ("dataset.digest IN ('4', '7')", [4, 7]),
        ("datasets.context NOT IN ('train')", [1]),
        ("datasets.name LIKE 'none%'", []),
    ],
)  # fmt: skip
def test_filters(many: Calls, filter_: str, numbers: list[int] | None) -> None:
    """Each kind of key with each comparator that it takes."""
    if numbers is None:
        assert many.refused("runs/search", experiment_ids=["1"], filter=filter_)[0] == "INVALID_PARAMETER_VALUE"
    else:
        assert many.found("1", filter=filter_, order_by=["metrics.`a b` ASC"]) == [f"r{n}" for n in numbers]


def test_runs_by_id_and_by_the_address_of_their_artifacts(many: Calls) -> None:
    """Some, or all but some."""
    runs = many.post("runs/search", experiment_ids=["1"], filter="metrics.`a b` < 2")["runs"]
    ids = [run["info"]["run_id"] for run in runs]
    assert many.found("1", filter=f"run_id IN ('{ids[0]}', '{ids[1]}')") == ["r1", "r0"]
    assert len(many.found("1", filter=f"attributes.run_id NOT IN ('{ids[0]}')")) == 11
    assert many.found("1", filter=f"run_id = '{ids[1]}'") == ["r0"]
    assert len(many.found("1", filter=f"attributes.run_id != '{ids[0]}'")) == 11
    assert many.found("1", filter=f"run_id != '{ids[0]}' AND metrics.`a b` < 2") == ["r0"]
    assert many.found("1", filter=f"run_id != 'abc' AND run_id LIKE '{ids[1][:-1]}%'") == ["r0"]
    assert many.found("1", filter=f"artifact_uri = '{runs[0]['info']['artifact_uri']}'") == ["r1"]


def test_runs_are_found_by_data_sets_however_many_there_are(tmp_path: Path) -> None:
    """Each run has read another one: a comparison may hold for all of them."""
    from heptad.project import open_root

    calls = Calls(open_root(tmp_path))
    runs = [calls.run("0", run_name=f"r{n}") for n in range(3)]
    tags = [{"key": "mlflow.data.context", "value": "train"}]
    for start in (0, 250):
        sets = [{"name": "d", "digest": str(n), "source_type": "s", "source": "s"} for n in range(start, start + 250)]
        calls.post("runs/log-inputs", run_id=runs[bool(start)], datasets=[{"dataset": d, "tags": tags} for d in sets])
    for filter_ in ("dataset.name = 'd'", "dataset.context LIKE 'tr%'", "dataset.digest != '3'"):
        assert calls.found("0", filter=filter_) == ["r1", "r0"]
    assert calls.found("0", filter="dataset.digest = '300' AND dataset.name = 'd'") == ["r1"]


def test_orders_and_pages(many: Calls) -> None:
    """The newest first unless asked otherwise; pages of any size make up the whole; those without a value come last."""
    whole = many.found("1")
    assert whole == [f"r{n}" for n in reversed(range(12))]
    assert many.found("1", order_by=["tags.third", "start_time ASC"])[:4] == ["r0", "r3", "r6", "r9"]
    paged: list[str] = []
    token = ""
    while True:
        page = many.post("runs/search", experiment_ids=["1"], max_results=5, page_token=token)
        paged += [run["info"]["run_name"] for run in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert paged == whole
    assert many.found("77") == []


@pytest.mark.parametrize(
    "wrong",
    [{"filter": "metrics.a = 'x'"}, {"filter": "params.kind = 3"}, {"filter": "params.kind > 'a'"},
     {"filter": "none.kind = 'a'"}, {"filter": "attributes.none = 'a'"}, {"filter": "datasets.none = 'a'"},
     {"filter": "start_time = 'a'"}, {"filter": "artifact_uri LIKE 'a%'"}, {"filter": "tags.a IN ('b')"},
     {"filter": "metrics.a IS NULL"}, {"order_by": ["datasets.name"]}, {"order_by": ["nothing"]},
     {"order_by": ["start_time", "start_time DESC"]}, {"max_results": 50_001}, {"page_token": "!"},
     {"run_view_type": "SOME"}],
)  # fmt: skip
def test_wrong_searches_are_refused(many: Calls, wrong: dict[str, object]) -> None:
    """400 each, and nothing else."""
    code, message = many.refused("runs/search", experiment_ids=["1"], **wrong)
    assert code in {"INVALID_PARAMETER_VALUE", "InputError"}
    assert message
