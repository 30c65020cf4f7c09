"""Metrics of an installation: what was asked, what became of it, what waits, how old everything is.

Counts go up for as long as Valkey keeps them. They are added in memory and sent at most once a second; everything else
is read when somebody asks. A figure whose server does not answer is left out, and ``recsite_up`` says so.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from celery import current_app
from django.db import DatabaseError
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, Value
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from recommendations.models import (
    Alarm,
    Arm,
    ArmShare,
    BlendWeights,
    DueLine,
    Experiment,
    Message,
    ModelVersion,
    PrivacyRequest,
    RateWatch,
    RuleBook,
    RunStage,
    Unit,
)
from recommendations.privacy_terms import DUE, RequestState
from recommendations.push_terms import FINAL, Channel, MessageState
from recommendations.store.experiments.splits import split_evidence
from recommendations.store.live import counters, queues
from recommendations.store.live.counters import BUCKETS, SUM, Counted, Name, timed
from recommendations.store.live.stream_lag import read_lag
from recommendations.store.push.pace import line_state
from recommendations.terms import RunStatus

PREFIX = "recsite_"
COUNTED = (
    (Counted.REQUESTS, "Requests, by route of the API; all pages together.", ("route", "method", "status")),
    (Counted.EVENTS, "Rows of events that the API took in, by verdict.", ("verdict",)),
    (Counted.NEW_PEOPLE, "People whom nobody knew before their event, by the side of the key that told.", ("side",)),
    (
        Counted.EVENTS_REFUSED,
        "Requests of events beyond a quota, by quota; of the quotas of people, who was taken without a name.",
        ("quota",),
    ),
    (
        Counted.ANSWERS,
        "Recommendations given, by where they came from and why not from the model.",
        ("placement", "source", "fallback_reason"),
    ),
    (Counted.MESSAGES, "Messages to customers, by what became of them.", ("channel", "state")),
    (Counted.VERDICTS, "Verdicts on people of campaigns.", ("verdict",)),
    (Counted.UNSUBSCRIBES, "People who unsubscribed by the link of a message.", ()),
    (Counted.COMPLAINTS, "Complaints about messages.", ()),
)
TIMED = (
    (Counted.REQUEST_SECONDS, "Time to answer a request, by route.", "route"),
    (Counted.ANSWER_SECONDS, "Time to make a recommendation, by placement.", "placement"),
)


OPEN = frozenset(MessageState) - FINAL
LINES = "lines"  # of events, for attribution
ALARM_LABELS = ("rate", "placement")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Queue(NamedTuple):
    """What waits in PostgreSQL: since when the oldest is due, and how many there are."""

    oldest: datetime | None
    number: int

    def waits(self, now: datetime) -> float:
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0


NOTHING = _Queue(None, 0)


def count_request(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count a request; ``route`` is the pattern of the address, which names nobody, and unknown methods are one."""
    method = method if method in METHODS else "other"
    time = timed(Counted.REQUEST_SECONDS, route, seconds=seconds)
    counters.counters().add({(Counted.REQUESTS, route, method, str(status)): 1, **time})


def count_events(verdicts: Mapping[str, int]) -> None:
    """Count the rows of one request, given by verdict."""
    counters.counters().add({(Counted.EVENTS, verdict): count for verdict, count in verdicts.items()})


def read_metrics(*, now: datetime) -> list[Metric]:
    counts, waiting, recorded = _counter_metrics(), _waiting(now), _recorded(now)
    up = [("valkey", counts is not None and waiting is not None), ("postgresql", recorded is not None)]
    return [
        _gauge("up", "Whether a server answers.", ("server",), [((name,), float(answers)) for name, answers in up]),
        *(counts or ()),
        *(waiting or ()),
        *(recorded or ()),
    ]


def _counter_metrics() -> list[Metric] | None:
    totals = counters.totals()
    if totals is None:
        return None
    metrics: list[Metric] = []
    for kind, meaning, labels in COUNTED:
        counter = CounterMetricFamily(f"{PREFIX}{kind}", meaning, labels=labels)
        for name, count in totals.items():
            if name[0] == kind:
                counter.add_metric(name[1:], count)
        metrics.append(counter)
    return metrics + [_times(totals, kind, meaning, label) for kind, meaning, label in TIMED]


