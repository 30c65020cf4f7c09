"""Queues and schedule: a run never waits behind a small task, and what is scheduled exists."""

import json
from inspect import signature

import redis
from celery.schedules import crontab
from celery.signals import worker_ready

from recsite.celery import app


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


def test_runs_have_a_queue_of_their_own() -> None:
    assert queue_of("recommendations.tasks.run_loop") == "loop"
    assert queue_of("recommendations.tasks.measure_luck") == "loop"
    assert queue_of("recommendations.tasks.write_slates") == "default"


def test_a_message_reaches_one_queue_only() -> None:
    bindings = [(queue.exchange.name, queue.routing_key) for queue in app.amqp.queues.values()]
    assert len(set(bindings)) == len(bindings) == 2


def test_every_entry_of_the_schedule_is_a_task() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled <= set(app.tasks)
    assert "recommendations.tasks.run_loop" in app.tasks


def test_every_task_without_arguments_is_scheduled() -> None:
    """Only beat starts a task that takes no argument, but for the replay, which its watch starts."""
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if name.startswith(("recommendations.", "demo."))}
    chores = {name for name, task in ours.items() if not signature(task.run).parameters}
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values() if not entry.get("args")}
    assert chores - {"demo.tasks.run_replay"} == scheduled


def test_the_daily_run_is_at_three_in_the_shop() -> None:
    when = app.conf.beat_schedule["daily run"]["schedule"]
    assert isinstance(when, crontab)
    assert (when.hour, when.minute) == ({3}, {0})


def test_a_long_run_is_not_given_out_twice() -> None:
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit


def test_a_killed_worker_loses_no_task() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_worker_that_starts_has_pictures_looked_at(valkey: redis.Redis) -> None:
    """So that the pages hear at once that the extra came, or is gone."""
    worker_ready.send(sender=None)
    messages = [json.loads(message) for message in valkey.lrange("celery:default", 0, -1)]
    assert [message["headers"]["task"] for message in messages] == ["recommendations.tasks.look_at_pictures"]


def test_frequent_tasks_do_not_pile_up() -> None:
    """Two days without a worker leave no backlog of the tasks that beat sends every few seconds."""
    frequent = [entry for entry in app.conf.beat_schedule.values() if isinstance(entry["schedule"], int)]
    assert len(frequent) == 20
    assert all(entry["options"]["expires"] <= 15 for entry in frequent)
