"""Ids that wait, sealed under ``EXPORT_KEYS`` until the request is over, and which settings privacy needs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import InvalidToken, MultiFernet
from django.conf import settings

from recommendations.store.contacts.sealing import SealBrokenError, box_of
from recommendations.store.erasure.subjects import subject_of_keys
from recommendations.store.holders.protocol import Subject

__all__ = [
    "PersonIds", "PrivacyKeysMissingError", "SealBrokenError", "export_box", "missing_settings", "open_sealed",
    "require_keys", "seal_ids", "seal_subject",
]  # fmt: skip


class PrivacyKeysMissingError(Exception):
    """The installation lacks keys of privacy (``manage.py privacy_keys`` makes them); ``settings`` names them."""

    def __init__(self) -> None:
        super().__init__(f"{', '.join(missing_settings())} must be set; manage.py privacy_keys makes keys.")
        self.settings = missing_settings()


@dataclass(frozen=True, kw_only=True)
class PersonIds:
    """Ids of one person, as the shop has them; they live in memory, and sealed while their request waits.

    On the page of a customer nobody knows an id: there ``customer`` says by the key whom it is about.
    """

    user_id: str | None = None
    anonymous_ids: Sequence[str] = ()
    customer: int | None = None

    @property
    def nobody(self) -> bool:
        return self.user_id is None and not self.anonymous_ids and self.customer is None


def missing_settings() -> list[str]:
    return [name for name in ("RECEIPT_KEYS", "EXPORT_KEYS") if not getattr(settings, name)]


def require_keys() -> None:
    """Raise PrivacyKeysMissingError where receipts cannot be signed, or ids and exports not sealed."""
    if missing_settings():
        raise PrivacyKeysMissingError


def export_box() -> MultiFernet:
    """The box of exports and waiting ids. Raises PrivacyKeysMissingError."""
    if not settings.EXPORT_KEYS:
        raise PrivacyKeysMissingError
    return box_of(tuple(settings.EXPORT_KEYS))


def seal_ids(ids: PersonIds) -> bytes:
    if ids.customer is not None:
        return seal_subject(subject_of_keys([ids.customer]))
    return _seal({"user_id": ids.user_id, "anonymous_ids": list(ids.anonymous_ids)})


def seal_subject(subject: Subject) -> bytes:
    """Seal where the person was found, from when no id leads there any more."""
    pseudonyms = [value.hex() for value in subject.pseudonyms]
    return _seal({"keys": subject.key_list, "pseudonyms": pseudonyms, "units": sorted(subject.units_before)})


def open_sealed(sealed: bytes | memoryview) -> PersonIds | Subject:
    """What was sealed. Raises PrivacyKeysMissingError and SealBrokenError."""
    try:
        opened = json.loads(export_box().decrypt(bytes(sealed)))
    except InvalidToken as error:
        raise SealBrokenError("no key of EXPORT_KEYS opens the ids of this request") from error
    if "keys" in opened:
        pseudonyms = tuple(bytes.fromhex(value) for value in opened["pseudonyms"])
        units = frozenset(opened.get("units", ()))
        return Subject(keys=frozenset(opened["keys"]), pseudonyms=pseudonyms, units_before=units)
    return PersonIds(user_id=opened["user_id"], anonymous_ids=tuple(opened["anonymous_ids"]))


def _seal(content: dict[str, object]) -> bytes:
    return export_box().encrypt(json.dumps(content, separators=(",", ":")).encode())
