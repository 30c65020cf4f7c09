"""``manage.py run_loop``: what it says of a run that is not its own."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendations.models import RunLogLine
from recommendations.services.operations.runs import start_run
from recommendations.store.advisory_lock import advisory_lock
from recommendations.terms import RunStatus


def test_a_run_of_another_process_is_left_alone_and_its_log_is_not_told(transactional_db: None) -> None:
    run, said = start_run(by=None, now=timezone.now(), in_worker=False), StringIO()
    RunLogLine.objects.create(run=run, text="1,000 events read")
    type(run).objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    with advisory_lock(run.lock), pytest.raises(CommandError, match="runs elsewhere"):
        call_command("run_loop", stdout=said)
    assert said.getvalue() == ""
