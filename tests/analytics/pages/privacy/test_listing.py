"""The queue of requests, the receipts, the holders and the legal holds."""

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.queries.privacy.request import days_left
from analytics.templatetags.display import day as day_words
from recommendations.models import AuditEntry, LegalHold, Receipt, Staff
from recommendations.privacy_terms import EraseMode, HolderCode, ReceiptMark, RequestKind, RequestState
from recommendations.services.privacy import receipts as services
from recommendations.services.privacy.holders import missing_holders
from recommendations.store.erasure.log import write_down
from recommendations.store.erasure.receipt_log import note_receipt
from recommendations.store.erasure.subjects import subject_digest
from recommendations.store.events.tombstones import ErasedId
from recommendations.terms import Role
from tests.analytics.pages.privacy.asking import DAY, ENTRY, erased, request_in

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def listed(page: str) -> list[str]:
    """Ids of the requests of a page, in order."""
    return re.findall(r'href="/privacy/([0-9a-f-]{36})/"', page)


def test_nobody_has_asked_and_an_admin_may_try(client_of: Callable[[Role], Client]) -> None:
    admin = client_of(Role.ADMIN)
    page = text(admin, "/privacy/")
    assert "No request is open; 0 people were erased this year; " in page
    assert "Nobody has asked yet" in page
    assert 'href="/privacy/new/?example=1"' in page
    assert 'value="made-up-customer"' in text(admin, "/privacy/new/?example=1")
    assert "/privacy/new/" not in text(client_of(Role.PUBLISHER), "/privacy/")


def test_the_first_line_counts_what_is_open(admin: Client) -> None:
    erased(closed=True)
    request_in(RequestState.RECEIVED, created_at=timezone.now() - timedelta(hours=3, minutes=5))
    erased()
    page = text(admin, "/privacy/")
    assert "2 requests are open, the oldest came 3 hours ago; 2 people were erased this year; " in page
    known = "every place that holds something is known."
    assert (known in page) is not bool(missing_holders())


def test_who_was_erased_is_counted_apart_from_ids_that_nobody_knew(admin: Client) -> None:
    nothing = {HolderCode.EVENTS: ENTRY}
    first = erased(closed=True)
    erased(closed=True, counts=nothing, options={"same_as": str(first.pk)})  # the same person at once
    assert "; 1 person was erased this year; " in text(admin, "/privacy/")
    for _time in range(2):
        erased(closed=True, counts=nothing)
    assert "; 1 person was erased this year, and 2 ids that nobody knew; " in text(admin, "/privacy/")


def test_what_is_due_next_stands_first_and_what_is_over_last(admin: Client) -> None:
    over, late = erased(closed=True), request_in(RequestState.FAILED, created_at=timezone.now() - 31 * DAY)
    fresh = request_in(RequestState.RUNNING)
    page = text(admin, "/privacy/")
    assert listed(page) == [str(each.pk) for each in (late, fresh, over)]
    assert "overdue" in page
    assert f"in {30 if timezone.localtime().hour else 29} days" in page  # it came an hour ago


def test_days_until_it_is_due_are_those_of_the_calendar(admin: Client) -> None:
    """As the day that its page names; what is left of the last one is no whole day."""
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    for due, days in ((noon + 30 * DAY, 30), (noon + 30 * DAY - timedelta(hours=12), 30), (noon + DAY, 1), (noon, 0)):
        request = request_in(RequestState.RECEIVED, due_at=due)
        assert [
            days_left(request, now=now) for now in (noon - timedelta(hours=11), noon - timedelta(minutes=1))
        ] == 2 * [days]
        assert days_left(request, now=due) == -1


@pytest.mark.parametrize("state", list(RequestState))
def test_every_state_can_be_asked_for(admin: Client, state: RequestState) -> None:
    requests = {each: request_in(each) for each in RequestState}
    assert listed(text(admin, f"/privacy/?state={state}")) == [str(requests[state].pk)]


def test_filters_stand_in_the_address_and_can_be_taken_off(admin: Client) -> None:
    export = request_in(RequestState.DONE, kind=RequestKind.EXPORT)
    request_in(RequestState.RECEIVED)
    page = text(admin, "/privacy/?kind=export")
    assert listed(page) == [str(export.pk)]
    assert 'class="chip" href="?"' in page
    assert "Nothing matches" in text(admin, "/privacy/?kind=export&state=failed")
    assert len(listed(text(admin, "/privacy/?kind=nonsense&state=&page=99"))) == 2


