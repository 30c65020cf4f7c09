"""Bodies of requests: JSON in UTF-8, at most 2 MiB, and what is wrong with those that are not."""

import re
from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from recommendations.api.errors import (
    BadRequestError,
    EncodedError,
    Flaw,
    LengthRequiredError,
    TooLargeError,
    refused,
)
from recommendations.ingest.misfit import misfit
from recommendations.ingest.whole_numbers import with_whole_numbers

PLAIN_ENCODINGS = frozenset({"", "identity"})
_BYTE = re.compile(r" \(byte (\d+)\)$")


class RawJson(BaseParser):
    """Parser that gives the bytes as they came, for a view that decodes them itself."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        del media_type
        encoding = parser_context["request"].META.get("HTTP_CONTENT_ENCODING", "") if parser_context else ""
        if encoding.strip().lower() not in PLAIN_ENCODINGS:
            text = _("Send the body as it is: the encoding “%(encoding)s” is not read.")
            raise EncodedError(text % {"encoding": encoding})
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0) if parser_context else 0
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            largest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            raise TooLargeError(
                _("The body has %(length)s bytes; the limit is %(largest)s.") % {"length": length, "largest": largest}
            )
        return stream.read()


class BeaconJson(RawJson):
    """Parser of JSON that says it were plain text, from a page that is being left (``access.BEACON``)."""

    media_type = "text/plain"


class Json(RawJson):
    """Parser of any JSON value."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return decoded(msgspec.json.Decoder(), super().parse(stream, media_type, parser_context))


def body_of(request: Request, *, otherwise: bytes = b"") -> bytes:
    """The body of a request whose view takes ``RawJson``; ``otherwise`` where it has none and need not have one."""
    body: Any = request.data
    if isinstance(body, bytes) and body:
        return with_whole_numbers(body)
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequiredError(_("Send the body with a Content-Length; chunked bodies are not accepted."))
    if otherwise:
        return otherwise
    text = _("The body is empty.")
    raise BadRequestError(text, flaws=[Flaw("", text)])


def decoded[Form](decoder: msgspec.json.Decoder[Form], body: bytes) -> Form:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise refused(flaw_of(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error


def malformed(body: bytes, error: Exception) -> BadRequestError:
    """Error for a body that is no JSON: what is wrong, and at which byte."""
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        text = _("The body is not UTF-8: byte %(byte)s cannot be read.") % {"byte": wrong.start}
        return BadRequestError(text, flaws=[Flaw("", text)])
    if isinstance(error, RecursionError):
        text = _("The JSON is nested too deeply.")
    elif match := _BYTE.search(str(error)):
        line, column = _place(body, int(match[1]))
        text = _("The body is not JSON: an unexpected character at byte %(byte)s (line %(line)s, column %(column)s).")
        text %= {"byte": match[1], "line": line, "column": column}
    else:
        text = _("The body is not JSON: it ends too early, or a text in it is not valid Unicode.")
    return BadRequestError(text, flaws=[Flaw("", text)])


def flaw_of(error: msgspec.ValidationError) -> Flaw:
    """Flaw of a body that is JSON and does not fit: what is wrong, and where."""
    refusal = misfit(error)
    return Flaw(refusal.pointer, refusal.reason)


def _place(body: bytes, byte: int) -> tuple[int, int]:
    before = body[:byte]
    return before.count(b"\n") + 1, byte - (before.rfind(b"\n") + 1) + 1
