"""Messages to the shop's own systems, as Standard Webhooks has it: signed, and at least once under one id.

A receiver that fails again and again is left alone for the life of the line, so that others need not wait for it.
"""

import base64
import hmac
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus

from recommendations.channels.outbound import (
    CutOffError,
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    NotConnectedError,
)
from recommendations.channels.protocol import Gone, Later, Outcome, Parcel, Refused, Taken

PREFIX = "whsec_"
REFUSING = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Answers of a receiver that has read a message and will not have it."""
MOST_FAILURES = 3  # in a row
RESTS = 60.0  # seconds until such a receiver is tried again


def signature_of(secrets: Sequence[str], *, id_: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` of a body: one for each secret (``whsec_…``), as during a rotation two hold."""
    signed = f"{id_}.{timestamp}.".encode() + body
    digests = [hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, "sha256") for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class Webhook:
    """A line to receivers. A parcel's address has the ``url`` and the ``secrets`` that sign, separated by blanks."""

    repeats_safely = True

    def __init__(self, *, client: HttpClient | None = None, clock: Callable[[], float] = time.time) -> None:
        self._client, self._clock = client or HttpClient(), clock
        self._failures: Counter[str] = Counter()

    def hand_over(self, parcel: Parcel) -> Outcome:
        url = parcel.address["url"]
        if self._failures[url] >= MOST_FAILURES:
            return Later("it failed several times: it is left alone for a while", after=RESTS)
        outcome = self._post(parcel, url)
        self._failures[url] = self._failures[url] + 1 if isinstance(outcome, Later) else 0
        return outcome

    def close(self) -> None:
        self._client.close()

    def _post(self, parcel: Parcel, url: str) -> Outcome:
        timestamp = int(self._clock())
        signature = signature_of(
            parcel.address["secrets"].split(), id_=parcel.idempotency_key, timestamp=timestamp, body=parcel.content
        )
        headers = {
            "Content-Type": "application/json",
            "webhook-id": parcel.idempotency_key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
        }
        try:
            return _outcome(self._client.post(url, headers=headers, body=parcel.content))
        except ForbiddenAddressError as error:
            return Later(str(error))
        except NotConnectedError as error:
            return Later(f"no connection: {error}")
        except CutOffError as error:  # repeated, it is known by its id
            return Later(f"no answer: {error}")


def _outcome(answer: HttpAnswer) -> Outcome:
    reason = f"HTTP {answer.status}"
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Taken()
    if answer.status == HTTPStatus.GONE:
        return Gone(reason)
    if answer.status in REFUSING:
        return Refused(reason)
    return Later(reason, after=answer.retry_after)
