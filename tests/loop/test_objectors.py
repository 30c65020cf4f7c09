"""What objectors did changes nothing for anybody: every artefact of a run is the same, SHA-256 by SHA-256.

Two hundred runs: ``OBJECTORS=200 make check FILE=tests/loop/test_objectors.py ARGS=--timeout=3000``.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.loop import adjust
from recommendations.models import Run
from recommendations.store.models import live_version
from tests.grocery import open_shop
from tests.loop.test_trust import NOW, go_round, sums
from tests.objectors import TURNS, key_of, object_to
from tests.trained import artefact_folder

DRAWS = int(os.environ.get("OBJECTORS", "1"))  # of a run after four histories were turned into others
OBJECTORS = ("u0", "u14", "u27", "u40")  # the first of them acted last


@pytest.fixture(autouse=True)
def grocery(tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=4, climbs=1, rounds=1)))
    open_shop(now=NOW)
    with artefact_folder(tmp_path / "artefacts"):
        yield


def forget(run: Run, first: Run) -> None:
    """Let the next run follow the first one, as this one did."""
    live_version.go_live(first.model_version, now=NOW)
    run.model_version.delete()
    run.delete()


def test_no_artefact_knows_what_an_objector_did() -> None:
    keys, rng = [key_of(name) for name in OBJECTORS], np.random.default_rng(3)
    for key in keys:
        object_to(key, at=NOW)
    first = go_round()
    before = sums(again := go_round())
    forget(again, first)
    others = 0
    for draw in range(DRAWS):
        for place, key in enumerate(keys):
            TURNS[(place + draw) % len(TURNS)](key, rng)
        others += sums(run := go_round()) != before
        forget(run, first)
    assert others == 0
    assert len(before) > 500
