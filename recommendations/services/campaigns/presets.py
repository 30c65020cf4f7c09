"""Campaigns to begin with: one for each kind and trigger, whole in every language, so that the first look shows a mail.

The item that an occasion is about stands first, by the placement of what was found: what it is asked about is what it
shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from recommendations.push_terms import CampaignKind, Priority, Purpose, Trigger
from recommendations.services.campaigns.form import ContextItem, Layout
from recommendations.store.domain import shop_domain

ITSELF = "search"
"""Placement that, about the item of the occasion, shows that item."""

FITTING: Mapping[Trigger, frozenset[Purpose]] = {
    Trigger.CART_LEFT: frozenset({Purpose.REMINDERS}),
    Trigger.VIEWED: frozenset({Purpose.REMINDERS}),
    Trigger.BACK_IN_STOCK: frozenset({Purpose.REMINDERS}),
    Trigger.PRICE_DROP: frozenset({Purpose.REMINDERS}),
    Trigger.DUE_AGAIN: frozenset({Purpose.REMINDERS}),
    Trigger.NEW_FOR_YOU: frozenset({Purpose.FOR_YOU}),
    Trigger.WIN_BACK: frozenset({Purpose.FOR_YOU}),
    Trigger.SHOP: frozenset(Purpose),
}
"""What people said yes to, of what a trigger sends; what the shop tells may be anything."""
WITHOUT_TRIGGER = frozenset({Purpose.FOR_YOU, Purpose.NEWS})


@dataclass(frozen=True, kw_only=True)
class CampaignPreset:
    """A campaign to begin with; its texts are English until ``draft`` puts them into every language."""

    kind: CampaignKind
    trigger: Trigger | None
    name: str
    purpose: Purpose
    subjects: Sequence[str]
    preheader: str
    heading: str
    intro: str
    button: str
    blocks: Sequence[Mapping[str, Any]]
    layout: Layout = Layout.TILES
    least_items: int = 3
    when: Mapping[str, Any] = field(default_factory=dict)
    priority: Priority = Priority.CAMPAIGN

    @property
    def title(self) -> str:
        """The name in the reader's language."""
        return gettext(self.name)

    def draft(self) -> dict[str, Any]:
        """The whole form, as ``create_campaign`` takes it."""
        return {
            "who": {},
            "what": {
                "layout": self.layout.value,
                "texts": {code: self._texts(code) for code, _name in settings.LANGUAGES},
                "blocks": [dict(block) for block in self.blocks],
                "least_items": self.least_items,
            },
            "when": dict(self.when),
            "safety": {"priority": self.priority.value},
            "occasion": {},
        }

    def under(self, purpose: Purpose) -> "CampaignPreset":
        """The campaign in words of what people said yes to: news is the same for all, and speaks of nobody's taste."""
        if purpose is not Purpose.NEWS or not fits(purpose, self.trigger):
            return self
        about = [block for block in self.blocks if block["context"] == ContextItem.TRIGGER.value]
        return replace(self, **_NEWS, blocks=[*about, _list("trending", 6 - len(about))])

    def _texts(self, language: str) -> dict[str, Any]:
        with translation.override(language):
            return {
                "subjects": [gettext(subject) for subject in self.subjects],
                "preheader": gettext(self.preheader),
                "heading": gettext(self.heading),
                "intro": gettext(self.intro),
                "button": gettext(self.button),
            }


def preset_of(kind: CampaignKind, trigger: Trigger | None = None) -> CampaignPreset:
    """The campaign to begin with. Raises KeyError where kind and trigger do not belong together."""
    return {(each.kind, each.trigger): each for each in PRESETS}[kind, trigger]


def offered() -> list[CampaignPreset]:
    """The campaigns that make sense in this shop: it has the placements of their lists, and prices that can fall."""
    domain = shop_domain()
    names = {placement.name for placement in domain.placements}
    of_goods = set() if "price" in domain.wanted else {Trigger.PRICE_DROP, Trigger.BACK_IN_STOCK}
    having = [each for each in PRESETS if names.issuperset(block["placement"] for block in each.blocks)]
    return [each for each in having if each.trigger not in of_goods]


def fits(purpose: Purpose, trigger: Trigger | None) -> bool:
    """Whether people who said yes to this expect what such a campaign sends."""
    return purpose in (WITHOUT_TRIGGER if trigger is None else FITTING[trigger])


def _list(placement: str, n: int, *, about: bool = False) -> dict[str, Any]:
    context = ContextItem.TRIGGER if about else ContextItem.NONE
    return {"placement": placement, "n": n, "context": context.value}


_IT = _list(ITSELF, 1, about=True)
_NEWS: Mapping[str, Any] = {
    "name": gettext_noop("News and offers"),
    "purpose": Purpose.NEWS,
    "subjects": [gettext_noop("News from {shop}")],
    "preheader": gettext_noop("{first_item} and {count} more"),
    "heading": gettext_noop("News from {shop}"),
    "intro": gettext_noop("This is what our customers like best at the moment."),
}
"""What a campaign of news says, whatever calls for it."""

