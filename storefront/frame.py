"""Frame of every page: who shops, the choice about personalisation, and what Recsite just did."""

import json
from collections.abc import Sequence
from urllib.parse import quote

from recsite_client.answers import Recommendations
from storefront.filling import Html, fill, joined
from storefront.settings import Settings
from storefront.slots import Filled
from storefront.visits import Visit


class Frame:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def page(
        self,
        visit: Visit,
        title: str,
        main: Html,
        filled: Filled | None,
        *,
        typed: str,
        events: Sequence[dict[str, object]],
    ) -> Html:
        message, visit.told = visit.told, ""
        says, visit.says_consent = visit.says_consent, False
        named = visit.personalised or says  # an objection, too, has to say whose it is
        return fill(
            "page",
            title=title,
            shop=self._settings.name,
            main=main,
            typed=typed,
            events=json.dumps(list(events)),
            recsite=self._settings.recsite,
            browser_key=self._settings.browser_key,
            consent="yes" if visit.consent else "" if visit.personalised else "no",
            says_consent=("yes" if visit.consent else "no") if says else "",
            user_id=visit.user_id if named else "",
            anonymous_id=visit.anonymous_id if named else "",
            proof=visit.proof if named else "",
            session_id=visit.session_id if named else "",
            basket="" if self._settings.plays else fill("basket-link", size=sum(visit.basket.values())),
            account=fill("account-link") if visit.user_id else "",
            people=self._people(visit),
            dashboard=f"{self._settings.recsite}/customers/id/{quote(visit.user_id or visit.anonymous_id, safe='')}/",
            told=fill("told", text=message) if message else "",
            choice=fill("choice", back=visit.here, meanwhile=_meanwhile(visit)) if visit.consent is None else "",
            notify=fill("notify", push_service=self._settings.push_service),
            panel=_panel(filled) if filled else "",
        )

    def _people(self, visit: Visit) -> Html:
        options = [("", "an anonymous visitor"), *((each, f"customer {each}") for each in self._settings.customers)]
        return joined(
            fill("option", value=value, name=name, chosen=Html(" selected" if value == visit.user_id else ""))
            for value, name in options
        )


def _meanwhile(visit: Visit) -> str:
    """What holds until somebody answers whether the shop may be personalised."""
    if visit.personalised:
        return "It is, as you are signed in; say no, and what you do here is not used for it."
    return "Unless you agree, nothing is kept about you."


def _panel(filled: Filled) -> Html:
    lists = f"{len(filled.slots)} list{'' if len(filled.slots) == 1 else 's'}"
    return fill(
        "panel",
        summary=filled.problem or f"one question, {lists}, {filled.milliseconds:.0f} ms",
        page=filled.page,
        wish=json.dumps(filled.wish, ensure_ascii=False),
        rows=joined(map(_row, filled.slots)),
    )


def _row(answer: Recommendations) -> Html:
    why = answer["fallback_reason"]
    return fill(
        "panel-row",
        placement=answer["placement"],
        items=len(answer["results"]),
        source=f"{answer['source']}{f' ({why})' if why else ''}",
        model=answer["model_version"] or "–",
        weights=answer["weights_version"] or "–",
        rules=answer["rules_version"],
        recommendation_id=answer["recommendation_id"],
    )
