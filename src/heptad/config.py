"""Reads heptad.toml into the sections that the steps own; every mistake is named with its line and what is allowed."""

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from heptad.core.errors import InputError, SettingsError, nearest
from heptad.core.settings import ExecuteSettings, ProjectSettings, Settings, StoreSettings
from heptad.data import (
    CardSettings,
    CleanSettings,
    DataSettings,
    ExpectSettings,
    FeatureSettings,
    LabellingSettings,
    OnlineSettings,
    PrivacySettings,
    RemoteSettings,
    SourceSettings,
    toml_key,
    toml_value,
)
from heptad.experiments import SearchSettings, TrackingSettings
from heptad.lifecycle import RetentionSettings, RetrainSettings
from heptad.monitoring import MonitorSettings
from heptad.release import ReleaseSettings
from heptad.serving import ApiSettings, DeploySettings
from heptad.training import ValidateSettings

FILE = "heptad.toml"


class Config(Settings, frozen=True, kw_only=True):
    """The whole of heptad.toml. Every section is optional but `[data]`, which names the target."""

    project: ProjectSettings = msgspec.field(default_factory=ProjectSettings)
    store: StoreSettings = msgspec.field(default_factory=StoreSettings)
    execute: ExecuteSettings = msgspec.field(default_factory=ExecuteSettings)
    sources: dict[str, SourceSettings] = {}
    data: DataSettings
    labelling: LabellingSettings = msgspec.field(default_factory=LabellingSettings)
    card: CardSettings = msgspec.field(default_factory=CardSettings)
    clean: CleanSettings = msgspec.field(default_factory=CleanSettings)
    expect: ExpectSettings = msgspec.field(default_factory=ExpectSettings)
    features: dict[str, FeatureSettings] = {}
    online: OnlineSettings = msgspec.field(default_factory=OnlineSettings)
    remote: RemoteSettings = msgspec.field(default_factory=RemoteSettings)
    privacy: PrivacySettings = msgspec.field(default_factory=PrivacySettings)
    tracking: TrackingSettings = msgspec.field(default_factory=TrackingSettings)
    search: SearchSettings = msgspec.field(default_factory=SearchSettings)
    validate: ValidateSettings = msgspec.field(default_factory=ValidateSettings)
    release: ReleaseSettings = msgspec.field(default_factory=ReleaseSettings)
    deploy: DeploySettings = msgspec.field(default_factory=DeploySettings)
    api: ApiSettings = msgspec.field(default_factory=ApiSettings)
    monitor: MonitorSettings = msgspec.field(default_factory=MonitorSettings)
    retrain: RetrainSettings = msgspec.field(default_factory=RetrainSettings)
    retention: RetentionSettings = msgspec.field(default_factory=RetentionSettings)


def read_config(root: Path) -> Config:
    """The settings of the project at `root`; raises `SettingsError` with every mistake at once."""
    path = root / FILE
    if not path.is_file():
        why = (
            f"it has no {FILE}" if root.is_dir() else "it is no folder" if root.exists() else "there is no such folder"
        )
        raise InputError(
            f"{root} is not a Heptad project: {why}.",
            remedy="go to a project's folder, name it with --project, or make one: "
            "heptad init --from FILE --target COLUMN",
        )
    values = _checked(path, Config)
    config = msgspec.convert(values, Config)
    return msgspec.structs.replace(config, project=_named(config.project, root))


class FolderConfig(Settings, frozen=True, kw_only=True):
    """The sections of use in projects that have no table yet: versioned folders, runs and the API need them."""

    project: ProjectSettings = msgspec.field(default_factory=ProjectSettings)
    store: StoreSettings = msgspec.field(default_factory=StoreSettings)
    remote: RemoteSettings = msgspec.field(default_factory=RemoteSettings)
    api: ApiSettings = msgspec.field(default_factory=ApiSettings)
    tracking: TrackingSettings = msgspec.field(default_factory=TrackingSettings)
    search: SearchSettings = msgspec.field(default_factory=SearchSettings)


def read_folder_config(root: Path) -> FolderConfig:
    """Those sections of heptad.toml at `root`, if there is one; raises `SettingsError` with every mistake in them.

    A section that there is not is a mistake, too: it may be one of these, mistyped.
    """
    path = root / FILE
    others = {*Config.__struct_fields__} - {*FolderConfig.__struct_fields__}
    values = _checked(path, FolderConfig, others) if path.is_file() else {}
    config = msgspec.convert(values, FolderConfig)
    return msgspec.structs.replace(config, project=_named(config.project, root))


