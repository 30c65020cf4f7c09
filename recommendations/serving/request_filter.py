"""The filter of a request and those of its boosts: the items that they leave, by row of the stock."""

from collections.abc import Iterable, Sequence

import numpy as np

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.rules import Rule
from recommendations.serving.types import AskedBoost, Filter
from recommendations.store.rules.conditions import OWN, Condition
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.stock import of_brands, of_categories
from recommendations.terms import Operator, RuleAction


def matching_items(wanted: Filter, snapshot: Snapshot) -> BoolArray:
    """Mask of the items that a filter leaves.

    Raises OutOfReachError where tags or attributes have to be looked up and PostgreSQL does not answer.
    """
    stock = snapshot.stock
    allowed = np.ones(len(stock), np.bool_)
    price = stock.column("price")
    if wanted.price_from is not None:
        allowed &= price >= float(wanted.price_from)
    if wanted.price_to is not None:
        allowed &= price <= float(wanted.price_to)
    if wanted.in_stock is not None:
        allowed &= stock.column("in_stock") == wanted.in_stock
    if wanted.brands is not None:
        allowed &= of_brands(stock, wanted.brands)
    if wanted.not_brands:
        allowed &= ~of_brands(stock, wanted.not_brands)
    if wanted.categories is not None:
        allowed &= of_categories(stock, snapshot.names.under(wanted.categories))
    if wanted.not_categories:
        allowed &= ~of_categories(stock, snapshot.names.under(wanted.not_categories))
    if wanted.items is not None:
        named = np.zeros(len(stock), np.bool_)
        named[[stock.row_of[shop_id] for shop_id in wanted.items if shop_id in stock.row_of]] = True
        allowed &= named
    if wanted.tags is not None or wanted.not_tags or wanted.attributes:
        allowed &= _said_by_shop(wanted, snapshot)
    return allowed


def asked_boosts(boosts: Sequence[AskedBoost], snapshot: Snapshot) -> tuple[Rule, ...]:
    """The boosts of a request as rules, which have keys below 0. Raises as ``matching_items``."""
    return tuple(
        Rule(
            key=key, action=RuleAction.BOOST, items=matching_items(boost.filter, snapshot), strength=boost.strength
        )
        for key, boost in zip(_keys(boosts), boosts, strict=True)
    )  # fmt: skip


def of_book(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules without the boosts of the request."""
    return tuple(rule for rule in rules if rule.key >= 0)


def boost_names(boosts: Sequence[AskedBoost]) -> dict[int, str]:
    """Names of a request's boosts by key; one without a name is called by its place."""
    return {key: boost.name or f"boost {-key}" for key, boost in zip(_keys(boosts), boosts, strict=True)}


def _keys(boosts: Sequence[AskedBoost]) -> range:
    return range(-1, -1 - len(boosts), -1)


def conditions_of(filters: Iterable[Filter]) -> list[Condition]:
    """What the filters ask that the stock does not say by itself."""
    return [condition for wanted in filters for condition in (*_asked(wanted), *_barred(wanted))]


def _said_by_shop(wanted: Filter, snapshot: Snapshot) -> BoolArray:
    """Mask by tags and attributes; what asks for nothing that an item can have matches none."""
    asked, barred = _asked(wanted), _barred(wanted)
    met = snapshot.rules.lookup.met_each([*asked, *barred])
    meeting = np.logical_and.reduce([np.ones(len(snapshot.stock), np.bool_), *met[: len(asked)]])
    return np.asarray(np.logical_and.reduce([meeting, *(~mask for mask in met[len(asked) :])]))


def _asked(wanted: Filter) -> list[Condition]:
    tags = [] if wanted.tags is None else [_condition("tag", wanted.tags)]
    return tags + [_condition(OWN + key, values) for key, values in wanted.attributes]


def _barred(wanted: Filter) -> list[Condition]:
    return [_condition("tag", wanted.not_tags)] if wanted.not_tags else []


def _condition(attribute: str, values: Sequence[str]) -> Condition:
    """A condition in one form, whatever the order in which its values came, so that it is looked up once.

    A value that no catalogue can have is left out: NUL is in no text of PostgreSQL.
    """
    if "\0" in attribute:
        return Condition("tag", Operator.IS, ())
    usual = {value.strip() for value in values if "\0" not in value}
    return Condition(attribute, Operator.IS, tuple(sorted(usual - {""})))
