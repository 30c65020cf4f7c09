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


class StatedSection(TypedDict):
    """A part of the text; ``lines`` are pairs of the kind of row that a sentence comes from, and the sentence."""

    title: str
    names: list[str]  # of placements; none where it is about all
    lines: list[list[str]]


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
        title = _("While we know this visit of yours alone")
        sections.append(_section(title, _of_mix(parameters["visit"])))
    return [
        *sections,
        _section(_("What the shop decides itself"), _of_rules(parameters["rules"])),
        _section(_("Tests"), _of_tests(parameters["tests"])),
        _section(_("What is not used"), [(StatedRow.NOTHING, line) for line in _unused()]),
        _section(_("What you can do"), [(StatedRow.NOTHING, line) for line in _influence()]),
    ]


def _section(title: str, lines: Sequence[Line], names: Sequence[str] = ()) -> StatedSection:
    return {"title": capfirst(title), "names": list(names), "lines": [[str(row), line] for row, line in lines]}


def _of_order(own: Mapping[str, Any]) -> list[StatedSection]:
    """Sections of placements with the same order: for everybody, and for groups with weights of their own."""
    names = list(own["placements"])
    where = _places(names)
    sections = [_section(where, [*_order_lines(own), *_settings_lines(own["placements"])], names)]
    for group in own["groups"]:
        title = ngettext(
            "%(where)s, for one group of customers", "%(where)s, for %(count)d groups of customers", group["groups"]
        )
        sections.append(_section(title % {"where": where, "count": group["groups"]}, _of_mix(group), names))
    return sections


def _places(names: Sequence[str]) -> str:
    places = [str(PLACES.get(name, _("under “%(name)s”") % {"name": name})) for name in names]
    return pgettext("between places", ", ").join(places)


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


def _settings_lines(placements: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Sentences about placements beside their order; one that is not of all of them says where it holds."""
    names: dict[Line, list[str]] = {}
    for name, own in placements.items():
        for line in _of_settings(own):
            names.setdefault(line, []).append(name)
    return [
        (row, text if len(every) == len(placements) else _said_of(every, text)) for (row, text), every in names.items()
    ]


def _said_of(names: Sequence[str], text: str) -> str:
    return _("%(where)s: %(sentence)s") % {"where": capfirst(_places(names)), "sentence": text}


def _of_mix(mix: Mapping[str, Any]) -> list[Line]:
    """Sentences about weights: what counts most, what moves items up, and what is mixed in."""
    parts = pgettext("between parts", ", ").join(
        _("%(part)s (%(percent)d %%)") % {"part": KINDS.get(kind, kind), "percent": share}
        for kind, share in mix["parts"]
    )
    lines = [_("We weigh most: %(parts)s.") % {"parts": parts} if parts else _("Nothing has a weight.")]
    if count := mix["smaller"]:
        text = ngettext("%(count)d other part is smaller.", "%(count)d other parts are smaller.", count)
        lines.append(text % {"count": count})
    lines += [str(LIFTS[lift]) % {"strength": f"{strength:g}"} for lift, strength in mix["lifts"].items()]
    if share := mix["diversity"]:
        text = _("So that a list is not all of one kind, its variety counts (%(percent)d %%).")
        lines.append(text % {"percent": share})
    if share := mix["shuffled"]:
        text = _("To learn what you like, neighbouring items change places in %(percent)d %% of the lists.")
        lines.append(text % {"percent": share})
    if share := mix["further_down"]:
        text = _(
            "To learn what you like, each of the last two places shows an item from further down %(percent)d %% of the "
            "time."
        )
        lines.append(text % {"percent": share})
    return [(StatedRow.WEIGHTS, line) for line in lines]


def _of_settings(own: Mapping[str, Any]) -> list[Line]:
    """Sentences about one placement beside its order."""
    lines = [str(words[own[name]]) for name, words in (("scope", SCOPES), ("repeat", REPEATS)) if own[name] in words]
    if share := own["cool_down"]:
        text = _(
            "What you bought lately is held back for %(percent)d %% of the time after which you usually buy it again."
        )
        lines.append(text % {"percent": share})
    if own["fatigue"]:
        lines.append(_("What you were shown often and did not click moves down."))
    said: list[Line] = [(StatedRow.PLACEMENT, line) for line in lines]
    if promise := own["new_items"]:
        text = _(
            "New items are to be seen %(impressions)d times within %(days)d days: for this, up to %(share)d %% of the "
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
                "In places the shop shows chosen items alone: %(count)d rule.",
                "In places the shop shows chosen items alone: %(count)d rules.",
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
        return [(StatedRow.EXPERIMENT, _("No test is running: what is said here holds for everybody."))]
    return [(StatedRow.EXPERIMENT, line) for test in tests for line in _of_test(test)]


def _of_test(test: Mapping[str, Any]) -> list[str]:
    between = pgettext("between parts", ", ")
    changes = between.join(str(CHANGES.get(each, each)) for each in test["changes"])
    text = _("A test is running with %(percent)d %% of the visitors: for some of them this differs: %(changes)s.")
    lines = [text % {"percent": test["traffic"], "changes": changes}]
    if test["follows"]:
        lines.append(_("In this test, how many see which version follows day by day from what people do."))
    return lines


def _unused() -> list[str]:
    return [_("No addresses, no texts of e-mails, and nothing that you bought elsewhere.")]


def _influence() -> list[str]:
    return [
        _("You can object to recommendations by what you did: then you see what everybody sees."),
        _("You can say of an item that you do not like it: it is not recommended to you again."),
        _("You can look at the data that are stored about you, and have them deleted: ask the shop."),
    ]
