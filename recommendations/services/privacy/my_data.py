"""All that is held of a customer, for their own eyes: in words, as a file, and its erasure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import get_language, pgettext

from recommendations.models import Customer, PrivacyRequest
from recommendations.privacy_terms import HolderCode, RequestKind, RequestState
from recommendations.services.access import audit
from recommendations.services.privacy.exports import open_export
from recommendations.services.privacy.requests import EraseAsk, ExportAsk, ask_erase, ask_export
from recommendations.services.privacy.sealed import missing_settings
from recommendations.store.erasure.legal_holds import holds_on
from recommendations.store.erasure.subjects import digest_of, subject_of_keys
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Holder, Subject
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.wording.privacy import labels as privacy_labels
from recommendations.wording.privacy.words import HOLDER_WORDS, HolderWords

OPEN = frozenset({RequestState.RECEIVED, RequestState.HELD, RequestState.RUNNING})
OF_NOBODY = Subject(keys=frozenset())
"""Of whom every table has its columns, and nobody has to look for rows."""


class CannotCountError(Exception):
    """A place cannot say at the moment what it has."""


@dataclass(frozen=True, kw_only=True)
class OwnHolding:
    """What one place has of a customer: how many rows or entries, in which tables, with which columns."""

    code: HolderCode
    label: str
    number: int
    words: HolderWords
    tables: Sequence[tuple[str, str]]


class OwnRequests(NamedTuple):
    """The file that a customer asked for, written or not, None where its week is over; and the erasure under way."""

    export: PrivacyRequest | None
    erasure: PrivacyRequest | None


def holdings_of(customer: Customer) -> list[OwnHolding]:
    """What every place has of a customer and of all that was joined to them, without those that have nothing.

    Raises CannotCountError.
    """
    subject = subject_of_keys([customer.pk])
    try:
        return [_holding(holder, number) for holder in registry.HOLDERS if (number := holder.find(subject))]
    except (ValkeyAwayError, ArtefactDamagedError, OSError) as error:
        raise CannotCountError from error


def _holding(holder: Holder, number: int) -> OwnHolding:
    comma = pgettext("between names", ", ")
    return OwnHolding(
        code=holder.code, label=str(dict(privacy_labels.HOLDERS)[holder.code]), number=number,
        words=HOLDER_WORDS[holder.code],
        tables=[(sheet.name, comma.join(map(str, sheet.columns))) for sheet in holder.export(OF_NOBODY)],
    )  # fmt: skip


def can_be_asked() -> bool:
    """Whether the installation has the keys that exports and receipts need."""
    return not missing_settings()


def own_requests(customer: Customer, *, now: datetime) -> OwnRequests:
    """What the customer asked for last, of each kind."""
    subject = digest_of(bytes(customer.pseudonym))
    own = PrivacyRequest.objects.filter(subject=subject, options__by_owner=True)
    last = {each.kind: each for each in own.order_by("kind", "-created_at").distinct("kind")}
    export, erasure = last.get(RequestKind.EXPORT), last.get(RequestKind.ERASE)
    if export is not None and export.state not in OPEN:
        export = export if export.file and export.file_until and export.file_until > now else None
    return OwnRequests(export=export, erasure=erasure if erasure is not None and erasure.unfinished else None)


def ask_own_export(customer: Customer, *, now: datetime) -> PrivacyRequest:
    """Have all that is held written into a file, unless there is one or it is being written.

    Raises PrivacyKeysMissingError.
    """
    ask = ExportAsk(customer=customer.pk, language=get_language() or "en", by_owner=True)
    return own_requests(customer, now=now).export or ask_export(ask, by=None, now=now)


def read_own_export(request: PrivacyRequest, *, now: datetime) -> Iterator[bytes]:
    """The file, piece by piece. Raises as ``open_export``."""
    return open_export(request, by=None, verb=audit.DOWNLOADED_BY_OWNER, now=now)


def is_held(customer: Customer, *, now: datetime) -> bool:
    """Whether the law has all of it kept for now, so that an erasure waits."""
    return bool(holds_on(subject_of_keys([customer.pk]), now=now))


def ask_own_erasure(customer: Customer, token: str, *, now: datetime) -> PrivacyRequest:
    """Have the customer erased everywhere, once: by another ``token``, or the same again, it is the same request.

    Raises PrivacyKeysMissingError.
    """
    reference = f"my-data-{hashlib.sha256(token.encode()).hexdigest()[:24]}"
    asked = own_requests(customer, now=now).erasure or PrivacyRequest.objects.filter(reference=reference).first()
    ask = EraseAsk(customer=customer.pk, language=get_language() or "en", reference=reference, by_owner=True)
    return asked or ask_erase(ask, by=None, now=now)
