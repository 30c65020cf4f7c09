"""``manage.py push_agent``: how far the push agent may go, what it believes, and the way back."""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from recommendations.engine.push.agent.readiness import AgentRefusal
from recommendations.models import AgentDecision, AgentPractice, AgentVersion
from recommendations.push_terms import AgentStatus
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.agents.even_groups import claims, groups_before, spending_before
from recommendations.services.agents.practice import FIRST_SEED, report_of, work
from recommendations.services.agents.readiness import levers_now, record_now
from recommendations.services.agents.supervision import (
    AgentRefusedError,
    NoSuchStepError,
    let_go,
    pause_agent,
    resume_agent,
    roll_back,
    the_agent,
)
from recommendations.services.campaigns.pressure import rules_now
from recommendations.wording.agent_terms import LEVERS
from recommendations.wording.agents import refusal_text

STEPS: Mapping[str, AgentStatus] = {
    "watch": AgentStatus.WATCHES, "explore": AgentStatus.EXPLORES, "act": AgentStatus.ACTS, "off": AgentStatus.OFF,
}  # fmt: skip
SALTS = 1_000


class Command(BaseCommand):
    help = "Say where the push agent stands, let it watch, explore or act, pause it, or go back to an earlier night."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "act", choices=["status", *STEPS, "pause", "resume", "roll-back", "practice", "aa"],
            help="status, practice and aa change nothing (docs/push.md, The agent)",
        )  # fmt: skip
        parser.add_argument("--reason", default="", help="why: it stays in the audit trail")
        parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of practice: of the made answers (default 1)")
        parser.add_argument("--salts", type=int, default=SALTS, help="of aa: how many other draws of the groups")
        parser.add_argument("--night", metavar="YYYY-MM-DD", help="of roll-back: the night that decides from now on")

    def handle(self, *, act: str, reason: str, night: str | None, seed: int, salts: int, **_options: Any) -> None:
        if act == "practice":
            return self._practise(seed)
        if act == "aa":
            return self._compare(salts)
        now = timezone.now()
        steps = {name: partial(let_go, status, note=reason, by=None, now=now) for name, status in STEPS.items()}
        acts: Mapping[str, Callable[[], object]] = {
            **steps,
            "pause": lambda: pause_agent(reason=reason, by=None, now=now),
            "resume": lambda: resume_agent(note=reason, by=None, now=now),
            "roll-back": lambda: roll_back(_version(night), note=reason, by=None),
        }
        try:
            acts.get(act, lambda: None)()
        except NoteNeededError as error:
            raise CommandError("Say why with --reason.") from error
        except NoSuchStepError as error:
            raise CommandError(f"It stands at “{the_agent().status}”: this changes nothing.") from error
        except AgentRefusedError as error:
            raise CommandError(_sentence(error.refusal)) from error
        return self._tell(now)

    def _practise(self, seed: int) -> None:
        """Let made people with the shop's numbers live through eight weeks, in this process, and print what came."""
        if seed < 1:
            raise CommandError("--seed is a whole number from 1 on.")
        own = AgentPractice.objects.create(seed=seed)
        work(own.pk)
        own.refresh_from_db()
        report = report_of(own)
        if report is None:
            raise CommandError(own.message or "A worker is at it.")
        morning = report.morning
        lines = [f"simulated    {report.people:,} people like {report.customers:,} customers, seed {report.seed}"]
        lines += [
            f"{name:13}net a head by fortnight {' '.join(f'{net:6.2f}' for net in arm.net)}   leave {arm.leavers:.1f}"
            f"   messages {arm.messages:.0f}   a week and 1,000 people"
            for name, arm in report.arms.items()
        ]
        lines += [
            f"{term.code:32}{term.value:+.2f} ({term.low:+.2f} … {term.high:+.2f})   in truth "
            f"{'nothing known' if term.truth is None else f'{term.truth:+.2f}'}"
            for term in report.terms if term.known
        ]  # fmt: skip
        lines.append(
            f"morning      planted {morning.planted:,}, {morning.theirs:.0%} of their messages in the morning,"
            f" {morning.others:.0%} of the others': {'found' if morning.is_found else 'not found'}"
        )
        self.stdout.write("\n".join(lines))

    def _compare(self, salts: int) -> None:
        """Draw the groups anew, again and again, and print how often what they spent before differs at some look."""
        if salts < 1:
            raise CommandError("--salts is a whole number from 1 on.")
        now, agent = timezone.now(), the_agent()
        spending = spending_before(now=now)
        shares = claims(spending, salts=salts, share=agent.rules.share, holdout=rules_now(now=now).holdout)
        own = groups_before(agent, now=now)
        lines = [
            f"people       {len(spending.customer):,} who bought in 84 days; no draw did anything to them",
            *(
                f"{f'− {group}':13}differs at some look in {share:.1%} of {salts:,} draws"
                for group, share in shares.items()
            ),
            f"own groups   {f'{own.share:+.1%} ({own.low:+.1%} … {own.high:+.1%})' if own else 'too few people'}",
        ]
        self.stdout.write("\n".join(lines))

    def _tell(self, now: datetime) -> None:
        agent = the_agent()
        record = record_now(agent, now=now)
        version = AgentVersion.objects.filter(is_live=True).first()
        names = dict(LEVERS)
        lines = [
            f"status       {agent.status}, since {agent.since:%Y-%m-%d %H:%M} UTC, rules {agent.rules}",
            f"version      {f'{version.night}, digest {version.digest}' if version else 'none'}",
            f"decisions    {AgentDecision.objects.count():,}, {record.decisions:,} of them are over",
            f"answers      {record.answers:,} in 56 days",
            *(f"little known {names[lever]}: {_sentence(refusal)}" for lever, refusal in levers_now(now=now).items()),
        ]
        self.stdout.write("\n".join(lines))


def _sentence(refusal: AgentRefusal) -> str:
    return refusal_text(refusal.code.value, refusal.facts, number="{:,.{}f}".format, share="{:.0%}".format)


def _version(night: str | None) -> AgentVersion:
    """The version of a night that may decide. Raises CommandError, which names the nights that there are."""
    versions = {f"{each.night}": each for each in AgentVersion.objects.filter(refusal="")}
    known = f"There are: {', '.join(versions) or 'none'}."
    try:
        day = date.fromisoformat(night or "")
    except ValueError as error:
        raise CommandError(f"Say which night with --night YYYY-MM-DD. {known}") from error
    version = versions.get(day.isoformat())
    if version is None:
        raise CommandError(f"There is no version of {day}. {known}")
    if version.is_live:
        raise CommandError(f"The night of {day} decides already. {known}")
    return version
