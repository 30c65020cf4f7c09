"""Silent addresses."""

from datetime import UTC, datetime, timedelta

import pytest

from recommendations.models import Suppression
from recommendations.push_terms import Channel, SuppressionReason
from recommendations.store.contacts.silence import silence, suppressions

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DIGEST = b"d" * 32


def test_an_address_whose_silence_is_over_can_be_silenced_again() -> None:
    Suppression.objects.create(
        channel=Channel.EMAIL, digest=DIGEST, reason=SuppressionReason.STAFF, until=NOW - timedelta(days=1)
    )
    assert suppressions([DIGEST], now=NOW) == {}
    silence(Channel.EMAIL, DIGEST, reason=SuppressionReason.COMPLAINT, now=NOW)
    assert set(suppressions([DIGEST], now=NOW)) == {DIGEST}


def test_the_first_reason_stays() -> None:
    silence(Channel.EMAIL, DIGEST, reason=SuppressionReason.COMPLAINT, now=NOW)
    silence(Channel.EMAIL, DIGEST, reason=SuppressionReason.UNSUBSCRIBED_ALL, now=NOW)
    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINT
