"""Origins (RFC 6454) of pages that may use a key from a browser, as browsers write them in the header ``Origin``."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

MOST = 20
LONGEST = 200
_PORTS = {"http": 80, "https": 443}  # default ports, which browsers leave out


class NotAnOriginError(ValueError):
    """None of ``texts`` is an origin such as ``https://shop.example``."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(*texts)
        self.texts = texts


class TooManyOriginsError(ValueError):
    """There are more than ``MOST`` origins."""


def read_origins(texts: Iterable[str]) -> list[str]:
    """Normalise origins, each once, in order. Raises NotAnOriginError and TooManyOriginsError."""
    origins = {text.strip(): _origin(text.strip()) for text in texts if text.strip()}
    if wrong := [text for text, origin in origins.items() if origin is None]:
        raise NotAnOriginError(wrong)
    once = sorted({origin for origin in origins.values() if origin})
    if len(once) > MOST:
        raise TooManyOriginsError(len(once))
    return once


def _origin(text: str) -> str | None:
    """The origin as browsers write it; None where the text is none."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme, parts.hostname or ""
    bare = f"{scheme}://{parts.netloc}"
    good = scheme in _PORTS and host and "*" not in host and "@" not in parts.netloc
    if not good or not text.isascii() or len(text) > LONGEST or text.lower() not in {bare.lower(), f"{bare}/".lower()}:
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port in {None, _PORTS[scheme]} else f"{scheme}://{host}:{port}"
