"""Browser notifications and webhooks that the demo's post office took, the newest first."""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from demo.browsers import opened_for
from demo.invented import INVENTED
from recommendations.customer_codes import customer_key
from recommendations.models import Address
from recommendations.push_terms import Channel
from recommendations.store.contacts.sealing import digest_of

_KEY = re.compile(r"\d{20}-[0-9a-f]{16}", re.ASCII)
_TIME = "%Y%m%d%H%M%S%f"
LONGEST = 20_000  # characters of a source that is shown


class NoticeKind(StrEnum):
    """What came beside mails; each has a folder of that name."""

    PUSHES = "pushes"
    HOOKS = "hooks"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification or webhook as it came. ``told`` is what it says, None where nobody here can open it.

    ``customer`` is the key of whom it is for; None where that is not known.
    """

    key: str
    at: datetime
    customer: int | None
    told: Mapping[str, Any] | None
    headers: Sequence[tuple[str, str]]
    source: str

    @property
    def title(self) -> str:
        """What stands on top; "" where it cannot be opened."""
        return str((self.told or {}).get("title") or (self.told or {}).get("type") or "")

    @property
    def leads(self) -> bool:
        """Whether a click leads somewhere on the web."""
        return str((self.told or {}).get("url")).startswith(("http://", "https://"))


def notice_keys(folder: Path, kind: NoticeKind) -> list[str]:
    paths = (folder / kind).glob("*.json") if (folder / kind).is_dir() else ()
    return sorted((path.stem for path in paths if _KEY.fullmatch(path.stem)), reverse=True)


def notices_of(folder: Path, kind: NoticeKind, keys: Iterable[str]) -> list[Notice]:
    """The notices of these keys; those that went meanwhile are left out."""
    stored = [(key, fields) for key in keys if (fields := _fields(folder, kind, key)) is not None]
    owners = _owners(fields for _key, fields in stored) if kind is NoticeKind.PUSHES else {}
    make = _push if kind is NoticeKind.PUSHES else _hook
    return [make(key, fields, owners) for key, fields in stored]


def _fields(folder: Path, kind: NoticeKind, key: str) -> dict[str, Any] | None:
    if not _KEY.fullmatch(key):
        return None
    try:
        return dict(json.loads((folder / kind / f"{key}.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _owners(pushes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Keys of customers by the endpoints of their browsers, those included that are gone."""
    digests = {digest_of(Channel.WEB_PUSH, each): each["endpoint"] for each in pushes}
    known = Address.objects.filter(channel=Channel.WEB_PUSH, digest__in=digests).order_by("pk")
    return {digests[bytes(digest)]: contact for digest, contact in known.values_list("digest", "contact")}


def _push(key: str, fields: Mapping[str, Any], owners: Mapping[str, int]) -> Notice:
    name, source = str(fields["browser"]), str(fields["body"])
    invented = customer_key(name.removeprefix(INVENTED)) if name.startswith(INVENTED) else None
    told = opened_for(invented, base64.b64decode(source)) if invented is not None else None
    return Notice(
        key=key, at=_time(key), customer=owners.get(fields["endpoint"], invented), told=told,
        headers=_headers(fields), source=source,
    )  # fmt: skip


def _hook(key: str, fields: Mapping[str, Any], _owners: Mapping[str, int]) -> Notice:
    body = str(fields["body"])
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    return Notice(
        key=key, at=_time(key), customer=None, told=told if isinstance(told, dict) else None,
        headers=_headers(fields), source=body[:LONGEST],
    )  # fmt: skip


def _headers(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((str(name), str(value)) for name, value in fields["headers"].items())


def _time(key: str) -> datetime:
    return datetime.strptime(key[:20], _TIME).replace(tzinfo=UTC)
