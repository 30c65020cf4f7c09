"""A sender as a worker runs it, until nothing is due: ``python -m bench.push.sender``. It prints its CPU seconds."""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from recommendations.push_terms import Channel  # noqa: E402
from recommendations.services.push import ticks  # noqa: E402
from recommendations.simulation.message_lists import current_snapshot  # noqa: E402
from recommendations.store.push import outbox  # noqa: E402


def main() -> None:
    current_snapshot()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    begin, handed = time.process_time(), 0
    while outbox.has_due(Channel.EMAIL):
        handed += ticks.send()
    sys.stdout.write(f"{handed} {time.process_time() - begin:.3f}\n")


if __name__ == "__main__":
    main()
