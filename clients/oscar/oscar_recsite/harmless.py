"""Functions that may fail without anybody's noticing but the log: a shop's page goes on whatever happens here."""

import functools
from collections.abc import Callable
from typing import Any

from django.dispatch import Signal


def harmless(work: Callable[..., Any]) -> Callable[..., Any]:
    """The function, by keywords alone, which returns None where it fails.

    It is called as a receiver of a signal that is sent robustly: Django catches what it raises, and logs it
    (``django.dispatch``).
    """
    signal = Signal()

    def receive(sender: object, signal: Signal, **given: Any) -> Any:  # noqa: ARG001 - a receiver's
        return work(**given)

    @functools.wraps(work)
    def run(**given: Any) -> Any:
        [(_receiver, result)] = signal.send_robust(sender=work, **given)
        return None if isinstance(result, Exception) else result

    signal.connect(receive, weak=False)
    return run
