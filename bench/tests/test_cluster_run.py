"""What the bench of a run on Spark takes for a pass."""

import argparse
from pathlib import Path

import pytest

from bench.growth import cluster_run

ASKED = argparse.Namespace(
    demo=False, customers=9, items=9, rows=9, part_acts=9, seed=0, kill=[], json=None
)  # fmt: skip


def result(**changed: object) -> dict[str, object]:
    train = {"train live": {"parts": 4, "parts_again": 0}}
    told = {"status": "succeeded", "message": "", "tries": 1, "seconds": 9.0, "cpu_seconds": 100.0, "killed": []}
    return told | {"train": train, "arrays": {"live/a": "1", "live/b": "2"}} | changed


def test_the_same_arrays_for_little_more_cpu_are_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster_run._judged(result(), result(cpu_seconds=114.0), ASKED) == 0
    assert "arrays that differ: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changed",
    [
        {"arrays": {"live/a": "1", "live/b": "3"}},
        {"arrays": {"live/a": "1"}},
        {"arrays": {"live/a": "1", "live/b": "2", "live/c": "3"}},
        {"train": {"train live": {"parts": None}}},
        {"cpu_seconds": 116.0},
        {"status": "failed"},
    ],
)
def test_another_array_no_part_or_much_cpu_is_no_pass(changed: dict[str, object]) -> None:
    assert cluster_run._judged(result(), result(**changed), ASKED) == 1


def test_with_kills_arrays_count_and_cpu_does_not() -> None:
    asked = argparse.Namespace(**vars(ASKED) | {"kill": [("executor", 60.0)]})
    assert cluster_run._judged(result(), result(cpu_seconds=150.0), asked) == 0
    assert cluster_run._judged(result(), result(arrays={"live/a": "2", "live/b": "2"}), asked) == 1


def test_what_is_killed_is_said_with_its_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = cluster_run._options()
    asked = parser.parse_args(["--folder", str(tmp_path), "--kill", "executor:60", "--kill", "loop:9.5"])
    assert asked.kill == [("executor", 60.0), ("loop", 9.5)]
    with pytest.raises(SystemExit):
        parser.parse_args(["--folder", str(tmp_path), "--kill", "everything:60"])
    assert "executor:SECONDS or loop:SECONDS" in capsys.readouterr().err
