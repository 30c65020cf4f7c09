"""How a run ended: why its model went live, what became of the weights, who cancelled it; in the reader's language."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from analytics.queries.runs.history import RunView
from analytics.templatetags.words import blend_label
from recommendations.models import AuditEntry, BlendWeights, ModelVersion, RunStage
from recommendations.terms import TASKS, GateOutcome, RunStatus, Stage, WeightsStatus


def verdict(run: RunView) -> str:
    """Sentences; empty while the run goes on and where it failed, which has a message of its own."""
    if run.record.status == RunStatus.CANCELLED:
        return f"{_cancelled(run)} {_stays()}"
    adjust = next((row for row in run.stages if row.stage == Stage.ADJUST), None)
    if run.record.status != RunStatus.SUCCEEDED or run.version is None or adjust is None:
        return ""
    live = [_went_live(run.version)] if run.version.live_since else []
    return " ".join([*live, *_weights(adjust)])


def _cancelled(run: RunView) -> str:
    asked = AuditEntry.objects.filter(object_type="run", object_id=str(run.record.pk), verb="cancel")
    by = asked.exclude(staff=None).select_related("staff").order_by("-at").first()
    words = {
        "done": sum(row.status == RunStatus.SUCCEEDED for row in run.stages), "all": len(run.stages),
        "who": by.staff if by else "",
    }  # fmt: skip
    if by is None:
        return _("Cancelled after %(done)s of %(all)s stages.") % words
    return _("Cancelled by %(who)s after %(done)s of %(all)s stages.") % words


def _stays() -> str:
    live = ModelVersion.objects.live().first()
    return _("Model %(model)s stays live.") % {"model": live} if live else _("No model is live yet.")


def _went_live(version: ModelVersion) -> str:
    words = {"model": version}
    if version.guard or any(gate["outcome"] == GateOutcome.WORSE for gate in version.gate.values()):
        return _("Model %(model)s had been held back; staff put it live.") % words
    if not ModelVersion.objects.filter(pk__lt=version.pk).exclude(live_since=None).exists():
        return _("Model %(model)s went live as the first one, so there was nothing to compare it with.") % words
    if version.gate:
        return (
            _(
                "Model %(model)s went live: its data are as usual, and its changed settings tested no worse than those "
                "before."
            )
            % words
        )
    return _("Model %(model)s went live: compared with the one before it, nothing about its data is unusual.") % words


def _weights(adjust: RunStage) -> Iterator[str]:
    """A sentence for each placement whose weights the run tuned."""
    for blend in TASKS.values():
        if (key := f"{blend}_weights") not in adjust.counts:
            continue
        words = {"blend": blend_label(blend), "number": adjust.counts[key]}
        made = BlendWeights.objects.filter(blend__name=blend, number=words["number"]).first()
        if made is None:
            yield _("Weights of %(blend)s: kept, as tuning found none that are better.") % words
        elif made.status == WeightsStatus.PUBLISHED:
            yield _("Weights of %(blend)s: v%(number)s, tuned by this run, was published.") % words
        else:
            yield _("Weights of %(blend)s: v%(number)s, tuned by this run, is proposed to staff.") % words
