"""Vectors of items in spaces: half floats in the record, one matrix a space for the engine."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from django.db import connection, transaction

from recommendations.engine.describe.items import KnownVectors
from recommendations.engine.frames import FloatArray, HalfArray
from recommendations.models import EmbeddingSpace, ItemVector

STORED = np.dtype("<f2")
UPSERT = """
INSERT INTO recommendations_itemvector AS old (item_id, space_id, digest, dimensions, "values", made_at)
SELECT row.item, %(space)s, row.digest, %(dimensions)s, row.vector, %(now)s
FROM unnest(%(items)s::bigint[], %(digests)s::bytea[], %(vectors)s::bytea[]) AS row (item, digest, vector)
JOIN recommendations_item item ON item.id = row.item
ON CONFLICT (item_id, space_id) DO UPDATE
  SET digest = excluded.digest, dimensions = excluded.dimensions, "values" = excluded."values",
      made_at = excluded.made_at
  WHERE (old.digest, old."values") IS DISTINCT FROM (excluded.digest, excluded."values")
RETURNING item_id
"""


class OtherDimensionError(Exception):
    """Vectors of another length than those of the space have."""

    def __init__(self, space: EmbeddingSpace) -> None:
        super().__init__(f"the vectors of {space.name} have {space.dimensions} dimensions")
        self.dimensions = space.dimensions


class NewVector(NamedTuple):
    """A unit vector, and the digest of the text that it is of."""

    digest: bytes
    values: HalfArray


def unit(values: Sequence[float]) -> HalfArray | None:
    """The vector of length one that points the same way; None where that cannot be: it is all 0, or not finite."""
    given = np.asarray(values, np.float64)
    largest = float(np.abs(given).max(initial=0))
    if not largest or not np.isfinite(largest):
        return None
    scaled = given / largest  # the squares of what may be sent do not all fit a float
    return np.asarray(scaled / np.linalg.norm(scaled), STORED)


@transaction.atomic
def save_vectors(space: EmbeddingSpace, vectors: Mapping[int, NewVector], *, now: datetime) -> set[int]:
    """Write vectors of items, by key; the keys of those that differ from what was there.

    All are of one length. The first ones settle the dimensions of a space. Raises OtherDimensionError.
    """
    held = EmbeddingSpace.objects.select_for_update().get(pk=space.pk)
    dimensions = {len(vector.values) for vector in vectors.values()}
    if dimensions - {held.dimensions or max(dimensions, default=0)}:
        raise OtherDimensionError(held)
    if not vectors:
        return set()
    if held.dimensions is None:
        held.dimensions = dimensions.pop()
        held.save(update_fields=["dimensions"])
    rows: dict[str, list[Any]] = {
        "items": list(vectors),
        "digests": [vector.digest for vector in vectors.values()],
        "vectors": [vector.values.tobytes() for vector in vectors.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, {"space": held.pk, "dimensions": held.dimensions, "now": now, **rows})
        return {item for (item,) in cursor.fetchall()}


def known_vectors() -> list[KnownVectors]:
    """The vectors of every space, by its name; none of a space without any."""
    spaces = EmbeddingSpace.objects.filter(dimensions__isnull=False).order_by("name")
    return [known for known in map(_of_space, spaces) if len(known.ids)]


def _of_space(space: EmbeddingSpace) -> KnownVectors:
    rows = ItemVector.objects.filter(space=space).order_by("item").values_list("item", "values")
    ids, blocks = [], []
    for item, values in rows.iterator(chunk_size=5_000):
        ids.append(item)
        blocks.append(bytes(values))
    vectors = np.frombuffer(b"".join(blocks), STORED).reshape(len(ids), space.dimensions or 0)
    return KnownVectors(space.name, np.array(ids, np.int64), vectors.astype(np.float16))


def as_floats(vector: ItemVector) -> FloatArray:
    """The vector as numbers, [dimensions]."""
    return np.frombuffer(bytes(vector.values), STORED).astype(np.float32)
