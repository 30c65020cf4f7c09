"""Verdicts, log and metrics of experiments in words, in both languages."""

# ruff: noqa: RUF001 -- Chinese has full-width signs

import math
import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.utils import translation

from recommendations.engine.experiments.decision import Contrast, ExperimentStanding, VerdictCode, decide
from recommendations.engine.experiments.effects import TreatmentEffect
from recommendations.engine.experiments.sequences import mixture_scale
from recommendations.experiment_terms import NoteCode, StartRefusal
from recommendations.terms import Metric
from recommendations.wording import experiment_labels
from recommendations.wording.experiment_advice import advice_on_bandit, advice_undecided, with_advice
from recommendations.wording.experiment_starts import refusal_of_start
from recommendations.wording.experiments import VERDICT_TONES, note_text, verdict_text, verdict_tone
from recommendations.wording.metrics import UNITS, higher_is_better, metric_noun, metric_text, percent_text

B = {"arm": 1, "value": 0.031, "low": 0.004, "high": 0.058}
VERDICTS: Mapping[str, dict[str, Any]] = {
    "broken_split": {"seen": [0.518, 0.482], "planned": [0.5, 0.5], "counts": [518, 482], "log_evidence": 9.0},
    "harm": {"metric": "refunds", "arm": 1, "low": 0.031, "high": 0.084, "tolerance": 0.02, "difference": 0.001},
    "too_early": {"day": 3, "days": 7, "successes": 61, "needed": 100},
    "ship": B | {"also_better": []},
    "keep": {"arm": 1, "value": -0.02, "low": -0.034, "high": -0.006, "at_least": 0.006},
    "alike": {"smallest": 0.02, "arms": [1], "worse": []},
    "ended": {"arm": 1, "value": 0.01, "low": -0.008, "high": 0.029, "days": 28},
    "not_yet": B | {"days_to_go": 9, "smallest": 0.02},
}
NOTES: Mapping[str, dict[str, Any]] = {
    "copied": {"name": "Fresh first"},
    "started": {"traffic": 0.5, "days": 28},
    "shipped": {"arm": 1},
    "widened": {"before": 0.2, "after": 0.5},
    "split_broken": VERDICTS["broken_split"],
    "arm_out": {"arm": 2},
    "arm_harmed": {"arm": 1, "metric": "converted", "low": -0.41, "high": -0.18},
    "arm_pinned": {"arm": 1, "share": 0.25},
    "arm_unpinned": {"arm": 1},
    "floor_set": {"arm": 1, "share": 0.05},
    "shares_set": {"moves": [{"arm": 1, "before": 0.31, "after": 0.46, "chance": 0.71}], "at_floor": [2]},
    "shares_frozen": {},
    "starting": {},
    "start_cancelled": {},
    "start_failed": {"why": "same_lists", "arms": [1, 2], "asked": 1500, "revision": 2},
    "late_change": {"arm": 0, "metric": "ctr", "change": 0.001},
    "model_lacks": {"arm": 1, "recommender": "buy_again", "share": 0.3},
    "segment_gone": {"segments": [4]},
    "default_moved": {"before": "v12", "after": "v14"},
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-hans"])
CHINESE = re.compile("[一-鿿]")


def is_a_sentence(text: str, language: str) -> bool:
    """No placeholder is left, no null shows, and the language is the reader's."""
    whole = not re.search(r"%\(|%[sd]|None|nan|inf\b", text)
    return whole and bool(CHINESE.search(text)) == (language == "zh-hans")


@LANGUAGES
@pytest.mark.parametrize("code", list(VerdictCode))
@pytest.mark.parametrize("primary", ["revenue", "ctr"])
def test_every_verdict_has_words(code: VerdictCode, primary: str, language: str) -> None:
    with translation.override(language):
        assert is_a_sentence(verdict_text(code, VERDICTS[code], primary=primary), language)
    assert verdict_tone(code) in {"good", "bad", "warn", "neutral"}


@LANGUAGES
@pytest.mark.parametrize("code", list(VerdictCode))
def test_every_verdict_on_an_aa_has_words(code: VerdictCode, language: str) -> None:
    unknown = {"low": None, "high": None, "value": None}
    with translation.override(language):
        assert is_a_sentence(verdict_text(code, VERDICTS[code], primary="ctr", kind="aa"), language)
        assert is_a_sentence(note_text(code, VERDICTS[code], primary="ctr", kind="aa"), language)
        if code in {"ended", "not_yet"}:
            assert is_a_sentence(verdict_text(code, VERDICTS[code] | unknown, primary="ctr", kind="aa"), language)


@pytest.mark.parametrize(
    ("code", "tone", "text"),
    [
        ("not_yet", "good", "No difference, as it should be: clicks per list +3.1% (+0.4% to +5.8%)"),
        ("ended", "good", "No difference, as it should be: clicks per list +1% (−0.8% to +2.9%)"),
        ("alike", "good", "No difference, as it should be: in clicks per list less than 2% either way"),
        ("ship", "warn", "A difference where there is none: clicks per list +3.1% (+0.4% to +5.8%). One A/A in twenty"),
        ("keep", "warn", "A difference where there is none: clicks per list −2% (−3.4% to −0.6%). One A/A in twenty"),
        ("broken_split", "bad", "Don't trust this: visitors are split"),
        ("too_early", "neutral", "Too early: 3 of 7 whole days"),
    ],
)
def test_an_aa_is_well_where_nothing_is_there(code: str, tone: str, text: str) -> None:
    assert verdict_text(code, VERDICTS[code], primary="ctr", kind="aa").startswith(text)
    assert verdict_tone(code, kind="aa") == tone


def test_verdicts_have_the_codes_of_the_engine_and_none_is_a_note_of_another_meaning() -> None:
    assert list(VERDICT_TONES) == list(VerdictCode)
    assert not set(VerdictCode) & set(NoteCode)


@LANGUAGES
@pytest.mark.parametrize("code", [*NoteCode, *VerdictCode])
def test_every_line_of_the_log_has_words(code: str, language: str) -> None:
    facts = {**VERDICTS, **NOTES}.get(code, {})
    with translation.override(language):
        assert is_a_sentence(note_text(code, facts, primary="revenue"), language)


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        (
            "broken_split",
            "Don't trust this: visitors are split 51.8 : 48.2, not 50 : 50",
            "结果不可信：流量未按计划分配，实际为 51.8 : 48.2，计划为 50 : 50",
        ),
        (
            "harm",
            "Stopped: with B, refunds rose by between 3.1% and 8.4%",
            "已自动停止：B 的退款占比上升，幅度在 3.1% 与 8.4% 之间",
        ),
        (
            "too_early",
            "Too early: 3 of 7 whole days, 61 of 100 buyers in one arm",
            "为时尚早：已满 3 天，至少需 7 天；有一组仅 61 位买家，需 100 位",
        ),
        (
            "ship",
            "Ship B: +3.1% in revenue per visitor, at least +0.4%",
            "建议上线 B：每位访客的销售额 +3.1%，至少 +0.4%",
        ),
        (
            "keep",
            "Keep A: B lowers revenue per visitor by at least 0.6%",
            "保留 A：B 使每位访客的销售额至少下降 0.6%",
        ),
        (
            "alike",
            "Keep A: if B differs in revenue per visitor, then by less than the 2% you asked for",
            "差异可忽略，保留 A：即使 B 在每位访客的销售额上有差异，也不到您设定的 2%",
        ),
        (
            "ended",
            "Undecided after 28 days: B changes revenue per visitor by between −0.8% and +2.9%",
            "28 天后仍未能判定：B 使每位访客的销售额变化，幅度在 −0.8% 与 +2.9% 之间",
        ),
        ("not_yet", "Keep watching: about 9 more days until ± 2%", "继续观察：约再过 9 天，精度可达 ± 2%"),
    ],
)
def test_a_verdict_says_what_to_do(code: str, english: str, chinese: str) -> None:
    assert verdict_text(code, VERDICTS[code], primary="revenue") == english
    with translation.override("zh-hans"):
        assert verdict_text(code, VERDICTS[code], primary="revenue") == chinese


