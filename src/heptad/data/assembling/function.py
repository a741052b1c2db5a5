"""Calls the project's own function that turns sources into one table."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from heptad.core.errors import DataError, HeptadError, SettingsError, TaskError, nearest
from heptad.core.records import digest_of


class ProjectFunction:
    """`module:function` of the project at `root`. The module is run again when its file has changed.

    `setting`: what names it, for errors.
    """

    def __init__(self, root: Path, address: str, setting: str = "[data] function") -> None:
        self._root = root
        self._address = address
        self._setting = setting
        module, mark, self._name = address.partition(":")
        if not (mark and self._name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
            raise SettingsError(f"{setting} = {address!r} cannot be used.", allowed='"module:function"')
        self._module = module
        self._path = root.joinpath(*module.split(".")).with_suffix(".py")
        self._loaded: tuple[str, Any] | None = None

    def digest(self) -> str:
        """Of the module's file: another digest means that the function may do something else."""
        if not self._path.is_file():
            known = sorted(path.stem for path in self._root.glob("*.py"))
            raise SettingsError(
                f"{self._setting} = {self._address!r}: there is no {self._path.name} in {self._path.parent}.",
                allowed=nearest(self._module, known),
            )
        return digest_of(self._path.read_bytes())

    def __call__(self, sources: Mapping[str, pl.LazyFrame], *, small: bool = True) -> pl.LazyFrame:
        """What the function makes of the sources it names in its parameters: made at once where they are small.

        Raises `TaskError` where the function itself fails, `DataError` where what it made is no table.
        """
        function = self.load()
        arguments = self._arguments(function, sources)
        try:
            made = function(**arguments)
        except HeptadError:
            raise
        except Exception as error:
            raise TaskError(
                f"The function {self._address} failed: {type(error).__name__}: {error}.",
                remedy=f"mend it in {self._path}",
            ) from error
        if not isinstance(made, pl.LazyFrame | pl.DataFrame):
            raise DataError(
                f"The function {self._address} returned a {type(made).__name__}.",
                allowed="a polars LazyFrame or DataFrame",
            )
        with self.blamed():
            if small:
                # The streaming engine of polars 2.1 panics on `pl.format` where a filter leaves a chunk empty.
                return made.lazy().collect(engine="in-memory").lazy()
            made.lazy().collect_schema()
        return made.lazy()

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Where the table is made: what the engine cannot run is told as a mistake of the function."""
        try:
            yield
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            panicked = isinstance(error, pl.exceptions.PanicException)
            raise DataError(
                f"The table that the function {self._address} describes cannot be made: {error}.",
                remedy=f"mend it in {self._path}" + "; use pl.concat_str instead of pl.format" * panicked,
            ) from error

    def load(self) -> Callable[..., Any]:
        function = self.value()
        if not callable(function):
            raise SettingsError(f"{self._path} defines no function {self._name!r}, which {self._setting} names.")
        loaded: Callable[..., Any] = function
        return loaded

    def value(self) -> Any:
        """What the module calls so, a function or not; raises `SettingsError` where there is no such thing."""
        digest = self.digest()
        if self._loaded is None or self._loaded[0] != digest:
            module = self._run_module()
            if not hasattr(module, self._name):
                known = [name for name in vars(module) if not name.startswith("_")]
                raise SettingsError(
                    f"{self._path} defines no function {self._name!r}, which {self._setting} names.",
                    allowed=nearest(self._name, sorted(known)),
                )
            self._loaded = digest, getattr(module, self._name)
        return self._loaded[1]

    def _run_module(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(self._module, self._path)
        if spec is None or spec.loader is None:
            raise SettingsError(f"{self._path} cannot be imported.", allowed="a Python file")
        module = importlib.util.module_from_spec(spec)
        try:
            with _importable(self._root):
                spec.loader.exec_module(module)
        except Exception as error:
            raise TaskError(
                f"{self._path} cannot be run: {type(error).__name__}: {error}.", remedy="mend the file"
            ) from error
        return module

    def _arguments(self, function: Callable[..., Any], sources: Mapping[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
        arguments: dict[str, pl.LazyFrame] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                return dict(sources)
            if parameter.name in sources:
                arguments[parameter.name] = sources[parameter.name]
            elif parameter.default is inspect.Parameter.empty:
                raise SettingsError(
                    f"The function {self._address} asks for {parameter.name!r}, which is no source.",
                    allowed=nearest(parameter.name, sorted(sources)) or "names of [sources.NAME]",
                )
        return arguments


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules beside the project's file can be imported while it runs."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
