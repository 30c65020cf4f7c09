"""The plan of a campaign for everybody, in a process of its own, as a worker makes it."""

import os
import time
from collections import Counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from bench.bars import Figure  # noqa: E402
from bench.meter import metered  # noqa: E402
from bench.push import crowd  # noqa: E402
from recommendations.push_terms import Verdict  # noqa: E402
from recommendations.services.push.deciding import Ground  # noqa: E402
from recommendations.services.push.sendings import plan  # noqa: E402
from recommendations.simulation.message_lists import current_snapshot  # noqa: E402

CPU, MB = 180.0, 2_000.0


def planned(people: int, *, buyers: int) -> list[Figure]:
    """The plan of a campaign for everybody: CPU seconds of this process, and its peak, the snapshot included."""
    now = timezone.now()
    ground = Ground(snapshot=current_snapshot(), rules=crowd.rules(now), now=now)
    draft = crowd.campaign("planned", now=now, live=False)
    begin = time.process_time()
    with metered() as planning:
        verdicts = plan(draft, ground=ground)
    cpu = time.process_time() - begin
    counts = Counter(each.verdict for each in verdicts)
    going = counts.pop(Verdict.NOW, 0)
    return [
        Figure("people in the plan", len(verdicts), least=people, most=people),
        *(Figure(f"of them {verdict}", number) for verdict, number in sorted(counts.items())),
        Figure("of them it goes to", going, least=buyers / 2),
        Figure("CPU seconds of the plan", cpu, most=CPU),
        Figure("seconds of the plan", planning.seconds),
        Figure("peak MB of the process", planning.peak_mb, most=MB),
    ]