PRESETS: Sequence[CampaignPreset] = (
    CampaignPreset(
        kind=CampaignKind.ONCE,
        trigger=None,
        name=gettext_noop("Picked for you"),
        purpose=Purpose.FOR_YOU,
        subjects=[gettext_noop("Picked for you at {shop}")],
        preheader=gettext_noop("{first_item} and {count} more"),
        heading=gettext_noop("Picked for you"),
        intro=gettext_noop("We thought you might like these."),
        button=gettext_noop("Go to the shop"),
        blocks=[_list("email", 6)],
    ),
    CampaignPreset(
        kind=CampaignKind.RECURRING,
        trigger=None,
        name=gettext_noop("For you this week"),
        purpose=Purpose.FOR_YOU,
        subjects=[gettext_noop("For you this week: {first_item}"), gettext_noop("Your picks of the week")],
        preheader=gettext_noop("And {count} more that suit your taste"),
        heading=gettext_noop("For you this week"),
        intro=gettext_noop("Chosen for you by what you bought and looked at lately. Next week there are new ones."),
        button=gettext_noop("Go to the shop"),
        blocks=[_list("email", 6)],
        when={"weekdays": [4], "hour": "17:00:00"},
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.CART_LEFT,
        name=gettext_noop("Left in the cart"),
        purpose=Purpose.REMINDERS,
        subjects=[gettext_noop("Still in your cart: {first_item}"), gettext_noop("Did you forget {first_item}?")],
        preheader=gettext_noop("And {count} more that go with it"),
        heading=gettext_noop("Still thinking it over?"),
        intro=gettext_noop(
            "You put {first_item} into your cart and have not ordered it yet. Here it is again, with what others buy "
            "along with it."
        ),
        button=gettext_noop("Go to the shop"),
        blocks=[_IT, _list("cart", 5, about=True)],
        priority=Priority.REMINDER,
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.DUE_AGAIN,
        name=gettext_noop("Running low"),
        purpose=Purpose.REMINDERS,
        subjects=[gettext_noop("Running low on {first_item}?"), gettext_noop("Time for {first_item} again?")],
        preheader=gettext_noop("And {count} more for your next order"),
        heading=gettext_noop("Running low?"),
        intro=gettext_noop(
            "You buy {first_item} again and again, and going by your usual rhythm it should be nearly used up."
        ),
        button=gettext_noop("Go to the shop"),
        blocks=[_IT, _list("buy_again", 3), _list("email", 2)],
        priority=Priority.REMINDER,
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.NEW_FOR_YOU,
        name=gettext_noop("New in what you like"),
        purpose=Purpose.FOR_YOU,
        subjects=[gettext_noop("New at {shop}: {first_item}"), gettext_noop("Just in, and to your taste")],
        preheader=gettext_noop("And {count} more to discover"),
        heading=gettext_noop("New in what you like"),
        intro=gettext_noop("{first_item} has just come in, and by what you like it should suit you."),
        button=gettext_noop("See what is new"),
        blocks=[_IT, _list("discover", 5)],
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.VIEWED,
        name=gettext_noop("Looked at and not bought"),
        purpose=Purpose.REMINDERS,
        subjects=[gettext_noop("Still interested in {first_item}?")],
        preheader=gettext_noop("And {count} more like it"),
        heading=gettext_noop("Still interested?"),
        intro=gettext_noop("You looked at {first_item} lately. Here it is again, with some that are similar."),
        button=gettext_noop("Go to the shop"),
        blocks=[_IT, _list("item", 5, about=True)],
        priority=Priority.REMINDER,
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.BACK_IN_STOCK,
        name=gettext_noop("Back in stock"),
        purpose=Purpose.REMINDERS,
        subjects=[gettext_noop("{first_item} is back in stock")],
        preheader=gettext_noop("You looked for it while it was sold out"),
        heading=gettext_noop("It is back"),
        intro=gettext_noop("{first_item} was sold out when you looked for it. You can order it again."),
        button=gettext_noop("Go to the shop"),
        blocks=[_IT, _list("item", 3, about=True)],
        least_items=1,
        priority=Priority.REMINDER,
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.PRICE_DROP,
        name=gettext_noop("Cheaper now"),
        purpose=Purpose.REMINDERS,
        subjects=[gettext_noop("{first_item} costs less now")],
        preheader=gettext_noop("The price went down since you looked at it"),
        heading=gettext_noop("Cheaper than before"),
        intro=gettext_noop("{first_item} costs less than when you looked at it."),
        button=gettext_noop("Go to the shop"),
        blocks=[_IT, _list("item", 3, about=True)],
        least_items=1,
        priority=Priority.REMINDER,
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.WIN_BACK,
        name=gettext_noop("Long not seen"),
        purpose=Purpose.FOR_YOU,
        subjects=[gettext_noop("It has been a while")],
        preheader=gettext_noop("{first_item} and {count} more for you at {shop}"),
        heading=gettext_noop("It has been a while"),
        intro=gettext_noop("You have not been here for some time. This is what we would show you today."),
        button=gettext_noop("Go to the shop"),
        blocks=[_list("email", 6)],
    ),
    CampaignPreset(
        kind=CampaignKind.TRIGGERED,
        trigger=Trigger.SHOP,
        name=gettext_noop("When the shop says so"),
        purpose=Purpose.FOR_YOU,
        subjects=[gettext_noop("Something for you at {shop}")],
        preheader=gettext_noop("{first_item} and {count} more"),
        heading=gettext_noop("Something for you"),
        intro=gettext_noop("We thought you might like these."),
        button=gettext_noop("Go to the shop"),
        blocks=[_IT, _list("email", 5)],
    ),
)
