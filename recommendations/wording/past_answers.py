"""Why an answer cannot be made again, or not for certain, in words."""

from django.utils.translation import gettext as _


def model_gone(*, model: int | None, made: str, days: int) -> str:
    text = _("Model m%(model)s of %(when)s is no longer stored: they are for %(days)s days, while there is room.")
    return text % {"model": model, "when": made, "days": days}


def expired(*, days: int) -> str:
    return _("What it was made of was stored for %(days)s days.") % {"days": days}


def older_than_record() -> str:
    return _("It was answered before Recsite stored what answers are made of.")


def nameless() -> str:
    return _("It was answered without a name. Nothing about the customer was stored, as it must be.")


def erased() -> str:
    return _("The customer was erased. Nothing about them is stored, as it must be.")


def page_incomplete() -> str:
    return _("It is a list of a page, and another list of that page was not stored.")


def model_edited() -> str:
    return _("The model was edited by an erasure: people who were erased were taken out of it since.")


def catalogue_unknown(*, when: str) -> str:
    text = _(
        "The catalogue was changed in a way that the trail does not tell: prices and stock of %(when)s are not certain."
    )
    return text % {"when": when}


def state_unknown() -> str:
    return _("What the customer had done was not known then: neither Valkey nor PostgreSQL answered.")
