"""Mails that the demo's post office took: found by time, recipient and subject; opened whatever is in them."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from recommendations.services.mails.letters import one_line

_KEY = re.compile(r"\d{20}-[0-9a-f]{16}")
_TIME = "%Y%m%d%H%M%S%f"
_HEAD = 64_000  # bytes in which a mail's headers end
_IN_BRACKETS = re.compile(r"<([^<>\s]+)>")  # addresses of List-Unsubscribe
LONGEST_PART = 500_000  # characters of a part
LONGEST_SOURCE = 100_000  # of what is shown as it stands
MOST_LINKS = 100


@dataclass(frozen=True, kw_only=True)
class MailLine:
    """What a list says of a mail."""

    key: str
    at: datetime
    to: str
    subject: str


class MailLink(NamedTuple):
    """A link of a mail, and the words that it stands under."""

    address: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail taken apart. A part that it does not have is empty."""

    line: MailLine
    headers: Sequence[tuple[str, str]]
    text: str
    html: str
    source: str
    links: Sequence[MailLink]


def keys_of(folder: Path) -> list[str]:
    """Keys of all mails, the newest first."""
    paths = folder.glob("*.eml") if folder.is_dir() else ()
    return sorted((path.stem for path in paths if _time_of(path.stem)), reverse=True)


def lines_of(folder: Path, keys: Iterable[str]) -> list[MailLine]:
    """Lines of mails; those that went meanwhile are left out."""
    return [line for key in keys if (line := _line_of(folder, key))]


def ids_of(folder: Path) -> set[str]:
    """Hashes of the Message-IDs of all mails, as the names of their files have them."""
    return {key.rpartition("-")[2] for key in keys_of(folder)}


def hash_of_id(message_id: str) -> str:
    """The hash of a Message-ID by which the post office names the file of its mail."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:16]


def matching(folder: Path, text: str) -> list[str]:
    """Keys of the mails that have a text in their recipient or subject, in capitals or not; the newest first."""
    wanted = text.casefold()
    lines = lines_of(folder, keys_of(folder))
    return [line.key for line in lines if wanted in f"{line.to}\n{line.subject}".casefold()]


def mail_of(folder: Path, key: str) -> Mail | None:
    """The mail of a key; None where there is none, or the key is no name that the post office gives."""
    line = _line_of(folder, key)
    content = _bytes_of(folder, key)
    if line is None or content is None:
        return None
    message = _message(content)
    html = _part(message, "text/html")
    return Mail(
        line=line,
        headers=[(one_line(_plain(name)), _words(value)) for name, value in message.raw_items()],
        text=_part(message, "text/plain"),
        html=html,
        source=content[: LONGEST_SOURCE + 1].decode(errors="replace"),
        links=_links(message, html),
    )


def html_of(folder: Path, key: str) -> str | None:
    """The HTML part of a mail; None where there is none."""
    content = _bytes_of(folder, key)
    return (_part(_message(content), "text/html") or None) if content is not None else None


def _time_of(key: str) -> datetime | None:
    """When a mail came; None for what is no key."""
    if not _KEY.fullmatch(key) or not key.isascii():
        return None
    try:
        return datetime.strptime(key[:20], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


@lru_cache(maxsize=10_000)  # a mail never changes
def _line(folder: Path, key: str) -> MailLine:
    at = _time_of(key)
    if at is None:
        raise FileNotFoundError(key)
    with (folder / f"{key}.eml").open("rb") as file:
        head = BytesHeaderParser().parsebytes(file.read(_HEAD))
    to = [_words(value) for value in head.get_all("Delivered-To", head.get_all("To", []))]
    return MailLine(key=key, at=at, to=", ".join(to), subject=_words(head.get("Subject", "")))


def _line_of(folder: Path, key: str) -> MailLine | None:
    try:
        return _line(folder, key)
    except FileNotFoundError:
        return None


def _bytes_of(folder: Path, key: str) -> bytes | None:
    try:
        return (folder / f"{key}.eml").read_bytes() if _time_of(key) else None
    except FileNotFoundError:
        return None


def _message(content: bytes) -> Message:
    try:
        return message_from_bytes(content)
    except RecursionError:  # parts within parts within parts
        return BytesHeaderParser().parsebytes(content)


def _part(message: Message, kind: str) -> str:
    """The first part of a kind that is no attachment, as text; "" where there is none."""
    for part in message.walk():
        if part.get_content_type() == kind and not part.is_multipart() and part.get_filename() is None:
            content = part.get_payload(decode=True)
            return _decoded(content, part.get_content_charset("utf-8")) if isinstance(content, bytes) else ""
    return ""


def _decoded(content: bytes, charset: str) -> str:
    try:
        text = content.decode(charset, errors="replace")
    except (LookupError, ValueError):  # no such charset
        text = content.decode(errors="replace")
    return _plain(text[:LONGEST_PART])


def _words(value: str | Header) -> str:
    """A header as its reader sees it, on one line."""
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        text = str(value)
    return one_line(_plain(text))


def _plain(text: str) -> str:
    """A text that can be written down: bytes that were in no charset are question marks."""
    return text.encode(errors="replace").decode()


def _links(message: Message, html: str) -> list[MailLink]:
    """Links of a mail, each once, the ones of its headers last."""
    finder = _LinkFinder()
    finder.feed(html)
    finder.close()
    links = [MailLink(address, " ".join("".join(words).split())) for address, words in finder.links]
    headers = " ".join(_words(value) for value in message.get_all("List-Unsubscribe", []))
    links += [MailLink(address, "List-Unsubscribe") for address in _IN_BRACKETS.findall(headers)]
    first = {link.address: link for link in reversed(links)}
    return [link for link in links if first[link.address] is link][:MOST_LINKS]


class _LinkFinder(HTMLParser):
    """Parser that notes where links lead, and their words; a picture has those that are said in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, list[str]]] = []
        self._is_in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = (dict(attrs).get("href") or "").strip()
        if tag in {"a", "area"} and address:
            self.links.append((address, []))
            self._is_in_link = tag == "a"
        if tag == "img" and self._is_in_link:
            self.links[-1][1].append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self._is_in_link = self._is_in_link and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._is_in_link:
            self.links[-1][1].append(data)
