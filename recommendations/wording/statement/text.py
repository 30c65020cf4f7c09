"""Text of a statement from its parameters, in every language: each number is one of them, and each of them is said."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from django.conf import settings
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from recommendations.statement_terms import Ordering, StatedRow, StatedRule
from recommendations.terms import CatalogueScope
from recommendations.wording.statement.labels import CHANGES, KINDS, LIFTS, PLACES, REPEATS, SCOPES

type Line = tuple[StatedRow, str]


class StatedLine(TypedDict):
    """A sentence as it is said, the kind of row that it comes from, and where it holds."""

    row: str
    text: str
    plain: str  # without the places before it
    holds: list[str]  # names of placements; none where the section is about the whole shop


class StatedSection(TypedDict):
    """A part of the text: about placements, each with its name and its place in words, or about the whole shop."""

    title: str
    group: str  # whom it is about, where that is not everybody
    places: list[list[str]]
    lines: list[StatedLine]


def statement_text(parameters: Mapping[str, Any]) -> dict[str, list[StatedSection]]:
    """Language → sections of the statement."""
    text = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            text[language] = _sections(parameters)
    return text


def _sections(parameters: Mapping[str, Any]) -> list[StatedSection]:
    sections = [each for order in parameters["orders"] for each in _of_order(order)]
    if parameters["visit"]:
        title = _("While all we know is this visit of yours")
        sections.append(_section(title, _of_mix(parameters["visit"])))
    return [
        *sections,
        _section(_("What the shop decides itself"), _of_rules(parameters["rules"])),
        _section(_("Tests"), _of_tests(parameters["tests"])),
        _section(_("What is not used"), [(StatedRow.NOTHING, line) for line in _unused()]),
        _section(_("What you can do"), [(StatedRow.NOTHING, line) for line in _influence()]),
    ]


def joined_places(places: Sequence[str]) -> str:
    """Places one after another, as a title or before a sentence."""
    return str(capfirst(pgettext("between places", ", ").join(places)))


def title_of(where: str, group: str) -> str:
    return _("%(where)s, %(group)s") % {"where": where, "group": group} if group else where


def _section(title: str, lines: Sequence[Line]) -> StatedSection:
    """A section about the whole shop."""
    said: list[StatedLine] = [{"row": str(row), "text": text, "plain": text, "holds": []} for row, text in lines]
    return {"title": title, "group": "", "places": [], "lines": said}


def _placed_section(places: Mapping[str, str], lines: Mapping[Line, Sequence[str]], group: str = "") -> StatedSection:
    """A section about placements (name → place), with the names of those of which each line holds."""
    return {
        "title": title_of(joined_places(list(places.values())), group),
        "group": group,
        "places": [[name, place] for name, place in places.items()],
        "lines": [_placed_line(line, holds, places) for line, holds in lines.items()],
    }


def _placed_line(line: Line, holds: Sequence[str], places: Mapping[str, str]) -> StatedLine:
    row, plain = line
    where = joined_places([places[name] for name in holds])
    text = plain if len(holds) == len(places) else _("%(where)s: %(sentence)s") % {"where": where, "sentence": plain}
    return {"row": str(row), "text": text, "plain": plain, "holds": list(holds)}


def _of_order(own: Mapping[str, Any]) -> list[StatedSection]:
    """Sections of placements with the same order: for everybody, and for groups with weights of their own."""
    places = {name: _place(name) for name in own["placements"]}
    lines: dict[Line, list[str]] = {line: list(places) for line in _order_lines(own)}
    for name, each in own["placements"].items():
        for line in _of_settings(each):
            lines.setdefault(line, []).append(name)
    sections = [_placed_section(places, lines)]
    for mix in own["groups"]:
        text = ngettext("for one group of customers", "for %(count)d groups of customers", mix["groups"])
        group = text % {"count": mix["groups"]}
        sections.append(_placed_section(places, {line: list(places) for line in _of_mix(mix)}, group))
    return sections


def _place(name: str) -> str:
    return str(PLACES.get(name, _("under “%(name)s”") % {"name": name}))


def _order_lines(own: Mapping[str, Any]) -> list[Line]:
    if own["order"] == Ordering.WEIGHTS:
        return _of_mix(own["mix"])
    if own["order"] == Ordering.UNWEIGHED:
        text = _("We do not know enough yet to weigh anything: you see what is popular.")
    elif own["by_scope"] in {CatalogueScope.FOLLOWED, CatalogueScope.BEGUN}:
        return []  # the part of the shop settles the order
    else:
        text = _("Everybody sees the same: what is popular at present.")
    return [(StatedRow.PLACEMENT, text)]


def _of_mix(mix: Mapping[str, Any]) -> list[Line]:
    """Sentences about weights: what counts most, what moves items up, and what is mixed in."""
    parts = pgettext("between parts", ", ").join(
        _("%(part)s (%(percent)d%%)") % {"part": KINDS.get(kind, kind), "percent": share}
        for kind, share in mix["parts"]
    )
    lines = [_("We weigh most: %(parts)s.") % {"parts": parts} if parts else _("Nothing has a weight.")]
    if count := mix["smaller"]:
        text = ngettext("%(count)d other thing counts less.", "%(count)d other things count less.", count)
        lines.append(text % {"count": count})
    lines += [str(LIFTS[lift]) % {"strength": f"{strength:g}"} for lift, strength in mix["lifts"].items()]
    if share := mix["diversity"]:
        text = _("So that a list is not all of one kind, its variety counts (%(percent)d%%).")
        lines.append(text % {"percent": share})
    if share := mix["shuffled"]:
        text = _("To learn what you like, neighbouring items change places in %(percent)d%% of the lists.")
        lines.append(text % {"percent": share})
    if share := mix["further_down"]:
        text = _(
            "To learn what you like, each of the last two places shows an item from further down %(percent)d%% of the "
            "time."
        )
        lines.append(text % {"percent": share})
    return [(StatedRow.WEIGHTS, line) for line in lines]


def _of_settings(own: Mapping[str, Any]) -> list[Line]:
    """Sentences about one placement beside its order."""
    lines = [str(words[own[name]]) for name, words in (("scope", SCOPES), ("repeat", REPEATS)) if own[name] in words]
    if share := own["cool_down"]:
        text = _(
            "What you bought lately is held back for %(percent)d%% of the time after which you usually buy it again."
        )
        lines.append(text % {"percent": share})
    if own["fatigue"]:
        lines.append(_("What you were shown often and did not click moves down."))
    said: list[Line] = [(StatedRow.PLACEMENT, line) for line in lines]
    if promise := own["new_items"]:
        text = _(
            "New items are to be seen %(impressions)d times within %(days)d days: for this, up to %(share)d%% of the "
            "lists give a place to one."
        )
        said.append((StatedRow.PROMISE, text % promise))
    return said


def _of_rules(rules: Mapping[str, int]) -> list[Line]:
    """Sentences about rules, each with its nature: who wrote it chose for the shop."""
    if not rules:
        return [(StatedRow.RULES, _("The shop has set no rules: nothing is put first for its own sake."))]
    return [
        (StatedRow.RULES, _rule(rule, rules[rule]) % {"count": rules[rule]}) for rule in StatedRule if rule in rules
    ]


def _rule(rule: StatedRule, count: int) -> str:
    match rule:
        case StatedRule.PIN:
            text = ngettext(
                "The shop puts chosen items first: %(count)d rule.",
                "The shop puts chosen items first: %(count)d rules.",
                count,
            )
        case StatedRule.BOOST:
            text = ngettext(
                "The shop moves chosen items up: %(count)d rule.",
                "The shop moves chosen items up: %(count)d rules.",
                count,
            )
        case StatedRule.BURY:
            text = ngettext(
                "The shop moves chosen items down: %(count)d rule.",
                "The shop moves chosen items down: %(count)d rules.",
                count,
            )
        case StatedRule.EXCLUDE:
            text = ngettext(
                "The shop leaves chosen items out: %(count)d rule.",
                "The shop leaves chosen items out: %(count)d rules.",
                count,
            )
        case StatedRule.INCLUDE_ONLY:
            text = ngettext(
                "In some places the shop shows chosen items alone: %(count)d rule.",
                "In some places the shop shows chosen items alone: %(count)d rules.",
                count,
            )
        case StatedRule.CAP:
            text = ngettext(
                "The shop limits how many items of one kind a list has: %(count)d rule.",
                "The shop limits how many items of one kind a list has: %(count)d rules.",
                count,
            )
        case StatedRule.MINIMUM_SHARE:
            text = ngettext(
                "The shop keeps a share of a list for chosen items: %(count)d rule.",
                "The shop keeps a share of a list for chosen items: %(count)d rules.",
                count,
            )
    return text


def _of_tests(tests: Sequence[Mapping[str, Any]]) -> list[Line]:
    if not tests:
        text = _("No test that changes what you see is running: what is said here holds for everybody.")
        return [(StatedRow.EXPERIMENT, text)]
    return [(StatedRow.EXPERIMENT, line) for test in tests for line in _of_test(test)]


def _of_test(test: Mapping[str, Any]) -> list[str]:
    between = pgettext("between parts", ", ")
    changes = between.join(str(CHANGES.get(each, each)) for each in test["changes"])
    text = _("A test is running with %(percent)d%% of the visitors: for some of them this differs: %(changes)s.")
    lines = [text % {"percent": test["traffic"], "changes": changes}]
    if test["follows"]:
        lines.append(_("In this test, how many see which version follows day by day from what people do."))
    return lines


def _unused() -> list[str]:
    return [_("No addresses, no texts of e-mails, and nothing that you do elsewhere.")]


def _influence() -> list[str]:
    return [
        _("You can object to recommendations that go by what you did: then you see what a new visitor sees."),
        _("You can say of an item that you do not like it: it is not recommended to you again."),
        _("You can look at the data that are stored about you, and have them deleted: ask the shop."),
    ]
