"""Values as other systems write them, read as they are meant: numbers for ids, epochs for times, texts for numbers.

Each takes the JSON of a value and gives that of the value which the schema has. What it does not know stays as it is,
for the schema to refuse.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from recommendations.fields import LONGEST_ID
from recommendations.ingest.refusal import UnfitError
from recommendations.store.events.made_ids import made_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLIS, MICROS, NANOS = 10**11, 10**14, 10**17  # numbers from here on count these; below the first they count seconds

_WHOLE = re.compile(rb"-?\d{1,40}")
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?")
_TRIMMED = re.compile(r"\s*([+-]?\d{1,20}(?:\.\d{1,20})?)\s*")

_text = msgspec.json.Decoder(str)
type Repair = Callable[[bytes], bytes]


def event_key(sent: str) -> UUID:
    """The UUID by which an event is kept: that which was sent, or one made of a text that is none."""
    try:
        return msgspec.convert(sent, UUID)
    except msgspec.ValidationError:
        return made_id(sent)


def sent_id(raw: bytes) -> str:
    """The id of an event as it was sent, a text or a whole number. Raises UnfitError."""
    if _WHOLE.fullmatch(raw):
        return raw.decode()
    try:
        sent = _text.decode(raw)
    except msgspec.ValidationError:
        sent = ""
    if not 1 <= len(sent) <= LONGEST_ID:
        text = _("Send a text of 1 to %(most)s characters, or a UUID; a retry repeats it.")
        raise UnfitError(text % {"most": LONGEST_ID})
    return sent


def moment_of(number: Decimal) -> datetime:
    """The moment that an epoch names, in seconds, milli-, micro- or nanoseconds. Raises UnfitError."""
    size = abs(number)
    micros = (
        number * 1_000_000 if size < MILLIS
        else number * 1_000 if size < MICROS
        else number if size < NANOS
        else number / 1_000
    )  # fmt: skip
    try:
        return EPOCH + timedelta(microseconds=int(micros))
    except OverflowError as error:
        raise UnfitError(_time_wanted()) from error


def whole_as_text(raw: bytes) -> bytes:
    return b'"%s"' % raw if _WHOLE.fullmatch(raw) else raw


def text_as_number(raw: bytes) -> bytes:
    if raw[:1] != b'"':
        return raw
    match = _TRIMMED.fullmatch(_text.decode(raw))
    if match is None:
        raise UnfitError(_("Send a number such as 2 or 0.75."))
    return msgspec.json.encode(_plain(Decimal(match[1])))


def epoch_as_time(raw: bytes) -> bytes:
    written = _text.decode(raw).strip() if raw[:1] == b'"' else raw.decode()
    if _NUMBER.fullmatch(written):
        return msgspec.json.encode(moment_of(Decimal(written)))
    if raw[:1] != b'"':
        raise UnfitError(_time_wanted())
    return raw


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _time_wanted() -> str:
    return _("Send a time such as 2026-09-01T10:02:11Z, or seconds, milli- or microseconds since 1970.")


IN_EVENT: Mapping[str, Repair] = {
    "timestamp": epoch_as_time,
    **dict.fromkeys(
        ("user_id", "anonymous_id", "session_id", "transaction_id", "recommendation_id", "target_id", "search_term"),
        whole_as_text,
    ),
    **dict.fromkeys(("rating", "rating_scale", "progress"), text_as_number),
}
IN_ITEM: Mapping[str, Repair] = {
    "item_id": whole_as_text,
    **dict.fromkeys(("quantity", "index"), text_as_number),
}
