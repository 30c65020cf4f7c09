"""The command on files of one's own, from the file to the JSON."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.accuracy import main
from bench.tests.files import HEADER, chain, written

N_ITEMS = 30
ROW = {"name", "kind", "metrics", "fit_s", "score_s", "peak_mb"}


def run(folder: Path, *more: str, items: bool = False) -> dict[str, Any]:
    argv = [f"--{name}={folder / name}.csv" for name in ("train", "queries", "truth")]
    argv += [f"--items={folder / 'items'}.csv"] if items else []
    assert main([*argv, "--quick", "--silent", f"--json={folder / 'out.json'}", *more]) == 0
    return json.loads((folder / "out.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Sessions of three clicks in which item k is followed by k + 1; those asked about are unknown to training."""
    folder = tmp_path_factory.mktemp("sessions")
    written(folder, "train.csv", chain(300, length=3, n_items=N_ITEMS))
    histories = chain(40, length=4, n_items=N_ITEMS, first=1000)
    last = {user: row for row in histories for user in [row[0]]}
    written(folder, "queries.csv", [row for row in histories if row != last[row[0]]])
    written(folder, "truth.csv", [row[:2] for row in last.values()], header="user_id,item_id")
    return folder, run(folder, "--k=1,5")


def test_the_next_click_of_a_chain_is_found(sessions: tuple[Path, dict[str, Any]]) -> None:
    _, content = sessions
    assert list(content["tasks"]) == ["discover"]
    task = content["tasks"]["discover"]
    assert task["users"] == 40
    hybrid = task["rows"][0]
    assert hybrid["name"] == "hybrid"
    assert hybrid["metrics"]["ndcg@5"]["value"] > 0.9
    assert content["protocol"]["users_folded_in"] == 40
    assert content["protocol"]["validation"]["rule"] == "last_basket_or_act"
    assert content["protocol"]["validation"]["users_are_folded_in"] is True


def test_the_shape_of_the_json(sessions: tuple[Path, dict[str, Any]]) -> None:
    _, content = sessions
    assert set(content) == {"protocol", "tasks"}
    for task in content["tasks"].values():
        assert set(task) == {"users", "rows"}
        names = {f"{name}@{k}" for name in ("ndcg", "recall", "hit_rate", "map", "mrr", "coverage") for k in (1, 5)}
        for row in task["rows"]:
            assert set(row) == ROW
            assert row["kind"] in {"hybrid", "recommender", "baseline", "peer"}
            assert set(row["metrics"]) == names
            assert all(measure["low"] <= measure["value"] <= measure["high"] for measure in row["metrics"].values())
            assert row["peak_mb"] > 10
        kinds = {row["name"]: row["kind"] for row in task["rows"]}
        assert kinds["sequence"] == kinds["item_knn"] == kinds["ease"] == "recommender"
        assert kinds["popular"] == kinds["personal_frequency"] == "baseline"


def test_short_histories_tune_sequence_recommenders_first(sessions: tuple[Path, dict[str, Any]]) -> None:
    _, content = sessions
    order = list(content["protocol"]["chosen"]["discover"]["recommenders_on_validation"])
    assert order[:4] == ["next_item", "session_knn", "item_knn", "sequence"]


def test_the_hybrid_is_never_below_the_best_single_on_validation(sessions: tuple[Path, dict[str, Any]]) -> None:
    _, content = sessions
    choice = content["protocol"]["chosen"]["discover"]["hybrid_on_validation"]
    assert choice["ndcg@10"] >= choice["best_single_ndcg@10"] > 0.5


def test_the_same_files_give_the_same_figures(sessions: tuple[Path, dict[str, Any]]) -> None:
    folder, content = sessions
    again = run(folder, "--k=1,5")
    figures = [{row["name"]: row["metrics"] for row in each["tasks"]["discover"]["rows"]} for each in (content, again)]
    assert figures[0] == figures[1]


