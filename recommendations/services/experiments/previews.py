"""What the arms of a draft change before anybody is in it: lists of real customers before and after.

Customers are drawn by a seed, so that the same seed shows the same ones. Nothing is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from recommendations.engine.frames import IntArray
from recommendations.models import Arm
from recommendations.services.experiments.levers import levers_of, touched_placements
from recommendations.services.weights.movers import Mover, between
from recommendations.simulation.arm_lists import NobodyToAskError, Slots, answers_of, draw_customers, slots_of
from recommendations.simulation.live_sample import NoModelError, in_view, model_under
from recommendations.store.live import fetch
from recommendations.store.live.state import LiveState
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.store.serving.served_experiments import UnservableArmError, served_arm
from recommendations.store.serving.snapshot import ServedArm, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import NotLoadedError, current_snapshot
from recommendations.terms import BlendName, CatalogueScope

SHOWN = 3
MOST_ASKED = 24
"""Customers who are asked at most for three whose lists change."""

CUSTOMERS = 500
"""Customers who are asked at most before an arm is said to change nobody's list."""

EVERYWHERE = 50, 4
"""The first of them, of either, are asked at all placements of a blend, the others at its first: weights of one blend
rank alike there, but for what a placement lets in."""

FIRST = "home"


class NoPreview(StrEnum):
    """Why there are no lists to show."""

    UNCLEAR = "unclear"  # an arm does not say what it changes, or names what is not there
    NOT_LEARNED = "not_learned"  # no run of the loop has finished yet
    NOBODY = "nobody"  # nobody is in the segments


class NoPreviewError(Exception):
    """There are no lists to show: ``why``."""

    def __init__(self, why: NoPreview) -> None:
        super().__init__(why)
        self.why = why


type Lists = Sequence[Sequence[int]]
"""Keys of the items of each list that is asked for."""


@dataclass(frozen=True, kw_only=True)
class ListPlaces:
    """Where lists are compared: at a placement, or down a whole page."""

    placement: str = ""
    page: str = ""


@dataclass(frozen=True, kw_only=True)
class ArmPreview:
    """Customers whose lists an arm changes, of the ``asked`` who were drawn; ``where`` has the place of each.

    None was asked where the lists are of nobody alone: they depend on what somebody looks for or opens. Lists are those
    before anything is explored; ``explores_otherwise`` where live answers differ in that.
    """

    arm: Arm
    movers: Sequence[Mover]
    where: Sequence[ListPlaces]
    asked: int
    explores_otherwise: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class ListComparison:
    """Lists of customers under arms and without; those without are remembered for the next arm."""

    snapshot: Snapshot  # without experiments
    now: datetime
    explore: bool = False
    _served: dict[tuple[ListPlaces, int], Lists] = field(default_factory=dict)
    _states: dict[int, LiveState] = field(default_factory=dict)

    def served(self, arm: Arm) -> ServedArm:
        """An arm as it would be served, also one that is not stored. Raises UnservableArmError."""
        return replace(served_arm(arm, self.snapshot.placements, self.snapshot.pages), key=arm.position)

    def change(self, other: Snapshot, places: Sequence[ListPlaces], row: int) -> tuple[ListPlaces, Lists, Lists] | None:
        """The first of the places where a customer gets something else, with the lists there before and after."""
        for where in places:
            if (where, row) not in self._served:
                self._served[where, row] = self._lists(self.snapshot, where, row)
            before, after = self._served[where, row], self._lists(other, where, row)
            if before != after:
                return where, before, after
        return None

    def _lists(self, snapshot: Snapshot, where: ListPlaces, row: int) -> Lists:
        learned = model_under(snapshot)
        slots: Slots = slots_of(snapshot, placement=where.placement, page=where.page)
        if row not in self._states:
            self._states[row] = fetch.state_of(int(learned.users.ids[row]), since=learned.as_of).state
        state = self._states[row]
        answers = answers_of(snapshot, slots, row=row, state=state, now=self.now, explore=self.explore)
        return [[one.item for one in answer.shown] for answer in answers]


def previews(
    arms: Sequence[Arm], *, placement: str, segments: Sequence[int], seed: int, now: datetime
) -> list[ArmPreview]:
    """Three customers of some segments or of all for each arm but the control; ``placement`` is a bandit's, else empty.

    Raises NoPreviewError.
    """
    try:
        comparison = ListComparison(snapshot=replace(current_snapshot(), experiments=()), now=now)
        rows = draw_customers(comparison.snapshot, segments, seed=seed)[:MOST_ASKED]
        return [_preview(comparison, arm, rows, placement=placement) for arm in arms if not arm.is_control]
    except UnservableArmError as error:
        raise NoPreviewError(NoPreview.UNCLEAR) from error
    except (NoModelError, NotLoadedError) as error:
        raise NoPreviewError(NoPreview.NOT_LEARNED) from error
    except NobodyToAskError as error:
        raise NoPreviewError(NoPreview.NOBODY) from error