def _times(totals: Mapping[Name, int], kind: Counted, meaning: str, label: str) -> Metric:
    """Histogram of durations, in which a bucket also counts those before it."""
    times = HistogramMetricFamily(f"{PREFIX}{kind}", meaning, labels=(label,))
    parts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, count in totals.items():
        if name[0] == kind:
            parts[name[1]][name[2]] = count
    for value, counts in parts.items():
        up_to = accumulate(counts.get(bucket, 0) for bucket in BUCKETS)
        buckets = list(zip(BUCKETS, up_to, strict=True))
        times.add_metric((value,), buckets=buckets, sum_value=counts.get(SUM, 0) / 1e6)
    return times


def _waiting(now: datetime) -> list[Metric] | None:
    conf = current_app.conf
    names = [queue.name for queue in conf.task_queues]
    queued = queues.waiting(names, prefix=conf.broker_transport_options["global_keyprefix"])
    lag = read_lag(now=now)
    if queued is None or lag is None:
        return None
    behind = [((topic, str(partition)), number) for (topic, partition), number in sorted(lag.items())]
    lengths = [((queue,), length) for queue, length in queued.tasks.items()]
    return [
        _gauge("queue_length", "Tasks that no worker has taken.", ("queue",), lengths),
        _gauge("tasks_taken", "Tasks that a worker has, and has not finished.", (), [((), queued.taken)]),
        _gauge("slates_waiting", "Answers that are not in the record yet.", (), [((), queued.slates)]),
        _gauge("stream_lag", "Messages of a stream of events still to be read.", ("topic", "partition"), behind),
    ]


def _recorded(now: datetime) -> list[Metric] | None:
    """Metrics of the record, ages in seconds; None where PostgreSQL does not answer."""
    try:
        finished = RunStage.objects.filter(status=RunStatus.SUCCEEDED).order_by().values_list("stage")
        stages = [((stage,), (now - at).total_seconds()) for stage, at in finished.annotate(Max("finished_at"))]
        model = ModelVersion.objects.live().values_list("pk", "live_since").first()
        weights = BlendWeights.objects.defaults().of_group(None).values_list("blend__name", "number")
        versions = [((blend,), number) for blend, number in weights]
        rules = RuleBook.objects.filter(is_default=True).values_list("number", flat=True).first()
        queues_of = _queues_of_record(now)
        tests = _experiments()
        privacy = _privacy(now)
        outbox = _outbox(queues_of, now)
        unseen = Alarm.objects.unseen().filter(rate=OuterRef("rate"), placement=OuterRef("placement"))
        watched = RateWatch.objects.filter(silent=False).values_list("rate", "placement", Exists(unseen))
        alarms = [((rate, placement), float(rings)) for rate, placement, rings in watched]
    except DatabaseError:
        return None
    live = [((), model[0])] if model else []
    lines = queues_of.get(LINES, NOTHING)
    since = [((), (now - model[1]).total_seconds())] if model and model[1] else []
    return [
        _gauge("stage_age_seconds", "Since a stage of the loop was last finished.", ("stage",), stages),
        _gauge("model_version", "The version that is live; none before the first run.", (), live),
        _gauge("model_age_seconds", "Since it went live.", (), since),
        _gauge(
            "weights_version",
            "The weights that are served, but for groups with their own.",
            ("blend",),
            versions,
        ),
        _gauge(
            "attribution_waits_seconds",
            "Since the oldest event line that is due for attribution was.",
            (),
            [((), lines.waits(now))],
        ),
        _gauge("attribution_put_aside", "Event lines that could not be attributed.", (), [((), lines.number)]),
        _gauge("alarm", "1 while a watched rate is out of the ordinary, and nobody has seen it.", ALARM_LABELS, alarms),
        _gauge("rules_version", "The book of rules that is served; 0: none yet.", (), [((), rules or 0)]),
        *tests,
        *outbox,
        *privacy,
    ]


def _queues_of_record(now: datetime) -> dict[str, _Queue]:
    """Queues in PostgreSQL: lines for attribution, of which those put aside are counted; messages by channel."""
    ready = Q(state=MessageState.DUE, due_at__lte=now, campaign__paused_at=None)
    lines = DueLine.objects.order_by().annotate(queue=Value(LINES)).values_list("queue")
    messages = Message.objects.filter(state__in=OPEN).order_by().values_list("channel")
    of_both = lines.annotate(oldest=Min("due_at", filter=Q(fault="")), n=Count("pk", filter=~Q(fault=""))).union(
        messages.annotate(oldest=Min("due_at", filter=ready), n=Count("pk")), all=True
    )
    return {name: _Queue(oldest, count) for name, oldest, count in of_both}


def _outbox(queues_of: Mapping[str, _Queue], now: datetime) -> list[Metric]:
    """Metrics of messages to customers that wait, and of the lines by which they leave."""
    waiting = {channel: queues_of.get(channel, NOTHING) for channel in Channel}
    late = max(queue.waits(now) for queue in waiting.values())
    return [
        _gauge(
            "messages_waiting", "Messages that have not left.", ("channel",),
            [((channel,), queue.number) for channel, queue in waiting.items()],
        ),
        _gauge("oldest_due_seconds", "Since the oldest message that waits was due.", (), [((), late)]),
        _gauge(
            "provider_up", "0 while the line to a channel's provider fails.", ("channel",),
            [((channel,), float(line_state(channel) is None)) for channel in Channel],
        ),
    ]  # fmt: skip


def _experiments() -> list[Metric]:
    """Metrics of the experiments that run; of a bandit also the shares of the last day."""
    arms = list(Arm.objects.filter(experiment__in=Experiment.objects.running()).select_related("experiment"))
    people = dict(Unit.objects.filter(arm__in=arms, mixed=False).values_list("arm").annotate(n=Count("pk")).order_by())
    shares = ArmShare.objects.filter(arm__in=arms, segment=None).order_by("arm", "-day").distinct("arm")
    of_bandits = dict(shares.values_list("arm", "share"))
    return [
        _gauge(
            "experiment_people", "People in a running experiment, by arm.", ("experiment", "arm"),
            [(_names(arm), people.get(arm.pk, 0)) for arm in arms],
        ),
        _gauge(
            "experiment_split_evidence",
            "Evidence, as its logarithm, that people are not split as planned; 6.9 and more: they are not.",
            ("experiment",),
            [((stored.code,), evidence) for stored, evidence in split_evidence({arm.experiment for arm in arms})],
        ),
        _gauge(
            "bandit_share", "Share of the traffic that a bandit gives an arm.", ("experiment", "arm"),
            [(_names(arm), of_bandits[arm.pk]) for arm in arms if arm.pk in of_bandits],
        ),
    ]  # fmt: skip


def _privacy(now: datetime) -> list[Metric]:
    """Metrics of what people asked for and is not over."""
    waiting = list(PrivacyRequest.objects.filter(closed_at=None))
    states = Counter(each.state for each in waiting)
    oldest = min((each.due_at - DUE for each in waiting if each.state is not RequestState.HELD), default=now)
    return [
        _gauge(
            "privacy_requests", "Requests for an export or an erasure that are not over.", ("state",),
            [((state,), states[state]) for state in RequestState if state is not RequestState.DONE],
        ),
        _gauge(
            "privacy_oldest_seconds", "Since the oldest that is not held came, or its hold ended.", (),
            [((), (now - oldest).total_seconds())],
        ),
    ]  # fmt: skip


def _names(arm: Arm) -> tuple[str, str]:
    return arm.experiment.code, arm.letter.lower()


def _gauge(name: str, meaning: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]) -> Metric:
    gauge = GaugeMetricFamily(f"{PREFIX}{name}", meaning, labels=labels)
    for values, value in samples:
        gauge.add_metric(values, value)
    return gauge