@LANGUAGES
@pytest.mark.parametrize("simulated", [False, True])
@pytest.mark.parametrize("status", ["running", "paused", "stopped"])
def test_what_to_do_next_has_words_in_every_state(status: str, simulated: bool, language: str) -> None:
    with translation.override(language):
        texts = [advice_undecided(status, simulated=simulated, widens=widens) for widens in (False, True)]
        for best in ("A", "C"):
            texts += [advice_on_bandit(status, simulated=simulated, best=best, chance=each) for each in (0.5, 0.97)]
        for text in texts:
            assert is_a_sentence(with_advice("B", text) if language == "en" else text, language)
            assert ("publish" in text) <= ("best with chance 97%" in text)
    assert advice_undecided("shipped", simulated=False, widens=True) == with_advice("", "") == ""


def test_only_what_is_missing_makes_it_too_early() -> None:
    facts = VERDICTS["too_early"]
    assert verdict_text("too_early", facts | {"successes": 240}, primary="revenue") == "Too early: 3 of 7 whole days"
    late = verdict_text("too_early", facts | {"day": 9}, primary="ctr")
    assert late == "Too early: 61 of 100 visitors with a click in one arm"


def test_days_of_the_replay_are_called_so() -> None:
    """They pass by the dates of its purchases: a day of them may be over in a minute."""
    facts = VERDICTS["too_early"] | {"successes": 240, "replayed": True}
    assert verdict_text("too_early", facts, primary="ctr") == "Too early: 3 of 7 whole days of the replay"