def has_table(root: Path) -> bool:
    """Whether heptad.toml at `root` is of a project with a table to learn from, and not of runs or folders alone."""
    return has_section(root, "data")


def has_section(root: Path, name: str) -> bool:
    """Whether heptad.toml at `root` has a section of that name, whatever it says."""
    path = root / FILE
    return path.is_file() and name in _parsed(path)[1]


def _checked(path: Path, kind: type[Settings], unread: Collection[str] = ()) -> dict[str, Any]:
    """The values of a file that fit the type of its settings, without sections that stay unread."""
    text, values = _parsed(path)
    values = {name: value for name, value in values.items() if name not in unread}
    lines = _line_numbers(text)
    mistakes = sorted(_mistakes(values, kind, (), lines))
    if mistakes:
        raise SettingsError(
            f"{path} has {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}:",
            problems=[f"line {line}: {sentence}" if line else sentence for line, sentence in mistakes],
            remedy="mend them in the file; `heptad explain-config` then shows every setting and its value",
        )
    return values


def _named(project: ProjectSettings, root: Path) -> ProjectSettings:
    return project if project.name else msgspec.structs.replace(project, name=default_name(root))


def default_name(folder: Path) -> str:
    """The folder's name in letters that fit addresses; a name that has none of them is told apart by a digest.

    >>> default_name(Path("/home/Maß & Größe"))
    'mass-grosse'
    >>> default_name(Path("/home/飛行機"))
    'project-0677ae'
    """
    name = folder.resolve().name
    latin = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-") or f"project-{digest}"


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}.", remedy="mend that line; heptad changed nothing"
        ) from error


def effective_toml(config: Config | FolderConfig, path: Path) -> str:
    """Every setting with its value as TOML, each marked where the file does not give it; sections that nobody reads."""
    given = _parsed(path)[1] if path.is_file() else {}
    values = _merge(msgspec.to_builtins(config), given)
    lines: list[str] = []
    for section, content in values.items():
        _write_table(lines, [section], content, given.get(section, {}))
    unread = [section for section in given if section not in values]
    lines += ["", *(f"# [{section}] is not read: there is no [data], a table to learn from" for section in unread)]
    return "\n".join(lines).strip() + "\n"


def _merge(values: Any, given: Any) -> Any:
    if isinstance(values, dict) and isinstance(given, dict):
        return {key: _merge(value, given.get(key, value)) for key, value in values.items()}
    return given


def _write_table(lines: list[str], path: list[str], content: dict[str, Any], given: dict[str, Any]) -> None:
    plain = {key: value for key, value in content.items() if not isinstance(value, dict) or not value}
    if plain or not content:
        lines += ["", f"[{'.'.join(toml_key(part) for part in path)}]"]
    for key, value in plain.items():
        if value is None:
            lines.append(f"# {toml_key(key)} is not set")
        else:
            lines.append(f"{toml_key(key)} = {toml_value(value)}" + ("" if key in given else "   # default"))
    for key, value in content.items():
        if isinstance(value, dict) and value:
            _write_table(lines, [*path, key], value, given.get(key, {}))


def _mistakes(
    values: Any, kind: Any, path: tuple[str, ...], lines: Mapping[tuple[str, ...], int]
) -> Iterator[tuple[int, str]]:
    """Line and sentence of everything in `values` that does not fit the settings type `kind`."""
    name = ".".join(path)
    kind = _alternative(kind, values)
    item = get_args(kind)[0] if get_origin(kind) is list else None
    if isinstance(values, list) and isinstance(item, type) and issubclass(item, msgspec.Struct):
        for place, value in enumerate(values):
            yield from _mistakes(value, item, (*path, f"{place + 1}"), lines)
        return
    if get_origin(kind) is dict and isinstance(values, dict):
        for key, value in values.items():
            yield from _mistakes(value, get_args(kind)[1], (*path, key), lines)
        return
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(values, dict)):
        yield from ((_line(path, lines), sentence) for sentence in _wrong(values, kind, f"{name} = "))
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, value in values.items():
        if key in fields:
            yield from _mistakes(value, fields[key].type, (*path, key), lines)
        else:
            what = f"the setting {name + '.' + key!r}" if path else f"the section [{key}]"
            yield _line((*path, key), lines), f"there is no {what[4:]}. Allowed: {nearest(key, list(fields), most=30)}"
    for key, field in fields.items():
        if field.required and key not in values:
            yield _line(path, lines), f"{name + '.' if path else ''}{key} is missing. Allowed: {allowed(field.type)}"


