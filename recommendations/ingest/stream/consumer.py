"""Consumer of a Kafka topic of events: at least once from the topic, and once in the record, by the events' ids.

Offsets are committed after the events are, so a consumer that was killed is given again what it may have taken, and the
record knows it. What breaks a rule goes to another topic, with the words that the API would have answered.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from django.db import DatabaseError

from recommendations.ingest.facts import Sender
from recommendations.ingest.refusal import Refusal
from recommendations.ingest.stream.messages import take
from recommendations.store.live.stream_lag import note_lag

MOST, SOON = 1_000, 0.05
"""Messages, and seconds to wait for more of them, that are taken in at once."""
OFTEN = 1.0  # seconds between two words on how far behind it is
LONGEST_PAUSE = 30.0
PATIENCE, DELIVERED = 10.0, 30.0
"""Seconds for which a broker may take to say where the group is, and for which letters may be on their way."""
HOPELESS = frozenset(
    {"UNKNOWN_TOPIC_OR_PART", "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "_AUTHENTICATION"}
)
"""Errors that no further try mends."""
OURS: Mapping[str, object] = {"enable.auto.commit": False, "auto.offset.reset": "earliest"}

log = structlog.get_logger(__name__)


class StreamError(Exception):
    """The stream cannot be read, or what was refused cannot be written; the message says why."""


class EventConsumer:
    """A member of the group that reads a topic; ``options`` are librdkafka's, with servers and group.

    Raises StreamError where one of these is none.
    """

    def __init__(self, options: Mapping[str, object], *, topic: str, letters: str) -> None:
        self._topic, self._letters = topic, letters
        self._lag_noted: datetime | None = None
        self._fatal: KafkaError | None = None
        self._undelivered: KafkaError | None = None
        self.counts: Counter[str] = Counter()
        try:
            self._consumer = Consumer({**options, **OURS, "error_cb": self._hear})
            self._producer = Producer(_without_group(options)) if letters else None
            self._consumer.subscribe([topic])
        except KafkaException as error:
            raise StreamError(error.args[0].str()) from error

    def run(
        self,
        sender: Callable[[], Sender],
        *,
        clock: Callable[[], datetime],
        stop: threading.Event,
        until_end: bool = False,
    ) -> None:
        """Take in what comes until ``stop`` is set, or with ``until_end`` until nothing is left.

        ``sender`` is asked again and again, and may raise what ends it. Raises StreamError.
        """
        pause = 0.0
        try:
            while not stop.wait(pause):
                messages, whose = self._next(), sender()
                if not messages and until_end and self._is_at_end():
                    return
                is_done = not messages or self._passing(partial(self._take, messages, whose, now=clock()))
                pause = 0.0 if is_done else min(2 * pause + 1, LONGEST_PAUSE)
                self._passing(partial(self._note_lag, clock()))
        except KafkaException as error:
            raise StreamError(error.args[0].str()) from error
        finally:
            self._consumer.close()

    def _passing[T](self, work: Callable[[], T]) -> T | None:
        """Do work of which a broker that is away, or parts that went to another member, make nothing but a repetition:
        what was not committed comes again, to whoever has the part then.
        """
        try:
            return work()
        except KafkaException as error:
            self._hear(error.args[0])
            return None

    def _next(self) -> list[Message]:
        messages = []
        for message in self._consumer.consume(MOST, timeout=SOON):
            if (error := message.error()) is None:
                messages.append(message)
            else:
                self._hear(error)
        if self._fatal is not None:
            raise StreamError(self._fatal.str())
        return messages

    def _hear(self, error: KafkaError) -> None:
        """Hear of an error: most pass, and librdkafka tries again by itself."""
        if error.fatal() or error.name() in HOPELESS:
            self._fatal = error
        else:
            log.warning("the stream falters", topic=self._topic, error=error.str())

    def _take(self, messages: Sequence[Message], sender: Sender, *, now: datetime) -> bool:
        """Take messages in; False where they have to be asked for again, as PostgreSQL is away."""
        told = [message for message in messages if message.value() is not None]  # a tombstone tells of no event
        try:
            taken = take([bytes(message.value() or b"") for message in told], sender, now=now)
        except DatabaseError as error:
            log.warning("events of the stream wait for PostgreSQL", topic=self._topic, error=str(error))
            for place in _first(messages):
                self._consumer.seek(place)
            return False
        for number, refusals in taken.refused.items():
            self._put_aside(told[number], refusals)
        self._deliver()
        self.counts += taken.counts
        self._consumer.commit(offsets=_next_places(messages), asynchronous=False)
        return True

    def _deliver(self) -> None:
        """Wait until what was put aside is written. Raises StreamError where it is not: its offset is not committed."""
        late = self._producer.flush(DELIVERED) if self._producer is not None else 0
        if late or self._undelivered:
            why = self._undelivered.str() if self._undelivered else f"nothing within {DELIVERED:g} s"
            raise StreamError(f"What was refused could not be written to {self._letters}: {why}.")

    def _note_delivery(self, error: KafkaError | None, _message: Message) -> None:
        self._undelivered = error or self._undelivered

    def _put_aside(self, message: Message, refusals: Sequence[Refusal]) -> None:
        """Write a message to the topic of what was refused, as it came, with the reasons in its headers."""
        place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        if self._producer is None:
            log.warning("an event of the stream is refused", **place, pointer=refusals[0].pointer)
            return
        errors = json.dumps([{"pointer": one.pointer, "detail": one.reason} for one in refusals], ensure_ascii=False)
        headers: list[tuple[str, str | bytes | None]] = [("errors", errors)]
        headers += [(name, str(value)) for name, value in place.items()]
        try:
            self._producer.produce(
                self._letters, message.value(), key=message.key(), headers=headers, on_delivery=self._note_delivery
            )
        except KafkaException as error:
            raise StreamError(
                f"What was refused could not be written to {self._letters}: {error.args[0].str()}"
            ) from error
        self._producer.poll(0)

    def _note_lag(self, now: datetime) -> None:
        """Say how far behind this member is, once a second."""
        if self._lag_noted is None or (now - self._lag_noted).total_seconds() >= OFTEN:
            self._lag_noted = now
            ends = ((place, self._consumer.get_watermark_offsets(place, cached=True)[1]) for place in self._places())
            note_lag({(place.topic, place.partition): max(0, end - place.offset) for place, end in ends}, at=now)

    def _is_at_end(self) -> bool:
        """Whether all that the topic has was taken; not before this member has a part of it."""
        places = self._places()
        return bool(places) and all(self._consumer.get_watermark_offsets(place)[1] <= place.offset for place in places)

    def _places(self) -> list[TopicPartition]:
        """Where this member goes on in each of its partitions: after what it read, or what others of its group did."""
        places = self._consumer.position(self._consumer.assignment())
        unread = [place for place in places if place.offset < 0]
        committed = self._consumer.committed(unread, timeout=PATIENCE) if unread else []
        places = [*(place for place in places if place.offset >= 0), *committed]
        return [TopicPartition(place.topic, place.partition, max(0, place.offset)) for place in places]


def _without_group(options: Mapping[str, object]) -> dict[str, Any]:
    """Options of a producer: those of a consumer alone would be warned of."""
    mine = ("bootstrap.", "security.", "sasl.", "ssl.", "client.", "message.")
    return {name: value for name, value in options.items() if name.startswith(mine)}


def _first(messages: Sequence[Message]) -> list[TopicPartition]:
    """Where each partition's messages begin."""
    return list({(one.topic(), one.partition()): _place(one) for one in reversed(messages)}.values())


def _next_places(messages: Sequence[Message]) -> list[TopicPartition]:
    """The places behind the last message of each partition."""
    last = {(one.topic(), one.partition()): one for one in messages}
    return [_place(one, ahead=1) for one in last.values()]


def _place(message: Message, *, ahead: int = 0) -> TopicPartition:
    """Where a message that came stands, or so many behind it."""
    return TopicPartition(message.topic() or "", message.partition() or 0, (message.offset() or 0) + ahead)
