"""What a job needs of memory is its own, not what its process once took."""

import sys

import pytest
from django.utils import timezone

from recommendations.models import Run
from recommendations.store import jobs
from recommendations.terms import RunStatus

pytestmark = [pytest.mark.django_db, pytest.mark.skipif(sys.platform != "linux", reason="others count on")]
LARGE = 400


def test_the_peak_of_a_job_is_not_that_of_its_process() -> None:
    held = bytearray(LARGE << 20)
    assert jobs.peak_mb() > LARGE
    before = jobs.peak_mb()
    del held
    run = Run.objects.create(now=timezone.now())
    assert jobs.run_job(run, lambda _run: None, clock=timezone.now) is RunStatus.SUCCEEDED
    run.refresh_from_db()
    assert run.peak_mb is not None
    assert run.peak_mb <= before - LARGE // 2
