"""Versions give up their rows where nothing needs them, for good, and what was cut off is finished."""

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.core.errors import ConflictError, DataError, InputError, NotFoundError
from heptad.core.garbage import collect_garbage
from heptad.core.records import AliasMove, Record
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.store import Store
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import (
    STAMP,
    CleanSettings,
    Data,
    DataSettings,
    DatasetVersion,
    ExpectSettings,
    OnlineSettings,
    SourceSettings,
    Subjects,
    as_it_is,
    is_pruned,
    no_collecting,
    roll_back,
    tag,
    untag,
    with_rows,
)
from heptad.data.features.online import open_online
from heptad.data.versions import tables
from heptad.data.versions.turns import collecting
from heptad.experiments import Experiments, SearchSettings
from heptad.lifecycle import Happening, Plan, Retention, RetentionSettings, Rule, backup, export_workspace
from heptad.project import Project, open_rehearsal
from heptad.release import ModelVersion
from heptad.training import Candidate, Evaluation, Parity, Signature, Split
from tests.lifecycle.rides import START

DAY = timedelta(days=1)
KEEP_ONE = Rule(keep=1)


def write(folder: Path, numbers: list[int]) -> None:
    """One row a number, which is also a value that only this row has."""
    rows = {
        "k": range(len(numbers)),
        "a": numbers,
        "name": [f"n-{one}" for one in numbers],
        "group": ["abc"[one % 3] for one in numbers],
        "y": [n % 2 for n in range(len(numbers))],
    }
    pl.DataFrame(rows).write_csv(folder / "rows.csv")


class World:
    """A workspace whose days pass, its step 1, and its retention."""

    def __init__(
        self,
        workspace: Workspace,
        rule: RetentionSettings | None = None,
        expect: ExpectSettings | None = None,
        partition: list[str] | None = None,
    ) -> None:
        self.workspace = workspace
        self.data = Data(
            workspace,
            ProjectSettings(name="test"),
            {"rows": SourceSettings(uri="rows.csv")},
            DataSettings(target="y", key=["k"], types={"a": "number", "name": "text"}, partition=partition or []),
            CleanSettings(),
            expect or ExpectSettings(infer=False),
            {},
        )
        self.retention = Retention(workspace, rule or RetentionSettings(), self.data)

    def add(self, numbers: list[int]) -> Record[DatasetVersion]:
        self.pass_by(DAY)
        write(self.workspace.root, numbers)
        return self.data.collect()

    def pass_by(self, time: timedelta) -> None:
        clock = self.workspace.clock
        assert isinstance(clock, ManualClock)
        clock.advance_to(clock.now() + time)

    def register(
        self, version: Record[DatasetVersion], number: int, status: str = "registered"
    ) -> Record[ModelVersion]:
        """A model that was made from a version, longer than a day ago."""
        parity = Parity(rows=1, largest_difference=0.0, tolerance=1e-6, differing_labels=0)
        evaluation = Evaluation(
            metric="roc_auc",
            metrics=[],
            baseline=[],
            baseline_name="most common",
            parity=parity,
            model_latency_p50_ms=0.1,
            model_latency_p99_ms=0.1,
        )
        candidate = Candidate(
            name="test",
            estimator="linear",
            params={},
            seed=7,
            dataset=version.id,
            run="run-1",
            window="all",
            split=Split(by="hash"),
            signature=Signature(task="classification", target="y", inputs=[], classes=["0", "1"]),
            evaluation=evaluation,
            model="",
            model_digest="",
            profile="",
            background="",
            environment="",
        )
        measured = graph.save(self.workspace, candidate, scope="test", made_from=[("data", version.id)])
        model = ModelVersion(
            name="test",
            version=number,
            package="",
            candidate=measured.id,
            decision="",
            estimator="linear",
            metric="roc_auc",
        )
        made = graph.save(self.workspace, model, scope="test", attributes={"version": number, "status": status})
        self.pass_by(2 * DAY)
        return made

    def named(self) -> set[str]:
        """The files that versions with rows name."""
        found = set[str]()
        for one in with_rows(self.data.log()):
            body = as_it_is(self.workspace, one)
            found |= set(tables.Table(self.workspace.tables / body.table).files(body.delta_version))
        return found

    def files(self) -> set[str]:
        tables = list(self.workspace.tables.glob("test*"))
        return {path.relative_to(table).as_posix() for table in tables for path in table.rglob("rows-*.parquet")}

    def standing(self, version: int, rule: Rule = KEEP_ONE) -> str:
        """Why a version stays; empty: it goes."""
        (one,) = [one for one in self.retention.look(rule).versions if one.version == version]
        return "" if one.goes else "; ".join(one.reasons)


