"""A process that does parts one after the other: ``worker URL CACHE NUMBER …``, and the order on standard input.

It ends at once where that is closed: whoever began it has gone.
"""

import os
import sys
from pathlib import Path
from threading import Thread

from recommendations.shardwork.order import WorkOrder
from recommendations.shardwork.storage import Storage
from recommendations.shardwork.work import Work


def _end_with_who_began() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    url, cache, *numbers = sys.argv[1:]
    order = WorkOrder.from_json(sys.stdin.readline())
    Thread(target=_end_with_who_began, daemon=True).start()
    work = Work(order, Storage(url, cache=Path(cache) if cache else None))
    for number in map(int, numbers):
        work.do(number)
