"""Monthly statements of the agent in words: what it might do, decided, cost, is worth, learned, and what people did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.queries.agents.learned import sentence_of
from analytics.queries.agents.rules import changes, rule_lines
from analytics.queries.agents.words import AgentNames
from analytics.queries.agents.worth import part_of
from analytics.templatetags.activity import VERBS
from analytics.templatetags.display import day, moment, number, share
from recommendations.engine.push.agent.learned import LearnedTerm
from recommendations.models import AgentRules, AgentStatement, AuditEntry
from recommendations.push_terms import AgentStatus
from recommendations.services.agents.statements import LearnedFact, StatementFacts, facts_of, next_month
from recommendations.services.agents.supervision import form_of
from recommendations.services.push_models.agent_versions import menu_of
from recommendations.wording import push_labels


@dataclass(frozen=True, kw_only=True)
class StatementPart:
    """A heading with its sentences."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class MonthStatement:
    """A statement that is to be worded; ``before`` is that of the month before, and ``months`` are all there are."""

    statement: AgentStatement
    before: AgentStatement | None
    months: Sequence[AgentStatement]
    rules: Sequence[AgentRules]
    trail: Sequence[AuditEntry]
    names: AgentNames

    @property
    def is_over(self) -> bool:
        """Whether the whole month is in it, so that it is not written again."""
        return is_whole(self.statement)

    @property
    def title(self) -> str:
        return date_format(self.statement.month, "YEAR_MONTH_FORMAT")

    @property
    def state(self) -> str:
        """Whether the month is over, and when it was written."""
        facts = {"until": day_words(self.statement.until), "when": moment(self.statement.written_at)}
        if self.is_over:
            return _("The whole month, written %(when)s.") % facts
        return (
            _(
                "So far: what it decided until %(until)s, and all else until this was written, %(when)s. "
                "It is written anew each night."
            )
            % facts
        )

    def parts(self) -> list[StatementPart]:
        """The statement in the language that is active."""
        facts = facts_of(self.statement.facts)
        return [
            StatementPart(title=_("What it might do"), lines=self._might(facts)),
            StatementPart(title=_("What it decided"), lines=_decided(facts)),
            StatementPart(title=_("What it is worth"), lines=self._worth(facts)),
            StatementPart(title=_("What people did"), lines=self._acts()),
            StatementPart(title=_("What it learned"), lines=self._learned(facts)),
        ]

    def _might(self, facts: StatementFacts) -> list[str]:
        words = dict(push_labels.AGENT_STATUSES)[AgentStatus(facts.status)]
        lines = [_("At the end: %(status)s, rules a%(number)s.") % {"status": words, "number": facts.rules}]
        held = next((each for each in self.rules if each.number == facts.rules), None)
        return lines + [_line(*each) for each in (rule_lines(form_of(held), self.names) if held else ())]

    def _worth(self, facts: StatementFacts) -> list[str]:
        if facts.reading is None:
            if facts.choices.own:
                return [
                    _("Nothing was compared before this was written: that is done hourly, while it explores or acts.")
                ]
            return [_("It decided for nobody, so that there is nothing to compare.")]
        part = part_of(facts.reading, self.names)
        since = {"since": day(facts.reading.since), "when": moment(facts.reading.at)}
        return [
            _("Since %(since)s, as of %(when)s:") % since, part.leavers, *part.money,
            *(
                _("%(rate)s: the agent's %(agent)s, the rule's %(rule)s, difference %(difference)s (%(ends)s).")
                % {"rate": each.words, "agent": each.agent, "rule": each.rule, "difference": each.difference,
                   "ends": each.ends}
                for each in part.guarded
            ),
            *(_line(words, f"{number(people)} ({share(ratio)})") for words, people, ratio in part.groups),
            _("Intervals hold however often they were looked at."),
        ]  # fmt: skip

    def _acts(self) -> list[str]:
        """Versions of the rules and other acts, each with who and why."""
        lines = [self._act(entry) for entry in self.trail]
        return lines or [_("Nobody changed anything.")]

    def _act(self, entry: AuditEntry) -> str:
        who = str(entry.author) if entry.author else _("the system")
        what = str(VERBS.get(entry.verb, entry.verb)).removesuffix("\N{FULLWIDTH COLON}")  # that of a list
        if entry.object_type == "agentrules":
            what = self._published(entry)
        elif entry.verb == "change" and entry.after:
            statuses = dict(push_labels.AGENT_STATUSES)
            what = _("step “%(step)s”") % {"step": statuses.get(entry.after.get("status", ""), "")}
        elif entry.verb == "roll back" and entry.after:
            what = _("back to the night of %(night)s") % {"night": entry.after.get("night", "")}
        facts = {"when": moment(entry.at), "who": who, "what": what, "note": entry.note}
        text = _("%(when)s, %(who)s: %(what)s. Why: %(note)s") if entry.note else _("%(when)s, %(who)s: %(what)s.")
        return text % facts

    def _published(self, entry: AuditEntry) -> str:
        """A version of the rules with what it changed."""
        by_key = {str(each.pk): each for each in self.rules}
        made = by_key.get(entry.object_id)
        old = max((each for each in self.rules if made and each.number < made.number), key=_number, default=None)
        differing = changes(form_of(old), form_of(made), self.names) if made and old else ()
        return _("; ").join([_("published %(rules)s") % {"rules": entry.label}, *(
            _line(name, f"{before} → {after}") for name, before, after in differing
        )])  # fmt: skip

    def _learned(self, facts: StatementFacts) -> list[str]:
        earlier = facts_of(self.before.facts) if self.before else None
        was = {each.code for each in earlier.learned} if earlier else set()
        now = {each.code for each in facts.learned}
        new = _sentences(facts, [each for each in facts.learned if each.code not in was], self.names)
        still = _sentences(facts, [each for each in facts.learned if each.code in was], self.names)
        gone = _sentences(earlier, [e for e in earlier.learned if e.code not in now], self.names) if earlier else []
        lines = [*(_line(pgettext("learned", "New"), each) for each in new), *still]
        lines += [_line(_("No longer known"), each) for each in gone]
        return lines or [_("Nothing can be told from chance yet.")]


