"""The Celery app: two queues, and what beat starts when.

``loop`` carries the runs of the data loop, their evaluation under other seeds and the demo's replay: one process takes
one at a time. ``default`` carries small tasks. A task that its worker did not finish comes back (late acknowledgement,
look-up every two seconds), so every task is idempotent; a run's argument is its id only.
"""

import os
import signal
from importlib import import_module
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from kombu.entity import Exchange, Queue

from recsite.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
# Django's checks would read every page, of which neither workers nor beat have any.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

_RUN_SECONDS = 60 * 60

app = Celery("recsite")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # for ever
    broker_transport_options={
        "global_keyprefix": "celery:",
        "visibility_timeout": 2 * _RUN_SECONDS,  # above the hard limit, or a long run would be given out twice
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
    },
    task_ignore_result=True,  # a run's row holds what became of it
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=_RUN_SECONDS,
    task_soft_time_limit=_RUN_SECONDS - 60,
    worker_prefetch_multiplier=1,
    worker_max_memory_per_child=4_000_000,  # kB; the task in hand is finished first
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone=settings.SHOP_TIME_ZONE,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="default",
    # Each with an exchange of its own: on a shared one every message would reach both.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in ("default", "loop")],
    task_routes={
        task: {"queue": "loop"}
        for task in ("recommendations.tasks.run_loop", "recommendations.tasks.measure_luck", "demo.tasks.run_replay")
    },
    beat_schedule={
        # What comes again soon does not pile up while no worker runs.
        "watch jobs": {"task": "recommendations.tasks.watch_jobs", "schedule": 15, "options": {"expires": 15}},
        "write slates": {"task": "recommendations.tasks.write_slates", "schedule": 1, "options": {"expires": 10}},
        "restore live state": {
            "task": "recommendations.tasks.restore_live_state",
            "schedule": 10,
            "options": {"expires": 10},
        },
        "write source hours": {
            "task": "recommendations.tasks.write_source_hours",
            "schedule": 30,
            "options": {"expires": 15},
        },
        "prepare partitions": {
            "task": "recommendations.tasks.prepare_partitions",
            "schedule": crontab(hour="0", minute="10"),
        },
        # What was kept long enough goes, by the day of the shop.
        "expire": {"task": "recommendations.tasks.expire", "schedule": crontab(hour="0", minute="20")},
        # Months that a backup held on to go in the same night, once it is done.
        "go on expiring": {
            "task": "recommendations.tasks.go_on_expiring",
            "schedule": crontab(hour="1-6", minute="20"),
            "options": {"expires": 3_000},
        },
        "sweep quarantines": {
            "task": "recommendations.tasks.sweep_quarantines",
            "schedule": 30,
            "options": {"expires": 15},
        },
        "count audiences": {
            "task": "recommendations.tasks.count_audiences",
            "schedule": crontab(minute="*/10"),
            "options": {"expires": 300},
        },
        "keep promises": {
            "task": "recommendations.tasks.keep_promises",
            "schedule": 60,
            "options": {"expires": 15},
        },
        "judge new items": {
            "task": "recommendations.tasks.judge_new_items",
            "schedule": crontab(minute="*/10"),
            "options": {"expires": 300},
        },
        "settle people of experiments": {
            "task": "recommendations.tasks.settle_units",
            "schedule": 60,
            "options": {"expires": 15},
        },
        # A start is sent at once; this is for messages that were lost, and workers that died.
        "begin experiments": {
            "task": "recommendations.tasks.begin_experiments",
            "schedule": 15,
            "options": {"expires": 15},
        },
        "decide pushes": {
            "task": "recommendations.tasks.decide_pushes",
            "schedule": 60,
            "options": {"expires": 15},
        },
        # A channel each, so that none waits for another's provider.
        **{
            f"send pushes by {channel}": {
                "task": "recommendations.tasks.send_pushes",
                "schedule": 5,
                "args": [channel],
                "options": {"expires": 5},
            }
            for channel in ("email", "web_push", "webhook")
        },
        # A night is learned once, after three; the later hours are for one on which no worker ran.
        "teach agent": {
            "task": "recommendations.tasks.teach_agent",
            "schedule": crontab(minute="12"),
            "options": {"expires": 3_000},
        },
        "watch agent": {
            "task": "recommendations.tasks.watch_agent",
            "schedule": crontab(minute="42"),
            "options": {"expires": 3_000},
        },
        "settle pushes": {
            "task": "recommendations.tasks.settle_pushes",
            "schedule": 15,
            "options": {"expires": 15},
        },
        "send confirmations": {
            "task": "recommendations.tasks.send_confirmations",
            "schedule": 30,
            "options": {"expires": 15},
        },
        "read experiments": {
            "task": "recommendations.tasks.read_experiments",
            "schedule": crontab(minute="5"),
            "options": {"expires": 3_000},
        },
        # The day is ticked once; the later hours are for a night on which no worker ran at first.
        "tick bandits": {
            "task": "recommendations.tasks.tick_bandits",
            "schedule": crontab(hour="0-5", minute="10"),
            "options": {"expires": 3_000},
        },
        "judge rates": {
            "task": "recommendations.tasks.judge_rates",
            "schedule": crontab(minute="7"),
            "options": {"expires": 3_000},
        },
        "forget answers": {
            "task": "recommendations.tasks.forget_answers",
            "schedule": crontab(hour="1", minute="0"),
        },
        "forget messages": {
            "task": "recommendations.tasks.forget_messages",
            "schedule": crontab(hour="1", minute="15"),
        },
        # Whether it is due is its own affair (ITEM_FEED_HOURS), so that a restart of beat puts nothing off.
        "look at feed": {"task": "recommendations.tasks.look_at_feed", "schedule": 60, "options": {"expires": 15}},
        # Where a service makes vectors of texts; a turn takes minutes at most, and the next one goes on.
        "embed items": {
            "task": "recommendations.tasks.embed_items",
            "schedule": crontab(minute="5-59/10"),
            "options": {"expires": 300},
        },
        # Where the extra for pictures is installed; likewise.
        "look at pictures": {
            "task": "recommendations.tasks.look_at_pictures",
            "schedule": crontab(minute="2-59/10"),
            "options": {"expires": 300},
        },
        # Requests for privacy: erasures are closed after the next run, what failed is tried again, old files go.
        "close erasures": {"task": "recommendations.tasks.close_erasures", "schedule": 60, "options": {"expires": 15}},
        "forget files": {"task": "recommendations.tasks.forget_files", "schedule": crontab(minute="25")},
        "forget sessions": {"task": "recommendations.tasks.forget_sessions", "schedule": crontab(minute="20")},
        # What other seeds would have made of the live version; it waits for a run that takes longer.
        "measure luck": {
            "task": "recommendations.tasks.measure_luck",
            "schedule": crontab(day_of_week="sunday", hour="5", minute="30"),
        },
        "daily run": {"task": "recommendations.tasks.start_daily_run", "schedule": crontab(hour="3", minute="0")},
    },
)
if settings.DEMO:
    app.conf.beat_schedule["watch replay"] = {
        "task": "demo.tasks.watch_replay",
        "schedule": 10,
        "options": {"expires": 10},
    }
    app.conf.beat_schedule["begin campaigns"] = {
        "task": "demo.tasks.begin_campaigns",
        "schedule": 10,
        "options": {"expires": 10},
    }
    app.conf.beat_schedule["watch A/A"] = {"task": "demo.tasks.watch_aa", "schedule": 15, "options": {"expires": 15}}
    app.conf.beat_schedule["settle unknown"] = {
        "task": "demo.tasks.settle_unknown",
        "schedule": 60,
        "options": {"expires": 15},
    }
app.autodiscover_tasks()


def _die_with_worker(**_fields: Any) -> None:
    """End a pool process with its worker: in the middle of a run it does not look whether the worker still lives."""
    die_with_parent(signal.SIGKILL)


def _wait_for_connections(**_fields: Any) -> None:
    """Wait for a connection as long as a task may, not as a request."""
    import_module("recommendations.services.operations.patience").wait_for_connections()


def _look_at_pictures(**_fields: Any) -> None:
    """Let the pages know at once whether the extra for pictures came, or is gone: it comes and goes with a start."""
    app.send_task("recommendations.tasks.look_at_pictures", expires=300)


worker_ready.connect(_look_at_pictures, weak=False)
worker_process_init.connect(_die_with_worker, weak=False)
worker_process_init.connect(_wait_for_connections, weak=False)
