"""Experiments in words: what to do about one, and the lines of its log. Arms are numbered from 0 and called A, B …"""

from collections.abc import Mapping
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from recommendations.experiment_terms import NoteCode
from recommendations.terms import ExperimentKind, Metric
from recommendations.wording.experiment_starts import refusal_of_start
from recommendations.wording.instance_labels import INSTANCES
from recommendations.wording.linter import listed
from recommendations.wording.metrics import (
    OF_CLICKS,
    UNITS,
    MetricUnit,
    is_number,
    metric_noun,
    metric_text,
    number_text,
    percent_text,
)

LONGEST_WAIT = 365
"""Days beyond which waiting is no advice."""

type Facts = Mapping[str, Any]
type Tone = Literal["good", "bad", "warn", "neutral"]

VERDICT_TONES: Mapping[str, Tone] = {
    "broken_split": "bad",
    "harm": "bad",
    "too_early": "neutral",
    "ship": "good",
    "keep": "neutral",
    "alike": "neutral",
    "ended": "warn",
    "not_yet": "neutral",
}


AA_TONES: Mapping[str, Tone] = {"ship": "warn", "keep": "warn", "alike": "good", "ended": "good", "not_yet": "good"}
"""Tones of verdicts on an A/A, where to find nothing is what is hoped for; of others they are the usual."""


def verdict_text(code: str, facts: Facts, *, primary: str, kind: str = ExperimentKind.AB) -> str:
    """A verdict as one sentence, from its ``VerdictCode``, its facts (also as JSON has them) and the primary metric."""
    if kind == ExperimentKind.AA and code in AA_TONES:
        return _same(code, facts, primary=primary)
    return _verdict(code, facts, primary=primary)


def _verdict(code: str, facts: Facts, *, primary: str) -> str:
    match code:
        case "broken_split":
            return gettext("Don't trust this: visitors are split %(seen)s, not %(planned)s") % _split(facts)
        case "harm":
            return gettext("Stopped: %(what)s") % {"what": _changed(facts)}
        case "too_early":
            return gettext("Too early: %(missing)s") % {"missing": _missing(facts, primary=primary)}
        case "ship":
            return _ship(facts, primary=primary)
        case "keep":
            words = {"arm": letter(facts["arm"]), "metric": metric_noun(primary)}
            least = percent_text(facts["at_least"])
            return gettext("Keep A: %(arm)s lowers %(metric)s by at least %(least)s") % {**words, "least": least}
        case "alike":
            return _alike(facts, primary=primary)
        case "ended":
            return _ended(facts, primary=primary)
        case "not_yet":
            return _not_yet(facts)
    raise ValueError(f"no verdict is called {code}")


def verdict_tone(code: str, *, kind: str = ExperimentKind.AB) -> Tone:
    """Whether a verdict is good news, bad news, a warning or neither."""
    own = AA_TONES if kind == ExperimentKind.AA else {}
    return own.get(code, VERDICT_TONES[code])


def note_text(code: str, facts: Facts, *, primary: str, kind: str = ExperimentKind.AB) -> str:
    """A line of an experiment's log, from its ``NoteCode``, or that of the verdict that it came to."""
    if code in VERDICT_TONES:
        return verdict_text(code, facts, primary=primary, kind=kind)
    endless = code == NoteCode.STARTED and kind == ExperimentKind.BANDIT
    template = _("Started with %(traffic)s of the traffic, without an end") if endless else _NOTES[NoteCode(code)]
    return str(template) % _words(NoteCode(code), facts)


def letter(arm: int) -> str:
    """What an arm is called: A is the control."""
    return chr(ord("A") + arm)


_NOTES: Mapping[NoteCode, Promise] = {
    NoteCode.CREATED: _("Draft created"),
    NoteCode.CHANGED: _("Draft changed"),
    NoteCode.COPIED: _("Copied from “%(name)s”"),
    NoteCode.STARTING: _("Start asked for: the last four weeks are measured first"),
    NoteCode.START_CANCELLED: _("Start cancelled: a draft again"),
    NoteCode.START_FAILED: _("Not started: %(why)s"),
    NoteCode.STARTED: _("Started with %(traffic)s of the traffic, planned for %(days)s"),
    NoteCode.PAUSED: _("Paused: everybody gets what is served outside the experiment"),
    NoteCode.RESUMED: _("Resumed"),
    NoteCode.STOPPED: _("Stopped: everybody gets what is served outside the experiment"),
    NoteCode.SHIPPED: _("%(arm)s was published and is now served to everybody"),
    NoteCode.WIDENED: _("Traffic widened from %(before)s to %(after)s"),
    NoteCode.SPLIT_BROKEN: _("Visitors are split %(seen)s, not %(planned)s: do not trust the results"),
    NoteCode.ARM_OUT: _("%(arm)s was taken out"),
    NoteCode.ARM_HARMED: _("%(arm)s gets no more visitors: %(what)s"),
    NoteCode.ARM_PINNED: _("%(arm)s was pinned to %(share)s of the visitors, from its next night on"),
    NoteCode.ARM_UNPINNED: _("%(arm)s is no longer pinned, from its next night on"),
    NoteCode.FLOOR_SET: _("%(arm)s gets at least %(share)s of the visitors, from its next night on"),
    NoteCode.SHARES_SET: _("Shares of the visitors: %(moves)s"),
    NoteCode.SHARES_FROZEN: _("Paused: the shares stay as they are"),
    NoteCode.LATE_CHANGE: _("Orders and refunds that came late moved %(arm)s by %(change)s"),
    NoteCode.MODEL_LACKS: _("The new model lacks “%(recommender)s”, which has %(share)s of the weight in %(arm)s"),
    NoteCode.SEGMENT_GONE: _("Nobody can take part: the new model no longer has segment %(segments)s"),
    NoteCode.DEFAULT_MOVED: _("The default has moved to %(after)s; the experiment still compares with %(before)s"),
}


