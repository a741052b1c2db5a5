"""A lazy package imports a module when one of its names is asked for, and not before."""

import sys
from pathlib import Path

import pytest


def test_names_are_imported_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the package imports none of its modules; a name imports its own module only."""
    package = tmp_path / "a_lazy_package"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from heptad.core.lazy import attach\n"
        "__getattr__, __all__ = attach(__name__, {'second': 'two', 'first': 'one'})\n"
    )
    (package / "one.py").write_text("first = 1\n")
    (package / "two.py").write_text("second = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    import a_lazy_package

    assert a_lazy_package.__all__ == ["first", "second"]
    assert "a_lazy_package.one" not in sys.modules
    assert a_lazy_package.first == 1
    assert "a_lazy_package.two" not in sys.modules
    from a_lazy_package import second

    assert second == 2
    with pytest.raises(AttributeError, match="module 'a_lazy_package' has no attribute 'third'"):
        _ = a_lazy_package.third
    for name in [name for name in sys.modules if name.startswith("a_lazy_package")]:
        del sys.modules[name]
