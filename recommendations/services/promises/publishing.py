"""What a placement promises to new items, in versions, with what that can cost at most."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from recommendations.engine.ranking.promise import Promise
from recommendations.models import NewItemPromise, Placement, PlacementDay, Staff
from recommendations.models.promises import MOST_DAYS, MOST_IMPRESSIONS, MOST_SHARE
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note
from recommendations.statement_terms import StatementCause
from recommendations.store.domain import shop_domain
from recommendations.store.live import fetch
from recommendations.store.promises.showings import answers_a_day
from recommendations.store.statements.ledger import note_statement
from recommendations.terms import CatalogueScope, Repeat

PRICE_DAYS = 28
MOST_NEW_DAYS = 365
LEAST_SHARE = 0.01


class StalePromiseError(Exception):
    """Another promise was published since; ``current`` is that."""

    def __init__(self, current: NewItemPromise | None) -> None:
        super().__init__(f"{current} counts by now")
        self.current = current


@dataclass(frozen=True, kw_only=True)
class PromiseForm:
    """A promise as it is handed in."""

    impressions: int = 30
    days: int = 7
    highest_share: float = 0.35
    new_days: int = 28
    needs_price: bool = True
    needs_picture: bool = False
    gives: bool = True


def usual_promise() -> PromiseForm:
    """The promise that a placement begins with, by what the shop offers."""
    domain = shop_domain()
    return PromiseForm(impressions=domain.impressions, days=domain.days, needs_price="price" in domain.wanted)


class Price(NamedTuple):
    """The share of a placement's clicks that its last slot got, and what of them a promise can take at most."""

    clicks: int  # of the placement, in 28 days
    slot: int
    share: float
    low: float  # 95 %
    high: float
    highest: float  # ε̂ × share


def promise_now(placement: Placement) -> NewItemPromise | None:
    """The promise that counts at a placement; None where it never promised anything."""
    return NewItemPromise.objects.filter(placement=placement, is_default=True).first()


def form_of(promise: NewItemPromise) -> PromiseForm:
    """A version as it could be handed in again."""
    return PromiseForm(**{name: getattr(promise, name) for name in PromiseForm.__dataclass_fields__})


def rule_of(promise: NewItemPromise | PromiseForm) -> Promise:
    """The promise as the engine takes it."""
    return Promise(impressions=promise.impressions, days=float(promise.days), highest_share=promise.highest_share)


def may_promise(placement: Placement) -> bool:
    """Whether a placement may show what a customer never had: all of the shop, by a blend."""
    whole = placement.scope == CatalogueScope.WHOLE and placement.blend_id is not None
    return whole and placement.repeat != Repeat.ONLY


def price_of(placement: Placement, form: PromiseForm | NewItemPromise, *, now: datetime) -> Price | None:
    """What a promise costs at most, by the clicks of the last 28 days; None where too few were seen to say."""
    since = (now - timedelta(days=PRICE_DAYS)).date()
    days = PlacementDay.objects.filter(placement=placement.name, position__gt=0, day__gte=since)
    slots = {
        row["position"]: (row["seen"], row["clicked"])
        for row in days.values("position").annotate(seen=Sum("seen"), clicked=Sum("clicked"))
    }
    first = slots.get(1, (0, 0))[0]
    last = max((slot for slot, (seen, _clicked) in slots.items() if seen and 2 * seen >= first), default=0)
    clicks = sum(clicked for _seen, clicked in slots.values())
    if not clicks or last < 2:
        return None
    from scipy.stats import binomtest  # noqa: PLC0415 - a second to import

    own = min(slots[last][1], clicks)
    low, high = binomtest(own, clicks).proportion_ci(method="wilson")
    share = own / clicks
    return Price(clicks, last, share, float(low), float(high), form.highest_share * share)


@transaction.atomic
def publish_promise(
    placement: Placement, form: PromiseForm, *, note: str, by: Staff | None, now: datetime, based_on: int = 0
) -> NewItemPromise:
    """Let a placement promise this from now on, in place of version ``based_on`` (0: of none).

    What was promised before is kept as it was promised. Raises ValidationError by field, NoteNeededError and
    StalePromiseError.
    """
    note = needed_note(note)
    placement = Placement.objects.select_for_update(of=("self",)).get(pk=placement.pk)
    _check(placement, form)
    former = promise_now(placement)
    if based_on != (former.number if former else 0):
        raise StalePromiseError(former)
    own = NewItemPromise.objects.filter(placement=placement)
    last = own.aggregate(last=Max("number"))["last"] or 0
    own.filter(is_default=True).update(is_default=False)
    price = price_of(placement, form, now=now)
    made = NewItemPromise.objects.create(
        placement=placement, number=last + 1, **asdict(form), note=note, author=by, created_at=now, is_default=True,
        price={"a_day": answers_a_day(placement.name, now=now), **(price._asdict() if price else {})},
    )  # fmt: skip
    note_statement(StatementCause.PROMISE, made.pk)
    audit.record(
        by=by, verb="publish", subject=made, note=note,
        before={"number": former.number if former else 0}, after={"number": made.number},
    )  # fmt: skip
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.PLACEMENTS))
    return made


def undo_promise(promise: NewItemPromise, *, by: Staff | None, now: datetime) -> NewItemPromise:
    """Publish once more what counted before a version; before the first nothing was promised.

    Raises StalePromiseError where another one counts by now.
    """
    own = NewItemPromise.objects.filter(placement=promise.placement_id, number__lt=promise.number)
    former = own.order_by("-number").first()
    form = form_of(former) if former else PromiseForm(**{**asdict(form_of(promise)), "gives": False})
    return publish_promise(promise.placement, form, note=_("Undone at once."), by=by, now=now, based_on=promise.number)


def _check(placement: Placement, form: PromiseForm) -> None:
    errors = {}
    if not may_promise(placement):
        errors["placement"] = _("Here only what was bought before, found or in view is shown: new items have no place.")
    if not 1 <= form.impressions <= MOST_IMPRESSIONS:
        errors["impressions"] = _("Promise 1 to %(most)d impressions.") % {"most": MOST_IMPRESSIONS}
    if not 1 <= form.days <= MOST_DAYS:
        errors["days"] = _("Keep it within 1 to %(most)d days.") % {"most": MOST_DAYS}
    if not LEAST_SHARE <= form.highest_share <= MOST_SHARE:
        errors["highest_share"] = _("Give from 1%% to %(most)d%% of the answers.") % {"most": MOST_SHARE * 100}
    if not 1 <= form.new_days <= MOST_NEW_DAYS:
        errors["new_days"] = _("An item is new for 1 to %(most)d days.") % {"most": MOST_NEW_DAYS}
    if errors:
        raise ValidationError(errors)
