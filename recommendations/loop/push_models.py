"""Models of messages, learned with a run: what is due and at which hours as recommenders are fitted; what is relevant,
who answers and what tires once the weights are known. Each is used once its run's version is live, if its gate lets it.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from recommendations.engine.frames import TrainingSet
from recommendations.engine.push import activity, due, fatigue, relevance, response
from recommendations.engine.push.figures import ModelFigures
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import Configuration, panel_of
from recommendations.push_terms import PushModelKind
from recommendations.store.models import weight_versions
from recommendations.store.models.model import moment
from recommendations.store.push import learned
from recommendations.store.push.activity import acting_hours
from recommendations.store.push.learned import NO_BETTER, NOT_CALIBRATED, TOO_FEW
from recommendations.store.push.leaving import leaving_counts
from recommendations.store.push.response_lessons import response_lessons
from recommendations.store.push.triggers.due import days_of
from recommendations.terms import TASKS, Cut

TESTED_DAYS = 28.0  # of acts, at the end of the history, by which hours are judged
LEAST_ACTS, LEAST_USERS = 1_000, 100


def learn_from_history(context: RunContext, training: TrainingSet) -> None:
    """Learn what is due, and the hours of everybody, from all of the history."""
    _learn_due(context, training)
    _learn_hours(context, training)


def learn_relevance(context: RunContext) -> None:
    """Learn by the lists of the tuning window, judge by those of the test window, of each task under its weights."""
    fitted, figures = {}, {}
    for task, blend in TASKS.items():
        default = weight_versions.default_weights(blend)
        taught, tested = (panel_of(context.version.pk, cut, task) for cut in (Cut.TUNING, Cut.TEST))
        if default is None or taught is None or tested is None:
            continue
        weights = Configuration.of(default)
        lessons, later = (relevance.listed_items(on, weights.weights, weights.exponents) for on in (taught, tested))
        own = relevance.fit_relevance(lessons)
        if own is not None and len(later):
            fitted[blend] = own
            figures[blend] = relevance.judged(own, later, taught=lessons, seed=context.run.seed)
    holding = {blend: own for blend, own in fitted.items() if relevance.holds(figures[blend])}
    refusal = "" if holding else NOT_CALIBRATED if fitted else TOO_FEW
    kept = holding or fitted
    first = next(iter(kept), None)
    _save(
        context, PushModelKind.RELEVANCE, figures=figures[first] if first else None, refusal=refusal,
        until=moment(context.windows.cuts[Cut.TEST]),
        parameters={"blends": {blend: kept[blend].parameters() for blend in kept}},
    )  # fmt: skip


def learn_from_messages(context: RunContext) -> None:
    """Learn who answers from the campaigns that are over, and what tires from all messages."""
    now = context.run.now
    lessons = response_lessons(now=now)
    fitted = response.fit_response(lessons.receipts)
    cut = response.later_half(lessons.receipts)
    figures = response.judged(lessons.receipts, cut=cut, seed=context.run.seed) if fitted else None
    refusal = (
        TOO_FEW if fitted is None or figures is None
        else "" if figures.beats(response.OWN_RATE, "area")
        else NO_BETTER
    )  # fmt: skip
    parameters = {} if fitted is None else {**fitted.parameters(), "cut": moment(cut).isoformat()}
    counts = {"source": lessons.source, "campaigns": lessons.campaigns, "answers": lessons.answers}
    _save(context, PushModelKind.RESPONSE, figures=figures, refusal=refusal, until=now, parameters=parameters | counts)
    left, taken = leaving_counts(now=now)
    leaving = fatigue.leaving_chances(left, taken).tolist()
    _save(
        context, PushModelKind.FATIGUE, figures=None, refusal="", until=now,
        parameters={"leaving": leaving, "left": left, "taken": taken},
    )  # fmt: skip


def put_in_use(context: RunContext) -> None:
    """Use what was learned; it is told in the run's log."""
    used = learned.put_in_use(context.run.now)
    names = ", ".join(sorted(kind.value for kind in used)) or "none"
    context.report(0, text=f"models of messages in use: {names}")


def _learn_due(context: RunContext, training: TrainingSet) -> None:
    as_of = moment(context.windows.live)
    days = days_of(training.interactions, as_of=as_of)
    end = int(np.floor(context.windows.end + _ahead(as_of)))
    lessons = due.learn(days, end=end, seed=context.run.seed)
    refusal = TOO_FEW
    if lessons.figures is not None:
        better = all(lessons.figures.beats(baseline, "top") for baseline in (due.MEAN_GAP, due.FREQUENCY))
        refusal = "" if better else NO_BETTER
    _save(
        context, PushModelKind.DUE, figures=lessons.figures, refusal=refusal, until=moment(lessons.until),
        parameters=lessons.model.parameters() if lessons.model else {},
    )  # fmt: skip


def _learn_hours(context: RunContext, training: TrainingSet) -> None:
    """Judge own hours by the last four weeks; what is used of them counts all acts anew, so nothing is to be kept."""
    user, hour, age = acting_hours(training.interactions, until=moment(context.windows.live).timestamp())
    late = age < TESTED_DAYS + (context.windows.live - context.windows.end)
    figures: ModelFigures | None = None
    if min(int(late.sum()), int((~late).sum())) >= LEAST_ACTS:
        earlier = activity.activity_of(user[~late], hour[~late], n_users=training.n_users)
        figures = activity.judged(earlier, user[late].astype(np.int64), hour[late], seed=context.run.seed)
    refusal = TOO_FEW
    if figures is not None and figures.counts["users"] >= LEAST_USERS:
        refusal = "" if figures.beats(activity.EVERYBODY, "within") else NO_BETTER
    until = moment(context.windows.end - TESTED_DAYS)
    _save(context, PushModelKind.ACTIVITY, figures=figures, refusal=refusal, until=until, parameters={})


def _ahead(at: datetime) -> float:
    """Days by which the shop's clock is ahead of UTC."""
    return (at.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).utcoffset() or timedelta(0)) / timedelta(days=1)


def _save(
    context: RunContext,
    kind: PushModelKind,
    *,
    figures: ModelFigures | None,
    refusal: str,
    until: datetime,
    parameters: dict[str, object],
) -> None:
    learned.save(
        kind, at=context.run.now, until=until, parameters={**parameters, "seed": context.run.seed}, figures=figures,
        refusal=refusal,
    )  # fmt: skip
    context.report(0, text=f"messages, {kind}: {refusal or 'passed its gate'}")
