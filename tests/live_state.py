"""Live state that Valkey knows whole, as tests of kept answers begin with."""

from recommendations.store.live import writes
from recommendations.store.process_held import drop_all


def rebuild_live_state() -> None:
    """Have Valkey know everything, and this process as new.

    A look from before the marks takes them for an erasure a quarter of a second later, and drops what is kept of
    people: on a busy machine in the middle of a test.
    """
    writes.rebuild()
    drop_all()
