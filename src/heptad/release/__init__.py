"""Step 4: decisions, signed packages, and the registry."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.release.describe import VersionDetails as VersionDetails
    from heptad.release.describe import VersionLine as VersionLine
    from heptad.release.describe import decision_lines as decision_lines
    from heptad.release.describe import history_lines as history_lines
    from heptad.release.describe import show_version as show_version
    from heptad.release.describe import version_facts as version_facts
    from heptad.release.describe import version_line as version_line
    from heptad.release.document import Block as Block
    from heptad.release.document import Code as Code
    from heptad.release.document import Document as Document
    from heptad.release.document import Items as Items
    from heptad.release.document import Table as Table
    from heptad.release.keys import check_signature as check_signature
    from heptad.release.keys import fingerprint as fingerprint
    from heptad.release.keys import sign as sign
    from heptad.release.keys import signing_key as signing_key
    from heptad.release.keys import trusted_keys as trusted_keys
    from heptad.release.package import Package as Package
    from heptad.release.package import open_package as open_package
    from heptad.release.pipeline import Pipeline as Pipeline
    from heptad.release.pipeline import RunOutcome as RunOutcome
    from heptad.release.records import Decision as Decision
    from heptad.release.records import GateResult as GateResult
    from heptad.release.records import ModelVersion as ModelVersion
    from heptad.release.registry import VersionRef as VersionRef
    from heptad.release.release import Release as Release
    from heptad.release.reproduce import Reproduction as Reproduction
    from heptad.release.settings import ReleaseSettings as ReleaseSettings

__getattr__, __all__ = attach(
    __name__,
    {
        "Block": "document",
        "Code": "document",
        "Decision": "records",
        "Document": "document",
        "GateResult": "records",
        "Items": "document",
        "ModelVersion": "records",
        "Package": "package",
        "Pipeline": "pipeline",
        "Release": "release",
        "ReleaseSettings": "settings",
        "Reproduction": "reproduce",
        "RunOutcome": "pipeline",
        "Table": "document",
        "VersionDetails": "describe",
        "VersionLine": "describe",
        "VersionRef": "registry",
        "check_signature": "keys",
        "decision_lines": "describe",
        "fingerprint": "keys",
        "history_lines": "describe",
        "open_package": "package",
        "show_version": "describe",
        "sign": "keys",
        "signing_key": "keys",
        "trusted_keys": "keys",
        "version_facts": "describe",
        "version_line": "describe",
    },
)
