"""Values to choose from in the attribute builder: categories, brands, items with pictures, tags, the shop's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Length
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.queries.search import find_items
from analytics.templatetags.display import money
from analytics.templatetags.words import label
from recommendations.models import Category, Item
from recommendations.services.rules.attributes import OWN, AttributeKind, attributes, kind_of
from recommendations.terms import PATH_SEPARATOR
from recommendations.wording.item_labels import AVAILABILITIES
from recommendations.wording.money import currency
from recommendations.wording.rules import attribute_name

OFFERED = 8
MOST = 500  # the commonest, in which a tag is looked for
SHOWN = 60  # chosen values that are looked up; what is beyond is shown as it was typed


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value to choose: what is stored, what it is called, and what more is to be said of it."""

    code: str
    words: str
    more: str = ""
    item: Item | None = None
    known: bool = True


def offered(attribute: str, text: str) -> list[Value]:
    """The first values with the text in their name; without a text the largest, so that there is something to see."""
    if attribute.startswith(OWN):
        return _own(attribute.removeprefix(OWN), text.strip())
    find = _OFFERS.get(attribute)
    return find(text.strip()) if find else []


def described(attribute: str, codes: Sequence[str]) -> list[Value]:
    """Chosen values; one that the catalogue does not know is marked."""
    if kind_of(attribute) is not AttributeKind.CHOICE:
        return [Value(code=code, words=code) for code in codes]
    values = {value.code: value for value in _values_of(attribute, codes[:SHOWN])}
    late = set(codes[SHOWN:])
    return [values.get(code, Value(code=code, words=code, known=code in late)) for code in codes]


def _values_of(attribute: str, codes: Sequence[str]) -> list[Value]:
    if not codes:
        return []
    if attribute == "category":
        return [_category(each) for each in Category.objects.filter(path__in=codes)]
    if attribute == "item":
        return [_item(each) for each in Item.objects.filter(shop_id__in=codes)]
    if attribute == "availability":
        return [value for value in _availabilities("") if value.code in codes]
    if attribute == "brand":
        brands = set(Item.objects.filter(brand__in=codes).values_list("brand", flat=True))
        return [Value(code=code, words=code) for code in codes if code in brands]
    return [Value(code=code, words=code) for code in codes]


def _categories(text: str) -> list[Value]:
    """Categories with the text in their path, the highest in the tree first."""
    categories = Category.objects.filter(path__icontains=text) if text else Category.objects.filter(parent=None)
    return [_category(each) for each in categories.order_by(Length("path"), "path")[:OFFERED]]


def _category(category: Category) -> Value:
    above, _separator, _name = category.path.rpartition(PATH_SEPARATOR)
    return Value(code=category.path, words=category.name, more=above)


def _items(text: str) -> list[Value]:
    return [_item(each) for each in find_items(text, most=OFFERED)]


def _item(item: Item) -> Value:
    price = money(None if item.price is None else float(item.price))
    return Value(code=item.shop_id, words=item.title, more=f"{item.shop_id} · {price}", item=item)


def _brands(text: str) -> list[Value]:
    brands = Item.objects.filter(brand__icontains=text).exclude(brand="").annotate(value=F("brand"))
    return _first(text, _commonest(brands))


def _tags(text: str) -> list[Value]:
    tags = Item.objects.filter(~Q(tags=[])).annotate(value=Func(F("tags"), function="unnest", output_field=TextField()))
    return _first(text, [value for value in _commonest(tags) if text.casefold() in value.words.casefold()])


def _own(key: str, text: str) -> list[Value]:
    given = Item.objects.annotate(value=KeyTextTransform(key, "attributes")).filter(value__icontains=text)
    return _first(text, _commonest(given.exclude(value="")))


def _first(text: str, values: Sequence[Value]) -> list[Value]:
    """The first of the values, before them that which is the text itself."""
    return sorted(values, key=lambda value: value.words.casefold() != text.casefold())[:OFFERED]


def _commonest(items: QuerySet[Any]) -> list[Value]:
    """The commonest values of items with a ``value``, with the number of items."""
    rows = items.filter(retired_at=None).values_list("value").annotate(n=Count("pk")).order_by("-n", "value")
    words = [(str(value), count) for value, count in rows[:MOST]]
    return [Value(code=value, words=value, more=_items_counted(count)) for value, count in words]


def _items_counted(count: int) -> str:
    return ngettext("%(n)d item", "%(n)d items", count) % {"n": count}


def _availabilities(text: str) -> list[Value]:
    values = [Value(code=str(code), words=label(AVAILABILITIES, code)) for code, _words in AVAILABILITIES]
    return [value for value in values if text.casefold() in value.words.casefold()]


def attribute_words(attribute: str) -> str:
    name = attribute_name(attribute)
    return name[:1].upper() + name[1:]


def offered_by_rows() -> dict[str, Any]:
    """Context of what the rows of every builder offer."""
    return {
        "attributes": [(code, attribute_words(code)) for code in attributes()],
        "yes_no": [("yes", _("yes")), ("no", _("no"))],
        "currency": currency().strip(),
    }


_OFFERS: Mapping[str, Callable[[str], list[Value]]] = {
    "category": _categories,
    "item": _items,
    "brand": _brands,
    "tag": _tags,
    "availability": _availabilities,
}