def world_at(
    folder: Path,
    rule: RetentionSettings | None = None,
    expect: ExpectSettings | None = None,
    partition: list[str] | None = None,
) -> World:
    workspace = open_workspace(folder, "test", StoreSettings())
    workspace = replace(workspace, clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    return World(workspace, rule, expect, partition)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_at(tmp_path)


@pytest.fixture
def three(world: World) -> World:
    """Three versions that share no file."""
    for number in range(3):
        world.add([number * 10 + one for one in range(5)])
    return world


def test_what_nothing_needs_goes_and_what_stays_reads_as_before(three: World) -> None:
    """Its files are gone, and so is every value of theirs from the log; the record stays, with when, who and why."""
    before = three.data.scan(three.data.version(3)).collect()
    done = three.retention.prune(KEEP_ONE, reason="the disk is full")
    assert [one.version for one in done.going] == [2, 1]
    assert done.freed.files == 2
    assert done.freed.bytes > 0
    assert three.files() == three.named()
    assert three.data.scan(three.data.version(3)).collect().equals(before)
    log = b"".join(path.read_bytes() for path in three.workspace.tables.rglob("*.json"))
    assert b"n-2" in log
    assert b"n-0" not in log
    assert b"n-1" not in log
    gone = three.data.version(1)
    assert gone.body.rows == 5
    assert gone.attributes["pruned_because"] == "the disk is full"
    assert str(gone.attributes["pruned_by"]).startswith("user:")
    assert gone.attributes["pruned_at"] == three.workspace.clock.now().isoformat()


def test_nothing_is_done_by_looking(three: World) -> None:
    """What would be freed is what is freed."""
    looked = three.retention.look(KEEP_ONE)
    assert not any(map(is_pruned, three.data.log()))
    done = three.retention.prune(KEEP_ONE)
    assert done.versions == looked.versions
    assert done.freed.files == looked.freed.files
    assert done.freed.bytes == looked.freed.bytes
    assert three.retention.prune(KEEP_ONE).freed.files == 0


def test_whoever_reads_a_pruned_version_is_told(three: World) -> None:
    """Rows, profile, digest and difference; it cannot be named or made the latest any more, nor collected again."""
    stale = three.data.version(1)
    three.retention.prune(KEEP_ONE)
    reads = [three.data.scan, three.data.profile, three.data.digest, three.data.expectations.version]
    for read in [*reads, lambda one: three.data.diff(one, three.data.version(3))]:
        with pytest.raises(DataError, match="test@1 are gone, pruned on 2026-01-04 00:00 by user:"):
            read(stale)
    with pytest.raises(DataError, match="are gone"):
        tag(three.workspace, stale, "gold")
    with pytest.raises(DataError, match="are gone"):
        roll_back(three.workspace, stale, "it was better")
    write(three.workspace.root, list(range(5)))
    again = three.data.collect()
    assert again.body.version == 4
    assert again.body.digest == stale.body.digest
    assert three.data.scan(again).collect().height == 5


def test_every_reason_to_stay_is_told(three: World) -> None:
    """Tags and other names, the newest, models that were not refused, runs that go on, what began today."""
    tag(three.workspace, three.data.version(1), "gold")
    assert three.standing(1) == "tagged gold"
    assert three.standing(3) == "the latest; the newest"
    assert three.standing(2, Rule(keep=2)) == "one of the 2 newest"
    assert three.standing(2, Rule(older_than="90d")) == "not older than 90d"
    untag(three.workspace, three.data.version(1), "gold")
    assert three.standing(1) == ""
    refused = three.register(three.data.version(1), 1, "refused")
    assert refused.attributes["status"] == "refused"
    assert three.standing(1) == ""
    model = three.register(three.data.version(1), 2)
    assert three.standing(1) == "model test@2 was made from it"
    graph.save(
        three.workspace,
        ModelVersion(**{**msgspec.structs.asdict(model.body), "version": 3}),
        scope="test",
        attributes={"version": 3, "status": "registered"},
        aliases=[AliasMove(scope="model:test", name="champion", target="@")],
    )
    assert three.standing(1) == "model test@3 (champion), like 1 more, was made from it"


def test_runs_and_plans_in_progress_keep_what_they_work_on(three: World) -> None:
    """A run until it has ended, a plan what was collected since it began; anything made of a version for a day."""
    experiments = Experiments(three.workspace, ProjectSettings(name="test"), SearchSettings())
    run = experiments.start("mine", made_from=[("data", three.data.version(1).id)])
    three.pass_by(9 * DAY)
    assert three.standing(1) == f"{run.id} has not ended: a process logs to it"
    run.finish()
    assert three.standing(1) == ""
    for number in range(2):
        far = experiments.start("far", made_from=[("data", three.data.version(1).id)], key=[number]).id
    assert three.standing(1).startswith(f"{far}, like 1 more, has not ended, and was heard of on 2026-")
    three.pass_by(31 * DAY)
    assert three.standing(1) == ""
    plan = Plan(endpoint="test", triggers=[], windows=["all"], champion="model-1", strategy="all")
    made = graph.save(three.workspace, plan, scope="test", attributes={"stage": "trial"})
    three.add([1, 2, 3])
    three.add([4, 5, 6])
    assert three.standing(4) == f"{made.id} is open"
    assert three.standing(2) == ""
    graph.set_attributes(three.workspace, made.id, {"stage": "ended"})
    assert three.standing(4) == ""


def test_what_expectations_compare_with_stays(tmp_path: Path) -> None:
    """The version that `[expect] reference` names."""
    world = world_at(tmp_path, expect=ExpectSettings(infer=False, reference=1))
    for number in range(3):
        world.add([number, 5])
    assert world.standing(1) == "[expect] compares with it"
    assert world.standing(2) == ""


def test_versions_that_were_rolled_back_do_not_count_as_newest(three: World) -> None:
    """They go first; the next collection builds on the one that is the latest."""
    roll_back(three.workspace, three.data.version(1), "they are wrong")
    assert [one.version for one in three.retention.prune(KEEP_ONE).going] == [3, 2]
    later = three.add([1, 2, 3, 4])
    assert later.body.version == 4
    assert three.data.scan(later).collect().height == 4
    assert three.data.scan(three.data.version(1)).collect().height == 5


def test_profiles_of_pruned_versions_are_garbage(three: World) -> None:
    """When they are a day old, unless another version has the same one."""
    profiles = [three.data.version(number).body.profile for number in (1, 2, 3)]
    before = datetime.now(UTC).timestamp() - 2 * 86_400
    for digest in three.workspace.blobs.digests():
        os.utime(three.workspace.folder / "artifacts" / digest[:2] / digest[2:], (before, before))
    done = three.retention.prune(KEEP_ONE)
    assert done.freed.artifacts == 2
    assert profiles[2] in set(three.workspace.blobs.digests())
    assert not set(profiles[:2]) & set(three.workspace.blobs.digests())
    assert collect_garbage(three.workspace).digests == []


def test_erasure_backup_and_export_go_on(three: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """They leave out what is not there; an erasure also takes a person out of the record of a pruned version."""
    three.retention.prune(KEEP_ONE)
    where = tmp_path_factory.mktemp("elsewhere")
    exported = export_workspace(three.workspace, _Nothing(), where / "export")  # type: ignore[arg-type]
    assert exported.data_versions == 1
    backup(three.workspace, where / "backup")
    who = Subjects(columns=["name"], keys=[["n-20"]])
    found = three.data.erasing.find(who)
    assert list(found.versions.values()) == [1]
    three.data.erasing.forget(who, found, "erasure-1", three.workspace.clock.now())
    assert three.data.scan(three.data.version(3)).collect().height == 4
    three.add([7, 8])
    assert [one.version for one in three.retention.prune(KEEP_ONE).going] == [3]
    assert three.files() == three.named()


class _Nothing:
    def current(self) -> None:
        return None


def test_what_was_never_recorded_goes_too(three: World) -> None:
    """Files of a collection that was killed before its version was recorded."""
    table = tables.Table(three.workspace.tables / "test")
    latest = three.data.version(3).body.delta_version
    table.write(pl.LazyFrame({"lost": [1.0]}), latest)
    three.retention.prune(KEEP_ONE)
    assert three.files() == three.named()
    later = three.add([1, 2])
    assert three.data.scan(later).collect().height == 2


def test_a_version_that_stays_and_cannot_be_read_stops_it(three: World) -> None:
    """Nothing of its table is deleted, as nobody knows which files it needs."""
    log = three.workspace.tables / "test" / "_delta_log"
    tag(three.workspace, three.data.version(2), "gold")
    files = three.files()
    commit = log / f"{three.data.version(2).body.delta_version:020d}.json"
    text = commit.read_bytes()
    commit.write_bytes(b"{")
    with pytest.raises(Exception, match="cannot be read"):
        three.retention.prune(KEEP_ONE)
    assert three.files() == files
    commit.write_bytes(text)
    assert three.retention.prune(KEEP_ONE).freed.files == 1


def test_policy_prunes_once_an_hour_and_waits_for_nobody(tmp_path: Path) -> None:
    """In the name of the policy; while somebody collects it leaves it for the next turn."""
    world = world_at(tmp_path, RetentionSettings(keep=2))
    seen: list[Happening] = []
    for number in range(3):
        world.add([number, 9])
    with collecting(world.workspace):
        world.retention.turn(seen.append)
    assert not seen
    world.retention.turn(seen.append)
    assert seen[0].sentence.startswith("pruned test@1: 0.0 MB freed")
    assert world.data.version(1).attributes["pruned_by"] == "policy:retention"
    world.add([4, 9])
    world.retention.turn(seen.append)
    assert world.data.version(2).attributes["pruned_because"] == "not among the 2 newest."
    world.add([5, 9])
    world.retention.turn(seen.append)
    assert len(seen) == 3
    assert world.retention.rule() == Rule(keep=2)


def test_without_a_rule_nothing_goes(world: World) -> None:
    """A policy that is not declared does nothing, and a command asks for one."""
    world.add([1, 2])
    world.add([1, 3])
    world.retention.turn()
    assert not any(map(is_pruned, world.data.log()))
    with pytest.raises(InputError, match="which versions shall go"):
        world.retention.rule()
    with pytest.raises(InputError, match="not a duration"):
        world.retention.rule(older_than="soon")
    with pytest.raises(NotFoundError, match="photos"):
        world.retention.look(KEEP_ONE, "photos")


def test_one_data_set_alone_is_pruned(three: World) -> None:
    """A sample has versions of its own."""
    three.data.collect(sample=3)
    three.add([5, 6, 7, 8])
    three.data.collect(sample=3)
    done = three.retention.prune(KEEP_ONE, "test-sample-3")
    assert [(one.name, one.version) for one in done.going] == [("test-sample-3", 1)]
    assert not any(map(is_pruned, three.data.log()))


def test_it_waits_for_collections_or_says_so(three: World) -> None:
    """Only the policy does not wait."""
    with no_collecting(three.workspace), pytest.raises(ConflictError, match="collecting"):
        three.retention.prune(KEEP_ONE, wait=False)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 12)),
        st.tuples(st.just("change"), st.integers(0, 20)),
        st.tuples(st.just("tag"), st.integers(0, 5)),
        st.tuples(st.just("untag"), st.integers(0, 5)),
        st.tuples(st.just("register"), st.integers(0, 5)),
        st.tuples(st.just("rollback"), st.integers(0, 5)),
        st.tuples(st.just("prune"), st.integers(1, 3)),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, partition=st.sampled_from([[], ["group"]]))
