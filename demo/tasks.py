"""Celery tasks of the replay: parse, one call."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from demo import aa_experiment, campaigns, replay, settling
from recommendations.tasks import decide_pushes


@shared_task(name="demo.tasks.watch_replay")
def watch_replay() -> bool:
    return replay.watch_replay(now=timezone.now())


@shared_task(name="demo.tasks.watch_aa")
def watch_aa() -> bool:
    return aa_experiment.watch_aa(now=timezone.now())


@shared_task(name="demo.tasks.begin_campaigns")
def begin_campaigns() -> int:
    begun = campaigns.begin_campaigns(now=timezone.now())
    if begun:
        decide_pushes.delay()  # not a minute later: the first mails are awaited
    return begun


@shared_task(name="demo.tasks.run_replay")
def run_replay(key: str) -> str | None:
    del key  # there is one
    door = replay.demo_door()
    return replay.run_replay(door, clock=timezone.now) if door else None


@shared_task(name="demo.tasks.settle_unknown")
def settle_unknown() -> int:
    return settling.settle_unknown(settings.MAILBOX)
