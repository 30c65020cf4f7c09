"""What the live model says of the sliders: which nobody can move yet, and the share of a visit beside a record."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Exists, Subquery
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.engine.recommenders.transformer import Transformer
from recommendations.models import Artefact, Item, ModelVersion, ShopSetting
from recommendations.services.operations.net_training import NETS, has_nets
from recommendations.services.weights.goals import goals_of_version
from recommendations.terms import Cut, Lift


class Lack(NamedTuple):
    """Why something cannot be weighed, and the words and address of the link to what mends it."""

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


NET = {
    "served": Exists(
        Artefact.objects.filter(version__is_live=True, cut=Cut.LIVE, name=f"recommenders/{Transformer.NAME}/items_")
    ),
    "trained": Exists(ShopSetting.objects.filter(key=NETS, value__has_any_keys=[*Cut])),
}
"""Whether the live model has a net, and whether there is one for the next."""


class LiveFacts(NamedTuple):
    lacking: Mapping[str, Lack]  # what goals and recommenders lack here; nothing of those whose data the live model has
    visit_shares: Mapping[str, Any]  # by blend, as ``ModelVersion`` has them


def live_facts() -> LiveFacts:
    """Ask for all of it at once."""
    told = {goal: Exists(Item.objects.filter(**{f"{field}__isnull": False})) for goal, (field, _why) in FIELDS.items()}
    live = ModelVersion.objects.live()
    version, shares = (Subquery(live.values(field)[:1]) for field in ("pk", "visit_shares"))
    row: Mapping[str, Any] = Item.objects.order_by().values(version=version, shares=shares, **told, **NET).first() or {}
    known = goals_of_version(row["version"]) if row.get("version") else frozenset()
    missing = {goal: why for goal, (_field, why) in FIELDS.items() if goal not in known}
    lacking: dict[str, Lack] = {goal: _lack(why, told=bool(row.get(goal))) for goal, why in missing.items()}
    if has_nets() and not row.get("served"):
        lacking |= dict.fromkeys(Transformer.NAMES, _no_net(trained=bool(row.get("trained"))))
    return LiveFacts(lacking, row.get("shares") or {})


def _no_net(*, trained: bool) -> Lack:
    why = _("A net is trained, but the live model does not have it yet. The next run will pick it up.")
    if not trained:
        why = _(
            "No net is trained yet. Whoever runs the server can do it: install the extra sequence-torch, then run "
            "manage.py train_transformer."
        )
    return Lack(why=why, link=_("View runs"), url=reverse("runs"), mended_by_import=False)


def _lack(why: Promise, *, told: bool) -> Lack:
    if told:
        late = _("Your items have it, but the live model has not seen it yet. The next run will pick it up.")
        return Lack(why=late, link=_("View runs"), url=reverse("runs"), mended_by_import=False)
    url = reverse("new_import")
    return Lack(why=why, link=_("Add it with an import"), url=url, mended_by_import=True)
