"""``manage.py verify_receipt``: whether receipts are as they were signed. It needs neither database nor secret."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.channels import signing
from recommendations.privacy_terms import ReceiptMark


class Command(BaseCommand):
    help = (
        "Says whether receipts are as they were signed, and follow each other. It needs neither database nor secret: "
        "the public keys are a file, as /.well-known/recsite-receipts.json of the installation."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="receipts as the API gives them; -: the input")
        parser.add_argument(
            "--keys", type=Path, required=True, metavar="FILE", help="recsite-receipts.json of the installation"
        )
        parser.add_argument(
            "--chain", action="store_true", help="the file has all that are kept, and the anchor of those that went"
        )
        parser.add_argument(
            "--log", type=Path, metavar="FILE", help="receipts.log, of what was signed: with --chain, what it lacks"
        )

    def handle(
        self, *_args: Any, file: Path, keys: Path, chain: bool, log: Path | None = None, **_options: Any
    ) -> None:  # fmt: skip
        if log is not None and not chain:
            raise CommandError("--log is held against a whole chain: give --chain, too.")
        public, content = _keys(_json_in(keys)), _json_in(file)
        receipts, anchor = _receipts(content), content.get("anchor") if isinstance(content, dict) else None
        if not receipts and log is None:
            raise CommandError("There is no receipt in the file.")
        marks = [] if log is None else _marks_in(log)
        flaws = signing.flaws_of(receipts, public, whole=chain, anchor=anchor)
        if flaws := flaws + signing.flaws_by_log(receipts, marks, anchor=anchor):
            raise CommandError("\n".join(flaws))
        if anchor is not None:
            document = anchor["document"]
            until, rule = f"Up to Receipt {document['through']}", f"older than {document.get('older_than')}"
            self.stdout.write(f"{until} they were let go by the rule, {rule}, as signed on {document.get('signed')}.")
        for each in receipts:
            document = each["document"]
            which = f"Receipt {document['number']} ({document.get('part')}) of request {document.get('request')}"
            self.stdout.write(f"{which}: as it was signed on {document.get('signed')}.")
        if len(receipts) > 1:
            self.stdout.write(f"{len(receipts):,} receipts, each as it was signed.")
        if log is not None:
            self.stdout.write(f"Nothing of the {len(marks):,} in the log is missing.")
            if beyond := {each["document"]["number"] for each in receipts} - {each.number for each in marks}:
                self.stdout.write(f"The log lacks {signing.numbers_text(beyond)}.")


def _json_in(path: Path) -> Any:
    try:
        return json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}.") from error


def _receipts(content: Any) -> list[Any]:
    """Receipts of a file: one, a list, or what the API answers."""
    if isinstance(content, dict) and isinstance(content.get("receipts"), list):
        content = content["receipts"]
    return content if isinstance(content, list) else [content]


def _marks_in(log: Path) -> list[ReceiptMark]:
    try:
        marks = [mark for line in log.read_bytes().splitlines() if (mark := ReceiptMark.of_line(line)) is not None]
    except OSError as error:
        raise CommandError(f"{log} cannot be read: {error.strerror}.") from error
    if not marks:
        raise CommandError(f"There is no receipt in {log}.")
    return marks


def _keys(content: Any) -> dict[str, str]:
    try:
        return {key["id"]: key["public"] for key in content["keys"]}
    except (KeyError, TypeError) as error:
        raise CommandError('The file of keys is like {"keys": [{"id": …, "public": …}]}.') from error
