"""What a shop sends to a placement, in a query string or a body, and where it is wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from django.http import QueryDict
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _
from msgspec import Meta, Struct, ValidationError

from recommendations.api.bodies import malformed
from recommendations.api.errors import BadRequestError, Flaw
from recommendations.loop.answer import Filter, Request

MOST_IDS = 1_000

type Id = Annotated[str, Meta(min_length=1, max_length=128)]
type SessionId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="Taken, and nothing more: a visit is what the customer or visitor did since the last turn "
        "of the loop, the newest first, whatever its session is called. Send user_id or anonymous_id.",
    ),
]
type Ids = Annotated[list[Id], Meta(max_length=MOST_IDS)]
type Text = Annotated[str, Meta(max_length=512)]
type Field = Literal["product", "score", "reasons", "contributions"]

FIELDS: frozenset[str] = frozenset({"product", "score", "reasons", "contributions"})


class PriceRange(Struct, forbid_unknown_fields=True):
    gte: Decimal | None = None
    lte: Decimal | None = None


class ItemFilter(Struct, forbid_unknown_fields=True):
    price: PriceRange | None = None
    brand: Annotated[list[Text], Meta(max_length=MOST_IDS)] | None = None
    categories: Annotated[list[Text], Meta(max_length=MOST_IDS)] | None = None
    in_stock: bool | None = None


class RecommendContext(Struct, forbid_unknown_fields=True):
    """``categories`` and ``search_term`` are for placements of categories and search; the present ones pass them by."""

    item_ids: Ids = []
    basket: Ids = []
    categories: Annotated[list[Text], Meta(max_length=MOST_IDS)] = []
    search_term: Text | None = None


class RecommendBody(Struct, forbid_unknown_fields=True):
    """The body of a POST. ``n`` and ``diversity`` default to what the placement and its weights have.

    ``session_id`` is for the shop's own records: acts are looked up by customer or visitor, and the newest count most.
    """

    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: SessionId | None = None
    context: RecommendContext | None = None
    n: Annotated[int, Meta(ge=1, le=100)] | None = None
    filter: ItemFilter | None = None
    exclude_item_ids: Ids = []
    diversity: Annotated[float, Meta(ge=0, le=1)] | None = None
    fallback: Literal["popular"] = "popular"
    personalise: bool = True
    lang: Annotated[str, Meta(max_length=35)] | None = None
    fields: list[Field] | None = None
    dry_run: bool = False


class RecommendQuery(Struct, forbid_unknown_fields=True):
    """The query of a GET; ``item_id``, ``basket``, ``exclude_item_id`` and ``fields`` may come several times."""

    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: SessionId | None = None
    item_id: Ids = []
    basket: Ids = []
    exclude_item_id: Ids = []
    n: Annotated[int, Meta(ge=1, le=100)] | None = None
    diversity: Annotated[float, Meta(ge=0, le=1)] | None = None
    personalise: bool = True
    lang: Annotated[str, Meta(max_length=35)] | None = None
    fields: list[Field] | None = None
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    request: Request
    lang: str | None  # one of ours; None: the shop's
    fields: frozenset[str]


_LISTS = frozenset({"item_id", "basket", "exclude_item_id", "fields"})
_body = msgspec.json.Decoder(RecommendBody)
_PLACE = re.compile(r"(?P<message>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)


def of_body(placement: str, body: bytes) -> Asked:
    try:
        form = _body.decode(body)
    except ValidationError as error:
        raise _refused(_flaw(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error
    context = form.context or RecommendContext()
    request = Request(
        placement=placement,
        user_id=form.user_id,
        anonymous_id=form.anonymous_id,
        item_ids=tuple(context.item_ids),
        basket=tuple(context.basket),
        exclude_item_ids=tuple(form.exclude_item_ids),
        n=form.n,
        personalise=form.personalise,
        filter=_filter(form.filter) if form.filter else None,
        diversity=form.diversity,
        dry_run=form.dry_run,
    )
    return Asked(request=request, lang=_language(form.lang), fields=_fields(form.fields))


def of_query(placement: str, query: QueryDict) -> Asked:
    twice = [name for name in query if name not in _LISTS and len(query.getlist(name)) > 1]
    if twice:
        raise _refused(*(Flaw(name, _("Given more than once.")) for name in twice))
    given: dict[str, object] = {name: query.getlist(name) if name in _LISTS else query[name] for name in query}
    if "fields" in query:
        given["fields"] = [part for value in query.getlist("fields") for part in str(value).split(",")]
    try:
        form = msgspec.convert(given, RecommendQuery, strict=False)
    except ValidationError as error:
        flaw = _flaw(error)
        raise _refused(Flaw(flaw.pointer.lstrip("/"), flaw.message)) from error
    request = Request(
        placement=placement,
        user_id=form.user_id,
        anonymous_id=form.anonymous_id,
        item_ids=tuple(form.item_id),
        basket=tuple(form.basket),
        exclude_item_ids=tuple(form.exclude_item_id),
        n=form.n,
        personalise=form.personalise,
        diversity=form.diversity,
        dry_run=form.dry_run,
    )
    return Asked(request=request, lang=_language(form.lang), fields=_fields(form.fields))


def _filter(form: ItemFilter) -> Filter:
    price = form.price or PriceRange()
    for name, bound in (("gte", price.gte), ("lte", price.lte)):
        if bound is not None and not bound.is_finite():
            raise _refused(Flaw(f"/filter/price/{name}", _("Not a number.")))
    return Filter(
        price_from=price.gte,
        price_to=price.lte,
        brands=None if form.brand is None else tuple(form.brand),
        categories=None if form.categories is None else tuple(form.categories),
        in_stock=form.in_stock,
    )


def _fields(asked: Sequence[str] | None) -> frozenset[str]:
    return FIELDS if asked is None else frozenset(asked)


def _language(asked: str | None) -> str | None:
    """Ours that is nearest; the words come in the shop's language where there is none."""
    try:
        return get_supported_language_variant(asked) if asked else None
    except LookupError:
        return None


def _refused(*flaws: Flaw) -> BadRequestError:
    return BadRequestError(_("The request has errors."), flaws=flaws)


def _flaw(error: ValidationError) -> Flaw:
    found = _PLACE.fullmatch(str(error))
    message, path = (found["message"], found["path"] or "") if found else (str(error), "")
    pointer = path.replace("[", "/").replace("]", "").replace(".", "/")
    if unknown := _UNKNOWN.fullmatch(message):
        name = unknown["name"].replace("~", "~0").replace("/", "~1")
        return Flaw(f"{pointer}/{name}", _("The field is unknown."))
    return Flaw(pointer, message)
