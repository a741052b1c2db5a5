"""What is told knows whether it counts, and which trials none beats."""

from hypothesis import given
from hypothesis import strategies as st

from heptad.experiments import Told
from heptad.experiments.searching.told import pareto_front

POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


def told(number: int, values: tuple[float, ...], **more: object) -> Told:
    return Told(number, {}, values[0], values, **more)  # type: ignore[arg-type]


@given(POINTS)
def test_the_front_is_what_no_other_beats(points: list[tuple[int, int]]) -> None:
    """Each trial of the front is beaten by none, and each other trial by one of the front."""
    trials = [told(number, (float(a), float(b))) for number, (a, b) in enumerate(points)]
    front = pareto_front(trials, ["minimize", "maximize"])

    def beats(one: Told, other: Told) -> bool:
        (a, b), (c, d) = one.values, other.values
        return a <= c and b >= d and (a, b) != (c, d)

    assert not any(beats(one, other) for one in trials for other in front)
    assert all(any(beats(one, other) for one in front) for other in trials if other not in front)


def test_trials_that_fail_or_break_a_constraint_are_on_no_front() -> None:
    """However good their values are."""
    trials = [
        told(0, (0.0, 0.0), violations={"ms": 1.0}),
        told(1, (3.0, 3.0), violations={"ms": -1.0}),
        Told(2, {}, None),
    ]
    assert [one.number for one in pareto_front(trials, ["minimize", "minimize"])] == [1]