def test_what_takes_more_than_a_year_is_no_reason_to_keep_watching() -> None:
    facts = VERDICTS["not_yet"]
    year = verdict_text("not_yet", facts | {"days_to_go": 365}, primary="revenue")
    assert year == "Keep watching: about 365 more days until ± 2%"
    longer = verdict_text("not_yet", facts | {"days_to_go": 1154}, primary="revenue")
    assert longer == (
        "This test cannot tell a difference as small as 2%: at today's traffic that takes more than a year. "
        "Test a larger change, take more visitors, or keep A"
    )


def test_several_arms_are_listed() -> None:
    two = verdict_text("ship", B | {"also_better": [2, 3]}, primary="revenue")
    assert two.endswith("at least +0.4%. C and D beat A, too; whether B beats them is open")
    one = verdict_text("ship", B | {"also_better": [2]}, primary="revenue")
    assert one.endswith("C beats A, too; whether B beats it is open")
    alike = verdict_text("alike", {"smallest": 0.02, "arms": [1, 2], "worse": [3]}, primary="ctr")
    assert alike == "Keep A: if B and C differ in clicks per list, then by less than the 2% you asked for; D is worse"


@LANGUAGES
@pytest.mark.parametrize("nothing", [None, math.nan])
def test_an_effect_that_nothing_is_known_of_has_words(nothing: float | None, language: str) -> None:
    ends = {"low": nothing, "high": nothing}
    with translation.override(language):
        for code in ("harm", "ended"):
            assert is_a_sentence(verdict_text(code, VERDICTS[code] | ends, primary="revenue"), language)
        for wait in (None, 0, 1, 1154):
            text = verdict_text("not_yet", VERDICTS["not_yet"] | {"days_to_go": wait}, primary="revenue")
            assert is_a_sentence(text, language)


def test_a_guardrail_that_falls_says_so() -> None:
    facts = {"metric": "converted", "arm": 2, "low": -0.41, "high": -0.18}
    text = verdict_text("harm", facts, primary="ctr")
    assert text.endswith("C, the share of visitors who buy fell by between 18% and 41%")


