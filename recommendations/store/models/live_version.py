"""The pointer to the live model version."""

from datetime import datetime

from django.db import transaction

from recommendations.models import ModelVersion, Segment, SegmentState
from recommendations.store.models.live_profiles import replace_live_profiles
from recommendations.terms import VersionStatus


@transaction.atomic
def go_live(version: ModelVersion, *, now: datetime) -> None:
    """Make a version live: everything of it is written, and from here on it is what is served."""
    ModelVersion.objects.live().exclude(pk=version.pk).update(is_live=False)
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionStatus.READY, is_live=True, live_since=now)
    states = {state.segment_id: state for state in SegmentState.objects.filter(version=version)}
    for segment in Segment.objects.filter(pk__in=states):
        state = states[segment.pk]
        segment.size, segment.top_categories, segment.version = state.size, state.top_categories, version
        segment.save(update_fields=["size", "top_categories", "version"])
    replace_live_profiles(version)


def keep_ready(version: ModelVersion) -> None:
    """Mark a version as ready: everything of it is written, but something else stays live."""
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionStatus.READY)


def live_version() -> ModelVersion | None:
    return ModelVersion.objects.live().first()
