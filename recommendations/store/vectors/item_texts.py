"""Texts of items as a service that embeds them is given them: the public catalogue, and nothing else of an item.

The digest of a text is of its provider and model, too, so that neither an unchanged text is ever embedded again, nor
the vector of another model taken for this one's.
"""

from collections.abc import Collection
from typing import NamedTuple

from django.db import connection

from recommendations.models import EmbeddingSpace

# Of a description as many characters as our own vectors are of.
TEXT = """concat_ws(' ', item.title, nullif(item.brand, ''),
  (SELECT string_agg(category.path, ' ' ORDER BY category.path) FROM recommendations_item_categories link
   JOIN recommendations_category category ON category.id = link.category_id WHERE link.item_id = item.id),
  nullif(array_to_string(item.tags, ' '), ''),
  (SELECT string_agg(value, ' ' ORDER BY key) FROM jsonb_each_text(item.attributes)),
  nullif(left(item.description, 2000), ''))"""
DIGEST = f"sha256(convert_to(concat_ws(E'\\n', space.provider, space.model, {TEXT}), 'UTF8'))"
OLD = f"""
SELECT vector.item_id FROM recommendations_itemvector vector
JOIN recommendations_embeddingspace space ON space.id = vector.space_id
JOIN recommendations_item item ON item.id = vector.item_id
WHERE space.provider <> 'picture' AND vector.digest <> {DIGEST}
"""  # noqa: S608 - constants of ours
"""Items with a vector that was made of, or with, another text than theirs is now."""

MOST_SHARING = 5
SHARED = f"""
SELECT unnest(array_agg(item.id)) FROM recommendations_item item
WHERE item.retired_at IS NULL AND item.parent_id IS NULL GROUP BY {TEXT} HAVING count(*) > {MOST_SHARING}
"""  # noqa: S608 - likewise
"""Items on sale, variants apart, whose text more than five have."""

READABLE = "[^[:space:][:punct:]]"
"""A text with such a letter says something, in whatever script: what a letter is depends on the database's language."""

DIGESTS = f"""
SELECT item.id, {DIGEST} FROM recommendations_item item, recommendations_embeddingspace space
WHERE space.id = %(space)s AND item.id = ANY(%(items)s)
"""  # noqa: S608 - likewise
# Drawn at random: what a provider fails at again and again keeps nothing else from its turn.
DUE = f"""
SELECT item.id, due.text, due.digest FROM recommendations_item item
CROSS JOIN recommendations_embeddingspace space
CROSS JOIN LATERAL (SELECT {TEXT} AS text, {DIGEST} AS digest) due
LEFT JOIN recommendations_itemvector vector ON vector.item_id = item.id AND vector.space_id = space.id
WHERE space.id = %(space)s AND item.retired_at IS NULL AND due.text ~ '{READABLE}'
  AND vector.digest IS DISTINCT FROM due.digest
ORDER BY random() LIMIT %(most)s
"""  # noqa: S608 - likewise


class DueText(NamedTuple):
    """A text that has no vector yet, and the item whose it is."""

    item: int
    text: str
    digest: bytes


def due_texts(space: EmbeddingSpace, *, most: int) -> list[DueText]:
    """Texts of items on sale that have no vector of theirs in a space, at most so many."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"space": space.pk, "most": most})
        return [DueText(item, text, bytes(digest)) for item, text, digest in cursor.fetchall()]


def digests_of(space: EmbeddingSpace, items: Collection[int]) -> dict[int, bytes]:
    """Digests of the texts that items have now, as of vectors in a space, by key."""
    with connection.cursor() as cursor:
        cursor.execute(DIGESTS, {"space": space.pk, "items": list(items)})
        return {item: bytes(digest) for item, digest in cursor.fetchall()}