def _words(code: NoteCode, facts: Facts) -> dict[str, str]:
    """Facts of a note, each as its sentence has it."""
    words = {name: str(value) for name, value in facts.items()}
    words |= {"why": refusal_of_start(facts)} if code is NoteCode.START_FAILED else {}
    if "arm" in facts:
        words["arm"] = letter(facts["arm"])
    words |= {name: percent_text(facts[name]) for name in ("traffic", "share") if name in facts}
    match code:
        case NoteCode.STARTED:
            words["days"] = _days(facts["days"])
        case NoteCode.WIDENED:
            words |= {name: percent_text(facts[name]) for name in ("before", "after")}
        case NoteCode.SPLIT_BROKEN:
            words |= _split(facts)
        case NoteCode.ARM_HARMED:
            words["what"] = _changed(facts)
        case NoteCode.SHARES_SET:
            words["moves"] = _moves(facts)
        case NoteCode.LATE_CHANGE:
            words["change"] = _change(facts["metric"], facts["change"])
        case NoteCode.MODEL_LACKS:
            words["recommender"] = str(INSTANCES.get(facts["recommender"], facts["recommender"]))
        case NoteCode.SEGMENT_GONE:
            words["segments"] = listed([str(number) for number in facts["segments"]])
    return words


def _split(facts: Facts) -> dict[str, str]:
    """Shares of the arms, seen and planned, in per cent: "51.8 : 48.2"."""
    return {name: " : ".join(number_text(100 * share, 1) for share in facts[name]) for name in ("seen", "planned")}


def _changed(facts: Facts) -> str:
    """How much worse a metric is for certain: "with B, refunds rose by between 3.1 % and 8.4 %"."""
    words = {"arm": letter(facts["arm"]), "metric": metric_noun(facts["metric"])}
    low, high = facts["low"], facts["high"]
    if not (is_number(low) and is_number(high)):
        return gettext("with %(arm)s, %(metric)s changed for the worse by more than is tolerated") % words
    near, far = sorted((abs(low), abs(high)))
    words |= {"near": percent_text(near), "far": percent_text(far)}
    if high > 0:
        return gettext("with %(arm)s, %(metric)s rose by between %(near)s and %(far)s") % words
    return gettext("with %(arm)s, %(metric)s fell by between %(near)s and %(far)s") % words


def _missing(facts: Facts, *, primary: str) -> str:
    """What an experiment still lacks before its effect speaks: "3 of 7 whole days, 61 of 100 buyers in one arm"."""
    parts = []
    if facts["day"] < facts["days"]:
        replayed = gettext("%(day)d of %(days)d whole days of the replay")
        parts.append((replayed if facts.get("replayed") else gettext("%(day)d of %(days)d whole days")) % facts)
    if facts["successes"] < facts["needed"]:
        if Metric(primary) in OF_CLICKS:
            parts.append(gettext("%(successes)d of %(needed)d visitors with a click in one arm") % facts)
        else:
            parts.append(gettext("%(successes)d of %(needed)d buyers in one arm") % facts)
    return pgettext("between what is missing", ", ").join(parts)


def _ship(facts: Facts, *, primary: str) -> str:
    arm = letter(facts["arm"])
    words = {
        "arm": arm, "metric": metric_noun(primary),
        "value": percent_text(facts["value"], signed=True), "least": percent_text(facts["low"], signed=True),
    }  # fmt: skip
    text = gettext("Ship %(arm)s: %(value)s in %(metric)s, at least %(least)s") % words
    others = [letter(other) for other in facts.get("also_better", ())]
    if not others:
        return text
    template = ngettext(
        "%(text)s. %(others)s beats A, too; whether %(arm)s beats it is open",
        "%(text)s. %(others)s beat A, too; whether %(arm)s beats them is open",
        len(others),
    )
    return template % {"text": text, "others": listed(others), "arm": arm}


