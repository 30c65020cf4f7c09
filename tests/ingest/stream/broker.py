"""A broker in this process: librdkafka's own, which speaks Kafka's protocol on a port of this machine."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, Producer

PARTITIONS = 4  # that the broker gives every topic
SOON = 60.0


class Broker:
    def __init__(self) -> None:
        self.producer = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
        [broker] = self.producer.list_topics(timeout=SOON).brokers.values()
        self.address = f"{broker.host}:{broker.port}"

    def send(self, topic: str, values: Iterable[tuple[str, bytes | None]]) -> None:
        """Put messages, each with its key, into a topic."""
        for key, value in values:
            self.producer.produce(topic, value, key=key)
            if len(self.producer) > 50_000:
                self.producer.flush(SOON)
        assert self.producer.flush(SOON) == 0

    def received(self, topic: str, count: int) -> list[Message]:
        """So many messages of a topic, in order of their partitions."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "test", "auto.offset.reset": "earliest"})
        consumer.subscribe([topic])
        end, messages = time.monotonic() + SOON, list[Message]()
        while len(messages) < count:
            assert time.monotonic() < end, f"{len(messages)} of {count} messages came"
            messages += [each for each in consumer.consume(count, timeout=0.1) if each.error() is None]
        consumer.close()
        return sorted(messages, key=lambda each: (each.partition(), each.offset()))


@contextmanager
def broker() -> Iterator[Broker]:
    """A broker until the block ends."""
    one = Broker()
    yield one
    one.producer.flush(SOON)
