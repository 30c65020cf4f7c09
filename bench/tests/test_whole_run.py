"""A whole run on a tiny shop: its files, the limit of memory, and what is said of how it went."""

import itertools
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bench.growth import run_report, synthetic, whole_run
from bench.growth.control_group import NoControlGroupError, control_group
from bench.growth.samples import Sample, Samples, Use
from bench.growth.shop_files import write_shop

END = datetime(2026, 3, 10, tzinfo=UTC)
TINY = ("--customers", "300", "--items", "250", "--rows", "15000", "--answers", "30")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    assert write_shop(folder, rows=15_000, shape=(300, 250), seed=2, end=END) == pytest.approx(13_000, rel=0.03)
    return folder


def test_every_row_is_in_the_file_of_its_month_once_and_in_order(files: Path) -> None:
    paths = sorted(files.glob("*.parquet"))
    assert [path.stem for path in paths][::12] == ["events-2025-03", "events-2026-03"]
    tables = [pq.read_table(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        at = table["timestamp"]
        assert pc.all(pc.equal(pc.strftime(at, "events-%Y-%m"), path.stem)).as_py()
        assert at.to_pylist() == sorted(at.to_pylist())
    whole = pa.concat_tables(tables)
    seen = synthetic.visits(15_000, shape=(300, 250), seed=2)
    assert len(whole) == len(seen.item) == len(set(whole["event_id"].to_pylist()))
    assert {uuid.UUID(text).version for text in whole["event_id"].to_pylist()} == {4}
    assert pc.max(whole["timestamp"]).as_py() <= END


def test_lines_of_a_purchase_share_their_moment_and_views_follow_each_other(files: Path) -> None:
    rows = [row for path in sorted(files.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    rows.sort(key=lambda row: row["session_id"])
    for _, group in itertools.groupby(rows, key=lambda row: row["session_id"]):
        lines = list(group)
        assert len({(line["user_id"], line["name"], line["transaction_id"]) for line in lines}) == 1
        moments = len({line["timestamp"] for line in lines})
        if lines[0]["name"] == "purchase":
            assert moments == 1
            assert lines[0]["transaction_id"]
        elif lines[-1]["timestamp"] < END:
            assert moments == len(lines)


def test_a_group_ends_what_holds_more_than_its_limit_and_nothing_else() -> None:
    hold = "import sys; held = bytearray(int(sys.argv[1]) * 1_000_000); held[::4096] = b'1' * len(held[::4096])"
    try:
        with control_group(100_000_000) as group:
            small, large = (
                subprocess.run(group.inside([sys.executable, "-c", hold, megabytes]), check=False).returncode
                for megabytes in ("20", "300")
            )
            assert (small, large, group.kills) == (0, -9, 1)
            assert 20e6 < group.peak <= 100_000_000
            assert group.cpu_seconds > 0
            assert not group.pids
    except NoControlGroupError as error:
        pytest.skip(str(error))
    assert not group.folder.exists()


def samples(*points: tuple[float, int, float]) -> Samples:
    """Samples of (moment, MB, CPU seconds so far)."""
    seen = [Sample(at, mb * 10**6, mb * 10**6, cpu, {"loop": Use(mb * 10**6, 0, cpu)}) for at, mb, cpu in points]
    return Samples(list, seen=seen)


def test_samples_of_a_run_that_was_broken_off_go_on(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    first = Samples(lambda: [os.getpid()], file=file)
    first.take()
    broken_off = first.seen[-1]._replace(cpu=50.0, kills=1)
    file.write_text(json.dumps(broken_off) + "\n", encoding="utf-8")
    second = Samples(lambda: [os.getpid()], file=file)
    second.take()
    assert second.seen[0] == broken_off
    own = sum(use.cpu for use in second.seen[1].kinds.values())
    assert own > 0
    assert (second.seen[1].cpu, second.seen[1].kills) == (pytest.approx(50.0 + own), 1)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_a_stage_has_the_cpu_time_between_its_ends_and_its_own_peak() -> None:
    rows: list[dict[str, object]] = [
        {"stage": name, "status": "succeeded", "counts": {}, "began": begin, "ended": end}
        for name, begin, end in (("collect", 0.0, 1.5), ("train", 1.5, 4.0), ("adjust", None, None))
    ]
    first, second = run_report.of_stages(rows, samples((0, 10, 0), (1, 50, 1), (2, 20, 3), (3, 90, 4), (4, 30, 9)))
    assert (first["cpu_seconds"], first["own_mb"], first["seconds"]) == (2.0, 50, 1.5)
    assert (second["cpu_seconds"], second["own_mb"], second["peak_after"]) == (7.0, 90, 1.5)


RUN = {
    "limited": True, "exit": 0, "status": "succeeded", "kills": 0, "cpu_seconds": 6.0, "runs_before": 0,
    "stages": [{"stage": "collect", "cpu_seconds": 4.0, "own_mb": 900}],
}  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"limited": False, "kills": None}, {"exit": 1}, {"status": "failed"}, {"kills": 1}, {"stages": []}]
)
def test_a_run_that_failed_or_had_no_limit_is_no_pass(change: dict[str, object]) -> None:
    assert all(figure.holds for figure in run_report.figures_of({"run": RUN}))
    assert not all(figure.holds for figure in run_report.figures_of({"run": RUN | change}))


def test_two_runs_stand_beside_each_other_stage_by_stage() -> None:
    before = {"protocol": {"rows": 5}, "run": RUN}
    now = {"protocol": {"rows": 5}, "run": RUN | {"cpu_seconds": 3.0}}
    lines = run_report.beside(before, now).splitlines()
    assert lines[2] == "| collect | 4.0 | 4.0 | 1.00 | 900 | 900 |"
    assert lines[3] == "| **all** | 6.0 | 3.0 | 0.50 | 900 | 900 |"
    assert "Not of the same" in run_report.beside(before, now | {"protocol": {"rows": 6}})


def result_of(folder: Path, *arguments: str) -> tuple[int, dict[str, dict[str, object]]]:
    file = folder / "figures.json"
    code = whole_run.main([*TINY, "--folder", str(folder / "shop"), "--json", str(file), *arguments])
    return code, json.loads(file.read_text(encoding="utf-8"))


def stages_of(run: dict[str, object]) -> list[str]:
    stages = run["stages"]
    assert isinstance(stages, Sequence)
    return [one["stage"] for one in stages]


@pytest.mark.skipif(os.environ.get("LONG") != "1", reason="two shops, each with servers of its own: LONG=1")
@pytest.mark.timeout(900)
def test_a_tiny_shop_goes_round_the_loop_and_is_killed_where_the_limit_is_far_too_small(tmp_path: Path) -> None:
    code, small = result_of(tmp_path, "--memory", "0.15")
    if not small["run"]["limited"]:
        pytest.skip("no control group can be made here")
    assert code == 1
    assert (small["run"]["live"], stages_of(small["run"])) == (False, [])
    assert int(str(small["run"]["kills"])) >= 1
    imported = {path: path.stat().st_mtime_ns for path in (tmp_path / "shop/made").iterdir()}
    _, whole = result_of(tmp_path, "--memory", "2")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "shop/made").iterdir()} == imported
    run = whole["run"]
    assert (run["status"], run["exit"], run["kills"], run["live"]) == ("succeeded", 0, 0, True)
    assert stages_of(run)[0] == "collect"
    assert stages_of(run)[-1] == "adjust"
    for figures in (*whole["web"].values(), *whole["no_model"].values()):
        assert isinstance(figures, dict)
        assert (figures["first_status"], figures["wrong"]) == (200, {})