def test_data_with_repeat_purchases_are_asked_both_tasks(tmp_path: Path) -> None:
    """Each buys two things of their own every week, and one new thing in the last; an unknown item counts in |GT|."""
    weeks = [
        (f"u{user}", f"own{user % 9}-{thing}", f"2024-{1 + week // 4:02}-{1 + 7 * (week % 4):02}", f"{user}-{week}")
        for user in range(30)
        for week in range(12)
        for thing in range(2)
    ]
    written(tmp_path, "train.csv", weeks, header=f"{HEADER},session_id")
    written(tmp_path, "queries.csv", weeks, header=f"{HEADER},session_id")
    truth = [(f"u{user}", item) for user in range(30) for item in (f"own{user % 9}-0", f"own{(user + 1) % 9}-1", "new")]
    written(tmp_path, "truth.csv", truth, header="user_id,item_id")
    items = [(f"own{own}-0", f"Thing {own}", f"A > B{own % 3}") for own in range(5)]
    written(tmp_path, "items.csv", items, header="item_id,title,category")
    content = run(tmp_path, items=True)
    assert set(content["tasks"]) == {"home", "discover"}
    rows = {row["name"]: row["metrics"] for row in content["tasks"]["home"]["rows"]}
    assert rows["personal_frequency"]["recall@10"]["value"] == pytest.approx(1 / 3, abs=0.2)
    assert rows["personal_frequency"]["mrr@10"]["value"] > 0.7
    assert content["protocol"]["truth_items_unknown"] == 30
    assert content["protocol"]["sizes"]["items_described"] == 5
    assert content["protocol"]["sizes"]["acts"] == len(weeks)
    assert {"content", "interests", "segments"} <= set(rows)
    discover = {row["name"]: row["metrics"] for row in content["tasks"]["discover"]["rows"]}
    assert discover["popular"]["recall@10"]["value"] <= 0.5


def test_without_lightgbm_it_says_why_there_are_no_trees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    for name in ("train", "queries"):
        written(tmp_path, f"{name}.csv", chain(40, length=3, n_items=9))
    written(tmp_path, "truth.csv", [("s0", "i5")], header="user_id,item_id")
    argv = [f"--{name}={tmp_path / name}.csv" for name in ("train", "queries", "truth")]
    assert main([*argv, "--quick"]) == 0
    assert (
        "discover: no trees: The second stage needs LightGBM: install the extra second-stage" in capsys.readouterr().err
    )


def test_a_net_is_weighed_beside_the_same_without_it(sessions: tuple[Path, dict[str, Any]]) -> None:
    pytest.importorskip("torch")
    content = run(sessions[0], "--k=1,5", "--net=0.1")
    rows = {row["name"]: row for row in content["tasks"]["discover"]["rows"]}
    assert rows["transformer"]["kind"] == "recommender"
    assert rows["hybrid_without_net"]["kind"] == "hybrid"
    assert rows["transformer"]["metrics"]["ndcg@1"]["value"] > 0.5
    assert "hybrid_without_net" in content["protocol"]["hybrid_minus_others"]["discover"]


def test_without_torch_a_net_is_refused_with_the_remedy(
    sessions: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    argv = [f"--{name}={sessions[0] / name}.csv" for name in ("train", "queries", "truth")]
    assert main([*argv, "--net=1", "--silent"]) == 2
    assert "install the extra sequence-torch" in capsys.readouterr().err


def test_own_data_of_one_user_at_one_time(tmp_path: Path) -> None:
    rows = [("me", f"i{item}", 7) for item in range(12)]
    written(tmp_path, "train.csv", rows)
    written(tmp_path, "queries.csv", rows)
    written(tmp_path, "truth.csv", [("me", "i3"), ("me", "other")], header="user_id,item_id")
    content = run(tmp_path, "--task=home")
    assert content["tasks"]["home"]["users"] == 1
    assert content["protocol"]["validation"]["rule"] == "random_items"


def test_a_user_with_truth_but_no_query_is_an_input_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "train.csv", [("a", "x", 1), ("a", "y", 2)])
    written(tmp_path, "queries.csv", [("a", "x", 1)])
    written(tmp_path, "truth.csv", [("a", "y"), ("b", "y")], header="user_id,item_id")
    argv = [f"--{name}={tmp_path / name}.csv" for name in ("train", "queries", "truth")]
    assert main([*argv, "--silent"]) == 2
    message = capsys.readouterr().err
    assert f"{tmp_path / 'truth.csv'}, row 2 (line 3), field user_id: user 'b' is not in" in message
    assert "Give the history" in message


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--train=a.csv"], "--queries, --truth is missing"),
        (["--items=a.csv"], "give --train"),
        (["--k=0"], "above 0"),
        (["--k=50"], "up to 20"),
        (["--budget=-3"], "no number of seconds above 0"),
        (["--budget=nan"], "no number of seconds above 0"),
        (["--train=a", "--queries=b", "--truth=c", "--peers"], "leave them out"),
        (["--net=5"], "--net is above 0, and for files of your own"),
    ],
)
def test_options_that_do_not_fit(argv: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert problem in capsys.readouterr().err
