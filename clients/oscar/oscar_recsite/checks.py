"""What is missing, said when the shop starts. What keeps the shop from starting is wrong, not missing."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core import checks

from oscar_recsite import connection
from oscar_recsite.conf import function, is_on, setting
from recsite_client import SettingError

MIDDLEWARE = "oscar_recsite.people.RecsiteMiddleware"
BEFORE = "django.contrib.auth.middleware.AuthenticationMiddleware"
NOT_SET = {
    "RECSITE_URL": ("W001", "nothing is sent, and all slots stay empty", "the address of Recsite, https://recsite.example"),
    "RECSITE_KEY": (
        "W002", "nothing is sent, and all slots stay empty",
        "what `manage.py api_key create` printed at Recsite, with the scopes events:write and recommendations:read",
    ),
    "RECSITE_SHOP_URL": (
        "W003", "items have neither an address nor a picture at Recsite", "the shop's own address, https://shop.example",
    ),
    "RECSITE_CONSENT": (
        "W004", "visitors who are not signed in are strangers to Recsite",
        "a function of a request that says True, False or None (not asked), or to oscar_recsite.people.everybody",
    ),
    "RECSITE_PAGES_KEY": (
        "W005", "impressions of slots are not counted", "a key with events:write for the origin of the shop's pages",
    ),
}  # fmt: skip
"""Of each setting: the warning, what follows, and what to write."""


def register_all() -> None:
    checks.register(missing)
    checks.register(wrong)


def missing(**_given: Any) -> list[checks.CheckMessage]:
    """Warnings of what is not set; without a Recsite nothing but that is worth saying."""
    names = NOT_SET if is_on() else ("RECSITE_URL", "RECSITE_KEY")
    return [
        checks.Warning(f"{name} is not set: {NOT_SET[name][1]}.", hint=f"Set it to {NOT_SET[name][2]}.", id=_id(name))
        for name in names
        if not setting(name)
    ]


def wrong(**_given: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(text, hint=hint, id=f"oscar_recsite.{code}")
        for code, text, hint in (*_clients(), *_middleware(), *_functions(), *_slots())
    ]


def _id(name: str) -> str:
    return f"oscar_recsite.{NOT_SET[name][0]}"


def _clients() -> Iterator[tuple[str, str, str]]:
    if is_on():
        try:
            connection.asking()
            connection.cataloguing()
        except SettingError as error:
            yield "E001", str(error), "Mend RECSITE_URL, RECSITE_KEY, RECSITE_CATALOGUE_KEY or RECSITE_TIMEOUT."


def _middleware() -> Iterator[tuple[str, str, str]]:
    order = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in order:
        yield "E002", f"{MIDDLEWARE} is not in MIDDLEWARE.", f"Put it behind {BEFORE}."
    elif BEFORE in order and order.index(MIDDLEWARE) < order.index(BEFORE):
        yield "E003", f"{MIDDLEWARE} stands before {BEFORE}.", "Put it behind."


def _functions() -> Iterator[tuple[str, str, str]]:
    for name in ("RECSITE_CONSENT", "RECSITE_ITEM"):
        if flaw := _flaw_of(name):
            yield "E004", flaw, "Write the path of a function, such as shop.recsite.consent."


def _flaw_of(name: str) -> str:
    try:
        value = function(name)
    except ImportError as error:
        return f"{name}: {error}"
    return "" if value is None or callable(value) else f"{name} is no function."


def _slots() -> Iterator[tuple[str, str, str]]:
    if not isinstance(setting("RECSITE_SLOTS"), Mapping):
        yield "E005", "RECSITE_SLOTS is no dictionary.", 'Write the heading of each slot: {"home": "For you"}.'
