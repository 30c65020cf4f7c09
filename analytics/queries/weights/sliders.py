"""Sliders of the desk: a setting per recommender and for what is set beside the weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.charts.hues import of_recommender
from analytics.queries.weights.live_facts import Lack
from analytics.templatetags.display import number
from analytics.templatetags.weights import BESIDE, EXPLORING, GOALS, WEIGHT, field_name, plain
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.services.weights.values import HIGHEST, MOST, Values, weighable
from recommendations.terms import BlendName

type Fields = Mapping[str, float]
"""Values as they stand on the sliders: weights from 0 to 100."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A slider with its number box; ``text`` is what stands in the box, also where it is no number."""

    name: str
    field: str
    text: str
    live: float
    saved: float
    highest: float
    share: float | None = None  # of the whole; None for what is no weight
    hue: int | None = None
    pattern: str = ""
    help: str = ""
    error: str = ""
    lack: Lack | None = None  # of data: then nobody can move it

    @property
    def weighs(self) -> bool:
        return self.highest == MOST

    @property
    def is_goal(self) -> bool:
        return self.name in GOALS

    @property
    def explores(self) -> bool:
        return self.name in EXPLORING

    @property
    def explained(self) -> str:
        """Name of what its question mark explains."""
        return f"goal_{self.name}"

    @property
    def idle(self) -> bool:
        """Whether it counts neither here nor live, and nobody has to look at it."""
        return self.weighs and not self.live and not self.error and self.value == 0

    @property
    def value(self) -> float | None:
        """Number in the box; None for what is none."""
        try:
            return float(self.text)
        except ValueError:
            return None

    @property
    def mark(self) -> float:
        """Where live is, in percent of the track."""
        return round(100 * self.live / self.highest, 2)

    @property
    def live_text(self) -> str:
        return number(self.live, 0 if float(self.live).is_integer() else 2)


def fields(values: Values, *, live: Values, names: Sequence[str]) -> Fields:
    """Fields on the scale where most recommenders stand at live's mark, so that one that was moved is seen as such."""
    scale = _scale(values.weights, live.weights)
    weights = {f"{WEIGHT}{name}": round(MOST * scale * values.weights.get(name, 0.0), 2) for name in names}
    return weights | {name: getattr(values, name) for name in HIGHEST}


def settings_of(
    blend: BlendName,
    loaded: Values,
    *,
    live: Values,
    saved: Values,
    points: Sequence[Values],
    given: Mapping[str, str],
    errors: Mapping[str, str],
    lacking: Mapping[str, Lack],
) -> list[Setting]:
    """Settings of the desk with ``loaded`` on the sliders, those that weigh most in what is live first.

    All that can be loaded are ``points``; ``given`` are fields as they were typed, ``errors`` are by name, and
    ``lacking`` says what some of them lack; what counts live can be moved all the same.
    """
    names = _names(blend, points)
    sliders, at_live, stored = (fields(each, live=live, names=names) for each in (loaded, live, saved))
    whole = sum(sliders[f"{WEIGHT}{name}"] for name in names)
    settings = []
    for name in (*sorted(names, key=lambda name: -at_live[f"{WEIGHT}{name}"]), *BESIDE):
        at = field_name(name)
        hue, pattern = (None, "") if name in BESIDE else of_recommender(name)
        settings.append(
            Setting(
                name=name, field=at, text=given.get(at, plain(sliders[at])), live=at_live[at], saved=stored[at],
                highest=HIGHEST.get(name, MOST), share=None if name in BESIDE or not whole else sliders[at] / whole,
                hue=hue, pattern=pattern, help=str(BESIDE[name][1]) if name in BESIDE else "",
                error=errors.get(name, ""), lack=lacking.get(name) if name in BESIDE or not at_live[at] else None,
            )
        )  # fmt: skip
    return settings


def _names(blend: BlendName, values: Sequence[Values]) -> list[str]:
    """Recommenders of the blend, and others that some version weighs; a second stage only where one does."""
    named = [name for each in values for name in each.weights]
    return list(dict.fromkeys([*(name for name in weighable(blend) if name != SECOND_STAGE), *named]))


def _scale(weights: Mapping[str, float], live: Mapping[str, float]) -> float:
    ratios = {name: live[name] / weight for name, weight in weights.items() if weight and live.get(name)}
    common = Counter(round(ratio, 3) for ratio in ratios.values()).most_common(1)
    if not common or common[0][1] < 2:
        return 1.0
    alike = [name for name, ratio in ratios.items() if round(ratio, 3) == common[0][0]]
    scale = ratios[max(alike, key=lambda name: weights[name])]
    return scale if scale * max(weights.values()) <= 1 else 1.0
