"""Names of segments: kept with a trail, told to the servers, and one for each."""

import pytest
import redis
from django.core.exceptions import ValidationError
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.models import AuditEntry, Segment
from recommendations.services.operations.segments import LONGEST_NAME, rename_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment() -> Segment:
    Segment.objects.create(number=2, name="Families")
    return Segment.objects.create(number=1, automatic_name="Tea & Cups")


def test_a_new_name_leaves_an_audit_entry_and_is_announced(
    segment: Segment, valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert str(rename_segment(segment=segment, name=" Tea \x00  drinkers", by=None)) == "Tea drinkers"
    assert valkey.hexists("live:changed", "catalogue")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.before, entry.after) == ("rename", {"name": ""}, {"name": "Tea drinkers"})
    assert str(rename_segment(segment=segment, name="", by=None)) == "Tea & Cups"
    assert AuditEntry.objects.count() == 2


def test_the_same_name_again_changes_nothing(segment: Segment) -> None:
    rename_segment(segment=segment, name="", by=None)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", ["families", " FAMILIES ", "x" * (LONGEST_NAME + 1)])
def test_an_invalid_name_changes_nothing(segment: Segment, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rename_segment(segment=segment, name=name, by=None)
    assert set(refused.value.message_dict) == {"name"}
    segment.refresh_from_db()
    assert segment.name == ""
    assert not AuditEntry.objects.exists()


def test_a_name_that_another_segment_shows_is_refused(segment: Segment) -> None:
    with pytest.raises(ValidationError):
        rename_segment(segment=Segment.objects.get(number=2), name="Tea & cups", by=None)
