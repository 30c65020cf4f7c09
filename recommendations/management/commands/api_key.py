"""API keys from the command line, for installs and scripts: make, replace, revoke, list."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.models import ApiKey
from recommendations.services.access import keys
from recommendations.services.access.origins import MOST, NotAnOriginError, TooManyOriginsError
from recommendations.terms import Scope, Side

LONGEST_NAME = 100
FASTEST = 2**31 - 1


class Command(BaseCommand):
    help = "Makes, replaces, revokes or lists API keys. A new key is printed once, alone on its line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        create = does.add_parser("create", help="a new key")
        create.add_argument("name", help="which client uses it")
        create.add_argument("--scope", action="append", required=True, choices=[str(scope) for scope in Scope])
        create.add_argument("--page", action="store_true", help="it stands in a page or an app, where it can be read")
        create.add_argument("--origin", action="append", default=[], help="of pages that may use it")
        for limit in keys.LIMITS:
            create.add_argument(f"--{limit.replace('_', '-')}", type=int, metavar="N")
        rotate = does.add_parser("rotate", help="a new key in the place of an old one")
        rotate.add_argument("prefix", help="what stands before the point in the old key")
        hours = int(keys.GRACE / timedelta(hours=1))
        rotate.add_argument(
            "--grace", type=int, default=hours, metavar="HOURS", help=f"the old one works so long ({hours})"
        )
        revoke = does.add_parser("revoke", help="refuse a key from now on, for good")
        revoke.add_argument("prefix")
        does.add_parser("list", help="prefix, name, state, side, rate, scopes and origins of each")

    def handle(self, *_args: Any, does: str, **options: Any) -> None:
        {"create": self._create, "rotate": self._rotate, "revoke": self._revoke, "list": self._list}[does](options)

    def _create(self, options: dict[str, Any]) -> None:
        limits = {name: options[name] for name in keys.LIMITS}
        least = {name: int(name in keys.NEVER_0) for name in limits}
        if len(options["name"]) > LONGEST_NAME or not all(
            limit is None or least[name] <= limit <= FASTEST for name, limit in limits.items()
        ):
            raise CommandError(f"A name has at most {LONGEST_NAME} characters, a rate is 1 to {FASTEST}.")
        if limits["new_people_per_hour"] is not None and not (options["page"] or options["origin"]):
            raise CommandError("--new-people-per-hour limits a key in a page only: give --page or an --origin, too.")
        try:
            key, secret = keys.create_key(
                name=options["name"],
                scopes=[Scope(scope) for scope in options["scope"]],
                side=Side.PAGE if options["page"] else Side.SERVER,
                origins=options["origin"],
                by=None,
                **limits,
            )
        except NotAnOriginError as error:
            texts = ", ".join(map(repr, error.texts))
            raise CommandError(f"No origin: {texts}. Write scheme and host: https://shop.example") from error
        except TooManyOriginsError as error:
            raise CommandError(f"At most {MOST} origins.") from error
        except keys.ReadablePageKeyError as error:
            raise CommandError(
                "A key in a page has the scope events:write and no other, but with an --origin recommendations:read "
                "and push:subscribe."
            ) from error
        self.stdout.write(f"{key.prefix}.{secret}")

    def _rotate(self, options: dict[str, Any]) -> None:
        if options["grace"] < 0:
            raise CommandError("--grace takes a number of hours from 0 on.")
        try:
            key, secret = keys.rotate_key(key=_key(options["prefix"]), grace=timedelta(hours=options["grace"]), by=None)
        except keys.NotReplaceableError as error:
            raise CommandError("This key was revoked, has expired, or was replaced before; make a new one.") from error
        self.stdout.write(f"{key.prefix}.{secret}")

    def _revoke(self, options: dict[str, Any]) -> None:
        if not keys.revoke_key(key=_key(options["prefix"]), by=None):
            raise CommandError("This key was revoked before, or has expired.")

    def _list(self, _options: dict[str, Any]) -> None:
        for key in ApiKey.objects.all():
            state = _state(key)
            words = [key.prefix, key.name, state, key.side, f"{key.requests_per_minute}/min", *key.scopes, *key.origins]
            self.stdout.write("\t".join(words))


def _key(prefix: str) -> ApiKey:
    try:
        return ApiKey.objects.get(prefix=prefix.partition(".")[0])
    except ApiKey.DoesNotExist as error:
        raise CommandError(f"There is no key {prefix.partition('.')[0]!r}.") from error


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    if key.expires_at is None:
        return "valid"
    return f"until {key.expires_at:%Y-%m-%dT%H:%M:%SZ}" if key.expires_at > timezone.now() else "expired"
