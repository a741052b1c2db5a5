"""Warm starts: the best points of earlier studies come first, where their data was like the data now."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import All, Compare, Query, equals
from heptad.core.records import Id, Record
from heptad.core.workspace import Workspace
from heptad.data import ColumnProfile, DatasetVersion, Profile, Schema, distance
from heptad.experiments.records import Run, Study
from heptad.experiments.searching.space import Space, Value, check_params
from heptad.experiments.searching.told import sign_of

SIMILAR: Literal["similar"] = "similar"
LEAST = 0.5
"""Studies over data less similar than this are left out."""
_STUDIES, _POINTS, _LOOKED_AT = 3, 3, 50
_CLEAR_SHIFT = 0.2
"""Of the population stability index: a column that moved further is another column."""
_OVERLAP = 0.5
"""Of what both span: columns that overlap less are other columns."""


class Earlier(msgspec.Struct, frozen=True):
    """An earlier study, how similar its data is (0 to 1), and its best points that lie in the space now."""

    study: Id
    similarity: float
    points: list[dict[str, Value]]


def earlier_points(workspace: Workspace, wanted: str, space: Space, study: Study, data: Sequence[Id]) -> list[Earlier]:
    """What earlier studies of the workspace give to begin with, the most similar first.

    `wanted` is `similar`, or the id of a study, which is taken whatever its data was. A study counts whose first
    objective has the same name and direction; points go, not values, which other data would have changed.
    Raises `NotFoundError` for an unknown study, and `InputError` where none of its points lies in the space.
    """
    if wanted != SIMILAR:
        try:
            known = graph.load(workspace, wanted, Study)
        except NotFoundError as error:
            raise NotFoundError("study", wanted, remedy='warm_start = "similar", or the id of a study') from error
        points = _points(workspace, known, space)
        if not points:
            raise InputError(
                f"No finished trial of {wanted} lies in the space.", allowed="a study over a similar space"
            )
        return [Earlier(known.id, similarity(workspace, data, _data_of(workspace, known.id)), points)]
    found = []
    for one in graph.find(workspace, Study, Query(kind=Study.kind), _LOOKED_AT):
        if (one.body.metric, one.body.direction) != (study.metric, study.direction):
            continue
        alike = similarity(workspace, data, _data_of(workspace, one.id))
        if alike >= LEAST and (points := _points(workspace, one, space)):
            found.append(Earlier(one.id, alike, points))
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


def _points(workspace: Workspace, study: Record[Study], space: Space) -> list[dict[str, Value]]:
    """The study's best points that lie in the space, best first."""
    key, sign = f"metrics.{study.body.metric}", sign_of(study.body.direction)
    where = All((equals(study=study.id, status="finished"), Compare(key, "exists", value=True)))
    runs = graph.find(workspace, Run, Query(kind=Run.kind, where=where))
    scored = [(sign * float(value), run) for run in runs if isinstance(value := run.attributes[key], float | int)]
    found: list[dict[str, Value]] = []
    for _, run in sorted(scored, key=lambda pair: (pair[0], pair[1].body.number)):
        if len(found) < _POINTS and run.body.params not in found and _is_in(space, run.body.params):
            found.append(run.body.params)
    return found


def _is_in(space: Space, params: dict[str, Value]) -> bool:
    try:
        check_params(space, params)
    except InputError:
        return False
    return True
