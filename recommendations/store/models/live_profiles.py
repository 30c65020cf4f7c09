"""The profiles of the live version as rows, for lists and counts of many customers; its files hold all of it."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from recommendations.engine.interests.main_interests import taste_shift
from recommendations.models import LiveProfile, ModelVersion, Segment
from recommendations.store.models.main_interests import LATELY, TASTE, VersionInterests, load_main_interests
from recommendations.store.temp_tables import copy, csv_block, like, run, temporary

ROWS = 65_536
COLUMNS = ("customer_id", "segment_id", "weight", "shift", "leads")
_TABLE, _NAMES = LiveProfile._meta.db_table, ", ".join(COLUMNS)
# Nobody who was erased, or objects, by now; who agreed again since is known anew, and not from what was before. Whoever
# is erased while this transaction goes on does not wait for it: their erasure does (``holders/interests.py``).
_OF_WHO_IS_THERE = f"""
INSERT INTO {_TABLE} ({_NAMES}) SELECT {_NAMES} FROM learned_profile learned
JOIN recommendations_customer customer
  ON customer.id = learned.customer_id AND customer.erased_at IS NULL AND customer.personalise
  AND (customer.resumed_at IS NULL OR customer.resumed_at <= %(learned_at)s)
ORDER BY customer.id
"""  # noqa: S608 - names of our own


def replace_live_profiles(version: ModelVersion) -> int:
    """Write the rows of a version in the place of all others, in the transaction that makes it live; how many.

    Until that ends everybody reads the rows of before.
    """
    interests, segments = load_main_interests(version.pk), dict(Segment.objects.values_list("number", "pk"))
    with temporary("learned_profile", like(_TABLE, COLUMNS)):
        if interests:
            copy("learned_profile", COLUMNS, _blocks(interests, segments))
        run(f"DELETE FROM {_TABLE}")  # noqa: S608 - a name of our own
        return run(_OF_WHO_IS_THERE, learned_at=version.run.now)


def _blocks(interests: VersionInterests, keys: Mapping[int, int]) -> Iterator[bytes]:
    """Rows as CSV, some at a time; ``keys`` are those of segments by number."""
    numbers = np.arange(max(keys, default=-1) + 2) - 1  # −1, of nobody's segment, is the first
    key_of = np.array([keys.get(number, -1) for number in numbers.tolist()], np.int64)
    for start in range(0, len(interests.users), ROWS):
        rows = np.arange(start, min(start + ROWS, len(interests.users)), dtype=np.int32)
        taste, lately = (interests.by_half_life[each].of(rows) for each in (TASTE, LATELY))
        segments = key_of[interests.segments[rows] + 1]
        leading = interests.categories[lately.categories[:, 0]] if lately.categories.shape[1] else None
        yield csv_block(
            pa.table(
                [
                    interests.users[rows], pa.array(segments, mask=segments < 0), taste.weight,
                    taste_shift(taste, lately),
                    pa.nulls(len(rows), pa.int64()) if leading is None else leading,
                ],
                names=COLUMNS,
            )
        )  # fmt: skip
