"""Registered models and their versions as the protocol shows them."""

from collections.abc import Mapping
from typing import Any

from heptad.api.mlflow.entities import shown
from heptad.core.records import Record, Scalar
from heptad.release import ModelVersion, RegisteredModel, Versions


def model_entity(versions: Versions, record: Record[RegisteredModel]) -> dict[str, Any]:
    """A registered model, with its aliases and the newest version in each stage."""
    attributes = record.attributes
    found: dict[str, Any] = {
        "name": attributes["name"],
        "creation_timestamp": attributes.get("created", 0),
        "last_updated_timestamp": attributes.get("updated", 0),
        "latest_versions": [version_entity(one) for one in versions.latest(record)],
        "tags": tags_of(attributes),
        "aliases": [
            {"alias": alias, "version": str(number)} for alias, number in sorted(versions.aliases(record).items())
        ],
    }
    if "description" in attributes:
        found["description"] = attributes["description"]
    return found


def version_entity(record: Record[ModelVersion]) -> dict[str, Any]:
    attributes, body = record.attributes, record.body
    found: dict[str, Any] = {
        "name": attributes.get("name", body.name),
        "version": str(body.version),
        "creation_timestamp": attributes.get("created", int(record.at.timestamp() * 1000)),
        "last_updated_timestamp": attributes.get("updated", int(record.at.timestamp() * 1000)),
        "user_id": record.actor.partition(":")[2],
        "current_stage": attributes.get("stage", "None"),
        "description": attributes.get("description", ""),
        "source": attributes.get("source", body.source),
        "run_id": body.run,
        "run_link": body.run_link,
        "status": "READY",
        "tags": tags_of(attributes),
        "aliases": sorted(alias for alias in record.aliases if alias != "latest"),
    }
    if body.logged_model:
        found["model_id"] = body.logged_model
    return found


def tags_of(attributes: Mapping[str, Scalar]) -> list[dict[str, str]]:
    found = [(key, value) for key, value in attributes.items() if key.startswith("tags.")]
    return [{"key": key.removeprefix("tags."), "value": shown(value)} for key, value in found]
