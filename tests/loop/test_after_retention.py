"""A run of the loop of what retention left."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from recommendations.loop.run import run_loop
from recommendations.models import Event, ModelVersion, RetentionDrop, RetentionRule
from recommendations.privacy_terms import RetentionKind
from recommendations.services.operations.runs import start_run
from recommendations.services.privacy import retention
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.retention import months
from recommendations.terms import RunStatus
from tests.grocery import open_shop
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 28, 6, 0, tzinfo=UTC)


@pytest.fixture
def grocery(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A shop of sixteen weeks, of which June is kept no longer; whatever went is there again afterwards."""
    open_shop(now=NOW)
    before = months.stored_months(months.EVENT, months.SLATE)
    RetentionRule.objects.create(kind=RetentionKind.EVENTS, days=84, note="made", at=NOW - timedelta(days=1))
    assert [drop.partition[-7:] for drop in retention.expire(now=NOW) if drop.rows] == ["2026m06"]
    with artefact_folder(tmp_path / "artefacts"):
        yield
    RetentionDrop.objects.all().delete()
    for month in before:
        prepare_partitions(month.first, month.first, tables=(month.table,))


def test_a_run_learns_from_what_is_left(grocery: None) -> None:
    assert not Event.objects.filter(occurred_at__lt=datetime(2026, 7, 1, tzinfo=UTC)).exists()
    run = start_run(by=None, now=NOW, in_worker=False)
    run_loop(run.pk, clock=timezone.now)
    run.refresh_from_db()
    assert (run.status, run.message) == (RunStatus.SUCCEEDED, "")
    version = ModelVersion.objects.live().get()
    assert (version.run, version.users) == (run, 60)
