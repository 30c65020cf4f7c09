"""Suspects of a run: found in the clean events, set aside with the reason, and left out of all that is learned."""

from dataclasses import replace

import numpy as np

from recommendations.engine.preprocess.clean import Parts
from recommendations.engine.preprocess.held import Held
from recommendations.engine.preprocess.levels import Levels
from recommendations.engine.preprocess.suspects import suspicions
from recommendations.loop.context import RunContext
from recommendations.store.events import quarantine
from recommendations.store.events.quarantine import Case


def set_aside(context: RunContext, events: Parts, people: Levels, *, until: float) -> Held:
    """Find suspects among clean events and set them aside; all that is held from now on, with what was before.

    What somebody has restored is not set aside again by the same rule.
    """
    before = quarantine.held_items()
    restored = quarantine.cleared()
    suspects = []
    for one in suspicions((before.without(part, people) for part in events), people, until=until):
        known_people, known_items = restored[one.rule]
        rest = replace(one, people=np.setdiff1d(one.people, known_people), items=np.setdiff1d(one.items, known_items))
        if len(rest.people) or (rest.since is not None and len(rest.items)):
            suspects.append(rest)
    held = np.zeros(len(suspects), np.int64)
    for part in events if suspects else ():
        left = before.without(part, people)
        held += [int(one.held.of(left, people).sum()) for one in suspects]
    cases = [Case(one, n) for one, n in zip(suspects, held.tolist(), strict=True)]
    quarantine.keep(context.run, cases)
    for case in cases:
        rule, whose = case.suspicion.rule, len(case.suspicion.people)
        context.report(0, text=f"{rule}: {case.events:,} events of {whose:,} customers are set aside")
    return Held.union([before, *(case.suspicion.held for case in cases)])
