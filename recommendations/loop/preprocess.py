"""Stage 2: the events up to each cut, cleaned and counted, become a training set; what followed becomes its truth."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pandas as pd

from recommendations.engine.describe.items import KnownVectors, described_as, with_vectors
from recommendations.engine.describe.text import CountedTexts, count_texts
from recommendations.engine.evaluation.leaks import refuse, shared_baskets
from recommendations.engine.evaluation.split import truths
from recommendations.engine.evaluation.visits import visits_in
from recommendations.engine.feedback.event_weights import LearnedPoints
from recommendations.engine.frames import IdArray
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.clean import Cleaning, CleaningReport, Parts
from recommendations.engine.preprocess.followed_groups import GroupFollows
from recommendations.engine.preprocess.influence import borne_out
from recommendations.engine.preprocess.levels import Levels, levels
from recommendations.engine.preprocess.links import links_at
from recommendations.engine.preprocess.matrix import (
    ActRows,
    EventWeights,
    ItemAttributes,
    TrainingSnapshot,
    snapshot_of,
)
from recommendations.engine.recommenders.sequence_net import NetShapeError
from recommendations.engine.recommenders.transformer import Transformer
from recommendations.loop import quarantine
from recommendations.loop.context import NotEnoughDataError, RunContext
from recommendations.loop.event_parts import ChangedParts, event_parts, of_customers, since
from recommendations.loop.event_points import (
    PointsTrial,
    TrainedOn,
    TrialNdcg,
    compared,
    lesson,
    propose,
    proposed_points,
)
from recommendations.models import ModelVersion
from recommendations.store.domain import shop_domain
from recommendations.store.models import model, nets, training_data
from recommendations.store.models.directory_files import save_directory
from recommendations.store.models.event_points import event_points
from recommendations.store.models.group_follows import group_follows
from recommendations.store.models.truth_sample import sampled
from recommendations.store.models.visits import save_visits
from recommendations.store.vectors.item_vectors import known_vectors
from recommendations.store.vectors.words import word_vectors
from recommendations.terms import Cut, Task

THREADS = 2
FEWEST_USERS = 2
FEWEST_ITEMS = 2


class Past(NamedTuple):
    """What was known at a cut: the level of each customer, and the events that count."""

    people: Levels
    events: Parts
    report: CleaningReport


class Shop(NamedTuple):
    """What a shop tells of its items, at any time."""

    attributes: ItemAttributes
    texts: CountedTexts
    vectors: Sequence[KnownVectors]  # that others made, or words have
    categories: IdMap
    plan: pd.DataFrame
    links: pd.DataFrame  # who began or ceased to follow whom, and when
    follows: GroupFollows
    weights: EventWeights


def make_snapshots(context: RunContext) -> Mapping[str, object]:
    """Make the training sets of the three cuts, and the truths of the two that have a window after them.

    Raises LeakError where baskets lie on both sides of a cut.
    """
    with event_parts(context, until=context.windows.cuts[Cut.LIVE]) as events:
        return _make_snapshots(context, events)


def _make_snapshots(context: RunContext, events: Parts) -> Mapping[str, object]:
    cuts, end = context.windows.cuts.items(), context.windows.cuts[Cut.LIVE]
    shop = _shop(context)
    context.report(0.1, text=f"{len(shop.attributes.ids):,} items read, with all that they say")
    live = _cleaned(events, until=end)
    kept = live.report.kept
    context.report(0.3, text=f"{live.report.total:,} events read")
    context.report(0.4, text=f"{kept:,} events count, once cleaned")
    model.save_bursts(context.version, live.report.bursts)
    save_directory(context.version)
    held = quarantine.set_aside(context, live.events, live.people, until=end)
    events, left = (ChangedParts(each, lambda part: held.without(part, live.people)) for each in (events, live.events))
    recent, n_left = since(left, context.windows.cuts[Cut.TUNING])
    counts = _described(live.report) | {"set_aside": kept - n_left, "promotions": len(shop.plan)}
    counts |= live.people.counts()
    if shop.vectors:
        counts["vectors"] = sum(len(each.ids) for each in shop.vectors)
    counts |= {
        f"removed_unknown_{kind}": n for kind, n in training_data.unknown_follows(until=model.moment(end)).items()
    }
    learned, few = lesson(context, left, live.people.users, shop.weights.points, kept=kept)
    reached: dict[Cut, TrialNdcg] = {}
    pasts = ((cut, live._replace(events=left) if cut is Cut.LIVE else _cleaned_before(at, events)) for cut, at in cuts)
    done = 0.4
    for cut, past, made in _training_sets(context, pasts, shop, ahead=len(events) == 1):
        if cut is not Cut.LIVE:
            window = context.windows.window(cut)
            refuse(shared_baskets(left, cut=window[0], until=window[1], where=cut))
            counts |= _save_truths(context, cut, recent, made, shop.weights)
            if learned:
                trial = _trial(context, cut, past, shop, learned, few=few, recent=recent, made=made)
                reached[cut] = compared(context, trial)
        counts |= {f"{cut}_users": len(made.users), f"{cut}_items": len(made.items)}
        done += 0.2
        context.report(done, text=f"{cut}: {len(made.users):,} customers, {len(made.items):,} items")
        del made  # the next one needs as much memory
    counts["proposed_points"] = len(learned) or None
    if learned:
        propose(context, learned, reached)
    live_users, live_items = counts[f"{Cut.LIVE}_users"], counts[f"{Cut.LIVE}_items"]
    ModelVersion.objects.filter(pk=context.version.pk).update(users=live_users, items=live_items)
    return counts


def _shop(context: RunContext) -> Shop:
    attributes, categories = training_data.item_attributes()
    cuts = [model.moment(cut) for cut in context.windows.cuts.values()]
    plan = training_data.promotion_frame(first=min(cuts), last=max(cuts))
    weights = EventWeights(points=event_points(), domain=shop_domain())
    ModelVersion.objects.filter(pk=context.version.pk).update(event_weights=dict(weights.points))
    links = training_data.link_frame(until=max(cuts))
    vectors = [*known_vectors(), *word_vectors(attributes.ids, attributes.texts)]
    follows = group_follows(attributes, until=max(cuts))
    return Shop(attributes, count_texts(attributes.texts), vectors, categories, plan, links, follows, weights)


def _cleaned(events: Parts, *, until: float) -> Past:
    """Levels, and the events that count; of who is new none is left, so that nothing that is learned depends on it."""
    people = levels(events, taken=shop_domain().taken)
    cleaning = Cleaning(events, until=until, people=people)
    return Past(people, cleaning, cleaning.report)


def _cleaned_before(end: float, events: Parts) -> Past:
    """What would have been left at that time: it is judged by nothing that happened or was received later."""

    def before(part: pd.DataFrame) -> pd.DataFrame:
        return part[(part["at"].to_numpy() < end) & (part["day"].to_numpy() < end)]

    return _cleaned(ChangedParts(events, before), until=end)


def _training_sets(
    context: RunContext, pasts: Iterable[tuple[Cut, Past]], shop: Shop, *, ahead: bool
) -> Iterator[tuple[Cut, Past, TrainingSnapshot]]:
    """Make the training sets of the cuts and save them. What items say is read of two cuts at a time where all
    three sets may be in memory, ``ahead``.
    """
    described = partial(with_vectors, texts=shop.texts, ids=shop.attributes.ids, beside=shop.vectors)
    with ThreadPoolExecutor(THREADS) as threads:
        begun: deque[tuple[Cut, Past, Future[TrainingSnapshot]]] = deque()
        for cut, past in pasts:
            begun.append((cut, past, threads.submit(described, _training_set(context, cut, past, shop))))
            if not ahead:
                yield _saved(context, *begun.popleft(), shop)
        while begun:
            yield _saved(context, *begun.popleft(), shop)


def _training_set(context: RunContext, cut: Cut, past: Past, shop: Shop) -> TrainingSnapshot:
    """The training set of a cut, without what items say."""
    made = _with_promotions(shop.plan, _taught(past.people, _snapshot(context, cut, past, shop)))
    return _following(shop.follows, _linked(shop.links, made))


def _saved(
    context: RunContext, cut: Cut, past: Past, described: Future[TrainingSnapshot], shop: Shop
) -> tuple[Cut, Past, TrainingSnapshot]:
    made = _with_net(context, described.result())
    _require_enough(made, cut)
    model.save_snapshot(context.version, cut, made, categories=shop.categories)
    model.save_levels(context.version, cut, past.people.of(made.users.ids))
    return cut, past, made


def _trial(
    context: RunContext,
    cut: Cut,
    past: Past,
    shop: Shop,
    learned: Mapping[str, LearnedPoints],
    *,
    few: IdArray | None,
    recent: pd.DataFrame,
    made: TrainingSnapshot,
) -> PointsTrial:
    """A cut under the points of now and under those that were learned, of the ``few`` customers who are asked."""

    def of_few(shop: Shop) -> TrainingSnapshot:
        events = of_customers(past.events, few)
        return described_as(made, _training_set(context, cut, past._replace(events=events), shop))

    points = proposed_points(shop.weights.points, learned)
    other = shop._replace(weights=replace(shop.weights, points=points))
    now, proposed = made if few is None else _with_net(context, of_few(shop)), _with_net(context, of_few(other))
    window = context.windows.window(cut)
    trained = (
        TrainedOn(one, sampled(bought, one.users, seed=context.run.seed)[Task.HOME])
        for one in (now, proposed)
        for bought in [truths(recent, one, window=window, weights=other.weights)]
    )
    return PointsTrial(*trained)


def _save_truths(
    context: RunContext, cut: Cut, recent: pd.DataFrame, made: TrainingSnapshot, weights: EventWeights
) -> dict[str, object]:
    """Save what was bought after a cut, and the visits of the tuning window; the number of buyers, by task."""
    window = context.windows.window(cut)
    window_truths = truths(recent, made, window=window, weights=weights)
    asked = sampled(window_truths, made.users, seed=context.run.seed)
    model.save_truths(context.version, cut, asked)
    if asked is not window_truths:
        n, of = (len(truths_[Task.HOME].users) for truths_ in (asked, window_truths))
        context.report(0.4, text=f"{cut}: {n:,} of {of:,} customers who bought are asked, drawn by their pseudonyms")
    if cut is Cut.TUNING:
        visits = visits_in(recent, made, window=window, weights=weights, seed=context.run.seed)
        save_visits(context.version, visits)
    return {f"{cut}_{task}_users": len(truth.users) for task, truth in window_truths.items()}


def _snapshot(context: RunContext, cut: Cut, past: Past, shop: Shop) -> TrainingSnapshot:
    at = context.windows.cuts[cut]
    acts = [ActRows.of(part, cut=at, weights=shop.weights) for part in past.events]
    return snapshot_of(acts, shop.attributes, cut=at)


def _taught(people: Levels, made: TrainingSnapshot) -> TrainingSnapshot:
    """The snapshot with the rows that others may learn from."""
    teaches = borne_out(made.training.interactions, people.of(made.users.ids))
    return made if teaches.all() else replace(made, training=replace(made.training, teaches=teaches))


def _with_promotions(plan: pd.DataFrame, made: TrainingSnapshot) -> TrainingSnapshot:
    promotions = training_data.promotions_at(made.cut, plan, made.items)
    return replace(made, training=replace(made.training, promotions=promotions))


def _linked(said: pd.DataFrame, made: TrainingSnapshot) -> TrainingSnapshot:
    """The snapshot with who follows whom."""
    links = links_at(said, made.users, cut=made.cut)
    if links is None:
        return made
    return replace(made, links=links, training=replace(made.training, links=links.of_users(made.users)))


def _with_net(context: RunContext, made: TrainingSnapshot) -> TrainingSnapshot:
    """The snapshot with the newest net that learned from nothing after its cut, in a domain that has nets."""
    if Transformer.NAME not in shop_domain().extra:
        return made
    try:
        newest = nets.net_at(made.cut, made.items)
    except (nets.NetDamagedError, NetShapeError) as error:
        context.report(0.4, text=f"{error} The run goes on without it.")
        return made
    return made if newest is None else replace(made, training=replace(made.training, net=newest[1]))


def _following(follows: GroupFollows, made: TrainingSnapshot) -> TrainingSnapshot:
    """The snapshot with what people follow beside people."""
    followed = follows.of_users(made.users, cut=made.cut)
    return made if followed is None else replace(made, training=replace(made.training, followed=followed))


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
