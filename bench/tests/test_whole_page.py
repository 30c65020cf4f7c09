"""The table of whole pages: figures, intervals, and nothing where there is nothing to compare."""

from bench.whole_page import table

ROW = {
    "page": "home", "asked": "singly", "customers": 500, "items": 28.5, "twice": 750, "short": 3,
    "ndcg": (0.25, 0.24, 0.26), "gain": None, "of_kind": None, "cpu_ms": 12.345,
}  # fmt: skip


def test_a_page_asked_both_ways_is_compared() -> None:
    together = {**ROW, "asked": "together", "twice": 0, "gain": (0.036, 0.031, -0.002), "of_kind": 0.875}
    head, singly, both = table([ROW, together]).splitlines()
    assert head.split()[0] == "page"
    assert singly.split() == ["home", "singly", "500", "28.50", "750", "3", "0.2500", "[0.2400,", "0.2600]", "12.35"]
    assert both.split()[4:] == [
        "0", "3", "0.2500", "[0.2400,", "0.2600]", "+0.0360", "[+0.0310,", "-0.0020]", "87.5%", "12.35",
    ]  # fmt: skip
    assert len({len(line) for line in (head, singly, both)}) == 1
