"""A search from its rules to its result: the study that is begun or gone on with, and its trials run to the end."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, get_args, get_type_hints

import msgspec

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError, nearest
from heptad.core.records import Id, Record, Scalar, canonical_json, derived_id, digest_of
from heptad.core.settings import duration, size
from heptad.core.workspace import Workspace
from heptad.experiments.records import Study
from heptad.experiments.searching.conduct import Conductor, Limits
from heptad.experiments.searching.ledger import Ended, Ledger, Naming
from heptad.experiments.searching.objectives import Objective, constraint
from heptad.experiments.searching.search import Search
from heptad.experiments.searching.seats import packed
from heptad.experiments.searching.space import Space, Value, check_params, check_space, code_of, describe_space
from heptad.experiments.searching.told import Direction
from heptad.experiments.settings import SearchSettings

UNLIMITED = 1_000_000
_FIELDS = ("sampler", "pruner", "constraints", "warm_start")
"""Rules that make a search another one; the others say how long it goes on, and where."""


class StudyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for, and how."""

    name: str
    objectives: Mapping[str, Direction]
    """Each figure that the objective gives, with its direction; the first one decides between equals."""
    rules: SearchSettings
    seed: int
    data: Sequence[Id] = ()
    """The records that trials read; equal spaces over other data are other studies."""
    key: Sequence[Any] = ()
    first: Sequence[Mapping[str, Value]] = ()
    isolated: bool = False


def open_study(workspace: Workspace, space: Space, plan: StudyPlan) -> Record[Study]:
    """The study of the plan, begun where there is none: with its points of earlier studies, and links to those."""
    check_space(space)
    for params in plan.first:
        check_params(space, params)
    metric, direction = next(iter(plan.objectives.items()))
    study = Study(
        name=plan.name,
        metric=metric,
        direction=direction,
        sampler=plan.rules.sampler,
        seed=plan.seed,
        space=describe_space(space),
        objectives=dict(plan.objectives) if len(plan.objectives) > 1 else {},
        pruner=plan.rules.pruner,
        constraints=list(plan.rules.constraints),
        first=[dict(params) for params in plan.first],
    )
    try:
        return graph.load(workspace, derived_id(Study.prefix, workspace.name, *plan.key), Study)
    except NotFoundError:
        # Begun now. What earlier studies give is chosen once, and then stays, however many more there come to be.
        pass
    made_from, attributes = [("data", one) for one in plan.data], dict[str, Scalar](name=study.name)
    if plan.rules.warm_start:
        from heptad.experiments.searching.warm_start import earlier_points  # noqa: PLC0415 - profiles load Polars

        earlier = earlier_points(workspace, plan.rules.warm_start, space, study, plan.data)
        made_from += [("warm_start", one.study) for one in earlier]
        attributes |= {f"similarity.{one.study}": one.similarity for one in earlier}
        attributes |= {f"taken.{one.study}": ", ".join(one.taken) for one in earlier if one.taken}
        points = [params for one in earlier for params in one.points]
        study = msgspec.structs.replace(study, first=_each_once([*study.first, *points]))
    return graph.save(workspace, study, scope=workspace.name, key=plan.key, made_from=made_from, attributes=attributes)


