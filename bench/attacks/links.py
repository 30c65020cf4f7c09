"""Links of mails: does the time of a refusal tell what was wrong with a token? ``make bench-attacks`` runs it.

The attack: somebody sends tokens that they made up, and takes the time of each answer. The bar: the medians of all
kinds of refusals lie within 5 % of each other. They are taken in turns in one process, so a busy machine slows all
alike. What it costs to look a message up is not among them: nothing is looked up before the signature is right.
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.http import HttpResponseBase  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.faults.report import Report, options  # noqa: E402
from recommendations.public.follow import follow_link  # noqa: E402
from recommendations.public.preferences import preference_centre  # noqa: E402
from recommendations.public.unsubscribe import unsubscribe_page  # noqa: E402
from recommendations.services.contacts.tokens import LASTS, LinkKind, SignedLink, token_of  # noqa: E402

WITHIN = 0.05
KNOWN, NOBODY = 7, 2**60  # keys of messages


def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3_000)
    arguments = parser.parse_args(argv)
    report = Report("Refusals of links that are not ours")
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    keys = ["a-key-of-this-bench-of-32-characters"]
    with override_settings(LINK_KEYS=keys, ALLOWED_HOSTS=["testserver"], STORAGES=storages):
        measure(report, arguments)
    return report.end(arguments.json, vars(arguments))


def measure(report: Report, arguments: argparse.Namespace) -> None:
    views = {
        LinkKind.CLICK: follow_link, LinkKind.UNSUBSCRIBE: unsubscribe_page, LinkKind.PREFERENCES: preference_centre,
    }  # fmt: skip
    for kind, view in views.items():
        medians = medians_of(view, wrong_tokens(kind), seed=arguments.seed, rounds=arguments.rounds)
        report.figures[kind.name] = medians
        apart = max(medians.values()) / min(medians.values()) - 1
        words = f"{apart:.1%} apart: " + ", ".join(f"{name} {value:.0f}" for name, value in medians.items()) + " µs"
        report.promise(f"every refusal of {kind.name.lower()} takes as long", words, kept=apart <= WITHIN)


def wrong_tokens(kind: LinkKind) -> Mapping[str, Callable[[], str]]:
    """Ways to make a token that opens nothing, by their names."""
    now = timezone.now()
    known, nobody = (token_of(SignedLink(kind, key), now=now) for key in (KNOWN, NOBODY))
    aged = token_of(SignedLink(kind, KNOWN), now=now - LASTS[kind] - timedelta(days=1))
    of_other = token_of(SignedLink(LinkKind.CONFIRM, KNOWN), now=now)
    return {
        "of a message": lambda: _forged(known),
        "of nobody": lambda: _forged(nobody),
        "swapped": lambda: f"{known.partition('.')[0]}.{nobody.partition('.')[2]}",
        "cut": lambda: known[:-1],
        "aged": lambda: aged,
        "of another kind": lambda: of_other,
    }


def medians_of(
    view: Callable[..., HttpResponseBase], tokens: Mapping[str, Callable[[], str]], *, seed: int, rounds: int
) -> dict[str, float]:
    """Microseconds of a refusal, by what is wrong with the token."""
    rng, requests = random.Random(seed), RequestFactory()  # noqa: S311 - no secret
    times: dict[str, list[int]] = {name: [] for name in tokens}
    for number in range(-rounds // 10, rounds):
        for name in rng.sample(list(tokens), len(tokens)):
            token = tokens[name]()
            request = requests.get("/m/x/y/")
            begin = time.perf_counter_ns()
            answer = view(request, token)
            passed = time.perf_counter_ns() - begin
            if answer.status_code != 404:
                raise ValueError(f"a token that is {name} was let in")
            if number >= 0:  # the first ones warm up
                times[name].append(passed)
    return {name: statistics.median(own) / 1_000 for name, own in times.items()}


def _forged(token: str) -> str:
    """The token with one letter of its signature otherwise."""
    head, dot, signature = token.partition(".")
    return f"{head}{dot}{'B' if signature.startswith('A') else 'A'}{signature[1:]}"


if __name__ == "__main__":
    sys.exit(main())
