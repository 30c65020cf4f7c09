"""The palette: what is found while one types, by kind, what is called exactly so before all else."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.parameters import number
from analytics.queries.search import Found, is_exact, search
from analytics.queries.weights.groups import place_of
from analytics.templatetags.display import moment, money
from recommendations.customer_codes import customer_key
from recommendations.models import (
    Audience,
    BlendWeights,
    Campaign,
    Customer,
    Item,
    ModelVersion,
    Rule,
    Run,
    Segment,
    Staff,
)
from recommendations.services.access.policy import Action, may
from recommendations.services.customers import FoundCustomer

FEW = 6  # of a kind
MOST_RECENT = 8
LONGEST_RECENT = 500  # characters


class Openable(StrEnum):
    """Kinds of what can be opened, as the browser notes them."""

    CUSTOMER = "customer"
    ITEM = "item"
    RULE = "rule"
    SEGMENT = "segment"
    AUDIENCE = "audience"
    CAMPAIGN = "campaign"
    RUN = "run"


PAGES: Mapping[str, Promise] = {
    "overview": gettext_lazy("Overview"),
    "customers": gettext_lazy("Customers"),
    "weights": gettext_lazy("Weights"),
    "quality": gettext_lazy("Quality"),
    "stability": gettext_lazy("Stability"),
    "rules": gettext_lazy("Rules"),
    "new_rule": gettext_lazy("New rule"),
    "rule_books": gettext_lazy("Versions of the rules"),
    "statement": pgettext_lazy("page", "Statement"),
    "catalogue": gettext_lazy("Catalogue"),
    "catalogue_items": gettext_lazy("Items"),
    "imports": gettext_lazy("Imports"),
    "sources": gettext_lazy("Sources"),
    "arrivals": gettext_lazy("Arrivals"),
    "new_items": gettext_lazy("New items"),
    "suspicious": gettext_lazy("Suspicious demand"),
    "segments": gettext_lazy("Segments"),
    "together": gettext_lazy("Bought together"),
    "campaigns": gettext_lazy("Campaigns"),
    "audiences": gettext_lazy("Audiences"),
    "approvals": gettext_lazy("Approvals"),
    "runs": gettext_lazy("Runs"),
    "privacy": gettext_lazy("Privacy"),
    "privacy_receipts": gettext_lazy("Receipts of erasures"),
    "privacy_holders": gettext_lazy("Where data are held"),
    "legal_holds": gettext_lazy("Legal holds"),
    "releases": pgettext_lazy("privacy", "Releases"),
    "event_list": gettext_lazy("Events"),
    "answer_list": gettext_lazy("Answers"),
    "placement_list": gettext_lazy("Placements"),
    "your_data": gettext_lazy("Your data"),
    "webhooks": gettext_lazy("Webhooks"),
    "activity": pgettext_lazy("page", "Activity"),
    "account": gettext_lazy("Your account"),
}
PAGES_OF: Mapping[Action, Mapping[str, Promise]] = {
    Action.EDIT_CATALOGUE: {
        "new_import": gettext_lazy("Import items"),
        "admin:index": gettext_lazy("Engineer's admin"),
    },
    Action.MANAGE_CONTACTS: {
        "new_contact_import": gettext_lazy("Import contacts"),
        "new_receipt_import": gettext_lazy("Import campaigns of another system"),
    },
    Action.HANDLE_PRIVACY: {"new_privacy_request": gettext_lazy("New privacy request")},
    Action.MANAGE_KEYS: {"api_keys": gettext_lazy("API keys")},
    Action.MANAGE_STAFF: {"staff_list": gettext_lazy("Staff")},
}
"""Pages for those alone who may do what they lead to."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """What can be opened: its name, what more is to be said of it, and whether that is what was typed."""

    words: str
    address: str
    more: str = ""
    icon: str = ""
    item: Item | None = None
    exact: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    words: str
    hits: Sequence[Hit]

    @property
    def exact(self) -> bool:
        return any(hit.exact for hit in self.hits)


def groups(text: str, *, staff: Staff) -> list[Group]:
    """What is found for the text, by kind; kinds with something called exactly so come first."""
    match = search(text, most=FEW)
    kinds = [
        Group(words=_("Customers"), hits=[_customer(each) for each in match.customers]),
        Group(words=_("Items"), hits=[_item(each, exact=is_exact(each, match.text)) for each in match.items]),
        Group(words=_("Versions"), hits=_versions(match)),
        Group(words=_("Rules"), hits=[_rule(each, exact=_same(each.name, text)) for each in match.rules]),
        Group(words=_("Segments"), hits=[_segment(each, exact=_same(str(each), text)) for each in match.segments]),
        Group(words=_("Audiences"), hits=[_audience(each, exact=_same(each.name, text)) for each in match.audiences]),
        Group(words=_("Campaigns"), hits=[_campaign(each, exact=_same(each.name, text)) for each in match.campaigns]),
        Group(words=_("Pages"), hits=_pages(text, staff=staff)),
    ]
    every = Hit(
        words=_("All results for “%(text)s”") % {"text": text},
        icon="search",
        address=reverse("search", query={"q": text}),
    )
    more = [Group(words=_("More"), hits=[every])] if match.more_items else []
    return sorted((each for each in kinds if each.hits), key=lambda each: not each.exact) + more


def beginning(recent: Iterable[str], *, staff: Staff) -> list[Group]:
    """What was opened last, by ``kind:id`` as the browser notes it, and the pages."""
    noted = [(kind, key) for kind, _colon, key in (each.partition(":") for each in recent)][:MOST_RECENT]
    known = _hits_of(noted)
    opened = [known[each] for each in dict.fromkeys(noted) if each in known]
    pages = Group(words=_("Pages"), hits=_pages("", staff=staff))
    return [Group(words=_("Recently opened"), hits=opened), pages] if opened else [pages]


def _hits_of(noted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Hit]:
    """Hits of what there still is of this, by kind and id."""
    keys = {kind: [key for each, key in noted if each == kind] for kind in Openable}
    numbered = (Openable.ITEM, Openable.RULE, Openable.SEGMENT, Openable.AUDIENCE, Openable.CAMPAIGN)
    numbers = {kind: [number(key) or 0 for key in keys[kind]] for kind in numbered}
    codes = [key for code in keys[Openable.CUSTOMER] if (key := customer_key(code)) is not None]
    runs = [run for text in keys[Openable.RUN] if (run := _uuid(text))]
    hits: dict[tuple[str, str], Hit] = {}
    if codes:
        people = Customer.objects.filter(pk__in=codes, erased_at=None)
        hits |= {(Openable.CUSTOMER, each.code): _customer(FoundCustomer(each)) for each in people}
    if items := numbers[Openable.ITEM]:
        hits |= {(Openable.ITEM, str(each.pk)): _item(each) for each in Item.objects.filter(pk__in=items)}
    if rules := numbers[Openable.RULE]:
        hits |= {(Openable.RULE, str(each.pk)): _rule(each) for each in Rule.objects.filter(pk__in=rules)}
    if segments := [one for one in numbers[Openable.SEGMENT] if one < 2**15]:
        rows = Segment.objects.filter(number__in=segments)
        hits |= {(Openable.SEGMENT, str(each.number)): _segment(each) for each in rows}
    if audiences := numbers[Openable.AUDIENCE]:
        named = Audience.objects.filter(pk__in=audiences)
        hits |= {(Openable.AUDIENCE, str(each.pk)): _audience(each) for each in named}
    if campaigns := numbers[Openable.CAMPAIGN]:
        called = Campaign.objects.filter(pk__in=campaigns)
        hits |= {(Openable.CAMPAIGN, str(each.pk)): _campaign(each) for each in called}
    if runs:
        made = Run.objects.select_related("model_version").filter(pk__in=runs)
        hits |= {(Openable.RUN, str(each.pk)): _run(each) for each in made}
    return hits


def _customer(one: FoundCustomer) -> Hit:
    kind = one.customer.get_kind_display()
    more = _("%(kind)s · the shop's id %(id)s") % {"kind": kind, "id": one.shop_id} if one.shop_id else kind
    address = reverse("customer", args=[one.customer.pk])
    return Hit(words=str(one.customer), more=more, address=address, icon="user", exact=True)


def _item(item: Item, *, exact: bool = False) -> Hit:
    price = money(None if item.price is None else float(item.price))
    address = reverse("item", args=[item.pk])
    return Hit(words=item.title, more=f"{item.shop_id} · {price}", address=address, item=item, exact=exact)


def _rule(rule: Rule, *, exact: bool = False) -> Hit:
    address = reverse("rule", args=[rule.pk])
    return Hit(words=rule.name, more=rule.get_action_display(), address=address, icon="route", exact=exact)


def _segment(segment: Segment, *, exact: bool = False) -> Hit:
    return Hit(words=str(segment), address=reverse("segment", args=[segment.number]), icon="heart", exact=exact)


def _audience(audience: Audience, *, exact: bool = False) -> Hit:
    return Hit(words=audience.name, address=reverse("audience", args=[audience.pk]), icon="filter", exact=exact)


def _campaign(campaign: Campaign, *, exact: bool = False) -> Hit:
    return Hit(words=campaign.name, address=reverse("campaign", args=[campaign.pk]), icon="mail", exact=exact)


def _versions(match: Found) -> list[Hit]:
    """Versions with the typed number: of models (their runs), of weights and of the rules."""
    models = [_run(each.run, each) for each in match.runs]
    weights = [
        Hit(
            words=str(each),
            more=str(each.group or _("everybody")),
            address=weights_address(each),
            icon="adjustments-horizontal",
            exact=True,
        )
        for each in match.weights
    ]
    books = [
        Hit(words=_("Rules %(book)s") % {"book": each}, more=each.note, icon="route", exact=True,
            address=reverse("rule_books", fragment=str(each)))
        for each in match.books
    ]  # fmt: skip
    return models + weights + books


def weights_address(weights: BlendWeights) -> str:
    """Address of the page on which the version stands."""
    query = place_of(weights) | {"load": str(weights.number)}
    return reverse("weights", query=query, fragment="versions-title")


def _run(run: Run, version: ModelVersion | None = None) -> Hit:
    made = version or getattr(run, "model_version", None)
    words = _("Run of model %(model)s") % {"model": made} if made else _("Run without a model")
    address, at = reverse("run", args=[run.pk]), moment(run.created_at)
    return Hit(words=words, more=at, address=address, icon="refresh", exact=version is not None)


def _pages(text: str, *, staff: Staff) -> list[Hit]:
    """Pages whose name has words that begin as the typed ones; all of them where nothing is typed."""
    typed = text.casefold().split()
    added = [(name, words) for name, _icon, words in settings.MORE_SECTIONS]
    allowed = [page for action in PAGES_OF if may(staff, action) for page in PAGES_OF[action].items()]
    return [
        Hit(words=str(words), address=reverse(name), icon="layout-dashboard", exact=_same(str(words), text))
        for name, words in (*PAGES.items(), *added, *allowed)
        if all(_begins(each, str(words).casefold()) for each in typed)
    ]


def _begins(typed: str, words: str) -> bool:
    return any(word.startswith(typed) for word in words.split()) or (not typed.isascii() and typed in words)


def _same(words: str, text: str) -> bool:
    return words.casefold() == text.casefold()


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