def test_the_queue_has_pages(admin: Client) -> None:
    for _number in range(11):
        request_in(RequestState.RECEIVED)
    first, second = (listed(text(admin, f"/privacy/?page={page}")) for page in (1, 2))
    assert (len(first), len(second), len({*first, *second})) == (10, 1, 11)


def test_dots_say_how_far_each_place_is(admin: Client) -> None:
    counts = {HolderCode.SLATES: ENTRY, HolderCode.EVENTS: ENTRY | {"left": 3}, HolderCode.LIVE: {"begun": 4}}
    request_in(RequestState.FAILED, counts=counts)
    page = text(admin, "/privacy/")
    assert 'aria-label="1 of 17 places done; under way: Recent acts; not gone: Events"' in page
    assert [page.count(f'class="is-{each}"') for each in ("done", "left", "working", "waiting")] == [1, 1, 1, 14]


def test_receipts_are_checked_and_handed_over(admin: Client, client_of: Callable[[Role], Client]) -> None:
    erased(closed=True)
    page = text(admin, "/privacy/receipts/")
    assert "Every signature on this page is good" in page
    assert (page.count("good\n"), page.count("broken")) == (0, 0)
    newest = Receipt.objects.latest("serial")
    answer = client_of(Role.VIEWER).get(f"/privacy/receipts/{newest.serial}/")
    assert answer["Content-Disposition"] == f'attachment; filename="receipt-{newest.serial}.json"'
    assert services.verify([json.loads(answer.content)]) == []
    assert admin.get("/privacy/receipts/999999/").status_code == 404


def test_a_receipt_that_does_not_fit_is_named(admin: Client) -> None:
    """One that somebody put in beside us: its signature is another document's."""
    request = erased()
    first = Receipt.objects.get()
    Receipt.objects.create(
        serial=first.serial + 1, request=request, part="closed", document=first.document | {"number": first.serial + 1},
        signature=first.signature, key_id=first.key_id, previous=first.previous, at=timezone.now(),
    )  # fmt: skip
    page = text(admin, "/privacy/receipts/")
    assert "1 receipt on this page does not fit" in page
    assert (page.count("does not fit</span>"), page.count("broken</span>")) == (1, 1)


def test_no_receipt_yet(admin: Client) -> None:
    assert "No receipt yet" in text(admin, "/privacy/receipts/")


def test_receipts_go_on_after_a_backup_was_restored(admin: Client) -> None:
    note_receipt(ReceiptMark(9, 32 * "ab"))
    erased(closed=True)
    page = text(admin, "/privacy/receipts/")
    assert "backup restored" in page
    assert "This database has none after r0." in page
    assert "Every signature on this page is good" in page
    assert "broken" not in page


def test_holders_are_told_in_words(admin: Client) -> None:
    page = text(admin, "/privacy/held/")
    assert page.count('class="lead-cell"') == len(HolderCode)
    assert "What the customer did: views, carts, purchases, refunds, likes and dislikes." in page


def test_somebody_is_held_until_the_hold_is_lifted(admin: Client, client_of: Callable[[Role], Client]) -> None:
    assert "Nobody is held" in text(admin, "/privacy/holds/")
    day = (timezone.localdate() + DAY).isoformat()
    sent = {"user_id": "u1", "anonymous_ids": " v1 \n\nv2", "reason": "Case 7", "until": day}
    assert admin.post("/privacy/holds/new/", sent)["Location"] == "/privacy/holds/"
    stored = LegalHold.objects.earliest("pk")
    digests = [bytes(value) for value in LegalHold.objects.order_by("pk").values_list("digest", flat=True)]
    assert digests == [subject_digest("u1", []), subject_digest(None, ["v1"]), subject_digest(None, ["v2"])]
    page = text(admin, "/privacy/holds/")
    assert "Case 7" in page
    assert "u1" not in page
    viewer = client_of(Role.VIEWER)
    for address in ("/privacy/holds/", f"/privacy/holds/{stored.pk}/"):
        assert "Case 7" not in text(viewer, address), "reasons are for admins"
    for each in (stored, LegalHold.objects.latest("pk")):
        assert f'href="/privacy/holds/{each.pk}/"' in page, "each id is held by itself"
    assert admin.get("/privacy/holds/999999/").status_code == 404


def held(**values: Any) -> LegalHold:
    return LegalHold.objects.create(digest=b"d" * 32, reason="Case 7", since=timezone.now(), **values)