def test_what_is_kept_reads_as_it_was_and_every_other_file_is_gone(
    steps: list[tuple[str, int]], partition: list[str]
) -> None:
    """After any sequence of adding, naming, registering, rolling back and pruning, in any layout."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "FILE_BYTES", 300)
        patch.setattr(tables, "AT_ONCE", 4)
        world = world_at(Path(folder), partition=partition)
        _played(world, steps)


def _played(world: World, steps: list[tuple[str, int]]) -> None:
    numbers = list(range(8))
    held: dict[int, pl.DataFrame] = {}
    models: dict[int, int] = {}
    for what, which in [("append", 1), *steps, ("prune", 1)]:
        there = with_rows(world.data.log())
        chosen = there[which % len(there)] if there else None
        if what in {"append", "change"}:
            numbers = _changed(numbers, what, which)
            made = world.add(numbers)
            held.setdefault(made.body.version, world.data.scan(made).collect())
        elif what == "prune":
            _pruned(world, which, held, models)
        elif chosen is not None and what == "register":
            world.register(chosen, len(models) + 1)
            models[len(models) + 1] = chosen.body.version
        elif chosen is not None:
            _said(world, what, chosen)


def _changed(numbers: list[int], what: str, which: int) -> list[int]:
    if what == "append":
        return [*numbers, *(len(numbers) + one for one in range(which))]
    return [one + (place == which % len(numbers)) * 1000 for place, one in enumerate(numbers)]


def _said(world: World, what: str, version: Record[DatasetVersion]) -> None:
    name = f"t{version.body.version}"
    if what == "tag":
        tag(world.workspace, version, name)
    elif what == "untag":
        untag(world.workspace, version, name)
    elif "rolled_back" not in version.attributes:
        roll_back(world.workspace, version, "it was wrong")


def _pruned(world: World, keep: int, held: dict[int, pl.DataFrame], models: dict[int, int]) -> None:
    world.retention.prune(Rule(keep=keep))
    left = with_rows(world.data.log())
    latest = world.data.latest()
    assert latest is not None
    assert latest.id in {one.id for one in left}
    assert set(models.values()) <= {one.body.version for one in left}
    for one in left:
        assert world.data.scan(one).collect().equals(held[one.body.version])
        assert world.data.digest(one) == one.body.digest
    assert world.files() == world.named()
    for one in world.data.log():
        if is_pruned(one):
            assert not one.aliases
            with pytest.raises(DataError, match="are gone"):
                world.data.scan(one)


KILLED = """
import shutil, sys
from pathlib import Path
from tests.faults.zygote import is_killed
from tests.lifecycle.test_retention import KEEP_ONE, world_at
folder, number = Path(sys.argv[1]), 1
while is_killed(
    lambda copy: world_at(copy).retention.prune(KEEP_ONE),
    Path(shutil.copytree(folder, folder.parent / f"copy-{number}")),
    number,
):
    number += 1
