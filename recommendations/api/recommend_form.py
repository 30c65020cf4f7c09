"""Requests to a placement, parsed from a query string or a body, and where they are wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _
from msgspec import Struct, ValidationError

from recommendations.api.errors import BadRequestError, Flaw, refused
from recommendations.api.parsing import decoded, flaw_of, malformed
from recommendations.api.recommend_bodies import (
    FIELDS,
    MOST_LOOKED_UP,
    WORDS,
    BatchOfRaw,
    BatchUser,
    BoostOptions,
    CommonOptions,
    ItemFilter,
    ItemToItemQuery,
    PageBody,
    PriceRange,
    RecommendBody,
    RecommendContext,
    RecommendQuery,
)
from recommendations.serving.cursor import CursorError, unpacked
from recommendations.serving.types import AskedBoost, Filter, PageRequest, Request


@dataclass(frozen=True, kw_only=True)
class ParsedBatch:
    """Requests of a batch, one per customer in order; None for those of ``flaws``, by the customer's place."""

    users: Sequence[BatchUser]
    requests: Sequence[Request | None]
    flaws: Mapping[int, Flaw]
    lang: str
    fields: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ParsedRequest:
    request: Request
    lang: str  # one of ours
    fields: frozenset[str]
    proof: str | None = None  # of a page
    customer_at: str = "user_id"  # where a customer is named


@dataclass(frozen=True, kw_only=True)
class ParsedPage:
    page: PageRequest
    lang: str
    fields: frozenset[str]
    proof: str | None


_LISTS = frozenset({"item_id", "basket", "category", "exclude_item_id", "fields"})
_body = msgspec.json.Decoder(RecommendBody)
_page = msgspec.json.Decoder(PageBody)
_batch = msgspec.json.Decoder(BatchOfRaw)
_user = msgspec.json.Decoder(BatchUser)


def of_body(placement: str, body: bytes) -> ParsedRequest:
    form = decoded(_body, body)
    fields = _fields(form.fields)
    request = replace(
        _request_of(placement, form, fields=fields),
        n=form.n,
        user_id=form.user_id,
        anonymous_id=form.anonymous_id,
        cursor=_cursor(form.cursor, at="/cursor"),
        experiment=_arm(form),
    )
    return ParsedRequest(
        request=request, lang=_language(form.lang), fields=fields, proof=form.proof, customer_at="/user_id"
    )


def of_page(name: str, body: bytes) -> ParsedPage:
    form = decoded(_page, body)
    fields = _fields(form.fields)
    shared = replace(_request_of("", form, fields=fields), user_id=form.user_id, anonymous_id=form.anonymous_id)
    counts = tuple((slot.placement, slot.n) for slot in form.slots)
    for place, (placement, _n) in enumerate(counts):
        if placement in dict(counts[:place]):
            raise refused_slot(place, _("Given more than once."))
    page = PageRequest(name=name, shared=shared, counts=counts, only=form.only)
    return ParsedPage(page=page, lang=_language(form.lang), fields=fields, proof=form.proof)


