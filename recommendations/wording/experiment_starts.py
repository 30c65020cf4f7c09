"""Starts of experiments in words: what a worker is at, and why one did not begin."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from recommendations.experiment_terms import StartRefusal, StartStep
from recommendations.wording.linter import listed
from recommendations.wording.metrics import number_text


def step_text(beginning: Mapping[str, Any]) -> str:
    """What the worker is at: "Comparing lists: 120 of 500 customers"."""
    match beginning.get("step"):
        case StartStep.LISTS:
            words = {"done": number_text(beginning["done"], 0), "of": number_text(beginning["of"], 0)}
            return gettext("A worker compares lists before and after: %(done)s of %(of)s customers.") % words
        case StartStep.PAST:
            return gettext("A worker measures the last four weeks.")
    return gettext("Waiting for a worker.")


def refusal_of_start(facts: Mapping[str, Any]) -> str:
    """Why an experiment did not begin, with what would help."""
    match StartRefusal(facts["why"]):
        case StartRefusal.SAME_LISTS:
            letters = [chr(ord("A") + arm) for arm in facts["arms"]]
            text = ngettext(
                "%(letters)s is the same as A for %(asked)s of %(asked)s customers. Choose another version, or only "
                "the segments that it is for.",
                "%(letters)s are the same as A for %(asked)s of %(asked)s customers. Choose other versions, or only "
                "the segments that they are for.",
                len(letters),
            )
            return text % {"letters": listed(letters), "asked": number_text(facts["asked"], 0)}
        case StartRefusal.GONE:
            return gettext("A version, placement or page that it compares is no longer there. Choose another one.")
        case StartRefusal.ERROR:
            text = gettext("An error of the software (%(error)s); the log of the workers has it. Start it again later.")
            return text % {"error": facts["error"]}
