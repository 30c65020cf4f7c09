"""How long things are kept: what staff see, and the change of a rule, whose price is told before it is saved."""

import html
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import AuditEntry, Customer, Event, RetentionDrop, RetentionRule
from recommendations.privacy_terms import RetentionKind
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Role

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
RULE = "/privacy/retention/events/"
MOST_QUERIES = 12


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


@pytest.fixture
def admin(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.ADMIN)


@pytest.fixture
def old_customer() -> Customer:
    """Somebody whose one act is two hundred days old."""
    now = timezone.now()
    prepare_partitions(now - 200 * DAY, now)
    whose = Customer.objects.create(pseudonym=b"1" * 32)
    for customer, at in ((whose, now - 200 * DAY), (None, now)):
        Event.objects.create(occurred_at=at, event_id=uuid.uuid4(), name="view_item", customer=customer)
    return whose


def test_everybody_sees_how_long_things_are_kept(client_of: Callable[[Role], Client]) -> None:
    RetentionDrop.objects.create(
        kind=RetentionKind.EVENTS, partition="recommendations_event_y2024m03", rows=12_345, size=2_000_000, customers=7
    )
    reader = client_of(Role.VIEWER)
    page = text(reader, "/privacy/retention/")
    assert all(f"{days} days" in page for days in ("730", "400", "30", "1,095"))
    assert "Events 2024-03" in page
    assert "12,345" in page
    assert "ANSWERS_DAYS" in page
    assert RULE not in page
    with CaptureQueriesContext(connection) as queries:
        reader.get("/privacy/retention/")
    assert len(queries) <= MOST_QUERIES


def test_lists_follow_events(admin: Client) -> None:
    RetentionRule.objects.create(kind=RetentionKind.EVENTS, days=100, note="our policy")
    assert "as events; its own rule: 400" in text(admin, "/privacy/retention/")


def test_the_price_of_a_change_is_told_before_it_is_saved(admin: Client, old_customer: Customer) -> None:
    page = text(admin, f"{RULE}?days=100")
    assert "Events: about 1 row, the month" in page
    assert "1 customer would be unknown." in page
    assert "How often somebody buys something again is counted over 112 days." in page
    assert "Keep it for 100 days" in page
    assert not RetentionRule.objects.exists()
    assert "The next night deletes nothing." in text(admin, f"{RULE}?days=1000")

    answer = admin.post(RULE, {"days": "100", "note": " "})
    assert answer.status_code == 422
    assert "Keep it for 100 days" in answer.content.decode()
    assert not RetentionRule.objects.exists()
    answer = admin.post(RULE, {"days": "100", "note": "Decided by the board."}, follow=True)
    assert "The rule is saved." in answer.content.decode()
    assert [(rule.days, rule.note) for rule in RetentionRule.objects.all()] == [(100, "Decided by the board.")]
    entry = AuditEntry.objects.get(object_type="retentionrule")
    assert (entry.before, entry.after) == ({"days": 730}, {"days": 100})
    assert "Decided by the board." in text(admin, RULE)
    assert "Retention rule" in text(admin, "/activity/")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ("83", "From 84 to 3,650 days."), ("1000000", "From 84 to 3,650 days."), ("0", "From 84 to 3,650 days."),
        ("730", "It is kept for so many days already."), ("two", "Type a whole number of days."),
        ("-5", "From 84 to 3,650 days."), ("", "This field is required."),
    ],
)  # fmt: skip
def test_days_that_cannot_be(admin: Client, days: str, said: str) -> None:
    page = text(admin, f"{RULE}?days={days}")
    assert said in page
    assert '<form method="post"' not in page.replace("'", '"').partition("<main")[2]
    assert admin.post(RULE, {"days": days, "note": "why"}).status_code == 422
    assert not RetentionRule.objects.exists()


def test_there_is_no_rule_of_what_has_none(admin: Client) -> None:
    text(admin, "/privacy/retention/exports/", status=404)


def test_what_is_kept_too_long_is_an_alert(admin: Client) -> None:
    entry = AuditEntry.objects.create(verb="change", object_type="item", object_id="1")
    AuditEntry.objects.filter(pk=entry.pk).update(at=timezone.now() - 1_200 * DAY)
    cache.clear()
    assert "Kept longer than the rule says: Audit trail." in text(admin, "/")
    assert "should be gone" in text(admin, "/privacy/retention/")