def of_batch(body: bytes) -> ParsedBatch:
    form = decoded(_batch, body)
    fields = _fields(form.fields)
    wished = replace(_request_of(form.placement, form, fields=fields), n=form.n)
    users: list[BatchUser] = []
    requests: list[Request | None] = []
    flaws: dict[int, Flaw] = {}
    for place, raw in enumerate(form.users):
        try:
            user = _user.decode(raw)
        except ValidationError as error:
            flaw = flaw_of(error)
            user, flaws[place] = BatchUser(), Flaw(f"/users/{place}{flaw.pointer}", flaw.message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # a row is read here first
            raise malformed(body, error) from error
        else:
            if user.user_id is None and user.anonymous_id is None:
                flaws[place] = Flaw(f"/users/{place}", _("Name a user_id or an anonymous_id."))
        request = None if place in flaws else replace(wished, user_id=user.user_id, anonymous_id=user.anonymous_id)
        users.append(user)
        requests.append(request)
    return ParsedBatch(users=users, requests=requests, flaws=flaws, lang=_language(form.lang), fields=fields)


def of_query(placement: str, query: Mapping[str, Sequence[str]]) -> ParsedRequest:
    """Parse the query of a GET; ``query`` as for ``converted``."""
    form = converted(query, RecommendQuery)
    parsed = _parsed(placement, form)
    request = replace(
        parsed.request,
        item_ids=tuple(form.item_id),
        basket=tuple(form.basket),
        categories=tuple(form.category),
        search_term=form.search_term or "",
    )
    return replace(parsed, request=request, proof=form.proof)


def of_item(placement: str, shop_id: str, query: Mapping[str, Sequence[str]]) -> ParsedRequest:
    """Parse the query of a GET about an item; ``query`` as for ``converted``."""
    parsed = _parsed(placement, converted(query, ItemToItemQuery))
    return replace(parsed, request=replace(parsed.request, item_ids=(shop_id,)))


def converted[Form: Struct](query: Mapping[str, Sequence[str]], kind: type[Form]) -> Form:
    """Convert ``query``, every value of each parameter; raises BadRequestError that says which one is wrong."""
    twice = [name for name, values in query.items() if name not in _LISTS and len(values) > 1]
    if twice:
        raise refused(*(Flaw(name, _("Given more than once.")) for name in twice))
    given: dict[str, object] = {name: values if name in _LISTS else values[0] for name, values in query.items()}
    if "fields" in query:
        given["fields"] = [part for value in query["fields"] for part in value.split(",")]
    try:
        form = msgspec.convert(given, kind, strict=False)
        nulls = [name for name, value in given.items() if value is not None and getattr(form, name) is None]
        if nulls:  # which is how "null" is read
            raise refused(*(Flaw(name, _("There is no null in a query; leave the parameter out.")) for name in nulls))
        return form
    except ValidationError as error:
        flaw = flaw_of(error)
        raise refused(Flaw(flaw.pointer.lstrip("/"), flaw.message)) from error


def _request_of(placement: str, form: CommonOptions, *, fields: frozenset[str]) -> Request:
    context = form.context or RecommendContext()
    _bounded(form.filter, *(boost.filter for boost in form.boosts))
    return Request(
        placement=placement,
        item_ids=tuple(context.item_ids),
        basket=tuple(context.basket),
        exclude_item_ids=tuple(form.exclude_item_ids),
        categories=tuple(context.categories),
        search_term=context.search_term or "",
        personalise=form.personalise,
        fill=form.fallback != "none",
        explain=not WORDS.isdisjoint(fields),
        filter=_filter(form.filter, at="/filter") if form.filter else None,
        boosts=tuple(_boost(boost, at=f"/boosts/{place}") for place, boost in enumerate(form.boosts)),
        diversity=form.diversity,
        rotation=form.rotation,
        dry_run=form.dry_run,
    )


def _arm(form: RecommendBody) -> tuple[int, int] | None:
    """The experiment's key and the arm's position. Raises BadRequestError where it is no dry run."""
    if form.experiment is None:
        return None
    if not form.dry_run:
        raise refused(Flaw("/experiment", _("Only a dry run may choose its arm: send “dry_run”: true with it.")))
    return int(form.experiment.experiment_id[1:]), ord(form.experiment.variation_id) - ord("a")


def refused_arm() -> BadRequestError:
    """Error about an arm that is not being tested."""
    return refused(Flaw("/experiment", _("No running experiment has such an arm.")))


def _parsed(placement: str, form: ItemToItemQuery) -> ParsedRequest:
    fields = _fields(form.fields)
    request = Request(
        placement=placement,
        user_id=form.user_id,
        anonymous_id=form.anonymous_id,
        exclude_item_ids=tuple(form.exclude_item_id),
        n=form.n,
        personalise=form.personalise,
        fill=form.fallback != "none",
        explain=not WORDS.isdisjoint(fields),
        diversity=form.diversity,
        rotation=form.rotation,
        dry_run=form.dry_run,
        cursor=_cursor(form.cursor, at="cursor"),
    )
    return ParsedRequest(request=request, lang=_language(form.lang), fields=fields)


def _cursor(token: str | None, *, at: str) -> str:
    """The cursor, "" where there is none. Raises BadRequestError where it is none of ours."""
    if token is None:
        return ""
    try:
        unpacked(token)
    except CursorError as error:
        text = _("This is no cursor of ours; send “next_cursor” of the answer before, or nothing for the first page.")
        raise refused(Flaw(at, text)) from error
    return token


def _filter(form: ItemFilter, *, at: str) -> Filter:
    price = form.price or PriceRange()
    for name, bound in (("gte", price.gte), ("lte", price.lte)):
        if bound is not None and not bound.is_finite():
            raise refused(Flaw(f"{at}/price/{name}", _("Not a number.")))
    return Filter(
        price_from=price.gte,
        price_to=price.lte,
        brands=None if form.brand is None else tuple(form.brand),
        categories=None if form.categories is None else tuple(form.categories),
        in_stock=form.in_stock,
        items=None if form.item_ids is None else tuple(form.item_ids),
        not_brands=tuple(form.not_brand),
        not_categories=tuple(form.not_categories),
        tags=None if form.tags is None else tuple(form.tags),
        not_tags=tuple(form.not_tags),
        attributes=tuple((key, tuple(map(_as_text, values))) for key, values in form.attributes.items()),
    )


def _boost(form: BoostOptions, *, at: str) -> AskedBoost:
    wanted = _filter(form.filter, at=f"{at}/filter")
    return AskedBoost(filter=wanted, strength=form.strength, name=(form.name or "").strip())


def _bounded(*filters: ItemFilter | None) -> None:
    """Refuse a request whose tags and attributes would be long to look up. Raises BadRequestError."""
    given = [each for each in filters if each is not None]
    values = sum(len(each.tags or ()) + len(each.not_tags) + sum(map(len, each.attributes.values())) for each in given)
    if values > MOST_LOOKED_UP:
        text = _("%(values)s tags and values of attributes are too many; send at most %(most)s in a request.")
        raise refused(Flaw("/filter", text % {"values": values, "most": MOST_LOOKED_UP}))


def _as_text(value: str | float) -> str:
    """A value of an attribute as the conditions of rules have it; yes and no as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(asked: Sequence[str] | None) -> frozenset[str]:
    return FIELDS if asked is None else frozenset(asked)


def _language(asked: str | None) -> str:
    """The language of ours that is nearest; the shop's where there is none."""
    try:
        return get_supported_language_variant(asked) if asked else str(settings.SHOP_LANGUAGE)
    except LookupError:
        return str(settings.SHOP_LANGUAGE)


def refused_slot(place: int, text: str) -> BadRequestError:
    """Error about a placement that ``slots`` of a body names, the first at 0."""
    return refused(Flaw(f"/slots/{place}/placement", text))