def run_study(
    workspace: Workspace,
    environment: str,
    space: Space,
    objective: Objective | None,
    plan: StudyPlan,
    *,
    naming: Naming | None = None,
    prepare: Callable[[], Objective] | None = None,
    watch: Callable[[Ended, Search], None] | None = None,
) -> tuple[Record[Study], Search]:
    """Run the trials that are left of a plan; `prepare` makes the objective where any is left.

    `environment` is the artifact that the runs of trials name.
    """
    rules, trials = plan.rules, plan.rules.trials
    begun = partial(
        Search,
        space,
        sampler=rules.sampler,
        pruner=rules.pruner,
        trials=trials,
        seed=plan.seed,
        direction=list(plan.objectives.values()),
    )
    limits = Limits(
        seconds=duration(rules.budget).total_seconds() if rules.budget else 0.0,
        cost=rules.cost,
        processes=rules.processes,
        isolated=plan.isolated,
        timeout=duration(rules.timeout).total_seconds() if rules.timeout else 0.0,
        memory=size(rules.memory) if rules.memory else 0,
    )
    # What does not go together is refused before there is a study of it.
    begun()
    if objective is not None and limits.apart:
        packed(objective)
    study = open_study(workspace, space, plan)
    ledger = Ledger(workspace, study, environment, naming or _named)
    search = begun(
        first=study.body.first or plan.first,
        told=[one for one in ledger.load() if one.number < trials],
    )
    if search.waiting() is not None:
        made = objective or (prepare() if prepare else None)
        assert made is not None
        Conductor(
            search,
            ledger,
            made,
            list(plan.objectives),
            [constraint(one) for one in rules.constraints],
            plan.seed,
            limits,
            watch,
        ).run()
    return study, search


def plan_of(
    settings: SearchSettings,
    rules: Mapping[str, Any],
    *,
    name: str,
    space: Space,
    objective: Objective,
    objectives: Mapping[str, Direction],
    seed: int,
    data: Sequence[Id],
    first: Sequence[Mapping[str, Value]],
    isolated: bool,
) -> StudyPlan:
    """The plan of a search of one's own: its rules, and for the rest the settings'. Raises `InputError`."""
    check_space(space)
    if not isinstance(objectives, Mapping):
        raise InputError(f"The objectives are {objectives!r}.", allowed='each with its direction: {"loss": "minimize"}')
    if not objectives:
        raise InputError("A search without an objective ends nowhere.", allowed='for example {"loss": "minimize"}')
    for objective_name, direction in objectives.items():
        if direction not in get_args(Direction):
            raise InputError(
                f"The direction of {objective_name!r} is {direction!r}.", allowed=", ".join(get_args(Direction))
            )
    known = msgspec.to_builtins(settings)
    unknown = sorted(set(rules) - set(known))
    if unknown:
        raise InputError(f"There is no rule {unknown[0]!r} of a search.", allowed=", ".join(sorted(known)))
    own = {"constraints": (), "objectives": (), "features": ()}
    kinds = get_type_hints(SearchSettings, include_extras=True)
    for rule, value in rules.items():
        _check_rule(rule, value, kinds[rule])
    chosen = msgspec.convert({**known, **own, **rules}, SearchSettings)
    if "trials" not in rules and (rules.get("budget") or rules.get("cost")):
        chosen = msgspec.structs.replace(chosen, trials=UNLIMITED)
    for one in chosen.constraints:
        constraint(one)
    key = (
        "search",
        name,
        dict(objectives),
        describe_space(space),
        {field: getattr(chosen, field) for field in _FIELDS},
        seed,
        list(data),
        [dict(params) for params in first],
        code_of(objective),
    )
    return StudyPlan(
        name=name,
        objectives=objectives,
        rules=chosen,
        seed=seed,
        data=data,
        key=(digest_of(canonical_json(key)),),
        first=first,
        isolated=isolated,
    )


def _check_rule(rule: str, value: Any, kind: Any) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        match msgspec.inspect.type_info(kind):
            case msgspec.inspect.Metadata(extra_json_schema={"description": str(words)}):
                allowed = words
            case msgspec.inspect.LiteralType(values=names):
                allowed = nearest(str(value), [str(name) for name in names])
            case msgspec.inspect.StrType():
                allowed = "text"
            case _:
                allowed = "a list of texts"
        raise InputError(f"The rule {rule} = {value!r} of a search cannot be used.", allowed=allowed) from None


def _each_once(points: Sequence[Mapping[str, Value]]) -> list[dict[str, Value]]:
    found: list[dict[str, Value]] = []
    for point in points:
        if dict(point) not in found:
            found.append(dict(point))
    return found


def _named(number: int, _: Mapping[str, Value]) -> str:
    return f"trial {number + 1}"
