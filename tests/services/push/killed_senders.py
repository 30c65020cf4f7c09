"""Senders that are killed (-9) again and again: a program beside the test, as a process cannot be killed in a thread.

It forks two senders, kills both at a random moment, takes back what they left, and begins anew; the last ones may end,
and others try again what the channel left to be tried again.
"""

import os
import random
import select
import signal
import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from recommendations.channels.protocol import Outcome  # noqa: E402
from recommendations.push_terms import Channel  # noqa: E402
from recommendations.services.parcels.lines import REPEATING  # noqa: E402
from recommendations.services.push import ticks  # noqa: E402
from recommendations.store.push import outbox  # noqa: E402
from recsite.processes import die_with_parent  # noqa: E402

CHANNEL = Channel(os.environ.get("KILLED_CHANNEL", "email"))
SENDERS = 2
MOST = 10  # times that senders may end and leave something
PATIENCE = 60  # seconds, on a busy machine
_line_goes_on = ticks.line_goes_on


def sender(told: int) -> int:
    """Fork a sender that sends until nothing is due, and writes a byte for each outcome; its process."""
    pid = os.fork()
    if pid == 0:
        die_with_parent(signal.SIGKILL)
        code = 1

        def goes_on(channel: Channel, outcome: Outcome) -> bool:
            os.write(told, b".")
            return _line_goes_on(channel, outcome)

        ticks.line_goes_on = goes_on
        try:
            while outbox.has_due(CHANNEL):
                ticks.send(CHANNEL)
            code = 0
        finally:
            os._exit(code)
    return pid


def take_back() -> bool:
    """Fork who lets the leases of the dead run out and takes back what they held: the servers' clock went on, also for
    what is to be tried again. Whether anything is due.
    """
    pid = os.fork()
    if pid == 0:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE recommendations_message SET lease_until = now() WHERE lease_until IS NOT NULL")
            cursor.execute("UPDATE recommendations_message SET due_at = now() WHERE state = 'due'")
        outbox.reap(repeating=REPEATING)
        os._exit(int(outbox.has_due(CHANNEL)))
    return os.waitpid(pid, 0)[1] != 0


def round_of_kills(rng: random.Random) -> None:
    """Let two senders send some messages, and kill them wherever they are then."""
    telling, told = os.pipe()
    pids = [sender(told) for _ in range(SENDERS)]
    os.close(told)  # the senders' ends are left, so that it ends with them
    for _ in range(rng.randint(3, 12)):
        if not select.select([telling], [], [], PATIENCE)[0] or not os.read(telling, 1):
            break
    time.sleep(rng.uniform(0, 0.02))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(telling)


def main(kills: int, seed: int) -> int:
    rng = random.Random(seed)
    get_resolver().url_patterns  # noqa: B018  # every sender needs the addresses of pictures, and loads all pages for them
    for _ in range(kills):
        round_of_kills(rng)
        take_back()
    telling, told = os.pipe()
    for _ in range(MOST):
        pids = [sender(told) for _ in range(SENDERS)]
        code = max(os.waitpid(pid, 0)[1] for pid in pids)
        if code or not take_back():
            break
    os.close(telling)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
