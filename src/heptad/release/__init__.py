"""Step 4: decisions, signed packages, and the registry."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.release.adoption import Adoption as Adoption
    from heptad.release.adoption import Adoptions as Adoptions
    from heptad.release.describe import VersionDetails as VersionDetails
    from heptad.release.describe import VersionLine as VersionLine
    from heptad.release.describe import decision_lines as decision_lines
    from heptad.release.describe import external_facts as external_facts
    from heptad.release.describe import find_version as find_version
    from heptad.release.describe import history_lines as history_lines
    from heptad.release.describe import newest_versions as newest_versions
    from heptad.release.describe import show_version as show_version
    from heptad.release.describe import version_facts as version_facts
    from heptad.release.describe import version_line as version_line
    from heptad.release.keys import check_signature as check_signature
    from heptad.release.keys import fingerprint as fingerprint
    from heptad.release.keys import sign as sign
    from heptad.release.keys import signing_key as signing_key
    from heptad.release.keys import trusted_keys as trusted_keys
    from heptad.release.model_import import TakenModel as TakenModel
    from heptad.release.model_import import import_models as import_models
    from heptad.release.models import Models as Models
    from heptad.release.package import Package as Package
    from heptad.release.package import open_package as open_package
    from heptad.release.pipeline import Pipeline as Pipeline
    from heptad.release.pipeline import RunOutcome as RunOutcome
    from heptad.release.records import Decision as Decision
    from heptad.release.records import GateResult as GateResult
    from heptad.release.records import ModelVersion as ModelVersion
    from heptad.release.records import RegisteredModel as RegisteredModel
    from heptad.release.registry import VersionRef as VersionRef
    from heptad.release.registry import check_gated as check_gated
    from heptad.release.registry import label_of as label_of
    from heptad.release.release import Release as Release
    from heptad.release.reproduce import Reproduction as Reproduction
    from heptad.release.settings import ReleaseSettings as ReleaseSettings
    from heptad.release.versions import STAGES as STAGES
    from heptad.release.versions import Versions as Versions
    from heptad.release.versions import files_of_version as files_of_version

__getattr__, __all__ = attach(
    __name__,
    {
        "Adoption": "adoption",
        "Adoptions": "adoption",
        "Decision": "records",
        "GateResult": "records",
        "ModelVersion": "records",
        "Models": "models",
        "Package": "package",
        "Pipeline": "pipeline",
        "RegisteredModel": "records",
        "Release": "release",
        "ReleaseSettings": "settings",
        "Reproduction": "reproduce",
        "RunOutcome": "pipeline",
        "STAGES": "versions",
        "TakenModel": "model_import",
        "VersionDetails": "describe",
        "VersionLine": "describe",
        "VersionRef": "registry",
        "Versions": "versions",
        "check_gated": "registry",
        "check_signature": "keys",
        "decision_lines": "describe",
        "external_facts": "describe",
        "files_of_version": "versions",
        "find_version": "describe",
        "fingerprint": "keys",
        "history_lines": "describe",
        "import_models": "model_import",
        "label_of": "registry",
        "newest_versions": "describe",
        "open_package": "package",
        "show_version": "describe",
        "sign": "keys",
        "signing_key": "keys",
        "trusted_keys": "keys",
        "version_facts": "describe",
        "version_line": "describe",
    },
)
