"""What tests of pages under load begin with."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from recommendations.api.lane import Lane
from recsite import lanes


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All lanes of pages are taken."""
    with ExitStack() as inside:
        for name in ("_pages", "_entrance"):
            lane = Lane(at_once=1, waiting=0, seconds=0, retry=2)
            monkeypatch.setattr(lanes, name, lane)
            inside.enter_context(lane.entered())
        yield
