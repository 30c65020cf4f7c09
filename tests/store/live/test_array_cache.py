"""Arrays that are kept in Valkey are counted once, and again where Valkey is away."""

import numpy as np
import pytest
import redis

from recommendations.store.live import array_cache as module
from recommendations.store.live.array_cache import cached
from recommendations.store.live.valkey import Link
from recommendations.store.valkey_keys import ARRAYS

pytestmark = pytest.mark.usefixtures("valkey")


class Counted:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.times += 1
        return {"a": np.arange(3), "b": np.asarray([[0.5]], np.float32)}


def test_arrays_are_counted_once_for_each_key(valkey: redis.Redis) -> None:
    count = Counted()
    for key in ("one", "one", "other"):
        arrays = cached(key, count)
        assert arrays["a"].tolist() == [0, 1, 2]
        assert (arrays["b"].dtype, arrays["b"].tolist()) == (np.float32, [[0.5]])
    assert count.times == 2
    assert 0 < valkey.ttl(ARRAYS.of("one")) <= 12 * 3600


def test_without_valkey_arrays_are_counted_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "valkey", lambda: Link("redis://127.0.0.1:1"))
    count = Counted()
    assert cached("one", count)["a"].tolist() == cached("one", count)["a"].tolist() == [0, 1, 2]
    assert count.times == 2
