"""``manage.py release``: numbers about many customers with noise, made here, published, withdrawn and listed."""

import time
from argparse import ArgumentParser
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from recommendations.models import Release
from recommendations.privacy_terms import BOUNDS, LEAST_EPSILON, MOST_EPSILON, ReleaseDomain
from recommendations.services.releases import asking, making
from recommendations.services.releases.file import release_csv
from recommendations.services.releases.ledger import BudgetSpentError, ledger

LOOK = 0.2  # seconds between two looks at a release that a worker makes
WEEKS = sorted({weeks for bounds in BOUNDS.values() for weeks in bounds})


class Command(BaseCommand):
    help = "Makes, publishes, withdraws and lists releases: numbers about many customers that hide each of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        make = does.add_parser("make", help="count, draw the noise and store what it leaves; it spends the budget")
        make.add_argument("--of", choices=list(ReleaseDomain), default=ReleaseDomain.TYPES, help="default: types")
        make.add_argument("--weeks", type=int, choices=WEEKS, default=WEEKS[-1], help="default: 4")
        make.add_argument("--until", metavar="DATE", help="its last day; default: last Sunday")
        make.add_argument("--epsilon", default="1", help=f"from {LEAST_EPSILON} to {MOST_EPSILON}; default: 1")
        does.add_parser("list", help="all releases, and what is left of the budget")
        for name, words in (("publish", "let everybody have one"), ("withdraw", "let nobody have it any more")):
            does.add_parser(name, help=words).add_argument("release", help="its number, or the beginning of it")
        file = does.add_parser("file", help="one as CSV")
        file.add_argument("release", help="its number, or the beginning of it")
        file.add_argument("--file", type=Path, metavar="CSV", help="where to write it; default: to the output")

    def handle(self, *_args: Any, does: str, **options: Any) -> None:
        acts = {
            "make": self._make, "list": self._list, "publish": self._publish, "withdraw": self._withdraw,
            "file": self._file,
        }  # fmt: skip
        acts[does](options)

    def _make(self, options: dict[str, Any]) -> None:
        if (remedy := making.missing_noise()) is not None:
            raise CommandError(remedy)
        now = timezone.now()
        ask = asking.ReleaseAsk(
            domain=ReleaseDomain(options["of"]), weeks=options["weeks"], epsilon=_epsilon(options["epsilon"]),
            last_day=_day(options["until"]) or asking.last_sunday(now=now),
        )  # fmt: skip
        try:
            release = asking.ask_release(ask, by=None, now=now)
        except asking.EpsilonOutOfRangeError as error:
            raise CommandError(
                f"--epsilon {options['epsilon']} is no number from {LEAST_EPSILON} to {MOST_EPSILON} with at most "
                "two decimals."
            ) from error
        except asking.PeriodOutOfRangeError as error:
            raise CommandError(
                f"--until {ask.last_day} is no day of the last year that is over, or its weeks are kept no more."
            ) from error
        except BudgetSpentError as error:
            raise CommandError(str(error)) from error
        _wait_for(release)
        self.stdout.write(_line(release))
        if release.drawn_at is None:
            raise CommandError(release.message)

    def _list(self, _options: dict[str, Any]) -> None:
        for release in Release.objects.order_by("created_at"):
            self.stdout.write(_line(release))
        book = ledger(now=timezone.now())
        self.stdout.write(f"ε {book.spent.normalize():f} of {book.budget.normalize():f} spent within 365 days")

    def _publish(self, options: dict[str, Any]) -> None:
        release = _release(options["release"])
        try:
            asking.publish_release(release, by=None, now=timezone.now())
        except asking.ReleaseStateError as error:
            raise CommandError("It is not made, is noise, or is published already.") from error
        self.stdout.write(f"Everybody may have it: /releases/{release.pk}.csv")

    def _withdraw(self, options: dict[str, Any]) -> None:
        try:
            asking.withdraw_release(_release(options["release"]), by=None, now=timezone.now())
        except asking.ReleaseStateError as error:
            raise CommandError("It is not published.") from error
        self.stdout.write("Nobody gets it any more; what it spent stays spent.")

    def _file(self, options: dict[str, Any]) -> None:
        release = _release(options["release"])
        if not release.enough:
            raise CommandError("There is nothing in it to be told.")
        if options["file"] is None:
            self.stdout.write(release_csv(release), ending="")
            return
        try:
            options["file"].write_text(release_csv(release), encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error


def _wait_for(release: Release) -> None:
    """Make it here, or wait for the worker that took it first."""
    making.work(release.pk)
    release.refresh_from_db()
    while release.unfinished:
        time.sleep(LOOK)
        making.work(release.pk)
        release.refresh_from_db()


def _line(release: Release) -> str:
    state = "waits"
    if release.drawn_at is not None:
        state = "public" if release.is_public else "made" if release.enough else "too few customers"
    share = release.expected.get("share")
    expected = "" if share is None else f"{share:.0%} of the first {len(release.rows)} expected to be true"
    return "  ".join(filter(None, [str(release.pk), str(release), state, expected, release.message]))


def _release(beginning: str) -> Release:
    named = [each for each in Release.objects.all() if str(each.pk).startswith(beginning)]
    if len(named) != 1:
        raise CommandError(f"{len(named)} releases begin with {beginning}.")
    return named[0]


def _epsilon(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise CommandError(f"--epsilon {text} is no number.") from error


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--until {text} is no day such as 2027-03-31.")
    return day