def _alike(facts: Facts, *, primary: str) -> str:
    close, worse = ([letter(arm) for arm in facts[side]] for side in ("arms", "worse"))
    words = {"close": listed(close), "worse": listed(worse), "metric": metric_noun(primary)}
    words["smallest"] = percent_text(facts["smallest"])
    text = ngettext(
        "Keep A: if %(close)s differs in %(metric)s, then by less than the %(smallest)s you asked for",
        "Keep A: if %(close)s differ in %(metric)s, then by less than the %(smallest)s you asked for",
        len(close),
    ) % words  # fmt: skip
    if not worse:
        return text
    template = ngettext("%(text)s; %(worse)s is worse", "%(text)s; %(worse)s are worse", len(worse))
    return template % {**words, "text": text}


def _same(code: str, facts: Facts, *, primary: str) -> str:
    """What an A/A says, whose arms get the same: a difference is chance, or a fault of the counting."""
    words = {"metric": metric_noun(primary)}
    if code == "alike":
        smallest = percent_text(facts["smallest"])
        text = gettext("No difference, as it should be: in %(metric)s less than %(smallest)s either way")
        return text % {**words, "smallest": smallest}
    if not (is_number(facts["low"]) and is_number(facts["high"])):
        return gettext("No difference so far: too little has happened to compare %(metric)s") % words
    words |= {end: percent_text(facts[end], signed=True) for end in ("value", "low", "high")}
    if code in {"ship", "keep"}:
        text = gettext(
            "A difference where there is none: %(metric)s %(value)s (%(low)s to %(high)s). One A/A in twenty says so "
            "by chance: run another before you trust the counting"
        )
        return text % words
    return gettext("No difference, as it should be: %(metric)s %(value)s (%(low)s to %(high)s)") % words


def _ended(facts: Facts, *, primary: str) -> str:
    words = {"days": _days(facts["days"]), "arm": letter(facts["arm"]), "metric": metric_noun(primary)}
    if not (is_number(facts["low"]) and is_number(facts["high"])):
        return gettext("Undecided after %(days)s: too little has happened to compare %(metric)s") % words
    words |= {end: percent_text(facts[end], signed=True) for end in ("low", "high")}
    return gettext("Undecided after %(days)s: %(arm)s changes %(metric)s by between %(low)s and %(high)s") % words


def _not_yet(facts: Facts) -> str:
    wait, smallest = facts["days_to_go"], percent_text(facts["smallest"])
    if wait is None:
        return gettext("Keep watching: at today's traffic ± %(smallest)s is out of reach") % {"smallest": smallest}
    if wait == 0:
        words = {"smallest": smallest}
        return gettext("Keep watching: ± %(smallest)s is reached, but it may be better or no different") % words
    if wait > LONGEST_WAIT:
        text = gettext(
            "This test cannot tell a difference as small as %(smallest)s: at today's traffic that takes more than a "
            "year. Test a larger change, take more visitors, or keep A"
        )
        return text % {"smallest": smallest}
    template = ngettext(
        "Keep watching: about %(wait)d more day until ± %(smallest)s",
        "Keep watching: about %(wait)d more days until ± %(smallest)s",
        wait,
    )
    return template % {"wait": wait, "smallest": smallest}


def _moves(facts: Facts) -> str:
    """What a bandit changed: "B 31% → 46% (best with chance 71%: 2.4% against 2.1%); C at the least share"."""
    parts = []
    for move in facts["moves"]:
        words = {"arm": letter(move["arm"])}
        words |= {name: percent_text(move[name]) for name in ("before", "after")}
        text = gettext("%(arm)s %(before)s → %(after)s") % words
        if is_number(move.get("chance")):
            text = _with_chance(text, move, metric=facts.get("metric", Metric.CTR))
        parts.append(text)
    if at_floor := [letter(arm) for arm in facts.get("at_floor", ())]:
        parts.append(gettext("%(arms)s at the least share") % {"arms": listed(at_floor)})
    return pgettext("between moves of shares", "; ").join(parts) or gettext("as the day before")


def _with_chance(text: str, move: Facts, *, metric: str) -> str:
    """A move with the chance of the arm to be the best, and its mean beside the best other one."""
    words = {"text": text, "chance": percent_text(move["chance"])}
    if not (is_number(move.get("mean")) and is_number(move.get("other"))):
        return gettext("%(text)s (best with chance %(chance)s)") % words
    words |= {"mean": metric_text(metric, move["mean"]), "other": metric_text(metric, move["other"])}
    return gettext("%(text)s (best with chance %(chance)s: %(mean)s against %(other)s)") % words


def _change(metric: str, change: float) -> str:
    """A change in a metric's unit, with its sign; one of shares in points."""
    sign = "−" if change < 0 else "+"
    if UNITS[Metric(metric)] == MetricUnit.SHARE:
        return gettext("%(value)s points") % {"value": sign + number_text(100 * abs(change), 2)}
    return sign + metric_text(metric, abs(change))


def _days(days: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
