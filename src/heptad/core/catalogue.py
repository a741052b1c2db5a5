"""Finds implementations by name: a table of the built-in ones, and entry points for everybody else's."""

import importlib
from typing import Any

from heptad.core.errors import NotFoundError, WorkspaceError

_KEPT = ("catboost", "keras", "lightgbm", "torch", "transformers", "xgboost")
BUILT_IN: dict[str, dict[str, str]] = {
    "store": {
        "sqlite": "heptad.core.sql_store:open_store",
        "postgresql": "heptad.core.sql_store:open_store",
    },
    "blobs": {
        "file": "heptad.core.local_blobs:open_blobs",
        "s3": "heptad.adapters.object_blobs:s3",
        "gs": "heptad.adapters.object_blobs:gs",
        "az": "heptad.adapters.object_blobs:az",
    },
    "display": {"notebook": "heptad.lifecycle.notebook:shown"},
    "executor": {
        "inline": "heptad.core.executors:inline",
        "threads": "heptad.core.executors:threads",
        "processes": "heptad.core.executors:processes",
    },
    "model_writer": {name: f"heptad.adapters.trackers.{name}:write_model" for name in _KEPT}
    | {"sklearn": "heptad.adapters.trackers.skops:write_model"},
    "kept": {
        "databases": "heptad.adapters.databases.pieces:forget_pieces",
        "streams": "heptad.data.streams.forgetting:forget_landed",
    },
    "noise": {"opendp": "heptad.adapters.opendp:OpenDpNoise"},
    "online": {
        "lmdb": "heptad.adapters.lmdb:LmdbStore",
        "redis": "heptad.adapters.redis:RedisStore",
        "rediss": "heptad.adapters.redis:RedisStore",
    },
    "resampler": {"smote": "heptad.adapters.smote:smote"},
    "label_errors": {"cleanlab": "heptad.adapters.cleanlab:find_label_errors"},
    "number_errors": {"cleanlab": "heptad.adapters.cleanlab:find_number_errors"},
    "schema_registry": dict.fromkeys(("http", "https"), "heptad.adapters.schema_registry:HttpSchemaRegistry"),
    "schema": {"pandera": "heptad.adapters.pandera:written_schema"},
    "source": {
        "database": "heptad.adapters.databases.source:DatabaseSource",
        "duckdb": "heptad.adapters.databases.source:DatabaseSource",
        "mariadb": "heptad.adapters.databases.source:DatabaseSource",
        "mssql": "heptad.adapters.databases.source:DatabaseSource",
        "mysql": "heptad.adapters.databases.source:DatabaseSource",
        "oracle": "heptad.adapters.databases.source:DatabaseSource",
        "postgresql": "heptad.adapters.databases.source:DatabaseSource",
        "sqlite": "heptad.adapters.databases.source:DatabaseSource",
        "delta+file": "heptad.adapters.delta:DeltaSource",
        "file": "heptad.data.sources.files:FileSource",
        "s3": "heptad.adapters.objects:s3",
        "gs": "heptad.adapters.objects:gs",
        "az": "heptad.adapters.objects:az",
        "https": "heptad.adapters.https:https",
        "http": "heptad.adapters.https:http",
        "manifest": "heptad.data.manifests.source:ManifestSource",
        "rest": "heptad.adapters.rest.source:RestSource",
        "python-package": "heptad.adapters.python_package:PackageSource",
        "stream": "heptad.data.streams.source:StreamSource",
    },
    "tracker": {name: f"heptad.adapters.trackers.{name}:Follower" for name in (*_KEPT, "lightning", "optuna")}
    | {"sklearn": "heptad.adapters.trackers.sklearn:follow"},
    "stream": {
        "kafka": "heptad.adapters.kafka:KafkaStream",
        "mqtt": "heptad.adapters.mqtt:MqttStream",
        "mqtts": "heptad.adapters.mqtt:MqttStream",
        "nats": "heptad.adapters.nats:NatsStream",
        "nats+tls": "heptad.adapters.nats:NatsStream",
    },
}
"""Contract, then name, then where it is; third parties add to a group `heptad.CONTRACT` of entry points."""

_EXTRA = {"mqtts": "mqtt", "nats+tls": "nats", "rediss": "redis"}
"""What is installed for names that are no extra of their own."""


def find(contract: str, name: str) -> Any:
    """The object registered as `name` for a contract, imported now.

    Raises `NotFoundError` with the known names, and `WorkspaceError` where what is registered cannot be imported.
    """
    built_in = BUILT_IN.get(contract, {}).get(name)
    table = {name: built_in} if built_in else known(contract)
    if name not in table:
        raise NotFoundError(f"adapter for {contract}", name, table)
    module, _, attribute = table[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"The {contract} {name!r} needs the package {error.name!r}, which is not installed.",
            remedy=f"pip install 'heptad[{_EXTRA.get(name, name)}]'" if built_in else f"pip install {error.name}",
        ) from error
    except AttributeError as error:
        raise WorkspaceError(
            f"The {contract} {name!r} is registered as {table[name]}, and there is no such thing.",
            remedy="Ask whoever made the package that registers it.",
        ) from error


def known(contract: str) -> dict[str, str]:
    """Name to `module:object` of everything that fills a contract; built-in names cannot be replaced."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - reading the list of packages takes a while

    installed = {point.name: point.value for point in entry_points(group=f"heptad.{contract}")}
    return installed | BUILT_IN.get(contract, {})
