"""Peers are asked through files: the exchange round trip, what a peer is shown, and what happens when it fails."""

import hashlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from packaging.specifiers import SpecifierSet

from bench.peers.exchange import Purchases, Question, largest
from bench.peers.models import PEERS, PYTHON
from bench.peers.peers import LOCKS, PeerFailedError, asked, environment
from recommendations.terms import Task

POPULAR = """
import numpy as np
from bench.peers.exchange import answer

def fit(question):
    matrix = question.matrix()
    popular = np.asarray(matrix.weights.sum(axis=0)).ravel()
    return lambda: question.best(((user, popular) for user in question.users.tolist()), matrix.items)

answer(fit)
"""
UNTIL = 100.0


def question(**changes: object) -> Question:
    """User 0: item 0 twice, item 1 once, long ago; user 1: item 1 twice; user 2: items 1 and 3, item 4 yesterday."""
    user, item, basket, age = np.asarray(
        [
            (0, 0, 0, 40),
            (0, 0, 1, 8),
            (0, 1, 0, 40),
            (1, 1, 2, 8),
            (1, 1, 3, 4),
            (2, 1, 4, 2),
            (2, 3, 4, 2),
            (2, 4, 5, 1),
        ]
    ).T
    rows = Purchases(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        basket=basket.astype(np.int32),
        day=UNTIL - age,
        quantity=np.ones(len(user), np.float32),
        until=UNTIL,
    )
    given = {
        "purchases": rows,
        "task": "home",
        "users": np.asarray([0, 2]),
        "k": 3,
        "exclude_seen": False,
        "n_users": 3,
        "n_items": 6,
        "model": "popular",
        "settings": {"data": {}, "model": {}},
        "seed": 0,
    }
    return Question(**{**given, **changes})


def program(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", text, *arguments]


def test_a_peer_reads_the_question_and_its_lists_come_back() -> None:
    answer = asked(program(POPULAR), question(settings={"data": {"weight": "count"}}), limit=60)
    assert answer.ranked.tolist() == [[1, 0, 3], [1, 0, 3]]
    assert answer.fit_s >= 0
    assert answer.score_s >= 0
    assert 5 < answer.peak_mb < 2000


def test_bought_items_are_left_out_on_request() -> None:
    answer = asked(program(POPULAR), question(settings={"data": {"weight": "count"}}, exclude_seen=True), limit=60)
    assert answer.ranked.tolist() == [[3, 4, -1], [0, -1, -1]]


@pytest.mark.parametrize(
    ("text", "limit", "reason"),
    [
        ("raise SystemExit('out of luck')", 60, r"exit 1: out of luck$"),
        ("import time; time.sleep(60)", 0.5, r"not done within 0.5 s$"),
        ("pass", 60, r"no answer could be read"),
        (POPULAR.replace("matrix.items)", "matrix.items)[:1]"), 60, r"lists of shape \(1, 3\)"),
        (POPULAR.replace("matrix.items)", "matrix.items) + 6"), 60, r"items that the shop does not have"),
    ],
)
def test_a_peer_that_fails_says_why(text: str, limit: float, reason: str) -> None:
    with pytest.raises(PeerFailedError, match=reason):
        asked(program(text), question(), limit=limit)


def test_a_missing_peer_program_is_a_failure() -> None:
    with pytest.raises(PeerFailedError, match="nowhere"):
        asked(["nowhere/python"], question(), limit=60)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, [[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 1, 1]]),
        ({"weight": "count"}, [[2, 1, 0, 0], [0, 2, 0, 0], [0, 1, 1, 1]]),
        (
            {"weight": "count", "half_life": 4},
            [[2**-2 + 2**-10, 2**-10, 0, 0], [0, 0.75, 0, 0], [0, *[0.5**0.5] * 2, 2**-0.25]],
        ),
        ({"weight": "sqrt"}, [[2**0.5, 1, 0, 0], [0, 2**0.5, 0, 0], [0, 1, 1, 1]]),
        ({"weight": "log", "days": 5}, [[0, 0, 0, 0], [0, np.log(2), 0, 0], [0, *[np.log(2)] * 3]]),
    ],
)
def test_weights_are_what_the_settings_say(data: dict[str, object], expected: list[list[float]]) -> None:
    matrix = question(settings={"data": data}).matrix()
    assert matrix.items.tolist() == [0, 1, 3, 4]
    np.testing.assert_allclose(matrix.weights.toarray(), expected, rtol=1e-6)
    assert matrix.weights.nnz == np.count_nonzero(expected)
    assert matrix.profiles.nnz == 6  # a list can still leave out what has no weight any more


def test_best_sellers_and_newest_purchases_only() -> None:
    asking = question(settings={"data": {"top_items": 2, "days": 10}})
    assert asking.items.tolist() == [0, 1]
    assert asking.matrix().weights.toarray().tolist() == [[1, 0], [0, 1], [0, 1]]
    assert list(zip(asking.visible.user, asking.visible.item, strict=True)) == [(0, 0), (1, 1), (1, 1), (2, 1)]


def test_columns_of_the_matrix_are_items_of_the_shop() -> None:
    matrix = question(settings={"data": {"top_items": 2}}).matrix()
    assert matrix.named(np.asarray([[1, 0, -1]])).tolist() == [[1, 0, -1]]
    assert question().matrix().named(np.asarray([[3, 2]])).tolist() == [[4, 3]]


def test_largest_scores_come_first_and_ties_by_place() -> None:
    assert largest(np.asarray([1.0, 3, -np.inf, 3, 2, 3]), 3).tolist() == [1, 3, 5]
    assert largest(np.asarray([1.0, -np.inf, np.nan]), 3).tolist() == [0]


def test_an_environment_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    """The folder to make it in is a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PeerFailedError):
        environment("implicit", under=tmp_path / "file")


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    python = tmp_path / "implicit" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    digest = hashlib.sha256((LOCKS / "implicit.txt").read_bytes()).hexdigest()
    (tmp_path / "implicit" / "lock.sha256").write_text(digest)
    assert environment("implicit", under=tmp_path) == python


@pytest.mark.parametrize("library", sorted(PYTHON))
def test_locks_are_hashed_and_name_no_host(library: str) -> None:
    text = (LOCKS / f"{library}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.\-]+)==\S+(?: ;[^\\\n]+)? \\\n    --hash=sha256:", text, flags=re.MULTILINE)
    assert library in pins
    assert len(pins) == len(re.findall(r"^[\w.\-]+==", text, flags=re.MULTILINE))
    assert not re.search(r"^--|^-i|://", text, flags=re.MULTILINE)
    assert SpecifierSet(PYTHON[library]).contains("3.13")


def test_every_peer_can_be_asked() -> None:
    """Each has a program beside it, a lock, and settings that name nothing but what the exchange knows."""
    assert {peer.library for peer in PEERS} == set(PYTHON)
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    for peer in PEERS:
        text = (LOCKS.parent / f"run_{peer.library}.py").read_text(encoding="utf-8")
        assert f'"{peer.model}"' in text
        assert "recommendations." not in text
        assert set(peer.settings) <= set(Task)
        for settings in peer.settings.values():
            assert set(settings) <= {"data", "model"}
            assert set(settings.get("data", {})) <= {"weight", "half_life", "days", "top_items"}
