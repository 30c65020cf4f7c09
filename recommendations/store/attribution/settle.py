"""Attribution of clicks, carts, purchases and revenue to the slates that were served, and to positions in them.

A cart or purchase line counts for one slate at most. An event that carries ``recommendation_id`` counts for that slate
if its item stands in it. Otherwise the last touch counts: the newest click on that item by that customer, at most the
placement's attribution window before the line. Times are those of the events, whenever they or the slate came in.
Without a click nothing is attributed; to have been shown is not enough.

``settle`` takes what is new, in whatever order it came, and makes all that depends on it again, so that it may be done
twice. The daily counts are moved by what changed. A line that PostgreSQL refuses is put aside with what it said.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from recommendations.store.attribution.statements import (
    AFFECTED,
    ATTRIBUTE,
    COUNT,
    DROP,
    FORGET,
    MARK,
    NAMED,
    OUTCOMES,
    PATIENCE,
    PUT_ASIDE,
    TAKE,
    TAKE_BACK,
    TRANSACTIONS,
    WAIT,
    WORDS,
)
from recommendations.store.temp_tables import rows, run

BATCH = 2_000
LOCK = 7_264_102  # daily counts are moved by one process at a time

log = structlog.get_logger(__name__)


def settle(batch: int = BATCH) -> int:
    """Take event lines that are due and make again all that depends on them; how many they were.

    Call it until it gives 0. Of two processes one does nothing. Where the lines together are refused half of them are
    tried, and so on: the one that is at fault is put aside, so that it holds up no other.
    """
    try:
        return _settle(batch)
    except (DataError, IntegrityError) as error:
        return settle(batch // 2) if batch > 1 else _put_aside(error)


@transaction.atomic
def _settle(batch: int) -> int:
    run("SET LOCAL jit = off")
    if not rows("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=LOCK)[0][0]:
        return 0
    taken = rows(TAKE, batch=batch)
    if taken:
        due = _keys(taken) | _words()
        # First: a slate that comes in after a statement that looks for it was missed by none or is waited for.
        run(WAIT, noted=[row[3] for row in taken], patience=PATIENCE, **due)
        lines = rows(AFFECTED, **due)
        slates = {key for (key,) in rows(NAMED, **due)} | _attribute(lines)
        transactions = [key for (key,) in rows(TRANSACTIONS, **_keys([*taken, *lines]), **WORDS)]
        slates |= {key for (key,) in rows(TAKE_BACK, transactions=transactions)}
        _count(sorted(slates))
    return len(taken)


@transaction.atomic
def recount(slates: Sequence[str]) -> None:
    """Make the outcomes of slates anew, once lines were deleted that counted for them."""
    rows("SELECT pg_advisory_xact_lock(%(lock)s)", lock=LOCK)
    _count(sorted(slates))


def _put_aside(error: Exception) -> int:
    """Put the first line that is due aside; how many there were."""
    fault = str(error).strip()
    culprits = rows(PUT_ASIDE, fault=fault)
    for (event,) in culprits:
        log.error("an event line cannot be attributed and was put aside", event_id=str(event), fault=fault)
    return len(culprits)


def _words() -> dict[str, Any]:
    return WORDS | {"believed": settings.PURCHASES_FROM}


def _attribute(lines: Sequence[tuple[Any, ...]]) -> set[str]:
    """Tie the lines to their slates anew; the slates that they counted for, or count for now."""
    keys = _keys(lines) | _words()
    before, now = rows(FORGET, **keys), rows(ATTRIBUTE, **keys)
    return {slate for (slate,) in (*before, *now)}


def _count(slates: list[str]) -> None:
    """Make the outcomes of the slates anew, and move the daily counts by what changed."""
    values = {"slates": slates, "zone": settings.SHOP_TIME_ZONE} | WORDS
    run(COUNT, sign=-1, **values)
    run(DROP, **values)
    run(OUTCOMES, **values)
    run(COUNT, sign=1, **values)
    run(MARK, **values)


def _keys(lines: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [line[place] for line in lines] for place, name in enumerate(("at", "event", "line"))}
