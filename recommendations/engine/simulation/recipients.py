"""Made people to whom messages are sent: what they would answer, what that causes, who leaves; all by known chances."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommendations.engine.push.agent.features import Scales
from recommendations.engine.push.agent.terms import SLOTS, Menu, MenuCampaign, Slot
from recommendations.engine.rng import generator
from recommendations.push_terms import Channel

type Values = NDArray[np.float64]
type Rows = NDArray[np.integer]

NEWS, REMINDER = 1, 2
MENU = Menu(
    campaigns=(MenuCampaign(NEWS, 2), MenuCampaign(REMINDER, 2)), channels=(Channel.EMAIL, Channel.WEB_PUSH)
)  # fmt: skip
NOT_NOW = len(MENU.options)
CAMPAIGN = np.array([int(option.campaign == REMINDER) for option in MENU.options])
SUBJECT = np.array([option.variant for option in MENU.options])
CHANNEL = np.array([MENU.channels.index(option.channel) for option in MENU.options])
SLOT = np.array([SLOTS.index(option.slot) for option in MENU.options])
PRICE = np.array([0.001, 0.0002])[CHANNEL]  # money a message
EDGES = (-0.43, 0.43)  # thirds of how often they buy
SCALES = Scales(means=(0.0,) * 4, deviations=(1.0,) * 4, edges=EDGES, rate=0.015)
CLICKS_ANYWAY = 0.05  # who buys anyway often clicks first: an answer that nobody caused
VALUE_DAYS, VALUE_LOST = 90, 0.05  # of which purchases a lost contact costs which share


class RecipientKind(StrEnum):
    """How made people differ."""

    ALIKE = "alike"  # no option is better for anybody
    MAIN = "main"  # one way is best for all
    STRONG = "strong"  # people differ, in part in no term; who buys often is persuaded least
    TURNS = "turns"  # strong; half-way mail and browser, morning and evening swap
    DEAD = "dead"  # nothing that is sent causes anything


@dataclass(frozen=True, kw_only=True)
class RecipientModel:
    """How many people of a kind, how easily they leave at a first message of the week, and what tires them.

    ``tiring`` is what each message of the week leaves of the next one's effect.
    """

    people: int
    kind: RecipientKind = RecipientKind.STRONG
    leaving: float = 0.003
    tiring: float = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipients:
    """Made people; all arrays are [people] but where it is said."""

    model: RecipientModel
    traits: Values  # [people, 3]: how often they buy, how much they browse, how new they are
    buys: Values  # chance of a purchase a day, without any message
    worth: Values  # money of a purchase
    hours: Values  # [people, slots]
    reach: NDArray[np.bool_]  # [people, channels]
    lost: Values  # money that a lost contact costs
    anyway: Values  # chance of an answer that nothing caused
    irritable: Values  # multiplies the chance to leave
    logits: Values  # [halves, people, options]: of an answer that the message causes

    @property
    def band(self) -> NDArray[np.int64]:
        return np.digitize(self.traits[:, 0], EDGES).astype(np.int64)

    def caused(self, who: Rows, option: Rows, *, due: Values, week: Values, late: bool) -> Values:
        """Chances [messages] that a message causes a purchase; ``due`` and ``week`` (messages) are of all people."""
        logit = self.logits[min(int(late), len(self.logits) - 1)][who, option]
        chance: Values = expit(logit + 0.8 * due[who] * CAMPAIGN[option]) * self.model.tiring ** week[who]
        return chance

    def caused_by_all(self, who: Rows, *, due: Values, week: Values, late: bool) -> Values:
        """Chances [who, options] that each message would cause a purchase."""
        logit = self.logits[min(int(late), len(self.logits) - 1)][who]
        chance: Values = expit(logit + 0.8 * due[who, None] * CAMPAIGN) * self.model.tiring ** week[who, None]
        return chance

    def leaves(self, who: Rows, week: Values) -> Values:
        """Chances [messages] that a message makes its reader leave the channel."""
        chance: Values = np.minimum(self.model.leaving * np.exp(0.45 * week[who]) * self.irritable[who], 0.5)
        return chance


@dataclass(frozen=True, kw_only=True, eq=False)
class RecipientTraits:
    """What is known of recipients before anything is made up: traits [people, 3], standardised; the chance of a
    purchase a day and its money [people]; hours [people, slots].
    """

    traits: Values
    buys: Values
    worth: Values
    hours: Values


def made_recipients(model: RecipientModel, *, seed: int) -> Recipients:
    """The people of a seed."""
    draw, n = generator(seed, "recipients"), model.people
    traits, hidden = draw.normal(size=(n, 3)), draw.normal(size=n)
    known = RecipientTraits(
        traits=traits, buys=np.clip(0.05 * np.exp(0.8 * traits[:, 0] - 0.32), 0.003, 0.5),
        worth=20 * np.exp(0.3 * draw.normal(size=n) - 0.045), hours=draw.dirichlet([2.0] * len(SLOTS), n),
    )  # fmt: skip
    return _with_answers(model, known, hidden, draw)


def recipients_like(known: RecipientTraits, model: RecipientModel, *, seed: int) -> Recipients:
    """People with these traits; how they are reached, what they would answer and when they leave is of the seed."""
    draw = generator(seed, "recipients like")
    return _with_answers(model, known, draw.normal(size=model.people), draw)


def _with_answers(
    model: RecipientModel, known: RecipientTraits, hidden: Values, draw: np.random.Generator
) -> Recipients:
    """Recipients whose answers depend on their traits, and on something ``hidden`` [people] that no number tells."""
    n, kind, traits, buys = model.people, model.kind, known.traits, known.buys
    apart = float(kind in {RecipientKind.STRONG, RecipientKind.TURNS})
    main = max(apart, float(kind is RecipientKind.MAIN))
    reach = np.column_stack([draw.random(n) < 0.8, draw.random(n) < 0.4])
    irritable = np.exp(apart * (0.5 * traits[:, 2] + 0.5 * draw.normal(size=n) - 0.25))
    level = -5.0 - 0.5 * apart + apart * (-0.7 * traits[:, 0] + 0.3 * traits[:, 2] + 0.6 * hidden)
    level -= 30.0 * (kind is RecipientKind.DEAD)
    halves = (False, True) if kind is RecipientKind.TURNS else (False,)
    logits = [_logits(traits, known.hours, main=main, apart=apart, swap=swap) + level[:, None] for swap in halves]
    return Recipients(
        model=model, traits=traits, buys=buys, worth=known.worth, hours=known.hours, reach=reach,
        lost=VALUE_LOST * VALUE_DAYS * buys * known.worth, anyway=(1 - (1 - buys) ** 4) * CLICKS_ANYWAY,
        irritable=irritable, logits=np.stack(logits),
    )  # fmt: skip


def _logits(traits: Values, hours: Values, *, main: float, apart: float, swap: bool) -> Values:
    """What each option adds for each person [people, options]."""
    columns = []
    evening, morning = SLOTS.index(Slot.EVENING), SLOTS.index(Slot.MORNING)
    for place in range(len(MENU.options)):
        slot, channel = (2 - SLOT[place], 1 - CHANNEL[place]) if swap else (SLOT[place], CHANNEL[place])
        reminder, second = CAMPAIGN[place], SUBJECT[place]
        subject = -0.5 * traits[:, 1] if reminder else 0.5 * traits[:, 0]
        same = 0.25 * second * (1 - 2 * reminder) - 0.15 * channel + 0.2 * (slot == evening)
        own = (
            2.0 * (hours[:, slot] - 1 / len(SLOTS)) + channel * (0.6 * traits[:, 1] - 0.3 * traits[:, 0])
            + second * subject + 0.3 * traits[:, 2] * (slot == morning)
        )  # fmt: skip
        columns.append(main * same + apart * own)
    return np.stack(columns, axis=1)
