"""Items that a full file lacks, retired, and those that are in it again, brought back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from recommendations.store.temp_tables import rows

MOST_NAMED = 10

# An item whose row was refused is in the file all the same.
LACKING = """
SELECT item.id FROM recommendations_item item
LEFT JOIN (
  SELECT item_id FROM staged UNION SELECT given ->> 'item_id' FROM refused
) listed ON listed.item_id = item.shop_id
WHERE item.retired_at IS NULL AND listed.item_id IS NULL
"""
NAMES = "SELECT shop_id, title FROM recommendations_item WHERE id = ANY(%(keys)s) ORDER BY shop_id LIMIT %(most)s"
COUNTS = """
SELECT (SELECT count(*) FROM recommendations_item WHERE retired_at IS NULL),
       (SELECT count(*) FROM refused WHERE given ->> 'item_id' IS NULL)
"""
RETIRE = """
UPDATE recommendations_item SET retired_at = %(now)s, updated_at = %(now)s
WHERE id = ANY(%(keys)s) AND retired_at IS NULL RETURNING id, title
"""
# Only what an import retired: what staff or the shop's server took off sale stays so, whatever the file says.
BRING_BACK = """
WITH due AS (
  SELECT item.id, item.title, item.retired_at FROM staged
  JOIN recommendations_item item ON item.shop_id = staged.item_id AND item.retired_at IS NOT NULL
  CROSS JOIN LATERAL (
    SELECT batch FROM recommendations_auditentry entry
    WHERE entry.object_type = 'item' AND entry.object_id = item.id::text AND entry.after ->> 'retired_at' IS NOT NULL
    ORDER BY entry.at DESC, entry.id DESC LIMIT 1
  ) last WHERE last.batch IS NOT NULL
)
UPDATE recommendations_item item SET retired_at = NULL, updated_at = %(now)s
FROM due WHERE due.id = item.id RETURNING due.id, due.title, due.retired_at
"""

STAY = """
SELECT count(*) FROM staged JOIN recommendations_item item ON item.shop_id = staged.item_id
WHERE item.retired_at IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class MissingItems:
    """Items on sale that a full file has no row of, ``of`` so many on sale; ``first`` are the ids and titles of ten.

    ``unread`` rows were refused without an id: any of them may be of an item that seems to be lacking.
    """

    keys: Sequence[int]
    of: int
    unread: int
    first: Sequence[tuple[str, str]]

    @property
    def count(self) -> int:
        return len(self.keys)

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0


class Retired(NamedTuple):
    """An item that was retired, or brought back; ``before`` is since when it had been retired."""

    key: int
    title: str
    before: datetime | None = None


class Became(NamedTuple):
    """What a full file did to items beside changing them."""

    retired: Sequence[Retired]
    back: Sequence[Retired]


def lacking() -> MissingItems:
    """What the rows that were read lack of the catalogue, before they are merged into it."""
    keys = [key for (key,) in rows(LACKING)]
    [(of, unread)] = rows(COUNTS)
    first = rows(NAMES, keys=keys, most=MOST_NAMED)
    return MissingItems(keys=keys, of=of, unread=unread, first=[(shop_id, title) for shop_id, title in first])


def settle(lack: MissingItems | None, *, now: datetime) -> Became:
    """Bring back items that are in the file and that an import had retired; retire those that it lacks.

    Of the latter those are left out that somebody retired in the meantime; their history stays.
    """
    back = [Retired(*row) for row in rows(BRING_BACK, now=now)]
    keys = list(lack.keys) if lack else []
    return Became(retired=[Retired(*row) for row in rows(RETIRE, keys=keys, now=now)] if keys else [], back=back)


def stay_text(*, full: bool) -> str:
    """How many rows are of items that stay retired, and how those come back; "" where there are none."""
    [(count,)] = rows(STAY)
    if not count:
        return ""
    text = (
        _("Rows of items that stay retired: %(count)s. Staff put them on sale again, or the API.")
        if full
        else _(
            "Rows of items that stay retired: %(count)s. A file with --full brings back what such a file retired; "
            "staff or the API put the others on sale again."
        )
    )
    return text % {"count": f"{count:,}"}
