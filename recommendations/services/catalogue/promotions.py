"""The promotion plan as staff set it. Every change leaves an audit entry; the next run of the loop learns from it."""

from collections.abc import Mapping
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from recommendations.models import Item, Promotion, Staff
from recommendations.services.access import audit
from recommendations.store.imports import promotion_merge

SHARES = promotion_merge.SHARES
MOST_FOUND = 500  # items that a search for promotions looks into


def planned_weeks() -> list[date]:
    """First days of all weeks with a promotion, newest first."""
    return promotion_merge.weeks()


def check_week(week: date) -> None:
    """Check the first day of a week. Raises ValidationError where the shop's weeks start on another weekday."""
    weekday = promotion_merge.first_weekday()
    if weekday is not None and week.weekday() != weekday:
        text = _("The shop's promotion weeks start on a %(weekday)s; enter the date of that day.")
        raise ValidationError(text % {"weekday": WEEKDAYS[weekday]})


def items_called(typed: str) -> list[int]:
    """Keys of the items with this id, or else with these words in their title."""
    exact = list(Item.objects.filter(shop_id=typed).values_list("pk", flat=True))
    return exact or list(Item.objects.called(typed).values_list("pk", flat=True)[:MOST_FOUND])


@transaction.atomic
def plan_promotion(*, item: Item, week: date, display: float, mailer: float, by: Staff | None) -> Promotion:
    """Add a promotion to the plan. Raises ValidationError where the plan has it already, or a value will not do."""
    check_week(week)
    promotion = Promotion(item=item, week=week, display=display, mailer=mailer)
    promotion.full_clean()
    promotion.save()
    audit.record(
        by=by, verb="plan", subject=promotion, after={"week": week.isoformat(), "display": display, "mailer": mailer}
    )
    return promotion


@transaction.atomic
def set_shares(*, promotion: Promotion, changes: Mapping[str, float], by: Staff | None) -> Promotion:
    """Apply ``changes`` of ``display`` and ``mailer``. Raises ValidationError for what is no share of the stores."""
    stored = Promotion.objects.select_for_update(of=("self",)).select_related("item").get(pk=promotion.pk)
    before, values = audit.apply(stored, {name: changes[name] for name in SHARES if name in changes})
    if not values:
        return stored
    stored.full_clean(exclude={"item", "week"}, validate_unique=False)
    stored.save(update_fields=list(values))
    audit.record(by=by, verb="change", subject=stored, before=before, after=values)
    return stored
