"""All that is held of a customer, for their own eyes: in words, as a file, and its erasure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language, pgettext

from recommendations.models import Customer, PrivacyRequest
from recommendations.privacy_terms import HolderCode, RequestKind, RequestState
from recommendations.services.access import audit
from recommendations.services.privacy.exports import open_export
from recommendations.services.privacy.requests import EraseAsk, ExportAsk, ask_erase, ask_export
from recommendations.services.privacy.sealed import missing_settings
from recommendations.store.erasure.subjects import digest_of, subject_of_keys
from recommendations.store.holders import registry
from recommendations.wording.privacy import labels as privacy_labels
from recommendations.wording.privacy.words import HOLDER_WORDS, HolderWords

OPEN = frozenset({RequestState.RECEIVED, RequestState.HELD, RequestState.RUNNING})


@dataclass(frozen=True, kw_only=True)
class OwnHolding:
    """What one place has of a customer: how many rows or entries, in which tables, with which columns."""

    code: HolderCode
    label: str
    number: int
    words: HolderWords
    tables: Sequence[tuple[str, str]]


def holdings_of(customer: Customer) -> list[OwnHolding]:
    """What every place has of a customer and of all that was joined to them, without those that have nothing."""
    subject, labels = subject_of_keys([customer.pk]), dict(privacy_labels.HOLDERS)
    comma = pgettext("between names", ", ")
    counted = ((holder, holder.find(subject)) for holder in registry.HOLDERS)
    return [
        OwnHolding(
            code=holder.code, label=str(labels[holder.code]), number=number, words=HOLDER_WORDS[holder.code],
            tables=[(sheet.name, comma.join(map(str, sheet.columns))) for sheet in holder.export(subject)],
        )
        for holder, number in counted
        if number
    ]  # fmt: skip


def can_be_asked() -> bool:
    """Whether the installation has the keys that exports and receipts need."""
    return not missing_settings()


def own_export(customer: Customer, *, now: datetime) -> PrivacyRequest | None:
    """The newest file that the customer asked for, written or not; None where there is none, or its week is over."""
    newest = _own(customer, RequestKind.EXPORT)
    if newest is None or newest.state in OPEN:
        return newest
    return newest if newest.file and newest.file_until and newest.file_until > now else None


def ask_own_export(customer: Customer, *, now: datetime) -> PrivacyRequest:
    """Have all that is held written into a file, unless there is one or it is being written.

    Raises PrivacyKeysMissingError.
    """
    ask = ExportAsk(customer=customer.pk, language=get_language() or "en", by_owner=True)
    return own_export(customer, now=now) or ask_export(ask, by=None, now=now)


def read_own_export(request: PrivacyRequest, *, now: datetime) -> Iterator[bytes]:
    """The file, piece by piece. Raises as ``open_export``."""
    return open_export(request, by=None, verb=audit.DOWNLOADED_BY_OWNER, now=now)


def ask_own_erasure(customer: Customer, token: str, *, now: datetime) -> PrivacyRequest:
    """Have the customer erased everywhere, once: by another ``token``, or the same again, it is the same request.

    Raises PrivacyKeysMissingError.
    """
    reference = f"my-data-{hashlib.sha256(token.encode()).hexdigest()[:24]}"
    asked = own_erasure(customer) or PrivacyRequest.objects.filter(reference=reference).first()
    ask = EraseAsk(customer=customer.pk, language=get_language() or "en", reference=reference, by_owner=True)
    return asked or ask_erase(ask, by=None, now=now)


def own_erasure(customer: Customer) -> PrivacyRequest | None:
    """The erasure that a customer asked for and that has not made them unknown yet; None where there is none."""
    asked = _own(customer, RequestKind.ERASE)
    return asked if asked is not None and asked.unfinished else None


def _own(customer: Customer, kind: RequestKind) -> PrivacyRequest | None:
    subject = digest_of(bytes(customer.pseudonym))
    own = PrivacyRequest.objects.filter(kind=kind, subject=subject, options__by_owner=True)
    return own.order_by("-created_at").first()
