"""What the shop's own systems get: the reference library of Standard Webhooks verifies it, and refuses a replay."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from recommendations.channels.outbound import HttpClient
from recommendations.channels.protocol import Gone, Later, Outcome, Parcel, Refused, Taken
from recommendations.channels.webhook import MOST_FAILURES, RESTS, Webhook
from tests.channels.web_server import Post, WebServer, web_server

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = json.dumps({"type": "recommendations.push", "data": {"user_id": "用户"}}, ensure_ascii=False).encode()
PARCEL = Parcel(message=7, idempotency_key="message-7", address={"url": "", "secrets": NEW}, content=BODY)


@pytest.fixture
def receiver() -> Iterator[WebServer]:
    with web_server(status=204, body=b"") as own:
        yield own


def line_to(receiver: WebServer, *, at: float | None = None) -> Webhook:
    client = HttpClient(trusted=[receiver.origin], timeout=1)
    return Webhook(client=client, clock=time.time if at is None else lambda: at)


def handed_over(receiver: WebServer, *, secrets: str = NEW, at: float | None = None) -> Outcome:
    with closing(line_to(receiver, at=at)) as line:
        return line.hand_over(replace(PARCEL, address={"url": f"{receiver.origin}/hook", "secrets": secrets}))


def verified(post: Post, secret: str) -> object:
    return Reference(secret).verify(post.body, post.headers)


def test_the_reference_library_verifies_it(receiver: WebServer) -> None:
    assert handed_over(receiver) == Taken()
    [post] = receiver.posts
    assert verified(post, NEW) == json.loads(BODY)
    assert post.headers["webhook-id"] == "message-7"
    assert post.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        verified(post, OLD)
    with pytest.raises(WebhookVerificationError):
        verified(replace(post, body=post.body.replace(b"push", b"pull")), NEW)


def test_the_reference_library_refuses_a_replay(receiver: WebServer) -> None:
    assert handed_over(receiver, at=time.time() - 301) == Taken()
    with pytest.raises(WebhookVerificationError, match="too old"):
        verified(receiver.posts[0], NEW)
    moved = {**receiver.posts[0].headers, "webhook-timestamp": str(int(time.time()))}
    with pytest.raises(WebhookVerificationError, match="No matching"):
        verified(replace(receiver.posts[0], headers=moved), NEW)


def test_during_a_rotation_either_secret_verifies_it(receiver: WebServer) -> None:
    assert handed_over(receiver, secrets=f"{NEW} {OLD}") == Taken()
    assert verified(receiver.posts[0], NEW) == verified(receiver.posts[0], OLD)


@pytest.mark.parametrize(("status", "headers", "expected"), [
    (200, {}, Taken()),
    (204, {}, Taken()),
    (410, {}, Gone("HTTP 410")),
    (400, {}, Refused("HTTP 400")),
    (413, {}, Refused("HTTP 413")),
    (422, {}, Refused("HTTP 422")),
    (302, {"Location": "http://169.254.169.254/"}, Later("HTTP 302")),
    (404, {}, Later("HTTP 404")),  # it may be put up in a moment
    (429, {"Retry-After": "30"}, Later("HTTP 429", after=30.0)),
    (500, {}, Later("HTTP 500")),
])  # fmt: skip
def test_each_answer_has_its_meaning(
    receiver: WebServer, status: int, headers: dict[str, str], expected: Outcome
) -> None:
    receiver.status, receiver.headers = status, headers
    assert handed_over(receiver) == expected


def test_what_is_inside_the_network_is_not_spoken_to_and_waits_until_somebody_mends_the_address() -> None:
    with web_server() as inside, closing(Webhook()) as line:
        outcome = line.hand_over(replace(PARCEL, address={"url": inside.origin, "secrets": NEW}))
        assert isinstance(outcome, Later)
        assert inside.connections == 0


def test_a_receiver_that_fails_again_and_again_holds_up_no_other(receiver: WebServer) -> None:
    with web_server(status=204, body=b"") as other, closing(
        Webhook(client=HttpClient(trusted=[receiver.origin, other.origin], timeout=1))
    ) as line:  # fmt: skip
        ill, well = ({"url": each.origin, "secrets": NEW} for each in (receiver, other))
        receiver.status = 500
        outcomes = [line.hand_over(replace(PARCEL, address=ill)) for _ in range(10)]
        assert all(isinstance(outcome, Later) and not outcome.of_line for outcome in outcomes)
        assert len(receiver.posts) == MOST_FAILURES
        assert [outcome.after for outcome in outcomes if isinstance(outcome, Later)][MOST_FAILURES:] == [RESTS] * 7
        assert line.hand_over(replace(PARCEL, address=well)) == Taken()


def test_no_address_and_no_secret_is_in_a_log(receiver: WebServer) -> None:
    receiver.conduct = "cut_after"
    outcome = handed_over(receiver)
    assert "127" not in f"{outcome}"
    assert "whsec" not in f"{PARCEL}{outcome}"
