"""The figures for Prometheus: right, of all processes together, and there while a server is away."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from kombu import Connection
from prometheus_client.parser import text_string_to_metric_families

from recommendations.engine.push.cases import CaseVerdict, PushCase
from recommendations.models import Alarm, ArmShare, Item, Message, ModelVersion, RateWatch, Reading, Run, RunStage, Unit
from recommendations.privacy_terms import RequestState
from recommendations.push_terms import Channel, MessageState, Verdict
from recommendations.services.access import keys
from recommendations.services.mails.reports import Report, ReportKind
from recommendations.services.mails.returns import ReturnedTo
from recommendations.services.operations import housekeeping, metrics
from recommendations.services.push.coming_back import take_report
from recommendations.services.push.unsubscribing import unsubscribe
from recommendations.store.live import counters
from recommendations.store.live.counters import Counters
from recommendations.store.push import outbox, pace, verdicts
from recommendations.store.serving import slates
from recommendations.store.valkey_keys import COUNTED
from recommendations.terms import Cut, RunStatus, Scope, Stage, VersionStatus
from tests.analytics.pages.privacy.asking import request_in
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import EVENTS, event
from tests.dead_servers import dead_database, dead_valkey
from tests.experiment_records import arms_of, experiment
from tests.push_records import campaign, contact
from tests.store.push.test_outbox import handed, reserve

METRICS = "/metrics"
HOME = "/api/v1/placements/home/recommend/"

type Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(answer: HttpResponse) -> Samples:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def named(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"recsite_{name}", frozenset(labels.items())))


@pytest.fixture
def watcher(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.METRICS_READ)


def test_events_by_verdict(watcher: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    api, row = client_with(Scope.EVENTS_WRITE), event(name="view_homepage", items=[])
    assert (
        api.post(
            EVENTS,
            {
                "events": [
                    row,
                    event(name="view_homepage", items=[]),
                    event(name="view_homepage", items=[]),
                    event(user_id=...),
                    event(name="page_view"),
                ]
            },
        ).status_code
        == 202
    )
    assert api.post(EVENTS, {"events": [row, row]}).status_code == 202
    assert api.post(EVENTS, event(user_id=...)).status_code == 400
    figures = samples(watcher.get(METRICS))
    verdicts = {
        verdict: named(figures, "events_total", verdict=verdict)
        for verdict in ("accepted", "duplicate", "rejected", "ignored")
    }
    assert verdicts == {"accepted": 3, "duplicate": 2, "rejected": 2, "ignored": 1}


def test_requests_and_their_times(watcher: ApiClient) -> None:
    begin = timezone.now()
    for _ in range(3):
        ApiClient().post(EVENTS, {})
    Client().get("/login/")
    took = (timezone.now() - begin).total_seconds()
    watcher.get(METRICS)
    figures = samples(watcher.get(METRICS))
    route = "/api/v1/events/"
    assert named(figures, "requests_total", route=route, method="POST", status="401") == 3
    assert named(figures, "requests_total", route="pages", method="GET", status="200") == 2  # the login and the figures
    counts = [named(figures, "request_seconds_bucket", route=route, le=bucket) for bucket in counters.BUCKETS]
    assert counts == sorted(counts, key=lambda count: count or 0)
    assert counts[-1] == named(figures, "request_seconds_count", route=route) == 3
    assert 0 < (named(figures, "request_seconds_sum", route=route) or 0) < took


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, "0.001"), (0.001, "0.001"), (0.0011, "0.0025"), (99, "+Inf")])
def test_a_time_is_in_the_bucket_that_ends_at_or_after_it(seconds: float, bucket: str) -> None:
    counts = counters.timed(counters.Counted.REQUEST_SECONDS, "x", seconds=seconds)
    assert counts == {("request_seconds", "x", bucket): 1, ("request_seconds", "x", "sum"): round(seconds * 1e6)}


def test_answers_by_source_and_reason(watcher: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="Tea", price=2) for number in range(3))
    shop = client_with(Scope.RECOMMENDATIONS_READ)
    answers = [shop.get(HOME, user_id=f"u{number}", n=2).json() for number in range(4)]
    shop.get(HOME, user_id="u1", dry_run="true")
    slates.log().send()
    assert named(samples(watcher.get(METRICS)), "slates_waiting") == 4
    housekeeping.write_slates()
    figures = samples(watcher.get(METRICS))
    labels = {"placement": "home", "source": answers[0]["source"], "fallback_reason": answers[0]["fallback_reason"]}
    assert labels["fallback_reason"] == "no_model"
    assert named(figures, "answers_total", **labels) == 4
    assert named(figures, "answer_seconds_count", placement="home") == 4
    assert named(figures, "slates_waiting") == 0


def test_age_of_every_stage_and_the_live_versions(watcher: ApiClient) -> None:
    now = timezone.now()
    run = Run.objects.create(now=now)
    for position, (stage, hours) in enumerate([(Stage.COLLECT, 3), (Stage.COLLECT, 2), (Stage.EVALUATE, 1)]):
        RunStage.objects.create(
            run=run, stage=stage, cut=list(Cut)[position], position=position, status=RunStatus.SUCCEEDED,
            finished_at=now - timedelta(hours=hours),
        )  # fmt: skip
    RunStage.objects.create(run=run, stage=Stage.ADJUST, position=9, status=RunStatus.FAILED, finished_at=now)
    assert named(samples(watcher.get(METRICS)), "model_version") is None
    live = ModelVersion.objects.create(
        run=run, status=VersionStatus.READY, is_live=True, live_since=now - timedelta(minutes=5)
    )
    figures = samples(watcher.get(METRICS))
    assert named(figures, "stage_age_seconds", stage="collect") == pytest.approx(7_200, abs=30)
    assert named(figures, "stage_age_seconds", stage="evaluate") == pytest.approx(3_600, abs=30)
    assert named(figures, "stage_age_seconds", stage="adjust") is None
    assert named(figures, "model_version") == live.pk
    assert named(figures, "model_age_seconds") == pytest.approx(300, abs=30)
    assert named(figures, "rules_version") == 0


def test_length_of_the_queues(watcher: ApiClient, valkey: redis.Redis, settings: Any) -> None:
    conf = current_app.conf
    with Connection(settings.REDIS_URL, transport_options=conf.broker_transport_options) as broker:
        producer = broker.Producer(serializer="json")
        for _ in range(3):
            producer.publish({}, routing_key="default", exchange="default", declare=[conf.task_queues[0]])
    figures = samples(watcher.get(METRICS))
    assert named(figures, "queue_length", queue="default") == 3
    assert named(figures, "queue_length", queue="loop") == 0
    assert named(figures, "tasks_taken") == 0


def test_counts_of_all_processes_are_added_up(valkey: redis.Redis) -> None:
    now = [0.0]
    processes = [Counters(clock=lambda: now[0]) for _ in range(3)]
    for request in range(300):
        now[0] += 0.01
        processes[request % 3].add({("events", "accepted"): 2})
    for process in processes:
        process.tell()
    assert counters.totals() == {("events", "accepted"): 600}


def test_a_process_sends_its_counts_once_a_second(valkey: redis.Redis) -> None:
    now = [0.0]
    process = Counters(clock=lambda: now[0])
    for _ in range(1_000):
        process.add({("events", "accepted"): 1})
    assert valkey.exists(COUNTED) == 0
    now[0] = 1.0
    process.add({("events", "accepted"): 1})
    assert valkey.hgetall(COUNTED) == {b"events|accepted": b"1001"}


def test_counts_wait_while_valkey_is_away(valkey: redis.Redis) -> None:
    metrics.count_events({"accepted": 2})
    with dead_valkey():
        assert counters.totals() is None
        metrics.count_events({"accepted": 1, "rejected": 1})
    assert counters.totals() == {("events", "accepted"): 3, ("events", "rejected"): 1}


def test_metrics_are_answered_while_a_server_is_away(transactional_db: None) -> None:
    key, secret = keys.create_key(name="Prometheus", scopes=[Scope.METRICS_READ], by=None)
    watcher = ApiClient(f"Api-Key {key.prefix}.{secret}")
    figures = samples(watcher.get(METRICS))
    assert (named(figures, "up", server="postgresql"), named(figures, "up", server="valkey")) == (1, 1)
    with dead_database():
        figures = samples(watcher.get(METRICS))
    assert (named(figures, "up", server="postgresql"), named(figures, "up", server="valkey")) == (0, 1)
    assert named(figures, "rules_version") is None
    assert named(figures, "slates_waiting") == 0
    with dead_valkey():
        figures = samples(watcher.get(METRICS))
    assert (named(figures, "up", server="postgresql"), named(figures, "up", server="valkey")) == (1, 0)
    assert named(figures, "slates_waiting") is None
    assert named(figures, "rules_version") == 0


def test_alarms_that_nobody_has_seen(watcher: ApiClient) -> None:
    now = timezone.now()
    for rate, silent in (("clicks", False), ("purchases", False), ("revenue", True)):
        RateWatch.objects.create(rate=rate, placement="home", silent=silent, watched_until=now)
    ringing = Alarm.objects.create(
        rate="clicks", placement="home", direction="fall", onset=now, raised_at=now, last_at=now, change=-0.2
    )

    def alarms() -> list[float | None]:
        figures = samples(watcher.get(METRICS))
        return [named(figures, "alarm", rate=rate, placement="home") for rate in ("clicks", "purchases", "revenue")]

    assert alarms() == [1, 0, None]
    ringing.seen_at = now
    ringing.save()
    assert alarms() == [0, 0, None]


def test_metrics_cost_few_queries(watcher: ApiClient, django_assert_max_num_queries: Any) -> None:
    watcher.get(METRICS)
    with django_assert_max_num_queries(8, connection=connection):
        watcher.get(METRICS)


@pytest.mark.parametrize("accept", ["text/plain", "*/*", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"])
def test_metrics_take_the_accept_headers_of_prometheus(watcher: ApiClient, accept: str) -> None:
    watcher.headers["Accept"] = accept
    assert named(samples(watcher.get(METRICS)), "up", server="valkey") == 1


def test_metrics_name_no_customer(watcher: ApiClient, client_with: Callable[..., ApiClient]) -> None:
    client_with(Scope.EVENTS_WRITE).post(EVENTS, event(name="view_homepage", user_id="u-private", items=[]))
    client_with(Scope.RECOMMENDATIONS_READ).get(HOME, user_id="u-private")
    Client().get("/api/v1/items/u-private/tile.svg")
    Client().get("/api/v1/u-private/")
    text = watcher.get(METRICS).content.decode()
    assert "requests_total" in text
    assert "u-private" not in text


def test_an_odd_method_makes_no_label_of_its_own(watcher: ApiClient) -> None:
    for method in ("BREW", "A|B", "TRACE"):
        Client().generic(method, EVENTS)
    figures = samples(watcher.get(METRICS))
    assert named(figures, "requests_total", route=EVENTS, method="other", status="401") == 3


def test_metrics_need_their_own_scope(client_with: Callable[..., ApiClient]) -> None:
    others = [scope for scope in Scope if scope is not Scope.METRICS_READ]
    problem(client_with(*others).get(METRICS), 403)
    problem(ApiClient().get(METRICS), 401)


def test_a_running_experiment_has_its_people_and_the_evidence_against_its_split(watcher: ApiClient) -> None:
    own, draft = experiment(), experiment(status="draft", started_at=None)
    first, second = arms_of(own)
    Unit.objects.bulk_create(
        Unit(
            experiment=own, arm=first if number < 3 else second, unit=number, first_at=timezone.now(), mixed=not number
        )
        for number in range(5)
    )
    ArmShare.objects.create(arm=second, day=timezone.localdate() - timedelta(days=1), share=0.3)
    ArmShare.objects.create(arm=second, day=timezone.localdate(), share=0.4)
    checks = [{"kind": "all", "log_evidence": 2.5}, {"kind": "segment", "log_evidence": 9.0}]
    sums = dict.fromkeys(("y", "yy", "x", "xx", "xy"), 0.0)
    Reading.objects.create(arm=first, metric=own.primary, at=timezone.now(), n=2, facts={"splits": checks}, **sums)
    told = samples(watcher.get(METRICS))
    people = {arm: named(told, "experiment_people", experiment=own.code, arm=arm) for arm in "ab"}
    assert people == {"a": 2, "b": 2}
    assert named(told, "experiment_split_evidence", experiment=own.code) == 2.5
    assert named(told, "bandit_share", experiment=own.code, arm="b") == 0.4
    assert named(told, "experiment_people", experiment=draft.code, arm="a") is None


@pytest.mark.django_db(transaction=True)
def test_messages_to_customers(watcher: ApiClient) -> None:
    empty = samples(watcher.get(METRICS))
    assert named(empty, "messages_waiting", channel="email") == named(empty, "oldest_due_seconds") == 0
    assert named(empty, "provider_up", channel="email") == 1
    made, now = campaign(), timezone.now()
    reserve(made, *(contact(name) for name in ("ann", "bo", "cy")), minutes=-5)
    reserve(made, contact("di"), held=True)
    first, second, third = outbox.lease(Channel.EMAIL, holder="me")
    handed(first)
    outbox.settle(first, MessageState.TAKEN, holder="me")
    outbox.settle(third, MessageState.DUE, holder="me", was=[MessageState.LEASED], after=-300)
    with suppress(ValueError), transaction.atomic():
        outbox.end(made.campaign_id, reason="ended")
        raise ValueError("and it did not happen")
    message = Message.objects.select_related("address__contact").get(pk=second)
    assert message.address is not None
    unsubscribe(message, now=now)
    take_report(Report(kind=ReportKind.COMPLAINT, about=ReturnedTo(is_message=True, key=first)), now=now)
    for _ in range(pace.FAILURES):
        pace.line_failed(Channel.EMAIL)
    figures = samples(watcher.get(METRICS))
    ended = {
        state: named(figures, "messages_total", channel="email", state=state)
        for state in ("taken", "withdrawn", "held", "due")
    }
    assert ended == {"taken": 1, "withdrawn": 1, "held": 1, "due": None}
    assert named(figures, "messages_waiting", channel="email") == 1
    assert 299 < (named(figures, "oldest_due_seconds") or 0) < 360
    assert named(figures, "provider_up", channel="email") == 0
    assert named(figures, "unsubscribes_total") == named(figures, "complaints_total") == 1


def test_verdicts_on_people(watcher: ApiClient, django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    made, ann = campaign(), contact("ann")
    case = PushCase(made.campaign_id, ann.contact_id, "1", timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        verdicts.write(made.pk, [CaseVerdict(case=case, verdict=Verdict.NO_CONSENT)], now=timezone.now())
    assert named(samples(watcher.get(METRICS)), "verdicts_total", verdict="no_consent") == 1


def test_requests_of_privacy_but_for_the_age_of_those_that_are_held(watcher: ApiClient) -> None:
    request_in(RequestState.HELD, created_at=timezone.now() - timedelta(days=90))
    figures = samples(watcher.get(METRICS))
    assert named(figures, "privacy_requests", state="held") == 1
    assert named(figures, "privacy_oldest_seconds") == 0
    request_in(RequestState.RECEIVED)
    assert 3600 <= (named(samples(watcher.get(METRICS)), "privacy_oldest_seconds") or 0) < 3700
