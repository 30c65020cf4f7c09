"""``manage.py privacy``: export and erase people, note what they allow, hold what must be kept, list what was asked."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from recommendations.models import LegalHold, PrivacyRequest
from recommendations.privacy_terms import DataPurpose, EraseMode, PurposeState, RequestState, WordSource
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.customers import BlockedIdError
from recommendations.services.operations.housekeeping import ValkeyAwayError
from recommendations.services.privacy import holds, purposes, receipts
from recommendations.services.privacy.blocks import NotBlockedError, lift_blocks
from recommendations.services.privacy.erasing import held_about
from recommendations.services.privacy.exports import open_export
from recommendations.services.privacy.purposes import SaidOfData
from recommendations.services.privacy.requests import (
    MOST_AT_ONCE,
    EraseAsk,
    ExportAsk,
    ReferenceReusedError,
    ask_erase_many,
    ask_export,
)
from recommendations.services.privacy.sealed import PersonIds, PrivacyKeysMissingError, SealBrokenError
from recommendations.services.privacy.work import do_request

LOOK = 0.2  # seconds between two looks at a request that a worker is at
IDS = "an id of the shop; - reads one from each line of the input, as what is typed here stays in the shell's history"


class Command(BaseCommand):
    help = "Exports and erases people, holds what must be kept, and lists what was asked for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        export = does.add_parser("export", help="all that is held about one person, as a zip")
        export.add_argument("--file", type=Path, required=True, metavar="ZIP", help="where to write it")
        export.add_argument("--lang", choices=["en", "zh-hans"], default="en", help="of the text in it")
        erase = does.add_parser("erase", help="erase people, each line of the input one of them")
        erase.add_argument("--mode", choices=list(EraseMode), default=EraseMode.FORGET)
        erase.add_argument("--reference", help="the shop's own number of it; the same one again is the same request")
        find = does.add_parser("find", help="how much each holder has of somebody")
        hold = does.add_parser("hold", help="keep what is held of somebody, who is then not erased")
        hold.add_argument("--reason", required=True)
        hold.add_argument("--until", metavar="DATE", help="its last day; without it, it lasts until it is lifted")
        unblock = does.add_parser("unblock", help="let an id that was erased with --mode block be somebody new")
        for each in (export, erase, find, hold, unblock):
            each.add_argument("id", help=IDS)
            each.add_argument("--anonymous", action="store_true", help="it is the id of a visitor")
        say = does.add_parser("say", help="note what a customer said of a purpose, as in a letter")
        say.add_argument("purpose", choices=list(DataPurpose))
        say.add_argument("state", choices=list(PurposeState))
        say.add_argument("id", help=IDS)
        say.add_argument("--proof", default="", metavar="TEXT", help="what proves it, such as the letter's number")
        say.set_defaults(anonymous=False)
        lift = does.add_parser("lift", help="end a hold")
        lift.add_argument("hold", type=int, help="its number, as `requests` lists it")
        lift.add_argument("--reason", required=True, help="why; it stays in the trail")
        requests = does.add_parser("requests", help="requests that are not over, and holds that last")
        requests.add_argument("--all", action="store_true", help="those that are over, too")
        chain = does.add_parser("receipts", help="receipts as JSON, for verify_receipt: all, or those of a request")
        chain.add_argument("request", nargs="?", help="its number, or the beginning of it")

    def handle(self, *_args: Any, does: str, **options: Any) -> None:
        acts = {
            "export": self._export, "erase": self._erase, "find": self._find, "hold": self._hold, "lift": self._lift,
            "unblock": self._unblock, "say": self._say, "requests": self._requests, "receipts": self._receipts,
        }  # fmt: skip
        try:
            acts[does](options)
        except (PrivacyKeysMissingError, SealBrokenError, ValkeyAwayError) as error:
            raise CommandError(str(error)) from error

    def _export(self, options: dict[str, Any]) -> None:
        [person] = _people(options, most=1)
        now = timezone.now()
        ask = ExportAsk(user_id=person.user_id, anonymous_ids=person.anonymous_ids, language=options["lang"])
        request = _done(ask_export(ask, by=None, now=now))
        if request.file_until is None:
            raise CommandError(f"{request.state}: {request.message}")
        try:
            with options["file"].open("xb") as file:
                file.writelines(open_export(request, by=None, now=timezone.now()))
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{options['file']} has all that is held. It is not sealed: keep it safe.")

    def _erase(self, options: dict[str, Any]) -> None:
        people = _people(options, most=MOST_AT_ONCE)
        reference = options["reference"]
        if reference and len(people) > 1:
            raise CommandError("A reference is that of one person; leave it out, or erase them one by one.")
        asks = [
            EraseAsk(user_id=each.user_id, anonymous_ids=each.anonymous_ids, mode=EraseMode(options["mode"]),
                     reference=reference)
            for each in people
        ]  # fmt: skip
        try:
            asked = ask_erase_many(asks, by=None, now=timezone.now())
        except ReferenceReusedError as error:
            raise CommandError(f"The reference {error.reference} is that of another request.") from error
        failed = 0
        for request in map(_done, asked):
            gone = sum(entry.get("deleted", 0) + entry.get("changed", 0) for entry in request.counts.values())
            self.stdout.write(f"{request.pk}  {request.state}  {gone:,} deleted or changed  {request.message}".rstrip())
            failed += request.may_resume
        if failed:
            raise CommandError(f"{failed} failed, and are tried again every five minutes.")

    def _find(self, options: dict[str, Any]) -> None:
        [person] = _people(options, most=1)
        for code, number in held_about(person).items():
            self.stdout.write(f"{code:<12} {number:>9,}")

    def _say(self, options: dict[str, Any]) -> None:
        [person] = _people(options, most=1)
        now, proof = timezone.now(), {"reference": options["proof"]} if options["proof"] else {}
        purpose, state = DataPurpose(options["purpose"]), PurposeState(options["state"])
        said = SaidOfData(
            user_id=str(person.user_id), purpose=purpose, state=state, at=now, source=WordSource.STAFF, proof=proof
        )
        try:
            purposes.say(said, now=now)
        except purposes.SaidElsewhereError as error:
            raise CommandError("A yes to messages is about an address: it is said with the contact.") from error
        except BlockedIdError as error:
            raise CommandError("This id was erased and is blocked; nothing is kept of it.") from error
        for each in purposes.standings_of(person):
            self.stdout.write(f"{each.purpose:<12} {'allowed' if each.allowed else 'refused'}")

    def _hold(self, options: dict[str, Any]) -> None:
        [person] = _people(options, most=1)
        try:
            stored = holds.hold(
                person, reason=options["reason"], until=_end_of(options["until"]), by=None, now=timezone.now()
            )
        except NoteNeededError as error:
            raise CommandError("Say why: --reason.") from error
        except holds.HoldEndsBeforeError as error:
            raise CommandError("The hold would be over already: --until takes a day to come.") from error
        self.stdout.write(f"Hold {stored.pk} on {stored}.")

    def _lift(self, options: dict[str, Any]) -> None:
        try:
            stored = LegalHold.objects.get(pk=options["hold"])
            waiting = holds.waiting_for([stored]).get(stored.pk, ())
            beginning = holds.beginning_after(stored, waiting, now=timezone.now())
            holds.lift_hold(stored, reason=options["reason"], by=None, now=timezone.now())
        except NoteNeededError as error:
            raise CommandError("Say why: --reason.") from error
        except (LegalHold.DoesNotExist, holds.HoldIsOverError) as error:
            raise CommandError(f"There is no hold {options['hold']} that lasts.") from error
        self.stdout.write(f"Hold {options['hold']} is over.")
        for each in beginning:
            self.stdout.write(f"The erasure {each.pk} begins within a minute.")

    def _unblock(self, options: dict[str, Any]) -> None:
        [person] = _people(options, most=1)
        try:
            lift_blocks(person, by=None, now=timezone.now())
        except NotBlockedError as error:
            raise CommandError("This id is not blocked.") from error
        self.stdout.write("The block is lifted: from now on the id is somebody new.")

    def _requests(self, options: dict[str, Any]) -> None:
        stored = PrivacyRequest.objects.order_by("created_at")
        for each in stored if options["all"] else stored.filter(closed_at=None):
            due = "" if each.state == RequestState.HELD else f"due {each.due_at:%Y-%m-%d}"
            words = (each.pk, each.kind, each.state, due, each.reference or "", each.message)
            self.stdout.write("  ".join(map(str, words)).rstrip())
        for hold in holds.lasting_holds(now=timezone.now()):
            until = f"until {hold.until:%Y-%m-%d}" if hold.until else "until it is lifted"
            self.stdout.write(f"hold {hold.pk}  {hold}  since {hold.since:%Y-%m-%d} {until}  {hold.reason}")

    def _receipts(self, options: dict[str, Any]) -> None:
        anchor = None
        if not options["request"]:
            handed, anchor = receipts.chain(), receipts.stored_anchor()
        else:
            named = [each for each in PrivacyRequest.objects.all() if str(each.pk).startswith(options["request"])]
            if len(named) != 1:
                raise CommandError(f"{len(named)} requests begin with {options['request']}.")
            handed = receipts.envelopes(named[0])
        content = {"anchor": anchor, "receipts": handed} if anchor else {"receipts": handed}
        self.stdout.write(json.dumps(content, ensure_ascii=False, indent=1))


def _people(options: dict[str, Any], *, most: int) -> Sequence[PersonIds]:
    """Who is meant, one or more, by the argument or by lines of the input."""
    lines = sys.stdin.read().splitlines() if options["id"] == "-" else [options["id"]]
    ids = [line.strip() for line in lines if line.strip()]
    if not 1 <= len(ids) <= most:
        raise CommandError(f"1 to {most:,} ids are taken, one a line; here are {len(ids):,}.")
    return [PersonIds(anonymous_ids=(each,)) if options["anonymous"] else PersonIds(user_id=each) for each in ids]


def _done(request: PrivacyRequest) -> PrivacyRequest:
    """The request, once it is done here, or by the worker that took it first."""
    do_request(request.pk)
    request.refresh_from_db()
    while request.unfinished and not request.options.get("holds"):
        time.sleep(LOOK)
        do_request(request.pk)
        request.refresh_from_db()
    return request


def _end_of(day: str | None) -> datetime | None:
    """The end of a day in the shop's time zone; None without one."""
    if day is None:
        return None
    try:
        parsed = parse_date(day)
    except ValueError:
        parsed = None
    if parsed is None:
        raise CommandError(f"--until {day} is no day such as 2027-03-31.")
    return timezone.make_aware(datetime.combine(parsed, datetime.max.time()))
