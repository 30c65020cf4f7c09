"""Threads beside a test: those that a request leaves, and how it waits for them; those that it starts itself."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection


def on_its_own(task: Callable[[], Any]) -> Callable[[], Any]:
    """The task on a connection of its thread's own."""

    def done() -> Any:
        try:
            return task()
        finally:
            connection.close()

    return done


def end_threads(*names: str) -> None:
    """Wait until each thread of these names has ended, or for 10 seconds; also for one that is only about to start."""
    for thread in threading.enumerate():
        if thread.name in names:
            while not thread.is_alive() and thread in threading.enumerate():  # started, but not yet known to run
                time.sleep(0.001)
            thread.join(10)
