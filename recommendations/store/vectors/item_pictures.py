"""Pictures of items on sale: which are to be looked at, what was seen of them, and which items have the same one."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from recommendations.engine.describe.picture_hash import shared_hashes
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
    """Forget the pictures of items that have none any more; how many."""
    gone = ItemPicture.objects.filter(item__image_url="")
    ItemVector.objects.filter(space=space, item__image_url="").delete()
    return gone.delete()[0]


def mark_shared() -> None:
    """Note of each picture on sale whether another item than its own variants has it, too."""
    on_sale = ItemPicture.objects.filter(item__retired_at=None)
    rows = list(
        on_sale.filter(hash__isnull=False)
        .annotate(family=Coalesce(F("item__parent"), F("item")))
        .values_list("pk", "hash", "family", "is_shared")
    )
    shared = shared_hashes([(row[1] or 0) % BITS for row in rows], [row[2] for row in rows])
    for value in (True, False):
        changed = [row[0] for row, now in zip(rows, shared.tolist(), strict=True) if now is value and row[3] != now]
        ItemPicture.objects.filter(pk__in=changed).update(is_shared=value)
    ItemPicture.objects.filter(Q(hash=None) | ~Q(item__retired_at=None), is_shared=True).update(is_shared=False)


def _signed(bits: int | None) -> int | None:
    return None if bits is None else (bits ^ SIGNED) - SIGNED
