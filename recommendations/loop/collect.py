"""Stage 1: the window of events that a run learns from is closed; the events themselves come in through ``ingest``."""

from collections.abc import Mapping

from recommendations.loop.context import RunContext
from recommendations.models import ModelVersion, Run
from recommendations.store.models import model, training_data
from recommendations.terms import Cut


def close_window(context: RunContext) -> Mapping[str, object]:
    """Fix the three cuts of the run, and count what came in since the last one."""
    last = Run.objects.succeeded().exclude(pk=context.run.pk).order_by("-now").first()
    counts = training_data.arrivals(since=last.now if last else None, until=context.run.now)
    cuts = {cut: model.moment(day).isoformat() for cut, day in context.windows.cuts.items()}
    end = model.moment(context.windows.end).isoformat()
    ModelVersion.objects.filter(pk=context.version.pk).update(
        windows={"cuts": cuts, "end": end, "days": context.windows.days}
    )
    context.report(1, text=f"{counts['events']:,} events, {counts['new']:,} new; history until {cuts[Cut.LIVE]}")
    return counts
