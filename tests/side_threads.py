"""Threads that a request leaves beside it, and how a test waits until they have ended."""

import threading
import time


def end_threads(*names: str) -> None:
    """Wait until each thread of these names has ended, or for 10 seconds; also for one that is only about to start."""
    for thread in threading.enumerate():
        if thread.name in names:
            while not thread.is_alive() and thread in threading.enumerate():  # started, but not yet known to run
                time.sleep(0.001)
            thread.join(10)
