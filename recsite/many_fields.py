"""Requests with more parameters than are read, and a ``charset``: a 400 like any other of that kind.

Django reads the query while it makes such a request, before any of its handlers of errors, and the server answers 500.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import TooManyFieldsSent

type Environ = dict[str, Any]
type App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def plain_type(content_type: str) -> str:
    """A content type without its parameters."""
    return content_type.partition(";")[0].strip()


class ManyFields:
    """WSGI application around Django's, which makes such a request once more, without its charset."""

    def __init__(self, django: App) -> None:
        self._django = django

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return self._django(environ, start_response)
        except TooManyFieldsSent:  # nothing was begun: within a request it is an answer
            plain = {**environ, "CONTENT_TYPE": plain_type(environ.get("CONTENT_TYPE", ""))}
            return self._django(plain, start_response)