def test_the_facts_of_the_engine_fill_the_words() -> None:
    effect = TreatmentEffect(value=0.31, se=0.05, base=10.0)
    contrast = Contrast(arm=1, effect=effect, tau2=mixture_scale(0.05, 0.05), successes=900)
    verdict = decide(
        ExperimentStanding(
            days=16, planned_days=28, counts=[5000, 5000], shares=[0.5, 0.5], control_successes=900,
            contrasts=[contrast], smallest=0.02,
        )
    )  # fmt: skip
    # 3.1 % ± 3.03 · .5 %
    expected = "Ship B: +3.1% in revenue per visitor, at least +1.6%"
    assert verdict_text(verdict.code, verdict.facts, primary="revenue") == expected


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("started", "Started with 50% of the traffic, planned for 28 days"),
        ("arm_harmed", "B gets no more visitors: with B, the share of visitors who buy fell by between 18% and 41%"),
        ("shares_set", "Shares of the visitors: B 31% → 46% (best with chance 71%); C at the least share"),
        ("late_change", "Orders and refunds that came late moved A by +0.1 points"),
        ("model_lacks", "The new model lacks “Bought often”, which has 30% of the weight in B"),
    ],
)
def test_a_line_of_the_log_has_its_figures(code: str, text: str) -> None:
    assert note_text(code, NOTES[code], primary="revenue") == text


def test_the_leader_of_a_bandit_stands_with_its_mean_beside_the_best_other_one() -> None:
    leader = {"arm": 1, "before": 0.31, "after": 0.46, "chance": 0.71, "mean": 0.024, "other": 0.021}
    facts = {"moves": [leader], "metric": "ctr", "at_floor": []}
    text = note_text("shares_set", facts, primary="ctr")
    assert text == "Shares of the visitors: B 31% → 46% (best with chance 71%: 2.4% against 2.1%)"
    with translation.override("zh-hans"):
        assert is_a_sentence(note_text("shares_set", facts, primary="ctr"), "zh-hans")
        assert is_a_sentence(note_text("shares_set", {"moves": []}, primary="ctr"), "zh-hans")


def test_late_money_has_the_sign_of_the_currency() -> None:
    facts = {"arm": 1, "metric": "revenue", "change": -0.25}
    assert note_text("late_change", facts, primary="revenue").endswith("moved B by −$0.25")


@LANGUAGES
@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_has_a_name_and_a_unit(metric: Metric, language: str) -> None:
    with translation.override(language):
        assert is_a_sentence(metric_noun(metric), language)
        assert not re.search(r"%\(|nan", metric_text(metric, 1.25) + metric_text(metric, math.nan))
    assert set(UNITS) == {code for code, _words in experiment_labels.METRICS} == set(Metric)


def test_values_stand_in_their_units() -> None:
    values = {"revenue": 4.5, "converted": 0.0312, "orders": 1.836, "latency": 43.4, "coverage": 1234.4}
    texts = [metric_text(metric, value) for metric, value in values.items()]
    assert texts == ["$4.50", "3.1%", "1.84", "43 ms", "1,234"]
    assert [percent_text(share, signed=True) for share in (0.0004, -0.02, 0.0)] == ["+0.04%", "−2%", "0%"]


def test_less_is_better_of_four() -> None:
    worse = {metric for metric in Metric if not higher_is_better(metric)}
    assert worse == {Metric.REFUNDS, Metric.FALLBACK, Metric.LATENCY, Metric.DISLIKES}


@LANGUAGES
@pytest.mark.parametrize("why", StartRefusal)
def test_every_start_that_is_refused_says_why(why: str, language: str) -> None:
    facts = {"why": why, "arms": [1], "asked": 500, "error": "ZeroDivisionError", "revision": 2}
    with translation.override(language):
        text = refusal_of_start(facts)
        assert bool(CHINESE.search(text)) is (language != "en")
        assert text != note_text(NoteCode.START_FAILED, facts, primary="revenue")
        assert text in note_text(NoteCode.START_FAILED, facts, primary="revenue")


def test_versions_that_are_the_same_are_named() -> None:
    text = refusal_of_start({"why": "same_lists", "arms": [1, 2], "asked": 1500})
    assert text.startswith("B and C are the same as A for 1,500 of 1,500 customers.")
