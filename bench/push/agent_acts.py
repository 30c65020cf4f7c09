"""How soon the agent stops, how soon an earlier night decides, and whether its groups are alike: on the demo's data."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from bench.bars import Figure
from bench.push import five_campaigns
from bench.push.agent_demo import acting, believe
from bench.push.five_campaigns import next_morning
from recommendations.engine.push.choices import AgentChoice
from recommendations.models import AgentDecision, AgentVersion
from recommendations.services.agents.even_groups import claims, groups_before, spending_before
from recommendations.services.agents.learning import make_version, night_of
from recommendations.services.agents.supervision import pause_agent, roll_back, the_agent
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.sendings import decide_pushes
from recommendations.services.push_models.agent_facts import live_version
from recommendations.store.agents import decision_log
from recommendations.store.push import verdicts

PAUSED, ROLLED_BACK = 5.0, 0.25  # seconds
NIGHTS, TURNS = 14, 20
SALTS, MOST_CLAIMS = 1_000, 0.07


def paused() -> list[Figure]:
    """How long a pause waits: a sending that is being written is the agent's to its end, the next one is the rule's.

    The longest of five sendings is what a pause waits for at the worst moment.
    """
    now = next_morning(timezone.now())
    acting(now)
    five_campaigns.begin(now=now)
    believe(-2.0, 0.6, seed=1, now=now)
    begun, seconds, chosen = list[float](), list[float](), list[int]()
    write, log = verdicts.write, decision_log.write

    def timed_write(*given: Any, **named: Any) -> object:
        begun.append(time.perf_counter())
        return write(*given, **named)

    def timed_log(choices: Iterable[tuple[AgentChoice, str]]) -> int:
        chosen.append(log(choices))
        seconds.append(time.perf_counter() - begun[-1])
        return chosen[-1]

    begin = time.perf_counter()
    with patch.object(verdicts, "write", timed_write), patch.object(decision_log, "write", timed_log):
        decide_pushes(now=now)
    whole_pass = time.perf_counter() - begin
    begin = time.perf_counter()
    pause_agent(reason="bench", by=None, now=now)
    act = time.perf_counter() - begin
    before = AgentDecision.objects.count()
    decide_pushes(now=now + timedelta(minutes=61))
    return [
        Figure("pause: seconds of the pass that it may meet", whole_pass),
        Figure("pause: choices in it", sum(chosen), least=1),
        Figure("pause: seconds to the last choice, at most", max(seconds) + act, most=PAUSED),
        Figure("pause: choices of the next pass", AgentDecision.objects.count() - before, most=0),
    ]


def rolled_back() -> list[Figure]:
    """Between two of fourteen nights and back, each time until the version is there that decides."""
    now = next_morning(timezone.now())
    acting(now)
    AgentVersion.objects.all().delete()
    made = [make_version(the_agent(), night=night_of(now), now=now)]
    for number in range(1, NIGHTS):
        made.append(AgentVersion.objects.create(**_again(made[0], number)))
    seconds = []
    for turn in range(TURNS):
        wanted = made[1 + turn % 2]
        begin = time.perf_counter()
        roll_back(wanted, note="bench", by=None)
        version = live_version(now=now)
        seconds.append(time.perf_counter() - begin)
        if version is None or version.version.pk != wanted.pk:
            raise SystemExit("another night decides")
    return [Figure(f"roll back: slowest of {TURNS}, seconds", max(seconds), most=ROLLED_BACK)]


def alike() -> list[Figure]:
    """A/A: what people spent in 56 days in which nobody was written to, by the groups' own draw and by 1,000 others."""
    now = timezone.now()
    acting(now)
    agent, spending = the_agent(), spending_before(now=now)
    shares = claims(spending, salts=SALTS, share=agent.rules.share, holdout=rules_now(now=now).holdout)
    own = groups_before(agent, now=now)
    if own is None:
        raise SystemExit("too few people bought")
    return [
        Figure("A/A: people who bought in 84 days", len(spending.customer), least=1),
        *(
            Figure(f"A/A: share of draws that differ from {each}", part, most=MOST_CLAIMS)
            for each, part in shares.items()
        ),
        Figure("A/A: the agent's people beside the rule's, share", own.share),
        Figure("A/A: its lower end", own.low, most=0),
        Figure("A/A: its upper end", own.high, least=0),
    ]


MEASURES: Sequence[Callable[[], list[Figure]]] = (paused, rolled_back, alike)


def _again(version: AgentVersion, nights: int) -> dict[str, object]:
    """The fields of a version, of an earlier night."""
    fields = {each.attname: getattr(version, each.attname) for each in AgentVersion._meta.concrete_fields}
    return fields | {"id": None, "is_live": False, "night": version.night - timedelta(days=nights)}
