"""Past answers ranked again by the functions that serve, under their own weights, a draft's and what is live.

Each is made ready of what it was made of: stock, rules, placement, request and what was known of its customer then. A
draft stands in the place of the weights, and explores as they did, so that only what it ranks otherwise differs.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from zlib import crc32

import numpy as np

from recommendations.engine.experiments.past_choices import ExploredForm, PastChoice
from recommendations.engine.frames import IdArray, IntArray
from recommendations.engine.ranking.selection import NOTHING, Selection
from recommendations.models import Slate
from recommendations.serving.answer_record import BasisRecord, page_ids
from recommendations.serving.customer_context import CustomerContext
from recommendations.serving.page import prepare_page, shares_of
from recommendations.serving.past.again import rules_of, versions_of
from recommendations.serving.past.past_parts import CannotMakeError, Missing, PastParts, model_of, parts_of_all
from recommendations.serving.pipeline import Prepared, prepare, select_candidates
from recommendations.serving.serving_state import resolve
from recommendations.store.experiments.logged_answers import AnswerLog, LoggedSlate
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.snapshot import Names, ServedPlacement, ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.stock import Stock
from recommendations.store.serving.stock_at import stock_at
from recommendations.terms import BlendName, Way

AT_ONCE = 200  # answers whose parts are read together
STOCKS, GROUNDS, SNAPSHOTS = 2, 8, 64  # that are held while answers follow that share them

type Ground = tuple[int | None, int, int]
"""Model, catalogue and number of the book."""


@dataclass(frozen=True, kw_only=True)
class ComparedWeights:
    """Weights that past answers are ranked under: a draft's, and what its customers get now."""

    whose: WeightsKey
    draft: ServedWeights
    live: ServedWeights


@dataclass(frozen=True, kw_only=True)
class PastEntry:
    """A logged answer with its parts; ``slots`` are ids and parts of all answers of its page, of one alone its own."""

    logged: LoggedSlate
    parts: PastParts
    slots: Sequence[tuple[str, PastParts]]


def entries(logged: Sequence[LoggedSlate]) -> list[PastEntry | Missing]:
    """Read the parts of answers, or why there are none."""
    parts = parts_of_all([each.slate for each in logged])
    pages = {
        key: page_ids(key, len(own.request.slots))
        for key, own in parts.items()
        if isinstance(own, PastParts) and own.request.page is not None
    }
    others = {key for ids in pages.values() for key in ids} - parts.keys()
    if others:
        parts |= parts_of_all(list(Slate.objects.filter(recommendation_id__in=others)))
    read: list[PastEntry | Missing] = []
    for each in logged:
        key = each.slate.recommendation_id
        own, slots = parts[key], [(other, parts.get(other)) for other in pages.get(key, [key])]
        whole = [(other, one) for other, one in slots if isinstance(one, PastParts)]
        if not isinstance(own, PastParts):
            read.append(own)
        elif len(whole) < len(slots):
            read.append(Missing.PAGE_INCOMPLETE)
        else:
            read.append(PastEntry(logged=each, parts=own, slots=whole))
    return read


