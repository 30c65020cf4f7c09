"""Contacts as the shop sends them: many in few statements, with a verdict on each; repeating it changes nothing.

An address that the shop does not vouch for is asked for its owner's yes by e-mail (double opt-in): until then what the
shop calls “given” stands in the ledger as asked, and nothing but that mail goes out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from msgspec import UNSET

from recommendations.ingest.refusal import Refusal
from recommendations.models import Customer
from recommendations.push_terms import AddressState, Channel, ConsentSource, ConsentState, SuppressionReason
from recommendations.services.contacts.erased import refusals_of_erased
from recommendations.services.contacts.forms import ContactChanges, ContactRuleError, StatementForm, checked
from recommendations.store.contacts import hooks, ledger, silence
from recommendations.store.contacts.book import AddressIsTakenError, ContactBook
from recommendations.store.contacts.ledger import Statement
from recommendations.store.events import id_cache
from recommendations.store.events.pseudonyms import pseudonyms
from recommendations.terms import CustomerKind

MOST_FLAWS = 10
"""Flaws of a row that are named."""


class ContactVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a row; the pointer starts at the row."""

    verdict: Literal["stored", "unchanged", "rejected"]
    user_id: str | None = None
    pointer: str | None = None
    reason: str | None = None
    also: Annotated[
        tuple[Refusal, ...], msgspec.Meta(description="What else is wrong with the row, nine at most.")
    ] = ()
    silent_for: Annotated[
        SuppressionReason | None, msgspec.Meta(description="Stored, and still nothing is sent to the address.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ContactRow:
    """A row of one contact; ``whole``: what it does not say is emptied, as by PUT."""

    user_id: str
    form: ContactChanges
    whole: bool = False


def take_contacts(
    rows: Sequence[ContactRow | ContactVerdict], *, source: ConsentSource, now: datetime
) -> list[ContactVerdict]:
    """Store each row; rows that have their verdict already keep it. A row that is refused leaves its neighbours alone.

    Raises KeysMissingError.
    """
    rows = refuse_erased([_in_normal_form(row, now=now) for row in rows], source=source)
    good = [row for row in rows if isinstance(row, ContactRow)]
    # Before the transaction: the process remembers the keys, so a rollback must not take the customers back.
    keys = id_cache.living_keys([row.user_id for row in good], CustomerKind.SIGNED_IN)
    with transaction.atomic():
        book = ContactBook.of(keys.values(), emails=[row.form.email for row in good if row.form.email], now=now)
        verdicts, statements, changed = [], list[Statement](), set[int]()
        for row in rows:
            if isinstance(row, ContactVerdict):
                verdicts.append(row)
                continue
            key = keys[row.user_id]
            try:
                if _changed(book, key, row, source=source):
                    changed.add(key)
            except ContactRuleError as error:
                verdicts.append(rejected(row.user_id, error.refusals))
                continue
            statements += _statements(book, key, row.form.consents, source=source, now=now)
            verdicts.append(ContactVerdict("unchanged", row.user_id))
        book.save()
        hooks.name_customers(_named(good, keys, {each.contact for each in statements if _by_webhook(each)}), now=now)
        changed |= ledger.record(statements)
        silent = _silent(book, keys.values(), now=now)
    return [
        msgspec.structs.replace(
            each,
            verdict="stored" if keys[each.user_id or ""] in changed else "unchanged",
            silent_for=silent.get(keys[each.user_id or ""]),
        )
        if each.verdict == "unchanged"
        else each
        for each in verdicts
    ]


def _by_webhook(statement: Statement) -> bool:
    return statement.channel is Channel.WEBHOOK and statement.state is ConsentState.GIVEN


def _named(rows: Iterable[ContactRow], keys: Mapping[str, int], contacts: Collection[int]) -> dict[int, str]:
    """What the shop calls these contacts, which a webhook has to say."""
    return {keys[row.user_id]: row.user_id for row in rows if keys[row.user_id] in contacts}


def _silent(book: ContactBook, customers: Iterable[int], *, now: datetime) -> dict[int, SuppressionReason]:
    """Why the addresses of these customers are silent; without those whose are not."""
    digests = {key: bytes(book.addresses[key].digest) for key in customers if key in book.addresses}
    silent = silence.suppressions(list(digests.values()), now=now)
    return {key: SuppressionReason(silent[digest].reason) for key, digest in digests.items() if digest in silent}


def refuse_erased(
    rows: Sequence[ContactRow | ContactVerdict], *, source: ConsentSource
) -> list[ContactRow | ContactVerdict]:
    """The rows, with a refusal of each that is about somebody of before they were erased."""
    good = [row for row in rows if isinstance(row, ContactRow)]
    moments = {row.user_id: [form.at for form in row.form.consents] for row in good}
    refusals = refusals_of_erased(moments, back=source is not ConsentSource.IMPORT)
    return [
        rejected(row.user_id, refusals[row.user_id]) if isinstance(row, ContactRow) and row.user_id in refusals else row
        for row in rows
    ]


def _in_normal_form(row: ContactRow | ContactVerdict, *, now: datetime) -> ContactRow | ContactVerdict:
    """The row with its form as ``checked`` gives it; the refusal of one that breaks a rule."""
    if isinstance(row, ContactVerdict):
        return row
    try:
        return replace(row, form=checked(row.form, now=now))
    except ContactRuleError as error:
        return rejected(row.user_id, error.refusals)


def rehearse(sent: Sequence[ContactRow], *, now: datetime) -> list[ContactVerdict]:
    """What ``take_contacts`` would say of the rows of a file, of which nothing is stored and no customer added.

    Those that it would take are “unchanged”. Raises KeysMissingError.
    """
    judged = refuse_erased(sent, source=ConsentSource.IMPORT)
    rows = [row for row in judged if isinstance(row, ContactRow)]
    named = pseudonyms([row.user_id for row in rows], kind=CustomerKind.SIGNED_IN)
    known = Customer.objects.filter(pseudonym__in=named.values()).values_list("pseudonym", "pk")
    by_pseudonym = {bytes(pseudonym): key for pseudonym, key in known}
    keys = {user_id: by_pseudonym.get(value, -place) for place, (user_id, value) in enumerate(named.items(), start=1)}
    with transaction.atomic():
        book = ContactBook.of(keys.values(), emails=[row.form.email for row in rows if row.form.email], now=now)
    verdicts = []
    for row in judged:
        if isinstance(row, ContactVerdict):
            verdicts.append(row)
            continue
        try:
            _changed(book, keys[row.user_id], row, source=ConsentSource.IMPORT)
        except ContactRuleError as error:
            verdicts.append(rejected(row.user_id, error.refusals))
        else:
            verdicts.append(ContactVerdict("unchanged", row.user_id))
    silent = _silent(book, keys.values(), now=now)
    return [
        msgspec.structs.replace(each, silent_for=silent.get(keys[each.user_id or ""]))
        if each.verdict == "unchanged"
        else each
        for each in verdicts
    ]


def _changed(book: ContactBook, key: int, row: ContactRow, *, source: ConsentSource) -> bool:
    """Take the fields of a row over; whether any differs. Raises ContactRuleError, and then none is taken over."""
    form = row.form
    email, language, zone = (
        None if value is UNSET and row.whole else value for value in (form.email, form.language, form.time_zone)
    )
    differs = False
    if email is not UNSET:
        try:
            differs |= book.set_email(key, email or None, vouched=form.confirmed or not settings.DOUBLE_OPT_IN)
        except AddressIsTakenError as error:
            raise ContactRuleError(Refusal("/email", _taken_reason(source))) from error
    given = {"language": (language, settings.SHOP_LANGUAGE), "time_zone": (zone, "")}
    fields = {name: value or default for name, (value, default) in given.items() if value is not UNSET}
    return book.set_fields(key, fields) or differs


def _taken_reason(source: ConsentSource) -> str:
    if source is ConsentSource.IMPORT:
        return _("Another customer has this address. If you know that it is theirs, write yes into “confirmed”.")
    return _("Another customer has this address. If you know that it is theirs, send “confirmed”: true.")


def _statements(
    book: ContactBook, key: int, forms: Sequence[StatementForm], *, source: ConsentSource, now: datetime
) -> list[Statement]:
    """Statements as the ledger has them: what nobody vouches for was only asked."""
    waits = {Channel.EMAIL} if book.state_of(key) == AddressState.UNCONFIRMED else ()
    return [
        Statement(
            contact=key,
            channel=form.channel,
            purpose=form.purpose,
            state=ConsentState.ASKED if form.state == "given" and form.channel in waits else ConsentState(form.state),
            at=form.at or now,
            source=source,
            proof=form.proof,
        )
        for form in forms
    ]


def rejected(user_id: str | None, refusals: Sequence[Refusal]) -> ContactVerdict:
    """The verdict on a row with these flaws, of which the first is the row's."""
    first, *others = refusals
    return ContactVerdict("rejected", user_id, first.pointer, first.reason, also=tuple(others[: MOST_FLAWS - 1]))
