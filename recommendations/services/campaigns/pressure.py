"""How much customers bear: caps, quiet hours, holdout and messages a day, in versions that are never changed.

What a message costs is said there, too: its price, and what a contact is worth that leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from recommendations.models import PressureRules, Staff
from recommendations.push_terms import Channel
from recommendations.services.access import audit
from recommendations.services.access.audit import needed_note

HOURS = (24, 168)  # windows that a cap may have
MOST = 50
QUIET_HOURS = (time(21), time(8))
HOLDOUT = 0.1
MOST_HELD = 0.5
MOST_PRICE, MOST_WORTH = 100.0, 1_000_000.0  # in the shop's currency


class StalePressureError(Exception):
    """Other rules were published since; ``current`` are those."""

    def __init__(self, current: PressureRules) -> None:
        super().__init__(f"{current} counts by now")
        self.current = current


@dataclass(frozen=True, kw_only=True)
class CapForm:
    """A limit: at most so many messages in any window of so many hours; ``channel`` None: of all together."""

    channel: Channel | None
    most: int
    hours: int


@dataclass(frozen=True, kw_only=True)
class PressureForm:
    """Rules as they are handed in; no caps is no limit but the customers' own."""

    caps: Sequence[CapForm]
    quiet_from: time
    quiet_until: time
    holdout: float
    per_day: int | None
    prices: Mapping[Channel, float] = field(default_factory=dict)  # of a message, in the shop's currency
    lost_contact: float | None = None  # worth of a contact that leaves; None is 5 % of what one spends in 90 days


DEFAULT = PressureForm(
    caps=(
        CapForm(channel=Channel.EMAIL, most=1, hours=24), CapForm(channel=Channel.EMAIL, most=3, hours=168),
        CapForm(channel=Channel.WEB_PUSH, most=2, hours=24), CapForm(channel=Channel.WEB_PUSH, most=5, hours=168),
        CapForm(channel=None, most=5, hours=168),
    ),
    quiet_from=QUIET_HOURS[0], quiet_until=QUIET_HOURS[1], holdout=HOLDOUT, per_day=None,
)  # fmt: skip


def rules_now(*, now: datetime) -> PressureRules:
    """The rules that count; a shop that has chosen none begins with the default ones."""
    stored = PressureRules.objects.filter(is_default=True).first()
    if stored is not None:
        return stored
    values = {**_values(DEFAULT), "season": season_of(now), "is_default": True, "created_at": now}
    return PressureRules.objects.get_or_create(number=1, defaults=values)[0]


def form_of(rules: PressureRules) -> PressureForm:
    """A version as it could be handed in again."""
    caps = [
        CapForm(channel=cap["channel"] and Channel(cap["channel"]), most=cap["most"], hours=cap["hours"])
        for cap in rules.caps
    ]
    return PressureForm(
        caps=caps, quiet_from=rules.quiet_from, quiet_until=rules.quiet_until, holdout=rules.holdout,
        per_day=rules.per_day, lost_contact=rules.lost_contact,
        prices={Channel(channel): price for channel, price in rules.prices.items()},
    )  # fmt: skip


@transaction.atomic
def publish_rules(
    form: PressureForm, *, note: str, by: Staff | None, now: datetime, based_on: int | None = None
) -> PressureRules:
    """Let other rules count from now on, in place of version ``based_on``.

    Raises ValidationError by field, NoteNeededError and StalePressureError.
    """
    note = needed_note(note)
    _check(form)
    before = rules_now(now=now)
    before = PressureRules.objects.select_for_update().get(pk=before.pk)
    if not before.is_default or based_on not in {None, before.number}:
        raise StalePressureError(PressureRules.objects.get(is_default=True))
    last = PressureRules.objects.aggregate(last=Max("number"))["last"] or 0
    PressureRules.objects.filter(is_default=True).update(is_default=False)
    made = PressureRules.objects.create(
        number=last + 1, **_values(form), season=before.season, note=note, author=by, created_at=now, is_default=True
    )
    audit.record(
        by=by, verb="publish", subject=made, before={"number": before.number}, after={"number": made.number}, note=note
    )
    return made


def undo_publication(number: int, *, by: Staff | None, now: datetime) -> PressureRules:
    """Publish once more what counted before a version. Raises StalePressureError where others count by now."""
    former = PressureRules.objects.filter(number__lt=number).first()
    if former is None:
        raise StalePressureError(rules_now(now=now))
    return publish_rules(form_of(former), note=_("Undone at once."), by=by, now=now, based_on=number)


def season_of(moment: datetime) -> str:
    """The half-year of a moment: whoever is held out is so for all of it."""
    return f"{moment.year}-{1 if moment.month <= 6 else 2}"


def season_salt(rules: PressureRules) -> bytes:
    """The salt by which people are drawn who are held out of everything in a season."""
    return f"push:{rules.season}".encode()


def _values(form: PressureForm) -> dict[str, object]:
    caps = [{"channel": cap.channel and cap.channel.value, "most": cap.most, "hours": cap.hours} for cap in form.caps]
    return {
        "caps": caps, "quiet_from": form.quiet_from, "quiet_until": form.quiet_until, "holdout": form.holdout,
        "per_day": form.per_day, "lost_contact": form.lost_contact,
        "prices": {channel.value: price for channel, price in form.prices.items() if price},
    }  # fmt: skip


def _check(form: PressureForm) -> None:
    errors = {}
    if any(not 1 <= cap.most <= MOST or cap.hours not in HOURS for cap in form.caps):
        errors["caps"] = _("A cap lets 1 to %(most)d messages through in a day or in a week.") % {"most": MOST}
    if not 0 <= form.holdout <= MOST_HELD:
        errors["holdout"] = _("Hold out at most half of the customers.")
    if form.per_day is not None and form.per_day < 1:
        errors["per_day"] = _("At least one message a day, or no limit.")
    if any(not 0 <= price <= MOST_PRICE for price in form.prices.values()):
        errors["prices"] = _("A message costs from 0 to %(most)d.") % {"most": MOST_PRICE}
    if form.lost_contact is not None and not 0 <= form.lost_contact <= MOST_WORTH:
        errors["lost_contact"] = _("A contact is worth from 0 to %(most)d.") % {"most": MOST_WORTH}
    if errors:
        raise ValidationError(errors)
