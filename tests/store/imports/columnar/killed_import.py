"""An import that kills its own process (-9) at its nth word of progress: a program beside the test."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

import django

django.setup()

from recommendations.store.imports import event_import  # noqa: E402

path, now, last = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])
told = 0


def report(_step: str, _done: int, _total: int) -> None:
    global told  # noqa: PLW0603 - a count of this process
    told += 1
    if told == last:
        os.kill(os.getpid(), signal.SIGKILL)


event_import.COLUMNAR_FROM = 0
event_import.import_events(path, currency="USD", now=now, report=report)
sys.stdout.write(str(told))
