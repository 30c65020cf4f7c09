"""What goes to Recsite beside the requests: events, who a visitor turned out to be, and items that changed."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import connections, transaction

from oscar_recsite import connection, items
from oscar_recsite.conf import is_on, setting
from oscar_recsite.send_queue import SendQueue, close_at_exit
from recsite_client import ProblemError
from recsite_client.bodies import Event

log = logging.getLogger("oscar_recsite")


def send_after_commit(kind: str, thing: Any, *, precious: bool = False) -> None:
    """Send a thing as soon as what it tells of is true, which is when the transaction ends well."""
    if is_on():
        transaction.on_commit(partial(queue.put, kind, thing, precious=precious), robust=True)


def deliver_events(events: Sequence[Event]) -> None:
    answer = connection.telling().send_events(events)
    for refused in (result for result in answer["results"] if result["verdict"] == "rejected"):
        log.warning("Recsite refused an event, %s: %s", refused.get("pointer", ""), refused.get("reason", ""))


def deliver_mergers(pairs: Sequence[tuple[str, str]]) -> None:
    for anonymous_id, user_id in dict.fromkeys(pairs):
        _merge(anonymous_id, user_id)


def _merge(anonymous_id: str, user_id: str) -> None:
    try:
        connection.telling().merge_users(anonymous_id=anonymous_id, user_id=user_id)
    except ProblemError as error:
        if error.status != 409:  # the visitor is another customer already, and stays that
            raise


def deliver_items(keys: Sequence[int]) -> None:
    """Send the products with these keys as they are now; those that are gone are retired."""
    try:
        tally = items.send(items.with_family(set(keys)), client=connection.cataloguing(), gone=set(keys))
    finally:
        connections.close_all()  # this thread's own
    for line in tally.refusals():
        log.warning("Recsite refused an item: %s", line)


queue = SendQueue({"events": deliver_events, "mergers": deliver_mergers, "items": deliver_items})
close_at_exit(queue, lambda: float(setting("RECSITE_FLUSH")))
