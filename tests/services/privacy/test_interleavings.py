"""An erasure while the person shops, a replay runs and a file comes again: nothing of before is there afterwards.

A thousand of them: ``INTERLEAVINGS=1000 make check FILE=tests/services/privacy/test_interleavings.py
ARGS=--timeout=3600``.
"""

import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventForm, EventItemForm
from recommendations.ingest.facts import Sender
from recommendations.models import Customer, CustomerAlias, Event, Item
from recommendations.privacy_terms import EraseMode, HolderCode
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Subject
from recommendations.store.imports import event_import
from recommendations.store.temp_tables import silent
from tests.side_threads import on_its_own

ROUNDS, REPLAYS = int(os.environ.get("INTERLEAVINGS", "30")), 4
FILED = 6  # every so many rounds a file comes again, too
LONG_AGO = datetime(2026, 8, 1, 12, tzinfo=UTC)
HOLDERS = [holder for holder in registry.HOLDERS if holder.code in {HolderCode.EVENTS, HolderCode.CUSTOMER}]

pytestmark = pytest.mark.django_db(transaction=True)


def act(name: str, at: datetime, order: str, *, visitor: bool = False) -> EventForm:
    who: dict[str, Any] = {"user_id": name} | ({"anonymous_id": f"{name} at home"} if visitor else {})
    return EventForm(
        event_id=uuid.uuid4(), name="purchase", timestamp=at, items=[EventItemForm("A1")], transaction_id=order, **who
    )


def send(*forms: EventForm) -> None:
    accept(forms, Sender(), now=timezone.now())


def erase(name: str, *, after: float) -> Subject:
    """Erase in the midst of it; where it was done a scan has to find nothing at once."""
    time.sleep(after)
    now = timezone.now()
    whole = bury(subject_of(name, []), mode=EraseMode.FORGET, now=now)
    for holder in HOLDERS:
        holder.erase(whole, now=now)
    assert {holder.code: holder.find(whole) for holder in HOLDERS} == dict.fromkeys((h.code for h in HOLDERS), 0)
    return whole


def load(path: Path) -> None:
    event_import.import_events(path, currency="USD", now=timezone.now(), report=silent)


def file_of(folder: Path, name: str) -> Path:
    path = folder / f"{name}.csv"
    row = f"purchase,{LONG_AGO.isoformat()},{name},A1,5,filed by {name}"
    path.write_text(f"name,timestamp,user_id,item_id,price,transaction_id\n{row}\n")
    return path


def test_nothing_of_before_is_there_in_whatever_order_it_happens(tmp_path: Path) -> None:
    chance = random.Random(19)
    Item.objects.create(shop_id="A1", title="Item")
    others = 0
    with ThreadPoolExecutor(4) as pool:
        for number in range(ROUNDS):
            name, hour = f"ada {number}", timedelta(hours=1)
            old = [act(name, LONG_AGO + place * hour, f"{name}, {place}", visitor=place == 1) for place in range(3)]
            send(*old)
            path = file_of(tmp_path, name) if number % FILED == 0 else None
            if path:
                load(path)

            def shop(name: str = name, old: list[EventForm] = old) -> None:
                for _replay in range(REPLAYS):
                    send(act(name, timezone.now(), f"{name}, now", visitor=True), *old, act("bob", LONG_AGO, "bob's"))

            def replay(old: list[EventForm] = old) -> None:
                for form in old * REPLAYS:
                    send(form)

            pause = chance.random() * 0.06
            tasks = [shop, replay, lambda name=name, pause=pause: erase(name, after=pause)]
            tasks += [lambda path=path: load(path)] if path else []
            running = [pool.submit(on_its_own(task)) for task in tasks]
            wait(running)
            subject: Subject = [each.result() for each in running][2]
            others += REPLAYS

            assert not Event.objects.filter(event_id__in=[form.event_id for form in old]).exists(), number
            assert not Event.objects.filter(transaction_id=f"filed by {name}").exists(), number
            assert not Event.objects.filter(customer__in=subject.keys).exists(), number
            assert not CustomerAlias.objects.filter(customer__in=subject.keys).exists(), number
            assert Customer.objects.filter(pk__in=subject.keys, erased_at=None).count() == 0, number
    assert Event.objects.filter(transaction_id="bob's").count() == others
