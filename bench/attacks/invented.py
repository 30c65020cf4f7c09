"""Visitors whom somebody invented, in the record of the demo, and a run of the loop beside them."""

import time
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.loop.run import run_loop
from recommendations.models import Customer, Event, Item, Run
from recommendations.services.operations.runs import start_run
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, RunStatus, Trust

ACTS = 2
FOLLOWING = "picture/"  # artefacts that follow those of the run before
MARK = "bench:invented"
KINDS = (EventName.VIEW_ITEM, EventName.ADD_TO_CART)


def invent(n: int, *, now: datetime) -> None:
    """Visitors who came once in the last hours, and what they did."""
    items = list(Item.objects.order_by("pk")[:1_000])
    customers = [
        Customer(pseudonym=pseudonym(f"{MARK}:{number}", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS)
        for number in range(n)
    ]
    Customer.objects.bulk_create(customers, batch_size=5_000)
    Event.objects.bulk_create(
        (
            Event(
                customer=customer, item=items[(number + act) % len(items)], name=KINDS[act % 2], event_id=uuid4(),
                occurred_at=now - timedelta(hours=1 + number % 20), received_at=now - timedelta(hours=1 + number % 20),
                trust=Trust.PAGE, session_id=MARK,
            )
            for number, customer in enumerate(customers)
            for act in range(ACTS)
        ),
        batch_size=5_000,
    )  # fmt: skip


def forget() -> None:
    invented = Event.objects.filter(session_id=MARK)
    customers = list(invented.values_list("customer", flat=True).distinct())
    invented.delete()
    Customer.objects.filter(pk__in=customers).delete()


def timed_run(now: datetime) -> tuple[float, dict[str, str]]:
    """Run the loop; its seconds, and the sums of what it learned."""
    run: Run = start_run(by=None, now=now, in_worker=False)
    started = time.monotonic()
    run_loop(run.pk, clock=timezone.now)
    seconds = time.monotonic() - started
    run.refresh_from_db()
    if run.status != RunStatus.SUCCEEDED:
        raise SystemExit(f"the run ended as {run.status}: {run.message}")
    artefacts = run.model_version.artefacts.all()
    return seconds, {str(one): one.sha256 for one in artefacts if not one.name.startswith(FOLLOWING)}
