"""A lane lets so many work, so many wait, and tells all others when to come again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from recommendations.api.lane import BusyError, Lane


def test_a_lane_bounds_who_works_and_who_waits() -> None:
    lane = Lane(at_once=2, waiting=3, seconds=30.0, retry=4)
    may_end, lock = threading.Event(), threading.Lock()
    inside = most = 0

    def work() -> bool:
        nonlocal inside, most
        try:
            with lane.entered():
                with lock:
                    inside += 1
                    most = max(most, inside)
                may_end.wait(30)
                with lock:
                    inside -= 1
        except BusyError as error:
            return error.wait != 4
        return True

    with ThreadPoolExecutor(12) as pool:
        tries = [pool.submit(work) for _ in range(12)]
        refused = 12 - lane.most
        end = time.monotonic() + 20
        while sum(one.done() for one in tries) < refused and time.monotonic() < end:
            time.sleep(0.005)
        assert sum(one.done() for one in tries) == refused  # at once, though none has ended
        may_end.set()
        assert sorted(one.result() for one in tries) == [False] * refused + [True] * lane.most
    assert most == 2


def test_a_wait_in_vain_ends_and_an_error_gives_the_place_back() -> None:
    lane = Lane(at_once=1, waiting=1, seconds=0.05, retry=1)
    with lane.entered(), pytest.raises(BusyError), lane.entered():
        pass
    with pytest.raises(ZeroDivisionError), lane.entered():
        _ = 1 / 0
    with lane.entered():
        pass
