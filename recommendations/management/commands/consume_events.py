"""``manage.py consume_events TOPIC``: events of a Kafka topic into the record, as they come."""

import signal
import threading
from argparse import ArgumentParser
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.ingest.facts import Sender
from recommendations.services.access.keys import key_called
from recommendations.terms import Scope, Side

MISSING = "confluent-kafka is not installed here: pip install --require-hashes -r requirements/stream.txt"


class Command(BaseCommand):
    help = "Takes in the events of a Kafka topic until it is stopped; needs the extra stream."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topic", help="whose messages are bodies as POST /api/v1/events/ takes them")
        parser.add_argument("--key", required=True, metavar="PREFIX", help="of the API key as whose events they count")
        parser.add_argument("--bootstrap-server", required=True, metavar="HOST:PORT,…", help="where the brokers are")
        parser.add_argument("--group", default="recsite", help="of consumers that share the topic (default recsite)")
        parser.add_argument("--letters", default="", metavar="TOPIC", help="to which refused messages go")
        parser.add_argument(
            "--config", type=Path, metavar="FILE", help="more options, a line name=value each, as librdkafka has them"
        )
        parser.add_argument("--until-end", action="store_true", help="stop when nothing is left")

    def handle(
        self,
        *,
        topic: str,
        key: str,
        bootstrap_server: str,
        group: str,
        letters: str,
        config: Path | None,
        until_end: bool,
        **_options: Any,
    ) -> None:
        if find_spec("confluent_kafka") is None:
            raise CommandError(MISSING)
        stream = import_module("recommendations.ingest.stream.consumer")
        if letters == topic:
            raise CommandError(f"--letters {letters} is the topic that is read: what is refused would come for ever.")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        _sender(key)
        named = {"bootstrap.servers": bootstrap_server, "group.id": group}
        try:
            consumer = stream.EventConsumer({**_config_of(config), **named}, topic=topic, letters=letters)
            consumer.run(lambda: _sender(key), clock=timezone.now, stop=stop, until_end=until_end)
        except stream.StreamError as error:
            raise CommandError(f"{topic}: {error}") from error
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(consumer.counts.items()))
        self.stdout.write(f"{topic}: {counts or 'no event'}")


def _sender(prefix: str) -> Sender:
    """The sender as whose events they count. Raises CommandError where the key is none, or was revoked."""
    key = key_called(prefix)
    if key is None:
        raise CommandError(f"No valid API key begins with {prefix}; `api_key list` shows them.")
    if key.side is not Side.SERVER or Scope.EVENTS_WRITE not in key.scopes:
        raise CommandError(f"The API key {prefix} is not of a server, or lacks {Scope.EVENTS_WRITE}.")
    return Sender(key.pk, key.side)


def _config_of(path: Path | None) -> dict[str, str]:
    """Options of a file. Raises CommandError, which never quotes a value: it may be a password."""
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    options: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not (name and equals):
            raise CommandError(f"{path}, line {number}: write name=value, or # before a remark.")
        options[name] = value
    return options
