"""Amounts in the shop's currency, as a sentence has them."""

from django.conf import settings
from django.utils import formats

SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "CNY": "¥",
    "JPY": "¥",
    "INR": "₹",
    "KRW": "₩",
    "CHF": "CHF ",
    "PLN": "zł ",
}


def currency() -> str:
    """The shop's currency as it stands before an amount."""
    code = settings.SHOP_CURRENCY
    return SYMBOLS.get(code, f"{code} ")


def short_amount(value: float) -> str:
    """An amount without the cents that say nothing: "$3", "$4.50"."""
    whole = float(value).is_integer()
    return currency() + formats.number_format(value, 0 if whole else 2, use_l10n=True, force_grouping=True)
