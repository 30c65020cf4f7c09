"""What the live model says of the sliders: which nobody can move yet, and the share of a visit beside a record."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Exists, Subquery
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.models import Item, ModelVersion
from recommendations.services.weights.goals import goals_of_version
from recommendations.terms import Lift


class Lack(NamedTuple):
    """Why a goal cannot be weighed, and the words and address of the link to what mends it."""

    why: Promise
    link: Promise
    url: str
    mended_by_import: bool  # else by a run, which everybody may look at


FIELDS: Mapping[Lift, tuple[str, Promise]] = {
    Lift.REVENUE: ("price", _("No item that was bought has a price yet.")),
    Lift.MARGIN: ("cost", _("No item has a cost yet, so margins are unknown.")),
    Lift.CLEARANCE: ("available_quantity", _("No item has a stock figure yet.")),
}
"""The field of an item that a goal needs, and what is said where no item has it."""


class LiveFacts(NamedTuple):
    lacking: Mapping[str, Lack]  # what each goal lacks in this shop; none of those whose data the live model has
    visit_shares: Mapping[str, Any]  # by blend, as ``ModelVersion`` has them


def live_facts() -> LiveFacts:
    """Ask for all of it at once."""
    told = {goal: Exists(Item.objects.filter(**{f"{field}__isnull": False})) for goal, (field, _why) in FIELDS.items()}
    live = ModelVersion.objects.live()
    version, shares = (Subquery(live.values(field)[:1]) for field in ("pk", "visit_shares"))
    row: Mapping[str, Any] = Item.objects.order_by().values(version=version, shares=shares, **told).first() or {}
    known = goals_of_version(row["version"]) if row.get("version") else frozenset()
    missing = {goal: why for goal, (_field, why) in FIELDS.items() if goal not in known}
    lacking: dict[str, Lack] = {goal: _lack(why, told=bool(row.get(goal))) for goal, why in missing.items()}
    return LiveFacts(lacking, row.get("shares") or {})


def _lack(why: Promise, *, told: bool) -> Lack:
    if told:
        late = _("Your items have it, but the live model has not seen it yet. The next run will pick it up.")
        return Lack(why=late, link=_("View runs"), url=reverse("runs"), mended_by_import=False)
    url = reverse("new_import")
    return Lack(why=why, link=_("Add it with an import"), url=url, mended_by_import=True)
