"""The events that a run would learn from, as one frame."""

import sys
from datetime import datetime

import pandas as pd

from recommendations.store.snapshots.frames import event_shards


def event_frame(*, until: datetime) -> pd.DataFrame:
    """All events before ``until``, in one part."""
    with event_shards(until=until, rows=sys.maxsize) as shards:
        [frame] = shards
        return frame
