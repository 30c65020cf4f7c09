"""Imports of what another system sent, as a file: read through first, then taken as a whole; twice changes nothing.

All rows of a campaign and a customer together are one receipt: the first message, the first answer, and how many.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import batched
from pathlib import Path

from django.db import DatabaseError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from recommendations.ingest.import_files import FileLimits, FileTooLargeError, UnreadableFileError
from recommendations.models import Campaign, Customer, Import, RejectedRow
from recommendations.push_terms import CampaignKind
from recommendations.services.campaigns.importing import CampaignRecord, ReceiptRow, import_campaign
from recommendations.store.events.pseudonyms import first_pseudonym, pseudonym
from recommendations.store.events.tombstones import comebacks_of
from recommendations.store.imports import import_record
from recommendations.store.imports.reasons import ERASED
from recommendations.store.imports.receipt_rows import SETTLED, ReceiptLine, read_receipts
from recommendations.store.imports.row_flaws import RowFlaw, flaw_of, rejected_rows
from recommendations.store.imports.validate import LISTED
from recommendations.store.temp_tables import Report, silent

MOST_AT_ONCE = 5_000  # customers of a query


@dataclass(kw_only=True)
class FileCampaign:
    """A campaign of a file: its people, how many of them answered, and its first and last moment, as ISO 8601 has it.

    ``fresh`` counts the receipts that are not stored yet, or otherwise.
    """

    name: str
    channels: str
    starts: str
    ends: str
    people: int
    answered: int
    fresh: int


@dataclass(kw_only=True)
class ReceiptsLook:
    """What a file holds; ``answers`` is the column that says who answered.

    ``number`` is that of campaigns, ``receipts`` of people that each reached.
    """

    rows: int
    sound: int
    rejected: int
    message: str
    answers: str
    number: int
    receipts: int
    campaigns: list[FileCampaign]
    refused: list[RowFlaw]


@dataclass(kw_only=True)
class _SentCampaign:
    """A campaign of a file: receipts of how many rows, and those among them that are stored as they are."""

    record: CampaignRecord
    receipts: dict[int, ReceiptRow]
    rows: int
    stored: set[int]

    @property
    def fresh(self) -> list[ReceiptRow]:
        return [each for key, each in self.receipts.items() if key not in self.stored]


@dataclass(kw_only=True)
class _ReceiptFile:
    parts: list[_SentCampaign]
    refused: list[list[RowFlaw]]
    message: str
    answers: str

    @property
    def flaws(self) -> list[RowFlaw]:
        return [flaw for row in self.refused for flaw in row][:LISTED]

    @property
    def sound(self) -> int:
        return sum(part.rows for part in self.parts)


def look(path: Path, *, now: datetime, report: Report = silent, limits: FileLimits | None = None) -> ReceiptsLook:
    """Check every row as an import would, and store nothing. Raises UnreadableFileError and FileTooLargeError."""
    content = _content(path, now=now, report=report, limits=limits)
    return ReceiptsLook(
        rows=content.sound + len(content.refused), sound=content.sound, rejected=len(content.refused),
        message=content.message, answers=content.answers, number=len(content.parts),
        receipts=sum(len(part.receipts) for part in content.parts),
        campaigns=[_described(part) for part in content.parts],
        refused=content.flaws,
    )  # fmt: skip


def import_receipts(
    path: Path, *, now: datetime, report: Report, limits: FileLimits | None = None, name: str = ""
) -> Import:
    """Take the receipts of a CSV or Parquet file: all that are in order, or none.

    ``name`` is the file's own where it is stored as another.
    Raises UnreadableFileError, FileTooLargeError and DatabaseError.
    """
    imported = import_record.begin(kind=Import.Kind.RECEIPTS, file=name or path.name)
    try:
        content = _content(path, now=now, report=report, limits=limits)
        with transaction.atomic():
            for place, part in enumerate(content.parts, start=1):
                import_campaign(part.record, part.fresh)
                report("receipts", place, len(content.parts))
    except (UnreadableFileError, FileTooLargeError, DatabaseError) as error:
        reason = str(error).strip().split("\n")[0]  # what follows shows rows
        import_record.fail(imported, reason.replace(path.name, imported.file))
        raise
    RejectedRow.objects.bulk_create(rejected_rows(content.flaws, source=imported), batch_size=MOST_AT_ONCE)
    kept = sum(len(part.fresh) for part in content.parts)
    import_record.finish(
        imported, rows=content.sound + len(content.refused), kept=kept, duplicates=content.sound - kept,
        reasons=Counter(row[0].code for row in content.refused), message=content.message,
    )  # fmt: skip
    return imported


def _content(path: Path, *, now: datetime, report: Report, limits: FileLimits | None) -> _ReceiptFile:
    read = read_receipts(path, now=now, report=report, limits=limits)
    customers = _customers({line.user_id for line in read.lines})
    erased = _erased({line.user_id for line in read.lines} - customers.keys())
    ours, theirs = _campaigns({line.campaign.lower() for line in read.lines})
    refused, sound = [*read.refused], dict[str, list[ReceiptLine]]()
    for line in read.lines:
        codes = [("campaign", "own_campaign")] if line.campaign.lower() in ours else []
        codes += _flaws_of_person(line, customers.get(line.user_id), erased)
        if codes:
            refused.append([flaw_of(line.line, name, code) for name, code in codes])
        else:
            sound.setdefault(line.campaign.lower(), []).append(line)
    parts = [_part(lines, customers, theirs.get(name), now=now) for name, lines in sound.items()]
    message = " ".join(filter(None, [read.message, _repeats_text(parts)]))
    return _ReceiptFile(parts=parts, refused=sorted(refused), message=message, answers=read.answers)


def _repeats_text(parts: Sequence[_SentCampaign]) -> str:
    count = sum(part.rows - len(part.receipts) for part in parts)
    text = _("Rows that repeat a campaign and a customer: %(count)s. With the first they are one receipt.")
    return text % {"count": f"{count:,}"} if count else ""


def _customers(ids: Collection[str]) -> dict[str, Customer]:
    """The customers that there are, by the shop's ids."""
    customers: dict[str, Customer] = {}
    for some in batched(sorted(ids), MOST_AT_ONCE):
        hashes = {pseudonym(each): each for each in some}
        known = Customer.objects.filter(pseudonym__in=hashes).only("pseudonym", "not_before")
        customers |= {hashes[bytes(customer.pseudonym)]: customer for customer in known}
    return customers