def unchanged_arms(
    snapshot: Snapshot,
    arms: Sequence[Arm],
    *,
    placement: str,
    segments: Sequence[int],
    now: datetime,
    progress: Callable[[int, int], None],
) -> tuple[list[Arm], int]:
    """Arms under which all customers who are asked get what is served anyway, exploration and all; and how many they
    were, of ``CUSTOMERS`` at most. ``progress`` hears of them as they are asked.

    Raises NoModelError, NobodyToAskError and UnservableArmError.
    """
    comparison = ListComparison(snapshot=replace(snapshot, experiments=()), now=now, explore=True)
    rows = draw_customers(snapshot, segments, seed=0)[:CUSTOMERS]
    same = []
    for arm in arms:
        served = comparison.served(arm)
        places = [] if arm.is_control else list_places(arm, snapshot, placement=placement)
        if not places or not _tells_at_once(served, snapshot, now=now):
            continue
        other = comparison.snapshot.under((served,))
        for count, row in enumerate(rows):
            progress(count, len(rows))
            if comparison.change(other, _nearest(places, served, count, everywhere=EVERYWHERE[0]), row):
                break
        else:
            same.append(arm)
    return same, len(rows)


def list_places(arm: Arm, snapshot: Snapshot, *, placement: str = "") -> list[ListPlaces]:
    """Where an arm changes lists that need nothing but a customer and an item in view; those of home first."""
    if pages := [page for page in arm.changes.get("pages", {}) if page in snapshot.pages]:
        return [ListPlaces(page=page) for page in sorted(pages)]
    touched = [placement] if placement else touched_placements(levers_of(arm.changes))
    served = [each for name in touched if (each := snapshot.placements.get(name)) is not None]
    whole = [each for each in served if each.scope is CatalogueScope.WHOLE]
    in_order = sorted(whole, key=lambda each: (each.name != FIRST, each.needs_context, each.name))
    return [ListPlaces(placement=each.name) for each in in_order]


def _tells_at_once(served: ServedArm, snapshot: Snapshot, *, now: datetime) -> bool:
    """Whether lists of today tell all that an arm changes: no visit, no search, no showing and no day has to come."""
    rules = served.book[1] if served.book else ()
    if any(key.blend is BlendName.SESSION for key in served.weights):
        return False
    if any(rule["starts_at"] and datetime.fromisoformat(rule["starts_at"]) > now for rule in rules):
        return False
    named = {rule["placement"] or FIRST for rule in rules}.union(served.placements)
    own = [each for name in named if (each := snapshot.placements.get(name)) is not None]
    tired = any(each.fatigue != snapshot.placements[name].fatigue for name, each in served.placements.items())
    return not tired and all(each.scope is CatalogueScope.WHOLE for each in own)


def _nearest(places: Sequence[ListPlaces], arm: ServedArm, count: int, *, everywhere: int) -> Sequence[ListPlaces]:
    """The places at which a customer is asked, the ``count``-th of those drawn; rules may concern any of them."""
    return places[:1] if arm.weights and not arm.book and not arm.placements and count >= everywhere else places


def _preview(comparison: ListComparison, arm: Arm, rows: Sequence[int], *, placement: str) -> ArmPreview:
    snapshot = comparison.snapshot
    places = list_places(arm, snapshot, placement=placement)
    served = comparison.served(arm)
    other, asked = snapshot.under((served,)), 0
    movers: list[Mover] = []
    where: list[ListPlaces] = []
    for row in rows if places else ():
        nearest = _nearest(places, served, asked, everywhere=EVERYWHERE[1])
        asked += 1
        if change := comparison.change(other, nearest, row):
            at, before, after = change
            flat = ([item for items in lists for item in items] for lists in (before, after))
            movers.append(between(*flat, mover=_customer(snapshot, at, row)))
            where.append(at)
        if len(movers) == SHOWN:
            break
    otherwise = any(_exploration(snapshot, at) != _exploration(other, at) for at in places)
    return ArmPreview(arm=arm, movers=movers, where=where, asked=asked, explores_otherwise=otherwise)


def _exploration(snapshot: Snapshot, where: ListPlaces) -> dict[WeightsKey, tuple[float, float]]:
    """How much the weights of each group explore at a placement; nothing of a page, or where it explores nothing."""
    placement = snapshot.placements.get(where.placement)
    if placement is None or not placement.explores:
        return {}
    own = {
        key: (each.exploration, each.cards) for key, each in snapshot.weights.items() if key.blend == placement.blend
    }
    return {key: rates for key, rates in own.items() if any(rates)}


def _customer(snapshot: Snapshot, where: ListPlaces, row: int) -> Mover:
    """A customer before the lists, with the item in view where one is."""
    learned = model_under(snapshot)
    segment = int(learned.segments[row])
    needs = where.placement and snapshot.placements[where.placement].needs_context
    return Mover(
        customer=int(learned.users.ids[row]), baskets=int(_baskets(learned)[row]),
        segment=segment if segment >= 0 else None, context=in_view(snapshot, row) if needs else (),
    )  # fmt: skip


@held_by_model
def _baskets(model: Model) -> IntArray:
    """Baskets of each customer of the model."""
    acts = model.training.interactions
    return acts.where(acts.bought).n_baskets