def is_whole(statement: AgentStatement) -> bool:
    """Whether the last day of its month is in it."""
    return (next_month(statement.month) - statement.until).days == 1


def statement_of(asked: str) -> MonthStatement | None:
    """The statement of a month such as 2026-11, else the latest; None where there is none."""
    months = list(AgentStatement.objects.all())
    month = _month(asked)
    shown = next((each for each in months if month is None or each.month == month), None)
    if shown is None:
        return None
    before = next((each for each in months if each.month < shown.month), None)
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    start, end = (
        datetime.combine(at, time(), zone) for at in (shown.month, next_month(shown.month))
    )  # fmt: skip
    if not is_whole(shown):
        end = shown.written_at
    rules = list(AgentRules.objects.filter(created_at__lt=end))
    trail = list(
        AuditEntry.objects.filter(object_type__in=("agent", "agentrules"), at__gte=start, at__lt=end)
        .select_related("staff", "api_key").order_by("at")
    )  # fmt: skip
    return MonthStatement(
        statement=shown, before=before, months=months, rules=rules, trail=trail,
        names=AgentNames.of(_campaigns([shown, *([before] if before else [])], rules)),
    )  # fmt: skip


def text_of(statement: MonthStatement) -> str:
    """The statement as a plain text in the language that is active."""
    head = [_("The push agent in %(month)s") % {"month": statement.title}, statement.state]
    parts = ["\n".join([part.title, *(f"- {line}" for line in part.lines)]) for part in statement.parts()]
    return "\n\n".join(["\n".join(head), *parts]) + "\n"


def day_words(at: date) -> str:
    return date_format(at, "DATE_FORMAT")


def _month(asked: str) -> date | None:
    """The first day of a month; None where none is asked for, and a day of no statement where it is no month."""
    try:
        return parse_date(f"{asked}-01") or date.min if asked else None
    except ValueError:
        return date.min


def _number(rules: AgentRules) -> int:
    return rules.number


def _decided(facts: StatementFacts) -> list[str]:
    counts = facts.choices
    every = {"every": number(counts.decisions), "differing": number(counts.differing)}
    lines = [
        ngettext(
            "%(every)s decision of a person's day; in %(differing)s it would choose otherwise than the rule.",
            "%(every)s decisions of a person's day; in %(differing)s it would choose otherwise than the rule.",
            counts.decisions,
        )
        % every
    ]
    if not counts.own:
        return [*lines, _("All in the shadow: nobody got what it chose.")]
    own = {name: number(getattr(counts, name)) for name in ("own", "sent", "waits", "trials", "answered")}
    return [
        *lines,
        _("On its own people %(own)s: %(sent)s messages, %(waits)s without one; %(trials)s of both are trials.") % own,
        _("Answered so far: %(answered)s.") % own,
        _("Trials cost %(share)s of what its decisions are worth.") % {"share": share(facts.trial_cost, 1)},
    ]


def _sentences(facts: StatementFacts, learned: Sequence[LearnedFact], names: AgentNames) -> list[str]:
    if not facts.menu:
        return []
    menu = menu_of(facts.menu)
    terms = {term.code: term for term in menu.terms}
    return [
        sentence_of(
            LearnedTerm(term=terms[each.code], value=each.value, low=each.low, high=each.high, answers=0), menu, names
        )
        for each in learned
        if each.code in terms
    ]


def _campaigns(statements: Sequence[AgentStatement], rules: Sequence[AgentRules]) -> set[int]:
    """Campaigns that the menus and the rules speak of."""
    menus = {key for each in statements for key, _n in each.facts["menu"].get("campaigns", [])}
    return menus | {
        rule["campaign"] for each in rules for rule in (*each.pins, *each.forbids, *each.floors) if rule["campaign"]
    }


def _line(name: str, value: str) -> str:
    return _("%(name)s: %(value)s") % {"name": name, "value": value}
