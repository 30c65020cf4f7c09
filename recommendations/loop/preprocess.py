"""Stage 2: the events up to each cut, cleaned and counted, become a training set; what followed becomes its truth."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from recommendations.engine.evaluation.leaks import refuse, shared_baskets
from recommendations.engine.evaluation.split import truths
from recommendations.engine.preprocess.clean import CleaningReport, clean
from recommendations.engine.preprocess.matrix import EventWeights, TrainingSnapshot, snapshot
from recommendations.loop.context import NotEnoughDataError, RunContext
from recommendations.models import ModelVersion
from recommendations.store.models import model, training_data
from recommendations.terms import Cut

FEWEST_USERS = 2
FEWEST_ITEMS = 2


def make_snapshots(context: RunContext) -> Mapping[str, object]:
    """Make the training sets of the three cuts, and the truths of the two that have a window after them.

    Raises LeakError where baskets lie on both sides of a cut.
    """
    events = training_data.event_frame(until=context.run.now)
    attributes, categories = training_data.item_attributes()
    cuts = [model.moment(cut) for cut in context.windows.cuts.values()]
    plan = training_data.promotion_frame(first=min(cuts), last=max(cuts))
    context.report(0.3, text=f"{len(events):,} events and {len(attributes.ids):,} items read")
    weights = EventWeights()
    ModelVersion.objects.filter(pk=context.version.pk).update(event_weights=dict(weights.points))
    everything, report = clean(events, until=context.windows.cuts[Cut.LIVE])
    counts = _described(report) | {"promotions": len(plan)}
    model.save_bursts(context.version, report.bursts)
    for number, cut in enumerate(Cut):
        end = context.windows.cuts[cut]
        cleaned = everything if cut is Cut.LIVE else _clean_before(end, events)
        taken = _with_promotions(plan, snapshot(cleaned, attributes, cut=end, weights=weights))
        _require_enough(taken, cut)
        model.save_snapshot(context.version, cut, taken, categories=categories)
        if cut is not Cut.LIVE:
            window = context.windows.window(cut)
            refuse(shared_baskets(everything, cut=window[0], until=window[1], where=cut))
            window_truths = truths(everything, taken, window=window)
            model.save_truths(context.version, cut, window_truths)
            counts |= {f"{cut}_{task}_users": len(truth.users) for task, truth in window_truths.items()}
        counts |= {f"{cut}_users": len(taken.users), f"{cut}_items": len(taken.items)}
        context.report(
            0.4 + 0.2 * (number + 1), text=f"{cut}: {len(taken.users):,} customers, {len(taken.items):,} items"
        )
    live_users, live_items = counts[f"{Cut.LIVE}_users"], counts[f"{Cut.LIVE}_items"]
    ModelVersion.objects.filter(pk=context.version.pk).update(users=live_users, items=live_items)
    return counts


def _clean_before(end: float, events: pd.DataFrame) -> pd.DataFrame:
    """Events that cleaning would have left at that time: it judges by nothing that came later."""
    return clean(events[events["at"].to_numpy() < end], until=end)[0]


def _with_promotions(plan: pd.DataFrame, made: TrainingSnapshot) -> TrainingSnapshot:
    promotions = training_data.promotions_at(made.cut, plan, made.items)
    return replace(made, training=replace(made.training, promotions=promotions))


def _require_enough(made: TrainingSnapshot, cut: Cut) -> None:
    if cut is Cut.LIVE and (len(made.users) < FEWEST_USERS or len(made.items) < FEWEST_ITEMS):
        raise NotEnoughDataError(
            f"After cleaning there are {len(made.users)} customers and {len(made.items)} items with an act that "
            f"counts; at least {FEWEST_USERS} of each are needed. Import more events, or see what was removed."
        )


def _described(report: CleaningReport) -> dict[str, object]:
    counts: dict[str, object] = {
        "events": report.total,
        "kept": report.kept,
        "sessions": report.sessions,
        "burst_threshold": report.burst_threshold,
    }
    return counts | {f"removed_{reason}": count for reason, count in report.removed.items()}
