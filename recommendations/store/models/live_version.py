"""The pointer to the live model version."""

from datetime import datetime

from django.db import transaction

from recommendations.models import ModelVersion
from recommendations.terms import VersionStatus


@transaction.atomic
def go_live(version: ModelVersion, *, now: datetime) -> None:
    """Make a version live: everything of it is written, and from here on it is what is served."""
    ModelVersion.objects.live().exclude(pk=version.pk).update(is_live=False)
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionStatus.READY, is_live=True, live_since=now)


def keep_ready(version: ModelVersion) -> None:
    """Mark a version as ready: everything of it is written, but something else stays live."""
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionStatus.READY)


def live_version() -> ModelVersion | None:
    return ModelVersion.objects.live().first()
