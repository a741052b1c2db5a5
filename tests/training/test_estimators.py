"""The table of estimators is complete and consistent."""

import pytest

from heptad.core.errors import InputError, NotFoundError
from heptad.experiments import SearchSettings, check_params
from heptad.training.estimators import complete_params, estimator_named, known_estimators


@pytest.mark.parametrize("name", known_estimators())
def test_defaults_are_a_point_of_the_space(name: str) -> None:
    """A search may begin with the defaults of each estimator."""
    estimator = known_estimators()[name]
    assert estimator.name == name
    assert estimator.about
    check_params(estimator.space, estimator.defaults)


def test_the_estimators_of_the_settings_exist() -> None:
    """What is searched by default can be trained, and so can what it is compared with."""
    assert {*SearchSettings().estimators, "baseline"} == set(known_estimators())


def test_an_unknown_estimator_is_named_with_the_nearest() -> None:
    """The refusal shows what there is."""
    with pytest.raises(NotFoundError, match="did you mean 'lightgbm'"):
        estimator_named("lightgmb")


def test_parameters_left_out_are_the_defaults() -> None:
    """What is given replaces its default; unknown names and values outside of the space are refused."""
    linear = estimator_named("linear")
    assert complete_params(linear, {}) == linear.defaults
    assert complete_params(linear, {"penalty": 2.0}) == {"penalty": 2.0}
    with pytest.raises(InputError, match="depth"):
        complete_params(linear, {"depth": 3})
    with pytest.raises(InputError, match="penalty"):
        complete_params(linear, {"penalty": -1.0})
