"""Origins (RFC 6454) of pages that may use a key from a browser, as browsers write them in the header ``Origin``."""

from collections.abc import Iterable
from urllib.parse import urlsplit

MOST = 20
LONGEST = 200
_PORTS = {"http": 80, "https": 443}  # default ports, which browsers leave out


class NotAnOriginError(ValueError):
    """The text is no origin such as ``https://shop.example``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class TooManyOriginsError(ValueError):
    """There are more than ``MOST`` origins."""


def read_origins(texts: Iterable[str]) -> list[str]:
    """Normalise origins, each once, in order. Raises NotAnOriginError and TooManyOriginsError."""
    origins = sorted({_origin(text.strip()) for text in texts if text.strip()})
    if len(origins) > MOST:
        raise TooManyOriginsError(len(origins))
    return origins


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise NotAnOriginError(text) from error
    scheme, host = parts.scheme, parts.hostname or ""
    bare = f"{scheme}://{parts.netloc}"
    good = scheme in _PORTS and host and "*" not in host and "@" not in parts.netloc
    if not good or not text.isascii() or len(text) > LONGEST or text.lower() not in {bare.lower(), f"{bare}/".lower()}:
        raise NotAnOriginError(text)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port in {None, _PORTS[scheme]} else f"{scheme}://{host}:{port}"
