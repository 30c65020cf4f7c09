"""Summaries of the benches of ingestion and of live answers."""

from bench import ingest, live
from bench.live import Try

ROUNDS = [
    {
        "API, by 100": rate, "web µs a line, by 100": cost, "floor: unnest, by 100": 40.0, "floor: COPY": 900.0,
        "import of a file": 100.0, "floor: COPY of the file": 400.0,
    }
    for rate, cost in ((10.0, 30.0), (20.0, 50.0), (80.0, 40.0))
]  # fmt: skip


def test_rates_are_medians_and_ratios_are_to_the_floors_of_the_same_size() -> None:
    result = ingest.summary(ROUNDS, connections=4)
    assert result["lines_per_second"]["API, by 100"] == 20
    assert result["ratio_to"] == {
        "API, by 100": {"floor: unnest, by 100": 0.5},
        "import of a file": {"floor: COPY of the file": 0.25},
    }
    assert result["web_microseconds_a_line"] == {"by 100": 40.0}
    rows = ingest.table(result).splitlines()
    assert rows[0] == "median of 3 rounds, 4 connections"
    assert rows[2].split() == ["API,", "by", "100", "20", "40.0", "0.500", "unnest,", "by", "100"]


def tries(*answered: float, reflected: bool = True) -> list[Try]:
    return [Try(kind="purchase", reflected=reflected, posted=1.0, answered=took) for took in answered]


def test_one_answer_that_misses_its_event_breaks_the_limit() -> None:
    assert live.summary(tries(*[10.0] * 499))["kept"]
    assert not live.summary([*tries(*[10.0] * 499), *tries(10.0, reflected=False)])["kept"]


def test_slow_answers_break_the_limit() -> None:
    result = live.summary(tries(*[10.0] * 90, *[101.0] * 10))
    assert not result["kept"]
    assert result["kinds"]["all"]["answered_ms"] == {"p50": 10.0, "p99": 101.0, "most": 101.0}
    assert "NOT kept" in live.table(result)
