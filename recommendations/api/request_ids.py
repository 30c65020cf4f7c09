"""What each request is called: in the log, in its answer, and in the problem that it may end in.

The framework's views import this module, so it does not import them.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from secrets import token_hex
from typing import Any

HEADER = "X-Request-ID"
IN_ENVIRON = "HTTP_X_REQUEST_ID"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
_current: ContextVar[str] = ContextVar("request_id", default="")
_numbers = count(1)
_process = [token_hex(8)]


def _renew() -> None:
    _process[0] = token_hex(8)


os.register_at_fork(after_in_child=_renew)  # no two processes share a name


def name_of(environ: Mapping[str, Any]) -> str:
    """What the client calls the request, where that is a plain word of 8 to 64 characters; else a new name."""
    given = environ.get(IN_ENVIRON)
    if given is not None and _SANE.fullmatch(given):
        return str(given)
    return f"{_process[0]}-{next(_numbers):08x}"


def current() -> str:
    """What the request is called that is being answered here; "" where there is none."""
    return _current.get()


@contextmanager
def answering(name: str) -> Iterator[None]:
    """Context in which a request of this name is answered."""
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)