print(number - 1)
"""


def _boundaries(folder: Path) -> list[Path]:
    """A copy of the project for each boundary, in which a process was killed there while it pruned."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=True, capture_output=True, text=True)
    return [folder.parent / f"copy-{number}" for number in range(1, int(done.stdout) + 1)]


@pytest.mark.slow
def test_killed_at_any_boundary_it_is_finished_by_the_next(tmp_path: Path) -> None:
    """What stays is there all the while; then every other file is gone, once."""
    project = tmp_path / "project"
    project.mkdir()
    made = world_at(project)
    for number in range(3):
        made.add([number * 10 + one for one in range(5)])
    kept = made.data.scan(made.data.version(3)).collect()
    places = 0
    for folder in _boundaries(project):
        places += 1
        world = world_at(folder)
        world.pass_by(9 * DAY)
        assert world.data.scan(world.data.version(3)).collect().equals(kept)
        world.retention.prune(KEEP_ONE)
        assert [is_pruned(one) for one in world.data.log()] == [False, True, True]
        assert world.data.scan(world.data.version(3)).collect().equals(kept)
        assert world.files() == world.named()
        log = b"".join(path.read_bytes() for path in world.workspace.tables.rglob("*.json"))
        assert b"n-0" not in log
        assert world.retention.look(KEEP_ONE).going == []
        later = world.add([1, 2, 3])
        assert world.data.scan(later).collect().height == 3
    assert places > 8


