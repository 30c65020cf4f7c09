"""``manage.py rotate_contacts``: every address under the first of CONTACT_KEYS, so that an old key may go."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.management.progress import Bar
from recommendations.services.contacts.rotation import KeysMissingError, Rotation, rotate
from recommendations.services.endpoints.book import SealBrokenError, reseal_secrets

MOST_NAMED = 100


class Command(BaseCommand):
    help = (
        "Seals every address, and every secret of a webhook, with the first of CONTACT_KEYS. It may be stopped and run "
        "again at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--after", type=int, default=0, metavar="KEY", help="go on behind the address of this primary key"
        )

    def handle(self, *_args: Any, after: int, **_options: Any) -> None:
        rotation = Rotation(last=after)
        try:
            reseal_secrets()
            rotate(rotation, report=Bar(self.stdout))
        except KeysMissingError as error:
            raise CommandError("CONTACT_KEYS is not set; manage.py push_keys makes keys.") from error
        except SealBrokenError as error:
            raise CommandError(
                "No key of CONTACT_KEYS opens the secret of a webhook. Put the key that sealed it back at the end of "
                "CONTACT_KEYS, and run this again."
            ) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                f"{_summary(rotation)} Stopped behind address {rotation.last}; "
                f"run it again, or with --after {rotation.last} to go on there."
            ) from error
        self.stdout.write(_summary(rotation))
        if rotation.broken:
            named = ", ".join(map(str, rotation.broken[:MOST_NAMED]))
            more = len(rotation.broken) - MOST_NAMED
            raise CommandError(
                f"No key of CONTACT_KEYS opens {len(rotation.broken):,} addresses. Put the key that sealed them back "
                f"at the end of CONTACT_KEYS and run this again. Their primary keys: {named}"
                + (f" and {more:,} more." if more > 0 else ".")
            )


def _summary(rotation: Rotation) -> str:
    return (
        f"{rotation.resealed:,} addresses were sealed anew, {rotation.under_first:,} were under the first key already, "
        f"{len(rotation.broken):,} open with no key."
    )
