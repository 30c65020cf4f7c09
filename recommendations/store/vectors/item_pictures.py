"""Pictures of items on sale: which are to be looked at, what was seen of them, and which items have the same one."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.db import connection, transaction

from recommendations.engine.describe.picture_hash import shared_since
from recommendations.models import EmbeddingSpace, Item, ItemPicture, ItemVector
from recommendations.vector_terms import PASSING, PictureFault

AGAIN_AFTER, FAILED_AGAIN_AFTER = timedelta(days=30), timedelta(days=1)
SIGNED, BITS = 1 << 63, 1 << 64

# At random: what fails again and again, or lies at a host that is silent, keeps nothing else from its turn.
DUE = """
SELECT item.id, item.image_url, coalesce(picture.etag, ''), vector.id IS NOT NULL
FROM recommendations_item item
LEFT JOIN recommendations_itempicture picture ON picture.item_id = item.id AND picture.url = item.image_url
LEFT JOIN recommendations_itemvector vector ON vector.item_id = picture.item_id AND vector.space_id = %(space)s
WHERE item.retired_at IS NULL AND item.image_url <> '' AND (
  picture.id IS NULL
  OR picture.looked_at < CASE picture.fault WHEN '' THEN %(seen_before)s ELSE %(failed_before)s END
  OR picture.fault = '' AND vector.id IS NULL)
ORDER BY random() LIMIT %(most)s
"""


# A picture takes part while its item is on sale and has it; its variants are of one family with it.
TAKES_PART = "item.retired_at IS NULL AND item.image_url = picture.url AND picture.hash IS NOT NULL"
OF_ITEM = "FROM recommendations_itempicture picture JOIN recommendations_item item ON item.id = picture.item_id"
FAMILY = "coalesce(item.parent_id, item.id)"
MOVED = f"""
SELECT picture.id, now.hash, now.family, picture.compared_hash {OF_ITEM}
CROSS JOIN LATERAL (
  SELECT CASE WHEN {TAKES_PART} THEN picture.hash END AS hash, CASE WHEN {TAKES_PART} THEN {FAMILY} END AS family
) now
WHERE now.hash IS DISTINCT FROM picture.compared_hash OR now.family IS DISTINCT FROM picture.compared_family
"""  # noqa: S608 - constants of ours
COMPARED = f"SELECT picture.id, picture.hash, {FAMILY}, picture.is_shared {OF_ITEM} WHERE {TAKES_PART}"
REMEMBER = """
UPDATE recommendations_itempicture picture
SET compared_hash = moved.hash, compared_family = moved.family,
  is_shared = picture.is_shared AND moved.hash IS NOT NULL
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) moved(id, hash, family) WHERE picture.id = moved.id
"""


class DuePicture(NamedTuple):
    """A picture that is to be looked at; ``is_known``: that of this address was seen before, and is compared."""

    item: int
    url: str
    etag: str
    is_known: bool


class PictureSeen(NamedTuple):
    """What was seen of a picture: its size and hash, or what is wrong with it."""

    etag: str = ""
    fault: PictureFault | None = None
    width: int | None = None
    height: int | None = None
    hash: int | None = None


def due_pictures(space: EmbeddingSpace, *, most: int, now: datetime) -> list[DuePicture]:
    """Pictures of items on sale that were never looked at, or not of late, at most so many."""
    before = {"seen_before": now - AGAIN_AFTER, "failed_before": now - FAILED_AGAIN_AFTER}
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"space": space.pk, "most": most, **before})
        return [DuePicture(*row) for row in cursor.fetchall()]


class MovedPicture(NamedTuple):
    """A picture that is compared otherwise than before, or no longer (``hash`` and ``family`` None)."""

    picture: int
    hash: int | None
    family: int | None
    hash_before: int | None


@transaction.atomic
def save_pictures(space: EmbeddingSpace, seen: Sequence[tuple[DuePicture, PictureSeen]], *, now: datetime) -> None:
    """Write what was seen of pictures. What one looked like before goes, but for a fault that may pass by itself."""
    there = set(Item.objects.filter(pk__in=[due.item for due, _seen in seen]).values_list("pk", flat=True))
    rows, blind = [], []
    for due, picture in seen:
        if due.item not in there:
            continue
        if picture.fault in PASSING and due.is_known:
            ItemPicture.objects.filter(item=due.item).update(fault=picture.fault, looked_at=now)
            continue
        if picture.fault:
            blind.append(due.item)
        rows.append(
            ItemPicture(
                item_id=due.item, url=due.url, etag=picture.etag, fault=picture.fault or "", width=picture.width,
                height=picture.height, hash=_signed(picture.hash), looked_at=now,
            )
        )  # fmt: skip
    ItemPicture.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["item"],
        update_fields=["url", "etag", "fault", "width", "height", "hash", "looked_at"],
    )  # fmt: skip
    ItemVector.objects.filter(space=space, item__in=blind).delete()


def confirm_pictures(items: Collection[int], *, now: datetime) -> None:
    """Note that pictures are still those that were seen."""
    ItemPicture.objects.filter(item__in=items).update(fault="", looked_at=now)


def forget_pictures(space: EmbeddingSpace) -> int:
    """Forget the pictures of items that have none any more, once none is compared with them; how many."""
    gone = ItemPicture.objects.filter(item__image_url="", compared_hash=None)
    ItemVector.objects.filter(space=space, item__image_url="").delete()
    return gone.delete()[0]


@transaction.atomic
def mark_shared() -> None:
    """Note of each picture on sale whether another item than its own variants has it, too.

    Each remembers with which hash and of which family it was compared, so that only what moved since is, anew.
    """
    with connection.cursor() as cursor:
        cursor.execute(MOVED)
        moved = [MovedPicture(*row) for row in cursor.fetchall()]
        if not moved:
            return
        cursor.execute(COMPARED)
        rows = cursor.fetchall()
        was = np.array([row[3] for row in rows], np.bool_)
        hashes = {bits % BITS for each in moved for bits in (each.hash_before, each.hash) if bits is not None}
        shared = shared_since([row[1] % BITS for row in rows], [row[2] for row in rows], was, hashes)
        for value in (True, False):
            changed = [rows[place][0] for place in np.flatnonzero((shared != was) & (shared == value)).tolist()]
            ItemPicture.objects.filter(pk__in=changed).update(is_shared=value)
        cursor.execute(REMEMBER, [[each[place] for each in moved] for place in (0, 1, 2)])


def _signed(bits: int | None) -> int | None:
    return None if bits is None else (bits ^ SIGNED) - SIGNED