def _alternative(kind: Any, value: Any) -> Any:
    """Of a table and what may stand in its place (a list of them, a word) the one written; other types as they are."""
    if get_origin(kind) not in {UnionType, Union}:
        return kind
    tables = [one for one in get_args(kind) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    lists = [one for one in get_args(kind) if get_origin(one) is list]
    if len(tables) == 1 and isinstance(value, dict):
        return tables[0]
    return lists[0] if tables and lists and isinstance(value, list) else kind


def _wrong(value: Any, kind: Any, before: str, after: str = "") -> Iterator[str]:
    """What is wrong with one value, or with each item of a list; the texts around it say where it stands."""
    plain, *about = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if isinstance(value, list) and get_origin(plain) in {list, tuple}:
        items = [one for item in value for one in _wrong(item, get_args(plain)[0], f"{before}[... ", f" ...]{after}")]
        if items:
            yield from items
            return
    shown = f"{before}{repr(value) if isinstance(value, str) else toml_value(value)}{after}"
    try:
        msgspec.convert(value, kind)
        for check in [meta.extra["check"] for meta in about if meta.extra]:
            check(value)
    except msgspec.ValidationError:
        choices = _choices(kind)
        hint = nearest(value, choices, most=len(choices)) if isinstance(value, str) and choices else allowed(kind)
        yield f"{shown} cannot be used. Allowed: {hint}"
    except InputError as error:
        yield f"{shown} cannot be used: {error.problem} Allowed: {error.allowed}"


def _choices(kind: Any) -> list[str]:
    """The texts that a literal type, optional or not, can be."""
    described = msgspec.inspect.type_info(kind)
    parts = described.types if isinstance(described, msgspec.inspect.UnionType) else (described,)
    literals = [value for part in parts if isinstance(part, msgspec.inspect.LiteralType) for value in part.values]
    return [str(value) for value in literals if value != ""]


_WORDS = {
    msgspec.inspect.StrType: "text",
    msgspec.inspect.IntType: "a whole number",
    msgspec.inspect.FloatType: "a number",
    msgspec.inspect.BoolType: "true or false",
}


def allowed(kind: Any) -> str:
    """What a settings type takes, in words."""
    return _in_words(msgspec.inspect.type_info(kind))


def _in_words(described: msgspec.inspect.Type) -> str:
    match described:
        case msgspec.inspect.Metadata(extra_json_schema={"description": words}):
            text = str(words)
        case msgspec.inspect.Metadata(type=plain):
            text = _in_words(plain)
        case msgspec.inspect.LiteralType(values=values):
            text = " or ".join(repr(value) if value else "empty" for value in sorted(values, reverse=True, key=bool))
        case msgspec.inspect.UnionType(types=types):
            text = " or ".join(_in_words(one) for one in types if not isinstance(one, msgspec.inspect.NoneType))
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.VarTupleType(item_type=item):
            text = f"a list{' of one or more' if described.min_length else ''}, each {_in_words(item)}"
        case msgspec.inspect.DictType(value_type=value):
            text = f"a table, each {_in_words(value)}"
        case msgspec.inspect.StructType(fields=fields):
            text = f"a table with {', '.join(field.encode_name for field in fields)}"
        case _:
            text = _WORDS[type(described)]
    return text


def _line(path: tuple[str, ...], lines: Mapping[tuple[str, ...], int]) -> int:
    """The line of a setting, or of the nearest table around it; 0 where nothing of it is written."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Where each table and key of a valid TOML text stands, counted from 1; inline tables count as their key."""
    text = re.sub(r'("""|\'\'\').*?\1', lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    tables: dict[tuple[str, ...], int] = {}
    key = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
    dotted = re.compile(rf"\s*(\[\[?)?\s*({key}(?:\s*\.\s*{key})*)\s*(\]\]?|=)")
    for number, line in enumerate(text.splitlines(), 1):
        found = dotted.match(line)
        if not found:
            continue
        parts = tuple(part.strip("\"'") for part in re.findall(key, found[2]))
        if found[1] == "[[":
            tables[parts] = tables.get(parts, 0) + 1
            parts = (*parts, f"{tables[parts]}")
        if found[1]:
            table = parts
        path = parts if found[1] else table + parts
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines
