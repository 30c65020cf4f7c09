"""Served slates: noted in the process, a moment later in a Valkey stream, from there in batches in PostgreSQL.

Losing an impression is tolerable, so nothing here ever delays or fails an answer; a slate that comes twice is written
once. A process that is killed loses what it served in the last ``PAUSE``.
"""

import atexit
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from uuid import UUID

import msgspec
from django.db.models.expressions import RawSQL
from msgspec.structs import replace

from recommendations.models import Customer, Slate
from recommendations.models.customers import UNIT
from recommendations.store.events.generations import settled
from recommendations.store.live.counters import Counted, Name, counters, timed
from recommendations.store.live.valkey import valkey
from recommendations.store.process_held import at_drop
from recommendations.store.serving.answer_parts import TABLES, AnswerParts, UsedPart, write_parts
from recommendations.store.valkey_keys import SLATES
from recommendations.terms import Way

LONGEST = 200_000  # slates that wait in Valkey; the oldest fall out
HELD = 20_000  # slates that wait in the process while Valkey is away
PAUSE = 0.005  # seconds in which slates come together
AWAY = 0.25  # seconds until the next try where Valkey took none
BATCH = 1_000
SENT_AT_ONCE = 20  # a few: while Valkey takes them in, others who ask it wait

_ADD = """
for at = 2, #ARGV do redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'slate', ARGV[at]) end
"""


class ServedSlate(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``Slate``; customer and unit are None where the answer was not about a person.

    ``layers`` is the generation of the pseudonym that the unit is of.
    ``parts`` are the contents behind the keys of basis, request and state; the first slate of a cached answer has them.
    """

    served_at: str
    recommendation_id: str
    customer_id: int | None
    placement: str
    source: str
    personalised: bool
    fallback_reason: str
    model_version: int | None
    weights_version: int | None
    rules_version: int
    items: list[int]
    scores: list[float]
    propensities: list[float]
    latency_us: int
    places: list[int] = []
    fixed: list[int] = []
    way: Way = Way.AS_RANKED
    arms: list[int] = []
    unit: int | None = None
    layers: int = 1
    visit_weights: int | None = None
    basis: bytes | None = None
    request: bytes | None = None
    state: bytes | None = None
    parts: AnswerParts | None = None

    def row(self) -> Slate:
        """The slate as a row, without its parts."""
        fields = msgspec.structs.asdict(self)
        del fields["parts"], fields["layers"]
        for kind in TABLES:
            fields[kind] = None if fields[kind] is None else UUID(bytes=fields[kind])
        return Slate(**fields)

    def used_parts(self) -> Iterator[UsedPart]:
        on_day = datetime.fromisoformat(self.served_at).astimezone(UTC).date()
        for kind in TABLES:
            key = getattr(self, kind)
            if key is not None:
                content = getattr(self.parts, kind) if self.parts else None
                yield UsedPart(kind, key, on_day, self.customer_id, content)


class Log:
    """The slates of this process that are not in Valkey yet; a thread of its own takes them there."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=HELD)
        self._some = threading.Event()
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, slate: ServedSlate) -> None:
        self._waiting.append(msgspec.msgpack.encode(slate))  # not in the thread: requests would wait for it
        if not self._some.is_set():
            self._some.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="slates")
                self._thread.start()

    def send(self) -> bool:
        """Send what waits now, after what the thread is at, into the stream; False where Valkey did not take it all:
        then it goes on waiting.
        """
        while self._send_some():
            if not self._waiting:
                return True
        return False

    def _send_some(self) -> bool:
        with self._sending:
            slates = [self._waiting.popleft() for _ in range(min(SENT_AT_ONCE, len(self._waiting)))]
            taken = not slates or valkey().ask([("EVAL", _ADD, 1, SLATES, LONGEST, *slates)]) is not None
            if not taken:
                self._waiting.extendleft(reversed(slates))
            return taken

    def clear(self) -> None:
        with self._sending:
            self._waiting.clear()

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            time.sleep(PAUSE if len(self._waiting) <= SENT_AT_ONCE else PAUSE / 5)
            if not self._send_some():
                time.sleep(AWAY)
            if self._waiting:
                self._some.set()


@cache
def log() -> Log:
    """The log of this process."""
    own = Log()
    atexit.register(own.send)
    return own


def append(slate: ServedSlate) -> None:
    """Note a slate, which is in Valkey a moment later."""
    log().add(slate)


def write_now(slate: ServedSlate) -> None:
    """Write a slate within the transaction that is open, for what must not be lost: a message that leaves."""
    slate.row().save(force_insert=True)


at_drop(lambda: log().clear())


def write_slates() -> int:
    """Write everything that waits now into the record; how many slates.

    The unit of a pseudonym that got a layer meanwhile is left out.
    """
    with settled(patient=True) as layers:
        return _write_slates(layers)


def _write_slates(layers: int) -> int:
    log().send()
    written = 0
    while waiting := _in_stream():
        decoded = [_decoded(fields[b"slate"]) for _, fields in waiting]
        slates = _of_the_present([replace(one, unit=None) if one.layers < layers else one for one in decoded])
        write_parts(chain.from_iterable(slate.used_parts() for slate in slates))
        Slate.objects.bulk_create([slate.row() for slate in slates], ignore_conflicts=True)
        counters().add(_counts(slates))
        entries = [entry for entry, _ in waiting]
        valkey().run(lambda pipeline, entries=entries: pipeline.xdel(SLATES, *entries))  # type: ignore[misc]
        written += len(slates)
        if len(waiting) < BATCH:
            break
    return written


def _of_the_present(slates: Sequence[ServedSlate]) -> list[ServedSlate]:
    """Slates without those of people who were erased since: nothing of them is written any more.

    Whoever was erased has no key, or one that says so; of a slate without a key the unit tells who came back since.
    """
    keys = {slate.customer_id for slate in slates if slate.customer_id is not None}
    present = set(Customer.objects.filter(pk__in=keys, erased_at=None).values_list("pk", flat=True))
    units = {slate.unit for slate in slates if slate.customer_id is None and slate.unit is not None}
    anew = Customer.objects.alias(unit=RawSQL(UNIT, ())).filter(unit__in=units, not_before__isnull=False)  # noqa: S611
    since = dict(anew.values_list(RawSQL(UNIT, ()), "not_before")) if units else {}  # noqa: S611
    return [
        slate
        for slate in slates
        if slate.customer_id in present
        or (
            slate.customer_id is None
            and not (slate.unit in since and datetime.fromisoformat(slate.served_at) < since[slate.unit])
        )
    ]


def _decoded(content: bytes) -> ServedSlate:
    """Decode a slate; one that an earlier version left in the stream is JSON."""
    decode = msgspec.json.decode if content.startswith(b"{") else msgspec.msgpack.decode
    return decode(content, type=ServedSlate)


def _counts(slates: Sequence[ServedSlate]) -> Counter[Name]:
    counts: Counter[Name] = Counter()
    for slate in slates:
        counts[Counted.ANSWERS, slate.placement, slate.source, slate.fallback_reason] += 1
        counts.update(timed(Counted.ANSWER_SECONDS, slate.placement, seconds=slate.latency_us / 1e6))
    return counts


def _in_stream() -> list[tuple[bytes, dict[bytes, bytes]]]:
    answers = valkey().run(lambda pipeline: pipeline.xrange(SLATES, count=BATCH))
    return answers[0] if answers else []
