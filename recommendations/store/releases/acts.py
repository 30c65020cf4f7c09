"""Who bought what in a period, by the values that a release counts customers of; the values are public."""

from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from django.conf import settings

from recommendations.engine.frames import IdArray
from recommendations.privacy_terms import ReleaseDomain
from recommendations.store.models.training_data import copy_table
from recommendations.terms import PATH_SEPARATOR, QuarantineState

# What is for sale says nothing of who buys it: every item that was not retired before the period.
_LISTED = "(item.retired_at IS NULL OR item.retired_at >= {since})"
_OF_ITEMS = """
JOIN recommendations_item_categories link ON link.item_id = item.id
JOIN recommendations_category category ON category.id = link.category_id"""
_ROOT = "JOIN recommendations_category root ON root.path = split_part(category.path, {separator}, 1)"
_VALUES = {  # the id of a value, what the shop calls it, and in which tables it stands beside the item
    ReleaseDomain.ITEMS: ("item.id", "item.shop_id", "item.title", ""),
    ReleaseDomain.TYPES: ("category.id", "category.path", "category.path", _OF_ITEMS),
    ReleaseDomain.INTERESTS: ("root.id", "root.path", "root.path", f"{_OF_ITEMS}\n{_ROOT}"),
}
_DOMAIN = """
COPY (SELECT DISTINCT {key}, {code}, {name} FROM recommendations_item item {join} WHERE {listed} ORDER BY 1)
TO STDOUT (FORMAT csv)
"""
# As for training: merged visitors are the customer; who objected to being known or measured is left out, as are
# purchases of a source that is not believed, and what is set aside.
_ACTS = """
COPY (
  SELECT customer.id, {key}, count(*)
  FROM events_to_personalise event
  JOIN recommendations_customer customer ON customer.id = event.person_id AND customer.personalise AND customer.measure
    AND customer.erased_at IS NULL
  JOIN recommendations_item item ON item.id = event.item_id AND {listed} {join}
  WHERE event.name = 'purchase' AND event.trust >= {{believed}}
    AND event.occurred_at >= {{since}} AND event.occurred_at < {{until}}
    AND NOT EXISTS (
      SELECT FROM recommendations_aside aside
      JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
      WHERE quarantine.state <> {{restored}} AND (aside.customer_id = customer.id
        OR (aside.key_id = event.key_id AND event.received_at >= aside.since
            AND (aside.until IS NULL OR event.received_at < aside.until))))
  GROUP BY 1, 2
) TO STDOUT (FORMAT csv)
"""
_DOMAIN_TYPES = {"key": pa.int64(), "code": pa.string(), "name": pa.string()}
_ACT_TYPES = {"person": pa.int64(), "key": pa.int64(), "times": pa.int64()}


class PublicValues(NamedTuple):
    """Values that are told of, whoever bought them; by ascending key."""

    keys: IdArray
    codes: list[str]
    names: list[str]


class PeriodActs(NamedTuple):
    """How often each person bought each value, which is a place among the public ones."""

    people: IdArray
    values: IdArray
    times: IdArray


def public_values(domain: ReleaseDomain, *, since: datetime) -> PublicValues:
    """The values of a period that begins then."""
    table = copy_table(_filled(_DOMAIN, domain), _DOMAIN_TYPES, since=since, separator=PATH_SEPARATOR)
    return PublicValues(table["key"].to_numpy(), table["code"].to_pylist(), table["name"].to_pylist())


def period_acts(domain: ReleaseDomain, values: PublicValues, *, since: datetime, until: datetime) -> PeriodActs:
    """Purchases of the values from ``since`` to before ``until``, each pair of a person and a value once."""
    table = copy_table(
        _filled(_ACTS, domain), _ACT_TYPES, since=since, until=until, separator=PATH_SEPARATOR,
        believed=int(settings.PURCHASES_FROM), restored=QuarantineState.RESTORED,
    )  # fmt: skip
    keys = table["key"].to_numpy()
    place = np.minimum(np.searchsorted(values.keys, keys), max(len(values.keys) - 1, 0)).astype(np.int64)
    known = values.keys[place] == keys if len(values.keys) else np.zeros(len(keys), np.bool_)
    return PeriodActs(table["person"].to_numpy()[known], place[known], table["times"].to_numpy()[known])


def _filled(query: str, domain: ReleaseDomain) -> str:
    key, code, name, join = _VALUES[domain]
    return query.format(key=key, code=code, name=name, join=join, listed=_LISTED)
