"""Warm starts: the best points of earlier studies come first, where their data was like the data now."""

import random
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import All, Compare, Query, equals
from heptad.core.records import Id, Record
from heptad.core.workspace import Workspace
from heptad.data import ColumnProfile, DatasetVersion, Profile, Schema, distance
from heptad.experiments.records import Run, Study
from heptad.experiments.searching.objectives import Constraint, constraint
from heptad.experiments.searching.scaling import drawn
from heptad.experiments.searching.space import Dimension, Int, Space, Value, check_params, walk
from heptad.experiments.searching.told import sign_of

SIMILAR: Literal["similar"] = "similar"
LEAST = 0.5
"""Studies over data less similar than this are left out."""
_STUDIES, _POINTS, _LOOKED_AT = 3, 3, 50
_PART = 0.5
"""Of the parameters of a point: with fewer of them in the space, an earlier point is another one."""
_CLEAR_SHIFT = 0.2
"""Of the population stability index: a column that moved further is another column."""
_OVERLAP = 0.5
"""Of what both span: columns that overlap less are other columns."""


class Earlier(msgspec.Struct, frozen=True):
    """An earlier study, how similar its data is (0 to 1), and its best points in the space now."""

    study: Id
    similarity: float
    points: list[dict[str, Value]]
    taken: list[str] = []
    """Where none lay in the space whole: the parameters that were taken over; the others were drawn."""


def earlier_points(workspace: Workspace, wanted: str, space: Space, study: Study, data: Sequence[Id]) -> list[Earlier]:
    """What earlier studies of the workspace give to begin with, the most similar first.

    `wanted` is `similar`, or the id of a study, which is taken whatever its data was. A study counts whose first
    objective has the same name and direction; points go, not values, which other data would have changed. A point that
    broke a constraint that there is now does not count. Where no point lies in the space whole, those of which half of
    the parameters or more do are completed by chance, the same each time.
    Raises `NotFoundError` for an unknown study, and `InputError` where none of its points is of use.
    """
    if wanted != SIMILAR:
        try:
            known = graph.load(workspace, wanted, Study)
        except NotFoundError as error:
            raise NotFoundError("study", wanted, remedy='warm_start = "similar", or the id of a study') from error
        points, taken = _points(workspace, known, space, study)
        if not points:
            limits = f" and keeps to {' and '.join(study.constraints)}" if study.constraints else ""
            raise InputError(
                f"No finished trial of {wanted} has half of its parameters in the space{limits}.",
                allowed="a study over a similar space",
            )
        return [Earlier(known.id, similarity(workspace, data, _data_of(workspace, known.id)), points, taken)]
    found = []
    for one in graph.find(workspace, Study, Query(kind=Study.kind), _LOOKED_AT):
        if (one.body.metric, one.body.direction) != (study.metric, study.direction):
            continue
        alike = similarity(workspace, data, _data_of(workspace, one.id))
        points, taken = _points(workspace, one, space, study) if alike >= LEAST else ([], [])
        if points:
            found.append(Earlier(one.id, alike, points, taken))
    return sorted(found, key=lambda one: (-one.similarity, one.study))[:_STUDIES]


def similarity(workspace: Workspace, mine: Sequence[Id], other: Sequence[Id]) -> float:
    """How much two data sets are alike, 0 to 1: the share of columns of both that they have in common.

    A column is in common that has its name, type and role in both, and whose values are spread alike: a population
    stability index up to 0.2, or, of profiles with other bins, half of what the bins or values span. Other tasks or
    targets are not similar. Studies without data are similar to studies without data.
    """
    if not mine or not other:
        return 1.0 if not mine and not other else 0.0
    if set(mine) == set(other):
        return 1.0
    versions = [graph.load(workspace, one, DatasetVersion) for one in (mine[0], other[0])]
    schemas = [one.body.schema for one in versions]
    if (schemas[0].task, schemas[0].target) != (schemas[1].task, schemas[1].target):
        return 0.0
    columns = [_columns(schema) for schema in schemas]
    moved = _moved(workspace, versions)
    common = {one for one in columns[0] & columns[1] if one[0] not in moved}
    return len(common) / len(columns[0] | columns[1])