def _erased(ids: Collection[str]) -> set[str]:
    """The ids among these that were erased."""
    erased: set[str] = set()
    for some in batched(sorted(ids), MOST_AT_ONCE):
        hashes = {first_pseudonym(each): each for each in some}
        erased |= {hashes[value] for value in comebacks_of(hashes)}
    return erased


def _flaws_of_person(line: ReceiptLine, customer: Customer | None, erased: Collection[str]) -> list[tuple[str, str]]:
    """What is wrong with whom a row is about: column and code."""
    if customer is None:
        return [("user_id", ERASED if line.user_id in erased else "unknown_customer")]
    early = customer.not_before is not None and line.sent_at < customer.not_before
    return [("sent_at", ERASED)] if early else []


def _campaigns(names: Collection[str]) -> tuple[set[str], Mapping[str, Campaign]]:
    """The names, in small letters, that campaigns of ours have, and campaigns of the others that are imported."""
    stored = {each.name.lower(): each for each in Campaign.objects.alias(low=Lower("name")).filter(low__in=names)}
    imported = {name: each for name, each in stored.items() if each.kind == CampaignKind.IMPORTED}
    return stored.keys() - imported.keys(), imported


def _part(
    lines: Sequence[ReceiptLine], customers: Mapping[str, Customer], known: Campaign | None, *, now: datetime
) -> _SentCampaign:
    of_customer: dict[int, list[ReceiptLine]] = {}
    for line in lines:
        of_customer.setdefault(customers[line.user_id].pk, []).append(line)
    receipts = {key: _receipt(key, own) for key, own in of_customer.items()}
    name = lines[0].campaign
    channels = ", ".join(sorted({line.channel for line in lines if line.channel}))
    ends = max(max(line.sent_at + SETTLED, line.answered_at or line.sent_at) for line in lines)
    record = CampaignRecord(
        slug=known.slug if known else f"imported-{blake2b(name.lower().encode(), digest_size=8).hexdigest()}",
        name=name, description=channels[:60],
        starts_at=min(line.sent_at for line in lines), ends_at=min(ends, now),
    )  # fmt: skip
    return _SentCampaign(
        record=record, receipts=receipts, rows=len(lines), stored=set(_as_stored(receipts, known))
    )  # fmt: skip


def _receipt(customer: int, lines: Sequence[ReceiptLine]) -> ReceiptRow:
    answers = sorted({line.answered_at for line in lines if line.answered_at})
    return ReceiptRow(
        customer=customer, received_at=min(line.sent_at for line in lines), answers=len(answers),
        answered_at=answers[0] if answers else None,
    )  # fmt: skip


def _as_stored(receipts: Mapping[int, ReceiptRow], known: Campaign | None) -> Iterator[int]:
    """Customers whose receipt of a campaign is stored as it is."""
    if known is None:
        return
    for row in known.receipts.values_list("customer", "received_at", "answers", "answered_at"):
        customer, received_at, answers, answered_at = row
        told = ReceiptRow(customer=customer, received_at=received_at, answers=answers, answered_at=answered_at)
        if receipts.get(customer) == told:
            yield customer


def _described(part: _SentCampaign) -> FileCampaign:
    return FileCampaign(
        name=part.record.name, channels=part.record.description, starts=part.record.starts_at.isoformat(),
        ends=part.record.ends_at.isoformat(), people=len(part.receipts),
        answered=sum(each.answers > 0 for each in part.receipts.values()), fresh=len(part.fresh),
    )  # fmt: skip