def test_any_store_will_do(tmp_path: Path, store: Store) -> None:
    """Records in PostgreSQL, tables on this machine; versions of other projects in the same store are none of its."""
    own = world_at(tmp_path / "own")
    other = world_at(tmp_path / "other")
    worlds = [World(replace(one.workspace, store=store)) for one in (own, other)]
    worlds[1].data = _named(worlds[1].workspace, "other")
    for world in worlds:
        for number in range(3):
            world.add([number, 7, 8])
    done = worlds[0].retention.prune(KEEP_ONE)
    assert [(one.name, one.version) for one in done.going] == [("test", 2), ("test", 1)]
    assert not any(map(is_pruned, worlds[1].data.log()))
    assert worlds[0].files() == worlds[0].named()


def _named(workspace: Workspace, name: str) -> Data:
    settings = DataSettings(target="y", key=["k"], types={"a": "number"})
    sources = {"rows": SourceSettings(uri="rows.csv")}
    return Data(workspace, ProjectSettings(name=name), sources, settings, CleanSettings(), ExpectSettings(), {})


def test_the_worker_prunes_by_policy(copied: Project) -> None:
    """`[retention]` in heptad.toml: versions without a model that counts go, the champion's stay."""
    with (copied.root / "heptad.toml").open("a", encoding="utf-8") as file:
        file.write('\n[retention]\nkeep = 1\nolder_than = "1d"\n')
    project = open_rehearsal(copied.root, "", START)
    outlook = project.lifecycle.retention.look(project.lifecycle.retention.rule())
    going = {one.version for one in outlook.going}
    project.lifecycle.turn()
    gone = {one.body.version for one in project.data.log() if is_pruned(one)}
    assert gone >= going
    champion = project.release.champion()
    assert champion is not None
    used = graph.load(project.workspace, champion.body.candidate, Candidate).body.dataset
    assert project.data.scan(project.data.version(used)).select(pl.len()).collect().item() > 0
    assert all(one.attributes["pruned_by"] == "policy:retention" for one in project.data.log() if is_pruned(one))


def test_what_the_online_store_holds_of_the_past_is_let_go_of(workspace: Workspace) -> None:
    """Where it is much, and all data sets are meant; the rows stay, and a second call has nothing to do."""
    world = World(workspace)
    world.add([1, 2, 3])
    store = open_online(OnlineSettings(), workspace.folder, "test")
    store.put([(b"%d" % number, bytes(STAMP + 10_000)) for number in range(500)])
    store.delete(b"%d" % number for number in range(400))
    outlook = world.retention.look(KEEP_ONE)
    assert outlook.online > 3_000_000
    assert world.retention.prune(KEEP_ONE, "test").online == 0
    assert world.retention.prune(KEEP_ONE).online > 3_000_000
    assert world.retention.look(KEEP_ONE).online == world.retention.prune(KEEP_ONE).online == 0
    assert len(list(store.scan(b""))) == 100
