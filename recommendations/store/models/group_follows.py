"""What customers follow beside customers, from the record: brands, categories, creators and collections."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from django.db.models import Q
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.preprocess.followed_groups import GroupFollows
from recommendations.engine.preprocess.matrix import ItemAttributes
from recommendations.engine.preprocess.terms import membership
from recommendations.models import Item
from recommendations.store.models.training_data import copy_table
from recommendations.terms import PATH_SEPARATOR, QuarantineState, Trust

# As of links between people, a follow is believed of the shop's server, and of a page with a proof.
FOLLOWS = """
COPY (
  SELECT follower.id, event.target_type, event.target_id, extract(epoch FROM event.occurred_at) / 86400.0,
         (event.name = 'follow')::text
  FROM recommendations_event event
  LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = event.customer_id AND alias.undone_at IS NULL
  JOIN recommendations_customer follower ON follower.id = coalesce(alias.customer_id, event.customer_id)
  WHERE event.name IN ('follow', 'unfollow') AND event.target_type <> 'customer' AND event.target_id IS NOT NULL
    AND event.occurred_at < {until} AND follower.personalise AND event.trust >= {proven}
    AND NOT EXISTS (
      SELECT FROM recommendations_aside aside
      JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
      WHERE quarantine.state <> {restored} AND aside.customer_id = follower.id)
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
    members = [np.flatnonzero(np.isin(attributes.ids, _keys_of_group(kind, name))) for kind, name in groups]
    within = membership(members, n_columns=len(attributes.ids))
    return GroupFollows(said, sparse.csr_matrix(within @ attributes.categories, dtype=np.float32))


def _keys_of_group(kind: str, name: str) -> NDArray[np.int64]:
    """Keys of the items of a brand, a creator, a collection or a category with what lies under it."""
    if kind == "category":
        under = Q(categories__path=name) | Q(categories__path__startswith=f"{name}{PATH_SEPARATOR}")
        keys = Item.objects.filter(under).values_list("pk", flat=True).distinct()
    else:
        keys = Item.objects.filter(**{kind: name}).values_list("pk", flat=True)
    return np.fromiter(keys, np.int64)
