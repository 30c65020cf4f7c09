"""An estimate of what a draft would have earned in words and figures, and how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.queries.weights.earned_words import lacking_text, refusal_text
from analytics.templatetags.display import number
from recommendations.models import DraftEstimate
from recommendations.services.weights.backtest import TestedEstimate, backtest
from recommendations.terms import RunStatus
from recommendations.wording.labels import placement_quoted
from recommendations.wording.metrics import percent_text
from recommendations.wording.money import short_amount

THOUSAND = 1_000
WIDTH = 200.0  # of the picture
SLOTS = 10
type Figures = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DrawnInterval:
    """An interval in the picture, whose middle is no difference; all in its units from the left."""

    words: str
    text: str
    low: float
    high: float
    value: float
    known: float | None = None

    @property
    def width(self) -> float:
        return max(self.high - self.low, 0.5)


@dataclass(frozen=True, kw_only=True)
class EarnedView:
    """What the panel shows; ``tone`` is good, bad or unclear, and ``refused`` where there is no figure."""

    state: str
    sentence: str = ""
    tone: str = "unclear"
    refused: bool = False
    spans: Sequence[DrawnInterval] = ()
    sureness: Sequence[tuple[str, str]] = ()
    details: Sequence[tuple[str, str, str, str]] = ()
    notes: Sequence[str] = ()
    tested: Sequence[tuple[TestedEstimate, str, str, str]] = ()
    tested_words: str = ""
    is_stale: bool = False


def view_of(estimate: DraftEstimate) -> EarnedView:
    """The estimate as the panel shows it."""
    state = _state(estimate)
    result = estimate.result
    if not estimate.has_result or estimate.cancel_requested_at:
        return EarnedView(state=state)
    refusal, clicks = result["refusal"], result.get("clicks")
    place = placement_quoted(estimate.placement)
    stale = estimate.revision != estimate.draft.revision
    tested = backtest(estimate.draft, estimate.placement)
    shared: dict[str, Any] = {
        "state": state, "is_stale": stale, "notes": _notes(result, place),
        "sureness": _sureness(result), "details": _details(result),
        "tested": [(each, *_percents(each)) for each in tested], "tested_words": _tested_words(tested),
    }  # fmt: skip
    if refusal:
        facts = {**refusal["facts"], "answers": result["answers"]}
        sentence = refusal_text(refusal["code"], facts, reason=lacking_text(result["lacking"]))
        return EarnedView(sentence=sentence, refused=True, **shared)
    if not clicks or not clicks["live"]:
        sentence = _("Nothing at all was clicked at %(place)s, so no list can be told from another.") % {"place": place}
        return EarnedView(sentence=sentence, refused=True, **shared)
    return EarnedView(
        sentence=_sentence(clicks, result.get("money"), place), tone=_tone(clicks), spans=_spans(result), **shared
    )


def _state(estimate: DraftEstimate) -> str:
    if estimate.cancel_requested_at:
        return _("The estimate was cancelled.")
    match estimate.status:
        case RunStatus.FAILED:
            return _("The estimate failed. Ask again.")
        case RunStatus.RUNNING:
            return _("Past answers are ranked again under the draft …")
        case RunStatus.SUCCEEDED:
            return ""
        case _:
            return _("Waiting for a worker.")


def _tone(clicks: Figures) -> str:
    if clicks["low"] > 0:
        return "good"
    return "bad" if clicks["high"] < 0 else "unclear"


def _sentence(clicks: Figures, money: Figures | None, place: str) -> str:
    """The figure: clicks a thousand answers, in percent of live, with the interval."""
    if clicks["value"] == 0 and clicks["low"] == 0 == clicks["high"]:
        return _("The draft shows the same lists at %(place)s: it would have earned the same.") % {"place": place}
    live = clicks["live"]
    words = {
        "place": place,
        "change": percent_text(clicks["value"] / live, signed=True),
        "low": percent_text(clicks["low"] / live, signed=True),
        "high": percent_text(clicks["high"] / live, signed=True),
    }
    match _tone(clicks):
        case "good":
            text = _("This draft would have brought more clicks at %(place)s: %(change)s (%(low)s to %(high)s).")
        case "bad":
            text = _("This draft would have cost clicks at %(place)s: %(change)s (%(low)s to %(high)s).")
        case _:
            text = _("No clear difference in clicks at %(place)s: %(change)s, anywhere from %(low)s to %(high)s.")
    sentence = text % words
    if money is None:
        return sentence
    of_money = {
        "change": short_amount(round(abs(THOUSAND * money["value"]), 2)),
        "sign": "−" if money["value"] < 0 else "+",
    }
    return f"{sentence} " + _("In revenue of a thousand answers: %(sign)s%(change)s.") % of_money


def _spans(result: Figures) -> list[DrawnInterval]:
    """Intervals of clicks and revenue in one picture, in percent of live."""
    named = [(_("Clicks"), result["clicks"], result.get("known"))]
    if result.get("money"):
        named.append((_("Revenue through these lists"), result["money"], None))
    shares = [
        (words, *(figures[name] / figures["live"] for name in ("low", "high", "value")),
         None if known is None else known / figures["live"])
        for words, figures, known in named if figures["live"]
    ]  # fmt: skip
    ends = [abs(each) for row in shares for each in row[1:] if each is not None]
    reach = 1.1 * max([0.001, *(float(end) for end in ends)])

    def at(value: float) -> float:
        return round(WIDTH / 2 * (1 + value / reach), 2)

    return [
        DrawnInterval(
            words=words, low=at(low), high=at(high), value=at(value), known=None if known is None else at(known),
            text=_interval_text(value, low, high),
        )
        for words, low, high, value, known in shares
    ]  # fmt: skip


def _interval_text(value: float, low: float, high: float) -> str:
    words = {"value": value, "low": low, "high": high}
    text = pgettext("interval", "%(value)s (%(low)s to %(high)s)")
    return text % {name: percent_text(each, signed=True) for name, each in words.items()}


def _sureness(result: Figures) -> list[tuple[str, str]]:
    """How sure it is, each with its name."""
    clicks = result.get("clicks")
    if not clicks:
        return []
    attention = result["attention"]
    eta = number(attention["eta"], 2)
    words = _("%(eta)s, from these answers")
    if attention["assumed"]:
        words = _("taken as %(eta)s: too few answers tell it")
        if result["replay"]:
            words = _("taken as %(eta)s: a replay looks at no position more than at another")
    worth = _("more than any test") if clicks["worth"] is None else number(clicks["worth"])
    return [
        (_("Answers"), number(result["answers"])),
        (_("How far back they go"), whole_days(result["days"])),
        (_("Worth in answers of a live test"), worth),
        (_("Of what the draft shows, never shown to such customers"), percent_text(clicks["never_shown"])),
        (_("Of 10 positions, new items"), number(SLOTS * clicks["changed"], 1)),
        (_("Largest weight of a click"), number(clicks["largest"], 1)),
        (_("Part of the interval that one answer makes"), percent_text(clicks["heaviest"])),
        (_("How steeply attention falls"), words % {"eta": eta}),
    ]


def _details(result: Figures) -> list[tuple[str, str, str, str]]:
    """What simpler estimators say of the same answers, in percent of the clicks that are live."""
    clicks = result.get("clicks")
    if not clicks or not clicks["live"]:
        return []
    named = {
        "dm": _("Model of relevance alone (DM)"),
        "pbm": _("By item and attention (PBM)"),
        "iips": _("By item and position (IPS)"),
        "snips": _("By item and position, weights of mean 1 (SNIPS)"),
        "dr": _("By item and position, with the model (DR)"),
    }
    live = clicks["live"]
    return [
        (words, percent_text(one["value"] / live, signed=True), percent_text(1.96 * one["se"] / live),
         percent_text(one["never_shown"]))
        for name, words in named.items() if (one := result["details"].get(name))
    ]  # fmt: skip


def _truth_words(result: Figures) -> str:
    """The truth that is known of a replay, beside the interval where one is shown."""
    if result["refusal"]:
        return _("Here the truth is known: %(known)s.")
    if result["clicks"]["low"] <= result["known"] <= result["clicks"]["high"]:
        return _("Here the truth is known: %(known)s. The interval holds it.")
    return _("Here the truth is known: %(known)s. The interval does not hold it.")


def _notes(result: Figures, place: str) -> list[str]:
    """What has to be known to read the figure."""
    notes = []
    if result["replay"]:
        notes.append(_("Replay: nobody saw these lists; what of the basket stood in one counts as clicked."))
        if result.get("known") is not None and result["clicks"]["live"]:
            known = percent_text(result["known"] / result["clicks"]["live"], signed=True)
            notes.append(_truth_words(result) % {"known": known})
    elif not result["listed"] and result["answers"]:
        notes.append(_("The shop does not report which lists were seen at %(place)s, so all count.") % {"place": place})
    if result.get("visits"):
        notes.append(_("Only answers are asked on which a visit has a say: on all others these weights have none."))
    if result["unmakeable"]:
        text = ngettext(
            "%(n)s answer could not be made again: %(why)s",
            "%(n)s answers could not be made again: %(why)s",
            result["unmakeable"],
        )
        notes.append(text % {"n": number(result["unmakeable"]), "why": lacking_text(result["lacking"])})
    tools = result.get("tools")
    if tools and tools["log_days"] is not None:
        words = {"log": whole_days(tools["log_days"]), "test": whole_days(tools["test_days"])}
        if tools["test_days"] < tools["log_days"]:
            notes.append(
                _(
                    "For ± 5%% of the clicks a live test of all visitors is quicker: about %(test)s, against %(log)s "
                    "of answers as these."
                )
                % words
            )
        else:
            notes.append(
                _("For ± 5%% of the clicks %(log)s of answers are enough; a live test would need about %(test)s.")
                % words
            )
    return notes


def whole_days(days: float) -> str:
    whole = max(round(days), 1)
    return ngettext("%(n)s day", "%(n)s days", whole) % {"n": number(whole)}


def _percents(tested: TestedEstimate) -> tuple[str, str, str]:
    """Value, interval and what came, in percent of what was live."""
    value, low, high, came = (
        percent_text(each / tested.live, signed=True) if tested.live else "–"
        for each in (tested.value, tested.low, tested.high, tested.came)
    )
    return value, _("%(low)s to %(high)s") % {"low": low, "high": high}, came


def _tested_words(tested: Sequence[TestedEstimate]) -> str:
    if not tested:
        return _("No version was estimated before it was published and then seen by enough people.")
    inside = sum(each.is_inside for each in tested)
    text = ngettext(
        "Of the last %(n)s published version, what came lay inside the interval of %(inside)s.",
        "Of the last %(n)s published versions, what came lay inside the interval of %(inside)s.",
        len(tested),
    )
    return text % {"n": len(tested), "inside": inside}
