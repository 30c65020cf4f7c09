"""What exploring costs and buys, in words beside its sliders."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from analytics.queries.weights.earned import whole_days
from recommendations.models import Group
from recommendations.services.weights.exploration_price import ExplorationPrice, exploration_price
from recommendations.services.weights.values import Values
from recommendations.terms import BlendName
from recommendations.wording.metrics import percent_text
from recommendations.wording.money import short_amount


def price_text(*, blend: BlendName, group: Group, values: Values, now: datetime) -> str:
    """The price of what stands on the two sliders, as sentences."""
    if not (values.exploration or values.cards):
        return _("Nothing is explored: it costs nothing, and nobody learns what another order would have brought.")
    price = exploration_price(blend=blend, group=group, values=values, now=now)
    return " ".join(_sentences(price, shuffled=bool(values.exploration)))


def _sentences(price: ExplorationPrice, *, shuffled: bool) -> Iterator[str]:
    often = {"share": percent_text(price.explored)}
    if price.clicks is not None:
        words = often | {"price": percent_text(max(price.clicks, 0.0))}
        yield _("%(share)s of the answers explore: about %(price)s fewer clicks.") % words
        if price.weekly is not None:
            money = {"price": _whole(max(price.clicks, 0.0) * price.weekly), "all": _whole(price.weekly)}
            yield _("That is about %(price)s a week of %(all)s attributed.") % money
    elif price.accuracy is not None:
        words = often | {"price": percent_text(max(price.accuracy, 0.0))}
        yield (
            _(
                "%(share)s of the answers explore: about %(price)s less accurate on the tuning panel. The price in "
                "clicks is known once past answers were asked about a draft."
            )
            % words
        )
    else:
        yield (
            _(
                "%(share)s of the answers explore. What that costs is not measured here: no purchases can measure this "
                "blend, and no past answers were asked yet."
            )
            % often
        )
    if not shuffled:
        yield _("Items from further down alone do not tell how much a position counts: past answers stay silent.")
    elif price.log_days is not None and price.test_days is not None:
        yield _days_text(price.log_days, price.test_days)


def _days_text(by_log: float, by_test: float) -> str:
    words = {"log": whole_days(by_log), "test": whole_days(by_test)}
    if by_test < by_log:
        return _("A change as large as the last draft is told by a live test first: %(test)s, against %(log)s.") % words
    return _("A change as large as the last draft can be judged after %(log)s; a live test takes %(test)s.") % words


def _whole(amount: float) -> str:
    return short_amount(round(amount) if amount >= 1 else round(amount, 2))
