"""Step 7: what follows from it: retraining, rollout, rollback."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.lifecycle.costs import Costs as Costs
    from heptad.lifecycle.doctor import Check as Check
    from heptad.lifecycle.doctor import examine_machine as examine_machine
    from heptad.lifecycle.doctor import examine_workspace as examine_workspace
    from heptad.lifecycle.erasing.certificate import Certificate as Certificate
    from heptad.lifecycle.erasing.certificate import verify_certificate as verify_certificate
    from heptad.lifecycle.erasing.erasures import Erasures as Erasures
    from heptad.lifecycle.erasing.erasures import Inventory as Inventory
    from heptad.lifecycle.export import Exported as Exported
    from heptad.lifecycle.export import export_workspace as export_workspace
    from heptad.lifecycle.happenings import Happening as Happening
    from heptad.lifecycle.happenings import Watcher as Watcher
    from heptad.lifecycle.happenings import unwatched as unwatched
    from heptad.lifecycle.inputs import inputs_in_force as inputs_in_force
    from heptad.lifecycle.lifecycle import Lifecycle as Lifecycle
    from heptad.lifecycle.records import Erasure as Erasure
    from heptad.lifecycle.records import Outcome as Outcome
    from heptad.lifecycle.records import Plan as Plan
    from heptad.lifecycle.records import Rehearsal as Rehearsal
    from heptad.lifecycle.records import SeenBy as SeenBy
    from heptad.lifecycle.records import Stage as Stage
    from heptad.lifecycle.records import Trigger as Trigger
    from heptad.lifecycle.records import Verdict as Verdict
    from heptad.lifecycle.rehearsal import Span as Span
    from heptad.lifecycle.retention import Outlook as Outlook
    from heptad.lifecycle.retention import Retention as Retention
    from heptad.lifecycle.retention import Rule as Rule
    from heptad.lifecycle.retention import Standing as Standing
    from heptad.lifecycle.sentences import sentence_of as sentence_of
    from heptad.lifecycle.settings import RetentionSettings as RetentionSettings
    from heptad.lifecycle.settings import RetrainSettings as RetrainSettings
    from heptad.lifecycle.status import Status as Status
    from heptad.lifecycle.status import newest as newest
    from heptad.lifecycle.status import newest_events as newest_events
    from heptad.lifecycle.status import read_status as read_status
    from heptad.lifecycle.summary import Month as Month
    from heptad.lifecycle.summary import Rehearsed as Rehearsed
    from heptad.lifecycle.summary import Summary as Summary
    from heptad.lifecycle.transfer import Backup as Backup
    from heptad.lifecycle.transfer import backup as backup
    from heptad.lifecycle.transfer import move as move
    from heptad.lifecycle.transfer import move_store as move_store
    from heptad.lifecycle.transfer import refuse_moved as refuse_moved
    from heptad.lifecycle.transfer import restore as restore
    from heptad.lifecycle.why import Reason as Reason
    from heptad.lifecycle.why import Why as Why
    from heptad.lifecycle.why import why_recorded as why_recorded
    from heptad.lifecycle.why import why_so as why_so
    from heptad.lifecycle.worker import Worker as Worker

__getattr__, __all__ = attach(
    __name__,
    {
        "Backup": "transfer",
        "Certificate": "erasing.certificate",
        "Check": "doctor",
        "Costs": "costs",
        "Erasure": "records",
        "Erasures": "erasing.erasures",
        "Exported": "export",
        "Happening": "happenings",
        "Inventory": "erasing.erasures",
        "Lifecycle": "lifecycle",
        "Month": "summary",
        "Outcome": "records",
        "Outlook": "retention",
        "Plan": "records",
        "Reason": "why",
        "Rehearsal": "records",
        "Rehearsed": "summary",
        "Retention": "retention",
        "RetentionSettings": "settings",
        "RetrainSettings": "settings",
        "Rule": "retention",
        "SeenBy": "records",
        "Span": "rehearsal",
        "Stage": "records",
        "Standing": "retention",
        "Status": "status",
        "Summary": "summary",
        "Trigger": "records",
        "Verdict": "records",
        "Watcher": "happenings",
        "Why": "why",
        "Worker": "worker",
        "backup": "transfer",
        "examine_machine": "doctor",
        "examine_workspace": "doctor",
        "export_workspace": "export",
        "inputs_in_force": "inputs",
        "move": "transfer",
        "move_store": "transfer",
        "newest": "status",
        "newest_events": "status",
        "read_status": "status",
        "refuse_moved": "transfer",
        "restore": "transfer",
        "sentence_of": "sentences",
        "unwatched": "happenings",
        "verify_certificate": "erasing.certificate",
        "why_recorded": "why",
        "why_so": "why",
    },
)
