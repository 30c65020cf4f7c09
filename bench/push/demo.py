"""What campaigns promise, on the data of the demo, after it ran: ``make bench-push-demo``. Nothing of it is kept.

Is a plan in time? Are the plans of five campaigns their sendings, to the last person, also where the agent
decides? Does an agent that is out of its mind break a limit, how soon does one stop, and are its groups alike? Did any
message that ever left break a rule? What does a scanner change that opens every link of a hundred mails, and how many
items of the messages had their reader just bought, clicked or been sent? Ends with 1 where a bar is not kept.
"""

import argparse
import email
import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from email import policy
from functools import partial
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bars import Figure, report  # noqa: E402
from bench.meter import metered  # noqa: E402
from bench.push import agent_acts, agent_demo, crowd, five_campaigns  # noqa: E402
from recommendations.models import Address, Contact, MessageEvent, Permission  # noqa: E402
from recommendations.push_terms import MessageEventKind, Verdict  # noqa: E402
from recommendations.services.operations.housekeeping import restore_live_state  # noqa: E402
from recommendations.services.push.deciding import Ground  # noqa: E402
from recommendations.services.push.following import settle_clicks  # noqa: E402
from recommendations.services.push.sendings import plan  # noqa: E402
from recommendations.simulation.message_lists import current_snapshot  # noqa: E402
from recommendations.store.push import outcomes, pressure  # noqa: E402

PLAN_SECONDS = 5.0
MAILS = 100
REPEATS = 0.01
LINK = re.compile(r"https?://[^/\s]+(/m/[^\s\"'<>]+)")


class _UndoneError(Exception):
    """What was written goes."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.push.demo", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".local"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args(argv)
    logging.disable()  # of each link that the scanner opens
    restore_live_state()  # a demo that was just started does so within seconds
    figures = list[Figure]()
    measures: Sequence[Callable[[], list[Figure]]] = (
        planned,
        as_planned,
        *agent_demo.MEASURES,
        *agent_acts.MEASURES,
        partial(scanned, given.data),
    )
    for measure in measures:
        with suppress(_UndoneError), transaction.atomic():
            figures += measure()
            raise _UndoneError
    figures += [*proved(), *repeated()]
    return report(figures, protocol={"data": str(given.data)}, path=given.json)


def planned() -> list[Figure]:
    """The plan of a campaign for everybody, twice."""
    now, figures = timezone.now(), list[Figure]()
    ground = Ground(snapshot=current_snapshot(), rules=crowd.rules(now), now=now)
    draft = crowd.campaign("bench-push", now=now, live=False)
    for number in (1, 2):
        begin = time.process_time()
        with metered() as planning:
            verdicts = plan(draft, ground=ground)
        figures += [
            Figure(f"seconds of plan {number}", planning.seconds, most=PLAN_SECONDS),
            Figure(f"CPU seconds of plan {number}", time.process_time() - begin),
        ]
    going = sum(each.verdict is Verdict.NOW for each in verdicts)
    return [*figures, Figure("people in the plan", len(verdicts)), Figure("of them it goes to", going)]


def as_planned() -> list[Figure]:
    """Five campaigns come beside those of the demo: their plans, and what is decided at the same moment."""
    compared = five_campaigns.compare(now=five_campaigns.next_morning(timezone.now()))
    return [
        Figure("verdicts of five campaigns", compared.verdicts.total(), least=1),
        *(Figure(f"of them {verdict}", count) for verdict, count in sorted(compared.verdicts.items())),
        Figure("verdicts that differ from the plan", compared.different, most=0),
        Figure("waterfalls that do not add up", compared.unsummed, most=0),
    ]


def scanned(data: Path) -> list[Figure]:
    """A scanner asks for every link of mails that arrived, and for its head."""
    before, clicks = _permitted(), _clicks()
    mails = sorted((data / "post").glob("*.eml"))[-MAILS:]
    scanner, answers = Client(HTTP_HOST="localhost"), Counter[int]()
    links = [path for mail in mails for path in _links(mail)]
    for path in links:
        answers.update([scanner.head(path).status_code, scanner.get(path).status_code])
    settle_clicks(now=timezone.now() + timedelta(minutes=1))
    return [
        Figure("mails that a scanner opens", len(mails), least=1),
        Figure("links in them", len(links), least=len(mails)),
        *(Figure(f"answers {status}", count) for status, count in sorted(answers.items())),
        Figure("links that lead nowhere", sum(count for status, count in answers.items() if status >= 400), most=0),
        Figure("permissions, contacts and addresses that changed", len(before ^ _permitted()), most=0),
        Figure("clicks of people that came of it", _clicks() - clicks, most=0),
    ]


def _links(mail: Path) -> set[str]:
    """Paths of the links to Recsite in a mail: in both parts, and in its headers."""
    message = email.message_from_bytes(mail.read_bytes(), policy=policy.default)
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    texts = [*parts, str(message["List-Unsubscribe"] or "")]
    return {path for text in texts for path in LINK.findall(text.replace("&amp;", "&"))}


def _permitted() -> set[tuple[object, ...]]:
    return {
        (model.__name__, *row) for model in (Permission, Contact, Address) for row in model.objects.values_list()
    }  # fmt: skip


def _clicks() -> int:
    return MessageEvent.objects.filter(kind=MessageEventKind.CLICKED).count()


def proved() -> list[Figure]:
    """What the query on the page *Pressure* counts in the whole outbox."""
    proof = pressure.prove(settings.SHOP_TIME_ZONE)
    return [
        Figure("messages that left", proof.messages, least=1),
        Figure("of them broke a limit or quiet hours", proof.broken, most=0),
        Figure("of them under no rules", proof.without_rules),
    ]


def repeated() -> list[Figure]:
    now = timezone.now()
    seen = outcomes.repeats(since=now - timedelta(days=400), until=now)
    return [
        Figure("items in messages", seen.items, least=1),
        Figure("share of them bought or clicked a day before, or sent a week before", seen.share, most=REPEATS),
    ]


if __name__ == "__main__":
    sys.exit(main())