class PastShop:
    """The shop as it was when past answers were made; what many of them share is made once."""

    def __init__(self, *, live: Snapshot, now: datetime) -> None:
        self._live, self._now = live, now
        self._names = Names.stored()
        self._moments: dict[int, datetime] = {}  # of an answer with this catalogue
        self._stock = lru_cache(STOCKS)(self._stock_of)
        self._ground = lru_cache(GROUNDS)(self._ground_snapshot)
        self._snapshot = lru_cache(SNAPSHOTS)(self._own_snapshot)

    def choice(self, entry: PastEntry, compared: ComparedWeights) -> PastChoice | None:
        """An answer ranked three times; None where the draft would not have ranked it, which is for other customers.

        Raises CannotMakeError where it does not come out as it was shown.
        """
        own = self._prepared(entry, None, compared.whose)
        drafted = self._prepared(entry, compared.draft, compared.whose, customer=own.customer)
        if _key_of(drafted, compared.whose) != compared.draft.key:
            return None
        first = _checked(own, entry.logged.slate)
        if _key_of(own, compared.whose) == compared.live.key:
            live = first
        else:
            ready = self._prepared(entry, compared.live, compared.whose, customer=own.customer)
            live = select_candidates(ready)
        return _past_choice(entry, own, first, draft=select_candidates(drafted), live=live)

    def _prepared(
        self,
        entry: PastEntry,
        weights: ServedWeights | None,
        whose: WeightsKey,
        *,
        customer: CustomerContext | None = None,
    ) -> Prepared:
        """All that the answer was made of, with these weights in place of its own; ``customer`` is known already."""
        slate = entry.logged.slate
        for _own, parts in entry.slots:
            self._moments.setdefault(parts.basis.catalogue, slate.served_at)
        state = entry.parts.live(slate.customer_id)
        members = self._members(entry, whose)
        snapshots = [self._under(parts.basis, weights, whose, members) for _own, parts in entry.slots]
        requests = [
            replace(
                resolve(parts.request.request, stock=snapshot.stock, customer=slate.customer_id, recommendation_id=own),
                explain=False,
            )
            for (own, parts), snapshot in zip(entry.slots, snapshots, strict=True)
        ]
        if entry.parts.request.page is None:
            return prepare(requests[0], snapshot=snapshots[0], state=state, now=slate.served_at, customer=customer)
        page = prepare_page(requests, snapshots=snapshots, state=state, now=slate.served_at)
        return shares_of(page)[[own for own, _parts in entry.slots].index(slate.recommendation_id)][0]

    def _under(
        self, basis: BasisRecord, weights: ServedWeights | None, whose: WeightsKey, members: ServedAudiences
    ) -> Snapshot:
        keys = tuple(key for key in (basis.weights, basis.visit_weights) if key is not None)
        ground = basis.model, basis.catalogue, basis.rules
        snapshot = self._snapshot(ground, basis.placement, keys)
        if members.members:
            snapshot = snapshot.with_parts(audiences=members)
        if weights is None or basis.weights is None:
            return snapshot
        own = next((one for one in snapshot.weights.values() if one.key == basis.weights), weights)
        return snapshot.with_weights(whose, replace(weights, exploration=own.exploration, cards=own.cards))

    def _members(self, entry: PastEntry, whose: WeightsKey) -> ServedAudiences:
        """Audiences that the customer was in, and that of the draft where they are in it now."""
        customer, state = entry.logged.slate.customer_id, entry.parts.state
        keys = list(state.audiences) if state else []
        if whose.audience is not None and whose.audience not in keys:
            if whose.audience in self._live.audiences.holding({whose.audience}).of(customer):
                keys.append(whose.audience)
            else:
                nobody: IdArray = np.empty(0, np.int64)
                return ServedAudiences(members={whose.audience: nobody, **_alone(keys, customer)})
        return ServedAudiences(members=_alone(keys, customer))

    def _own_snapshot(self, ground: Ground, placement: ServedPlacement, weights: tuple[int, ...]) -> Snapshot:
        snapshot = self._ground(ground)
        versions = versions_of(weights)
        rows = [versions[key] for key in weights if key in versions]
        own = replace(
            snapshot,
            placements={placement.name: placement},
            weights={WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in rows},
        )
        _ = own.likeness, own.lifts  # worked out once for all answers
        return own

    def _ground_snapshot(self, ground: Ground) -> Snapshot:
        model, catalogue, number = ground
        stock = self._stock(catalogue)
        rules = ServedRules.nothing(stock, read_at=self._now)
        return Snapshot(
            stock=stock,
            model=model_of(model),
            rules=rules.with_book(rules_of(number), version=number),
            names=self._names,
            read_at=self._now,
        )

    def _stock_of(self, mark: int) -> Stock:
        if mark == self._live.stock.mark:
            return self._live.stock
        return stock_at(self._moments[mark], mark=mark).stock


def _key_of(prepared: Prepared, whose: WeightsKey) -> int | None:
    """Key of the weights of an answer in whose place others may stand: those of its visit, or those that rank."""
    visiting = prepared.session if whose.blend is BlendName.SESSION else None
    weights = visiting or prepared.weights
    return weights.key if weights else None


def _alone(keys: Sequence[int], customer: int | None) -> dict[int, IdArray]:
    return {} if customer is None else {key: np.array([customer], np.int64) for key in keys}