def test_a_hold_is_lifted_for_a_reason_after_it_was_said_what_begins(
    admin: Client, client_of: Callable[[Role], Client]
) -> None:
    stored, other = held(), held()
    address = f"/privacy/holds/{stored.pk}/"
    assert "No erasure waits for it, so none begins." in text(admin, address)
    waiting = request_in(RequestState.HELD, options={"holds": [stored.pk, other.pk]})
    assert "Another hold keeps this person, too" in text(admin, address)
    LegalHold.objects.filter(pk=other.pk).update(until=timezone.now())  # a moment ago, so that nobody has noted it yet
    page = text(admin, address)
    assert "begins within a minute of the lifting, and cannot be undone." in page
    assert f'href="/privacy/{waiting.pk}/"' in page
    assert f'href="/privacy/{waiting.pk}/"' in text(admin, "/privacy/holds/")
    assert f'href="{address}"' in text(admin, f"/privacy/{waiting.pk}/")
    assert f'action="{address}lift/"' in page
    viewer = client_of(Role.VIEWER)
    assert f'action="{address}lift/"' not in text(viewer, address)

    for none in ({}, {"reason": " "}):
        refused = admin.post(f"{address}lift/", none)
        assert refused.status_code == 422
        assert "This field is required" in refused.content.decode()
    assert AuditEntry.objects.filter(verb="lift").count() == 0
    admin.post(f"{address}lift/", {"reason": "Case 7 is closed"})
    assert AuditEntry.objects.get(verb="lift").note == "Case 7 is closed"
    page = text(admin, address)
    assert "The hold is lifted" in page
    assert "Case 7 is closed" in text(admin, "/activity/")
    assert "Case 7 is closed" not in text(viewer, "/activity/"), "reasons are for admins"
    assert f'action="{address}lift/"' not in page
    admin.post(f"{address}lift/", {"reason": "again"})
    assert "The hold had ended already" in text(admin, address)


def test_a_hold_that_a_command_set_says_so(admin: Client) -> None:
    stored = held()
    for address in ("/privacy/holds/", f"/privacy/holds/{stored.pk}/"):
        assert "a command" in text(admin, address), address


def test_who_is_held_is_due_when_the_hold_ends_and_not_before(admin: Client) -> None:
    """Also where the hold outlasts the month: it is neither overdue nor an alarm."""
    waiting = [
        request_in(
            RequestState.HELD, created_at=timezone.now() - 90 * DAY, options={"holds": [held(until=until).pk]}
        )
        for until in (None, timezone.now() + 9 * DAY)
    ]  # fmt: skip
    fresh = request_in(RequestState.RECEIVED)
    page = text(admin, "/privacy/")
    assert listed(page)[0] == str(fresh.pk)
    assert "held until it is lifted" in page
    assert f"held until {day_words(timezone.now() + 9 * DAY)}" in page
    assert "overdue" not in page
    for each in waiting:
        assert "· due " not in text(admin, f"/privacy/{each.pk}/")
    cache.clear()
    assert "A privacy request is older than 20 days" not in text(admin, "/")


def test_a_hold_needs_an_id_a_reason_and_a_day_to_come(admin: Client) -> None:
    answer = admin.post("/privacy/holds/new/", {"until": "2020-01-01"})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "This field is required" in page
    assert "Choose today or a later day." in page
    answer = admin.post("/privacy/holds/new/", {"reason": "Case 7"})
    assert "Type an id, here or among the anonymous ones." in answer.content.decode()
    assert not LegalHold.objects.exists()


def test_few_queries(admin: Client) -> None:
    for _number in range(3):
        erased(closed=True, started_by=Staff.objects.get())
    for address in ("/privacy/", "/privacy/receipts/", "/privacy/held/", "/privacy/holds/"):
        with CaptureQueriesContext(connection) as queries:
            text(admin, address)
        assert len(queries) <= MOST_QUERIES, address


def test_what_waits_too_long_or_failed_is_an_alarm(admin: Client) -> None:
    request_in(RequestState.RECEIVED, created_at=timezone.now() - 21 * DAY)
    request_in(RequestState.FAILED)
    write_down([ErasedId(b"e" * 32, 1, timezone.now(), EraseMode.FORGET)])
    cache.clear()
    page = text(admin, "/")
    assert "The database was restored from a copy of before an erasure" in page
    assert "A privacy request is older than 20 days and not done" in page
    assert "A privacy request failed" in page
    assert 'href="/privacy/?state=failed"' in page