def _columns(schema: Schema) -> set[tuple[str, str, str]]:
    return {(one.name, one.type, one.role) for one in schema.columns if one.role in ("feature", "target")}


def _moved(workspace: Workspace, versions: Sequence[Record[DatasetVersion]]) -> set[str]:
    profiles = [msgspec.json.decode(workspace.blobs.get(version.body.profile), type=Profile) for version in versions]
    pairs = [(one, known) for one in profiles[1].columns if (known := profiles[0].column(one.name)) is not None]
    return {one.name for one, known in pairs if _differ(known, one)}


def _differ(mine: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether a column's values are spread otherwise; by the ends of its bins where the two count in other ones."""
    if (mine.edges, mine.values) == (other.edges, other.values):
        return distance(mine, other) > _CLEAR_SHIFT
    if mine.edges and other.edges:
        ends = sorted([mine.edges[0], other.edges[0], mine.edges[-1], other.edges[-1]])
        apart = max(mine.edges[0], other.edges[0]) >= min(mine.edges[-1], other.edges[-1])
        return apart or (ends[2] - ends[1]) < _OVERLAP * (ends[3] - ends[0])
    both = set(mine.values) & set(other.values)
    return len(both) < _OVERLAP * len(set(mine.values) | set(other.values))


def _data_of(workspace: Workspace, study: Id) -> list[Id]:
    return [link.target for link in workspace.store.trace([study], "out", ("data",)) if link.source == study]


def _points(
    workspace: Workspace, earlier: Record[Study], space: Space, study: Study
) -> tuple[list[dict[str, Value]], list[str]]:
    """The best points of a study in the space, best first; and of ones that are not whole, what was taken over."""
    key, sign = f"metrics.{earlier.body.metric}", sign_of(earlier.body.direction)
    where = All((equals(study=earlier.id, status="finished"), Compare(key, "exists", value=True)))
    runs = graph.find(workspace, Run, Query(kind=Run.kind, where=where))
    limits = [constraint(one) for one in study.constraints]
    scored = [
        (sign * float(value), run)
        for run in runs
        if isinstance(value := run.attributes[key], float | int) and _keeps_to(limits, run)
    ]
    ranked = [run.body.params for _, run in sorted(scored, key=lambda pair: (pair[0], pair[1].body.number))]
    whole = _each_once([params for params in ranked if _is_in(space, params)])
    if whole:
        return whole[:_POINTS], []
    choice = random.Random(study.seed)
    parts = [_part(space, params, choice) for params in _each_once(ranked)]
    fitting = [(point, taken) for point, taken in parts if taken and len(taken) >= _PART * len(point)]
    fitting = [one for n, one in enumerate(fitting) if _taken(one) not in [_taken(other) for other in fitting[:n]]]
    fitting = fitting[:_POINTS]
    return [point for point, _ in fitting], list(dict.fromkeys(name for _, taken in fitting for name in taken))


def _keeps_to(limits: Sequence[Constraint], run: Record[Run]) -> bool:
    """Whether no figure of a run breaks a constraint; a figure that it does not have is not known to."""
    figures = {one: run.attributes.get(f"metrics.{one.figure}") for one in limits}
    return not any(isinstance(value, float | int) and one.violation(value) > 0 for one, value in figures.items())


def _part(space: Space, params: Mapping[str, Value], choice: random.Random) -> tuple[dict[str, Value], list[str]]:
    """A point of the space with what another has in common with it, and the names of that; the rest is drawn."""
    taken: list[str] = []

    def pick(_: str, name: str, dimension: Dimension) -> Value:
        value = params.get(name)
        if isinstance(dimension, Int) and isinstance(value, float):
            value = round(value)
        if value is None or not dimension.holds(value):
            return drawn(dimension, choice)
        taken.append(name)
        return value

    return walk(space, pick), taken


def _taken(part: tuple[dict[str, Value], list[str]]) -> dict[str, Value]:
    return {name: part[0][name] for name in part[1]}


def _each_once(points: Sequence[dict[str, Value]]) -> list[dict[str, Value]]:
    return [point for n, point in enumerate(points) if point not in points[:n]]


def _is_in(space: Space, params: dict[str, Value]) -> bool:
    try:
        check_params(space, params)
    except InputError:
        return False
    return True