def _checked(prepared: Prepared, slate: Slate) -> Selection | None:
    """The selection that the slate shows. Raises CannotMakeError where it is another one."""
    selection = select_candidates(prepared)
    ranked = [(item, place) for item, place in zip(slate.items, slate.places, strict=True) if place >= 0]
    again: list[tuple[int, int]] = []
    if selection is not None:
        keys = prepared.snapshot.stock.ids.ids[selection.items]
        again = [
            (key, place)
            for slot, (key, place) in enumerate(zip(keys.tolist(), selection.places.tolist(), strict=True))
            if not slate.promised(slot)  # a new item stood there, of no ranking
        ]
    if ranked != again:
        raise CannotMakeError(Missing.CATALOGUE_UNKNOWN)
    return selection


def _past_choice(
    entry: PastEntry, own: Prepared, first: Selection | None, *, draft: Selection | None, live: Selection | None
) -> PastChoice:
    logged, slate = entry.logged, entry.logged.slate
    pool, stock = own.chosen.pool, own.snapshot.stock
    positions = range(1, len(slate.items) + 1)
    rows = NOTHING if pool is None else own.snapshot.stock_rows[pool.items]
    there = rows >= 0
    return PastChoice(
        customer=slate.customer_id or slate.unit or -crc32(slate.recommendation_id.encode()),
        version=entry.parts.basis.weights or 0,
        way=Way(slate.way),
        form=ExploredForm(
            ranked=len(_ranking(first)),
            at=tuple(slot for slot, place in enumerate(slate.places) if place >= 0),
            fixed=first.fixed if first else (),
            shuffled=own.params.exploration,
            cards=own.params.cards,
        ),
        ranking=_ranking(first),
        draft=_ranking(draft),
        live=_ranking(live),
        places=slate.places,
        clicks=np.array([float(position in logged.clicked) for position in positions]),
        revenue=np.array([logged.revenue.get(position, 0.0) for position in positions]),
        candidates=rows[there],
        instances=pool.instances if pool else (),
        z=np.asarray(pool.z[:, there], np.float32) if pool else np.empty((0, 0), np.float32),
        bought=stock.ids.rows(np.array(logged.basket, np.int64)),
    )


def _ranking(selection: Selection | None) -> IntArray:
    return NOTHING if selection is None else selection.ranking


@dataclass(frozen=True, kw_only=True)
class PastSample:
    """Drawn answers that were ranked again, and those that were not.

    ``nameless`` are answers of which nothing was kept, ``others`` those of customers whom the draft is not for; both
    count for nothing.
    """

    choices: Sequence[PastChoice]
    lacking: Mapping[Missing, int]  # why, and how many
    shuffled: int
    recent: int
    nameless: int
    others: int

    @property
    def answers(self) -> int:
        return len(self.choices) + self.unmakeable

    @property
    def unmakeable(self) -> int:
        return sum(self.lacking.values())

    @property
    def counting_share(self) -> float:
        """Share of the drawn answers that count; 0 where nothing was drawn."""
        return self.answers / max(self.answers + self.nameless + self.others, 1)


def past_sample(
    log: AnswerLog, compared: ComparedWeights, *, live: Snapshot, now: datetime, progress: Callable[[float], None]
) -> PastSample:
    """Draw answers of a log and rank them again; ``progress`` hears the share that is done."""
    shop, ids = PastShop(live=live, now=now), log.ids()
    choices: list[PastChoice] = []
    lacking: Counter[Missing] = Counter()
    shuffled = recent = others = 0
    for start in range(0, len(ids), AT_ONCE):
        logged = list(log.slates(ids[start : start + AT_ONCE]))
        for number, (each, entry) in enumerate(zip(logged, entries(logged), strict=True)):
            progress((start + number) / len(ids))
            choice = _choice_or_reason(shop, entry, compared)
            if choice is None:
                others += 1
                continue
            if isinstance(choice, Missing):
                lacking[choice] += 1
            else:
                choices.append(choice)
            if choice is not Missing.NAMELESS:
                shuffled += each.slate.way == Way.SHUFFLED
                recent += each.slate.model_version in log.models
    nameless = lacking.pop(Missing.NAMELESS, 0)
    return PastSample(
        choices=choices, lacking=lacking, shuffled=shuffled, recent=recent, nameless=nameless, others=others
    )


def _choice_or_reason(
    shop: PastShop, entry: PastEntry | Missing, compared: ComparedWeights
) -> PastChoice | Missing | None:
    if isinstance(entry, Missing):
        return entry
    try:
        return shop.choice(entry, compared)
    except CannotMakeError as error:
        return error.missing
