"""What customers follow beside customers, from the record: brands, categories, creators and collections."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from recommendations.engine.preprocess.followed_groups import GroupFollows
from recommendations.engine.preprocess.matrix import ItemAttributes
from recommendations.engine.preprocess.terms import membership
from recommendations.models import Item
from recommendations.store.models.training_data import copy_table
from recommendations.terms import PATH_SEPARATOR, QuarantineState, Trust

BATCH = 5_000

# As of links between people, a follow is believed of the shop's server, and of a page with a proof.
FOLLOWS = """
COPY (
  SELECT event.person_id, event.target_type, event.target_id, extract(epoch FROM event.occurred_at) / 86400.0,
         (event.name = 'follow')::text
  FROM events_to_personalise event
  WHERE event.name IN ('follow', 'unfollow') AND event.target_type <> 'customer' AND event.target_id IS NOT NULL
    AND event.occurred_at < {until} AND event.person_id IS NOT NULL AND event.trust >= {proven}
    AND NOT EXISTS (
      SELECT FROM recommendations_aside aside
      JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
      WHERE quarantine.state <> {restored} AND aside.customer_id = event.person_id)
  ORDER BY event.occurred_at, event.event_id
) TO STDOUT (FORMAT csv)
"""
TYPES = {
    "follower": pa.int64(), "kind": pa.string(), "name": pa.string(), "at": pa.float64(), "follows": pa.bool_()
}  # fmt: skip


def group_follows(attributes: ItemAttributes, *, until: datetime) -> GroupFollows:
    """What customers began or ceased to follow beside customers; categories are the columns of ``attributes``."""
    said = pd.DataFrame(
        copy_table(FOLLOWS, TYPES, until=until, restored=QuarantineState.RESTORED, proven=int(Trust.PROVEN)).to_pandas()
    )
    said["group"], groups = pd.factorize(pd.MultiIndex.from_frame(said[["kind", "name"]]))
    row_of = {key: row for row, key in enumerate(attributes.ids.tolist())}
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for kind, name in groups:
        wanted[kind].add(name)
    items = {kind: _items_of(kind, names) for kind, names in wanted.items()}
    members = [
        np.array(sorted(row_of[key] for key in items[kind].get(name, ()) if key in row_of), np.int64)
        for kind, name in groups
    ]
    within = membership(members, n_columns=len(attributes.ids))
    return GroupFollows(said, sparse.csr_matrix(within @ attributes.categories, dtype=np.float32))


def _items_of(kind: str, names: Set[str]) -> Mapping[str, Set[int]]:
    """Keys of the items of brands, creators, collections, or categories with what lies under these, by name.

    One query is for all of them: whoever is signed in may follow as many names as they like.
    """
    is_category = kind == "category"
    items: defaultdict[str, set[int]] = defaultdict(set)
    column = "categories__path" if is_category else kind
    for name, key in Item.objects.values_list(column, "pk").iterator(chunk_size=BATCH):
        for group in names & ({*_with_those_above(name or "")} if is_category else {name}):
            items[group].add(key)
    return items


def _with_those_above(path: str) -> Iterator[str]:
    """The path of a category and those of the categories that it lies under."""
    levels = path.split(PATH_SEPARATOR)
    return (PATH_SEPARATOR.join(levels[:depth]) for depth in range(1, len(levels) + 1))
