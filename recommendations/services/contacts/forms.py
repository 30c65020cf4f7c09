"""What a shop says of a contact: the form of a body or a row, and the rules that it keeps."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, Struct, UnsetType

from recommendations.fields import AHEAD, EARLIEST, Id
from recommendations.ingest.refusal import Refusal
from recommendations.push_terms import Channel, Purpose
from recommendations.store.contacts.sealing import InvalidAddressError, checked_email

MOST_ROWS = 1_000
ALSO = {"zh-hans": "zh-CN (or zh-hans)"}
"""Languages as the shop knows them, and as Recsite names them."""
LONGEST_PROOF = 2_000  # bytes of JSON
type Given[Field] = Field | UnsetType | None
type Said = Literal["given", "refused", "withdrawn"]
"""What a shop may state: that somebody was asked is our own statement."""
type Moment = Annotated[datetime, Meta(tz=True, description="With its time zone.")]


class StatementForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """What the customer said of a purpose. “given” needs its time and a proof."""

    purpose: Purpose
    state: Said
    channel: Channel = Channel.EMAIL
    at: Moment | None = None
    proof: Annotated[
        dict[str, str], Meta(description="text_version, language, form, shop_reference: whatever proves it to you.")
    ] = {}


class ContactChanges(Struct, forbid_unknown_fields=True, kw_only=True):
    """Fields of a contact that are to be changed; null empties one. Statements are added."""

    email: Given[Annotated[str, Meta(max_length=320)]] = UNSET
    language: Given[Annotated[str, Meta(max_length=35, description="As browsers say it: en, zh-CN.")]] = UNSET
    time_zone: Given[Annotated[str, Meta(max_length=64, description="As Europe/Paris; null: the shop's.")]] = UNSET
    confirmed: Annotated[
        bool, Meta(description="You have seen that the address is theirs; otherwise they are asked by e-mail.")
    ] = False
    consents: Annotated[list[StatementForm], Meta(max_length=20)] = []


class ContactRowForm(ContactChanges, kw_only=True):
    """The changes of one contact of a batch."""

    user_id: Id


class ContactRuleError(Exception):
    """The form breaks rules; the pointers of the refusals start at the form."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*(each.reason for each in refusals))
        self.refusals = refusals


def checked[Form: ContactChanges](form: Form, *, now: datetime) -> Form:
    """The form with address and language in their normal form. Raises ContactRuleError with all that is wrong."""
    changes: dict[str, Any] = {}
    broken: list[Refusal] = []
    for name, normal in (("email", _email), ("language", _language)):
        try:
            if typed := getattr(form, name):
                changes[name] = normal(typed)
        except ContactRuleError as error:
            broken += error.refusals
    if form.time_zone and form.time_zone not in time_zones():
        broken.append(Refusal("/time_zone", _("There is no such time zone; send one such as Europe/Paris.")))
    for place, statement in enumerate(form.consents):
        broken += _of_statement(statement, pointer=f"/consents/{place}", now=now)
    if broken:
        raise ContactRuleError(*broken)
    return msgspec.structs.replace(form, **changes)


@cache
def time_zones() -> frozenset[str]:
    """Names of all time zones, for which a whole folder is searched."""
    return frozenset(available_timezones())


def _email(typed: str) -> str:
    try:
        return checked_email(typed)
    except InvalidAddressError as error:
        reason = _("This is no e-mail address: %(why)s") % {"why": error}
        raise ContactRuleError(Refusal("/email", reason)) from error


def _language(typed: str) -> str:
    try:
        return get_supported_language_variant(typed.strip().lower())
    except LookupError as error:
        known = ", ".join(ALSO.get(code, code) for code, _name in settings.LANGUAGES)
        reason = _("Send one of these languages: %(known)s.") % {"known": known}
        raise ContactRuleError(Refusal("/language", reason)) from error


def flaws_of_proof(proof: Mapping[str, str], *, pointer: str) -> Iterator[Refusal]:
    """What is wrong with what proves a statement."""
    if any("\x00" in text for pair in proof.items() for text in pair):
        yield Refusal(pointer, _("A text holds a character that cannot be stored (U+0000)."))
    if len(msgspec.json.encode(proof)) > LONGEST_PROOF:
        yield Refusal(pointer, _("Send at most %(most)d bytes of proof.") % {"most": LONGEST_PROOF})


def _of_statement(statement: StatementForm, *, pointer: str, now: datetime) -> Iterator[Refusal]:
    if statement.at is not None and statement.at > now + AHEAD:
        yield Refusal(f"{pointer}/at", _("The time lies in the future."))
    if statement.at is not None and statement.at < EARLIEST:
        yield Refusal(f"{pointer}/at", _("The time is before 1990."))
    yield from flaws_of_proof(statement.proof, pointer=f"{pointer}/proof")
    if statement.state == "given" and statement.at is None:
        yield Refusal(f"{pointer}/at", _("“given” needs the time at which the customer said yes."))
    if statement.state == "given" and not any(value.strip() for value in statement.proof.values()):
        reason = _("“given” needs a proof: which text they said yes to, in which form, under which reference.")
        yield Refusal(f"{pointer}/proof", reason)
