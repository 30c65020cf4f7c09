"""Counts of a stage in words."""

from django.utils.translation import override

from analytics.templatetags.words import (
    counts_in_words,
    headline,
    label,
    measured_label,
    metric_label,
)
from recommendations.terms import Stage
from recommendations.wording import labels
from recommendations.wording.instance_labels import instance_label


def test_counts_keep_an_order_and_say_what_they_count() -> None:
    counts = {
        "live_items": 68257, "removed_burst": 0, "removed_duplicate": 3, "kept": 1469304, "events": 1469307,
        "agreement": 0.874, "bytes": 39_300_000, "fit_seconds": {"als": 4.0, "ease_home": 13.0}, "home_weights": 2,
        "home_ndcg@10": 0.4196, "tuning_users": 2456, "unheard_of": 1, "discover_weights": None,
        "skipped": "no history",
    }  # fmt: skip
    assert counts_in_words(counts) == [
        ("1,469,307", "events"),
        ("1,469,304", "events kept"),
        ("3", "duplicates removed"),
        ("87%", "agreement of segments with the last run"),
        ("17 s", "to fit all recommenders"),
        ("39 MB", "stored"),
        ("no history", "skipped"),
        ("v2", "new weights of For you"),
        ("1", "unheard of"),
        ("68,257", "items (Live)"),
        ("2,456", "customers (Tuning)"),
    ]


def test_counts_in_chinese() -> None:
    with override("zh-hans"):
        assert counts_in_words({"live_items": 68257}) == [("68,257", "件商品\uff08线上\uff09")]


def test_headline_is_the_one_count_that_says_most() -> None:
    assert headline(Stage.COLLECT, {"new": 12, "events": 1000}) == ("12", "new events")
    assert headline(Stage.COLLECT, {}) is None
    assert headline(Stage.ADJUST, {"home_ndcg@10": None}) is None


def test_unknown_codes_are_called_by_their_code() -> None:
    assert label(labels.STAGES, "collect") == "Collect"
    assert label(labels.STAGES, "some_stage") == "some stage"
    assert labels.placement_label("zero_results") == "zero results"
    assert metric_label("mean@3") == "mean@3"
    assert measured_label("hybrid") == "Hybrid, as served"
    assert measured_label("ease_home") == instance_label("ease_home")
