"""Receipts of erasures: signed, numbered without a gap, each with the hash of the one before; nobody is named."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from recommendations.channels import signing
from recommendations.channels.sealing import base64url
from recommendations.models import PrivacyRequest, Receipt, RetentionDrop, ShopSetting
from recommendations.privacy_terms import RETENTION, ReceiptMark, ReceiptPart, RetentionKind
from recommendations.services.privacy.receipt_facts import moment
from recommendations.services.privacy.sealed import PrivacyKeysMissingError
from recommendations.store.erasure.receipt_log import last_receipt, note_receipt
from recommendations.store.holders.tables import delete_rows
from recommendations.store.retention.rows import receipts_with_a_next

ANCHOR = "receipt_anchor"
AT_ONCE = 500  # receipts that are let go by one signature
LOCK = 7_264_190  # one receipt at a time, so that numbers and hashes follow each other
FORMAT = "recsite-receipt/1"
log = structlog.get_logger(__name__)


@transaction.atomic
def sign_receipt(request: PrivacyRequest, part: ReceiptPart, *, facts: Mapping[str, Any], now: datetime) -> Receipt:
    """Sign what was done for a request, once per part; a second time it is the one that is there.

    ``facts`` are JSON. Where the database was restored from a copy of before, receipts of after it are known by their
    log alone: the new one follows them, and says after which number they are missing. Raises PrivacyKeysMissingError.
    """
    if not settings.RECEIPT_KEYS:
        raise PrivacyKeysMissingError
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if there := Receipt.objects.filter(request=request, part=part).first():
        return there
    stored = _newest()
    last = max(stored, last_receipt() or stored, key=lambda each: each.number)
    seed = settings.RECEIPT_KEYS[0]
    document = {
        "format": FORMAT,
        "number": last.number + 1,
        "previous": last.chain_hash,
        "part": part,
        "signed": moment(now),
        **({"restored_after": stored.number} if _lacks(stored, last) else {}),
        **facts,
    }
    signature = signing.sign(document, seed)
    signed = ReceiptMark(document["number"], signing.chain_hash(document, signature))
    transaction.on_commit(partial(note_receipt, signed))
    return Receipt.objects.create(
        serial=document["number"],
        request=request,
        part=part,
        document=document,
        signature=signature,
        key_id=signing.key_id(signing.public_half(seed)),
        previous=bytes.fromhex(last.chain_hash),
        at=now,
    )


def _lacks(stored: ReceiptMark, last: ReceiptMark) -> bool:
    """Whether the database, which was restored, lacks receipts; those that retention let go are the oldest."""
    return last.number > stored.number and (stored.number > 0 or not _some_went())


def _some_went() -> bool:
    return RetentionDrop.objects.filter(kind=RetentionKind.RECEIPTS).exists()


def _newest() -> ReceiptMark:
    """The newest receipt that the database has."""
    last = Receipt.objects.order_by("-serial").first()
    if last is None:
        return ReceiptMark(0, signing.FIRST)
    return ReceiptMark(last.serial, signing.chain_hash(last.document, bytes(last.signature)))


def envelope(receipt: Receipt) -> dict[str, Any]:
    """A receipt as it is handed over; ``manage.py verify_receipt`` reads it."""
    return {
        "document": receipt.document,
        "key": receipt.key_id,
        "signature": base64url(bytes(receipt.signature)),
    }


def envelopes(request: PrivacyRequest) -> list[dict[str, Any]]:
    """The receipts of a request, the first part first."""
    return [envelope(each) for each in request.receipts.order_by("serial")]


def chain() -> list[dict[str, Any]]:
    """All receipts, the first one first."""
    return [envelope(each) for each in Receipt.objects.order_by("serial")]


def public_keys() -> dict[str, str]:
    """Public keys by their names, that which signs first."""
    halves = [signing.public_half(seed) for seed in settings.RECEIPT_KEYS]
    return {signing.key_id(half): half for half in halves}


def verify(
    handed: Sequence[Mapping[str, Any]], *, whole: bool = False, anchor: Mapping[str, Any] | None = None
) -> list[str]:
    """Sentences on what is wrong with receipts, by our own public keys; none where all is as it was signed."""
    return signing.flaws_of(handed, public_keys(), whole=whole, anchor=anchor)


def stored_anchor() -> dict[str, Any] | None:
    """What was signed when the last receipts were let go, and the chain goes on from; None where all are kept."""
    return ShopSetting.objects.filter(key=ANCHOR).values_list("value", flat=True).first()


def let_go(before: datetime, *, now: datetime) -> int:
    """Delete the first receipts, as long as they are older than a moment, and than any rule may have it; how many.

    What is signed says that they went by the rule, and were not cut off. None goes where nothing can be signed, which
    is logged.
    """
    gone, before = 0, min(before, now - timedelta(days=RETENTION[RetentionKind.RECEIPTS].least))
    while old := _old_receipts(before):
        if not settings.RECEIPT_KEYS:
            log.warning("receipts are not let go", why="RECEIPT_KEYS is needed, to sign that they went")
            break
        gone += _let_go(old, before=before, now=now)
    return gone


def _old_receipts(before: datetime) -> list[Receipt]:
    """The first receipts, few at once, up to one that is younger by its row, or by what was signed."""
    first = receipts_with_a_next().order_by("serial")[:AT_ONCE]
    return list(takewhile(lambda each: max(each.at, datetime.fromisoformat(each.document["signed"])) < before, first))


@transaction.atomic
def _let_go(old: Sequence[Receipt], *, before: datetime, now: datetime) -> int:
    """Sign up to where the chain is let go, and what was wrong with it until there; delete it."""
    last, seed, anchor = old[-1], settings.RECEIPT_KEYS[0], stored_anchor()
    flaws = verify([envelope(each) for each in old], whole=True, anchor=anchor)
    earlier = anchor["document"]["flaws"] if anchor else []
    document = {
        "format": signing.ANCHOR,
        "through": last.serial,
        "hash": signing.chain_hash(last.document, bytes(last.signature)),
        "signed": moment(now),
        "older_than": moment(before),
        "flaws": list(dict.fromkeys([*earlier, *flaws]))[:AT_ONCE],
    }
    signed = {
        "document": document,
        "key": signing.key_id(signing.public_half(seed)),
        "signature": base64url(signing.sign(document, seed)),
    }
    ShopSetting.objects.update_or_create(key=ANCHOR, defaults={"value": signed})
    return delete_rows(Receipt.objects.filter(serial__lte=last.serial))
