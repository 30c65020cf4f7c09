"""What campaigns cost: ``make bench-push``, in an empty PostgreSQL and Valkey of its own.

A shop of invented customers learns in one run of the loop. A plan for all of them is made, as the review of a campaign
does; then two campaigns are decided for some thousands of those who bought, and sent by two senders to the demo's post
office: from due to taken, with addresses sealed, the last look, lists with reasons, slates and signed links. Ends with
1 where a bar is not kept.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bars import Figure, report, say  # noqa: E402
from bench.meter import Progress, metered  # noqa: E402
from bench.push import crowd  # noqa: E402
from bench.push.planner import planned  # noqa: E402
from recommendations.loop.run import run_loop  # noqa: E402
from recommendations.models import Customer, Message  # noqa: E402
from recommendations.push_terms import Channel, MessageState  # noqa: E402
from recommendations.services.operations.runs import start_run  # noqa: E402
from recommendations.services.push.sendings import decide_pushes  # noqa: E402
from recommendations.store.live import writes  # noqa: E402
from recommendations.store.push import outbox  # noqa: E402
from recommendations.store.temp_tables import run  # noqa: E402
from recommendations.terms import RunStatus  # noqa: E402
from recsite.processes import spawn, stop  # noqa: E402
from recsite.supervisor import post_environment  # noqa: E402

PEOPLE, QUICK = 100_000, 2_000
SENDERS, MAILS, A_MINUTE = 2, 4_000, 3_000.0
PACE = "1000000"  # mails a minute, so that only the machine is in the way


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(
        prog="python -m bench.push", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--people", type=int, default=PEOPLE)
    options.add_argument(
        "--buyers", type=int, default=PEOPLE, help="of them, who bought: to others there is nothing to say"
    )
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--quick", action="store_true", help=f"{QUICK:,} customers, and nothing judged")
    options.add_argument("--silent", action="store_true", help="no progress on standard error")
    given = options.parse_args(argv)
    tell = Progress(silent=given.silent)
    people = QUICK if given.quick else given.people
    call_command("migrate", verbosity=0, interactive=False)
    if Customer.objects.exists():
        say("The database is not empty: it may be somebody's.")
        return 2
    now = timezone.now()
    buyers = min(given.buyers, people)
    crowd.fill(people, buyers=buyers, seed=given.seed, now=now, tell=tell)
    with metered() as learning:
        job = start_run(by=None, now=now, seed=given.seed, in_worker=False)
        if run_loop(job.pk, clock=timezone.now) is not RunStatus.SUCCEEDED:
            job.refresh_from_db()
            raise SystemExit(f"the run ended as {job.status}: {job.message}")
    writes.rebuild()
    tell(f"learned in {learning.seconds:.0f} s")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:  # as a plan is made, apart from a run
        figures = worker.submit(planned, people, buyers=buyers).result()
    figures += sent(min(MAILS, buyers), tell=tell)
    protocol = {"people": people, "buyers": buyers, "seed": given.seed, "quick": given.quick, "senders": SENDERS}
    return report(figures, protocol=protocol, path=given.json, judged=not given.quick)


def sent(mails: int, *, tell: Progress) -> list[Figure]:
    """Mails a minute by two senders, from due to taken by a real server."""
    now = timezone.now()
    crowd.rules(now, caps=False)
    some = crowd.audience(mails)
    for name, placement in (("first", "home"), ("second", "discover")):
        crowd.campaign(name, now=now, placement=placement, audiences=[some])
    decide_pushes(now=now)
    # Some of what was reserved is enough; a sample of it, so that it is both campaigns'.
    run(
        "UPDATE recommendations_message SET state = 'withdrawn' WHERE state = 'due' AND id NOT IN "
        "(SELECT id FROM recommendations_message WHERE state = 'due' ORDER BY hashint8(id) LIMIT %(mails)s)",
        mails=mails,
    )
    due = Message.objects.filter(state=MessageState.DUE).count()
    tell(f"{due:,} mails are due")
    with tempfile.TemporaryDirectory() as folder, post(Path(folder)) as environment:
        argv = [sys.executable, "-m", "bench.push.sender"]
        senders = [
            subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(SENDERS)
        ]
        for each in senders:
            answer(each)
        begin = time.monotonic()
        for each in senders:
            tell_on(each)
        lines = [answer(each).split() for each in senders]
        seconds = time.monotonic() - begin
        for each in senders:
            each.communicate()
        arrived = len(list((Path(folder) / "post").glob("*.eml")))
    taken = Message.objects.filter(state=MessageState.TAKEN).count()
    return [
        Figure("mails that were due", due),
        Figure("mails taken", taken, least=due, most=due),
        Figure("mails in the post office", arrived, least=due, most=due),
        Figure("still due", float(outbox.has_due(Channel.EMAIL)), most=0),
        Figure("mails a minute, two senders", taken / seconds * 60, least=A_MINUTE),
        Figure("CPU ms of a sender a mail", 1_000 * sum(float(cpu) for _, cpu in lines) / max(taken, 1)),
    ]


@contextmanager
def post(folder: Path) -> Iterator[dict[str, str]]:
    """The demo's post office, and the environment of those who send to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    argv = (sys.executable, "-m", "recsite.post", "--folder", str(folder / "post"), "--port", str(port))
    office = spawn(argv, stop=signal.SIGTERM)
    try:
        while not is_open(port):
            time.sleep(0.05)
        yield os.environ | post_environment(port) | {
            "PUSH_EMAIL_PER_MINUTE": PACE, "PUSH_FROM": "push@shop.example", "POSTAL_ADDRESS": "1 Market Square",
        }  # fmt: skip
    finally:
        stop(office, number=signal.SIGTERM, seconds=5)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answer(sender: subprocess.Popen[str]) -> str:
    return sender.stdout.readline() if sender.stdout else ""


def tell_on(sender: subprocess.Popen[str]) -> None:
    if sender.stdin:
        sender.stdin.write("go\n")
        sender.stdin.flush()


if __name__ == "__main__":
    sys.exit(main())
