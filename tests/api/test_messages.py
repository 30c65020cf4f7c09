"""``/api/v1/users/{user_id}/messages/``: what became of each message, page by page, and no address anywhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from recommendations.models import Address, Customer, CustomerAlias
from recommendations.push_terms import MessageState
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, problem
from tests.push_records import NOW, contact
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
MESSAGES = "/api/v1/users/u1/messages/"


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.CONTACTS_READ)


@pytest.fixture
def own() -> Address:
    return contact("u1")


def test_a_message_is_told_with_its_campaign_times_and_list(server: ApiClient, own: Address) -> None:
    stored = message(own, recommendation_id="r-1", settled_at=NOW)
    [given] = server.get(MESSAGES).json()["messages"]
    assert given.pop("created_at")
    assert given == {
        "message_id": str(stored.pk), "campaign": "campaign-0", "purpose": "for_you", "channel": "email", "key": "1",
        "state": "taken", "reason": None, "due_at": "2026-09-01T10:00:00Z", "handed_at": "2026-09-01T11:00:00Z",
        "settled_at": "2026-09-01T12:00:00Z", "expires_at": "2026-09-02T12:00:00Z", "recommendation_id": "r-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        (MessageState.REFUSED, "550 5.7.1 <u1@example.com>: not you", "provider"),
        (MessageState.WITHDRAWN, "done_already", "done_already"), (MessageState.WITHDRAWN, "ended", "campaign_ended"),
        (MessageState.DUE, "quiet hours", "quiet_hours"), (MessageState.DUE, "", None),
        (MessageState.UNKNOWN, "the sender ended", "sender_ended"),
        (MessageState.EXPIRED, "too late", "too_late"), (MessageState.TAKEN, "250 ok u1@example.com", None),
    ],
)  # fmt: skip
def test_why_is_a_code_and_never_a_servers_own_words(
    server: ApiClient, own: Address, state: MessageState, reason: str, code: str | None
) -> None:
    message(own, state=state, reason=reason)
    answer = server.get(MESSAGES)
    assert answer.json()["messages"][0]["reason"] == code
    assert b"example.com" not in answer.content


def test_what_was_held_back_for_comparison_is_no_message_of_theirs(server: ApiClient, own: Address) -> None:
    held = [message(own, state=MessageState.HELD, due_at=NOW + timedelta(hours=number)).pk for number in (1, 2)]
    sent = message(own)
    page = server.get(MESSAGES, n=1).json()
    assert ([each["message_id"] for each in page["messages"]], page["next"]) == ([str(sent.pk)], None)
    assert server.get(MESSAGES, n=1, before=max(*held, sent.pk) + 1).json()["messages"] == page["messages"]


def test_pages_follow_each_other_and_leave_nothing_out(server: ApiClient, own: Address) -> None:
    keys = [message(own, due_at=NOW + timedelta(hours=number)).pk for number in range(5)]
    got, before = list[str](), None
    for expected in (2, 2, 1):
        page = server.get(MESSAGES, n=2, **({"before": before} if before else {})).json()
        assert len(page["messages"]) == expected
        got += [each["message_id"] for each in page["messages"]]
        before = page["next"]
    assert (got, before) == ([str(key) for key in reversed(keys)], None)


def test_messages_of_the_visitor_they_were_are_theirs_and_no_others(server: ApiClient, own: Address) -> None:
    visitor = contact("v1")
    Customer.objects.filter(pk=visitor.contact_id).update(kind=CustomerKind.ANONYMOUS)
    message(visitor)
    message(contact("u2"))
    assert server.get(MESSAGES).json()["messages"] == []
    CustomerAlias.objects.create(anonymous_id=visitor.contact_id, customer_id=own.contact_id, source="api")
    assert len(server.get(MESSAGES).json()["messages"]) == 1
    problem(server.get("/api/v1/users/v1/messages/"), 404)
    problem(server.get("/api/v1/users/nobody/messages/"), 404)
    assert not Customer.objects.filter(pseudonym=pseudonym("nobody")).exists()


@pytest.mark.parametrize(
    "query", [{"n": 0}, {"n": 101}, {"before": "x"}, {"before": 0}, {"before": 2**63}, {"page": 2}]
)
def test_a_query_that_does_not_fit_is_refused(server: ApiClient, own: Address, query: dict[str, object]) -> None:
    assert problem(server.get(MESSAGES, **query), 400)["errors"]


def test_what_a_mail_server_said_is_told_by_a_code_and_not_repeated(server: ApiClient, own: Address) -> None:
    hostile = "550 </script><img src=x onerror=alert(1)>{{ 913*17 }}\u2028"
    message(own, state=MessageState.REFUSED, reason=hostile)
    answer = server.get(MESSAGES)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert answer.json()["messages"][0]["reason"] == "provider"
    assert b"alert" not in answer.content
