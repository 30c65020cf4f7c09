"""Tokens of links: they open what they were made for, and nothing that was forged, cut, swapped or aged."""

import random
from datetime import UTC, datetime, timedelta

from django.conf import LazySettings

from recommendations.services.contacts.tokens import LASTS, LinkKind, SignedLink, opened, token_of

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LINK = SignedLink(LinkKind.CLICK, 1_234_567, place=3, generation=2)


def test_a_token_opens_what_it_was_made_for() -> None:
    for kind in LinkKind:
        link = SignedLink(kind, -(2**63), place=255, generation=255)
        assert opened(token_of(link, now=NOW), kind, now=NOW) == link
        assert opened(token_of(link, now=NOW), *(set(LinkKind) - {kind}), now=NOW) is None


def test_a_token_ages() -> None:
    for kind, lasts in LASTS.items():
        token = token_of(SignedLink(kind, 1), now=NOW)
        assert opened(token, kind, now=NOW + lasts - timedelta(minutes=1)) is not None
        assert opened(token, kind, now=NOW + lasts + timedelta(minutes=1)) is None


def test_the_key_before_goes_on_opening(settings: LazySettings) -> None:
    token = token_of(LINK, now=NOW)
    settings.LINK_KEYS = ["another-key-of-at-least-32-characters", *settings.LINK_KEYS]
    assert opened(token, LinkKind.CLICK, now=NOW) == LINK
    assert token_of(LINK, now=NOW) != token
    settings.LINK_KEYS = settings.LINK_KEYS[:1]
    assert opened(token, LinkKind.CLICK, now=NOW) is None


def test_of_10_000_forged_tokens_none_opens() -> None:
    rng, token = random.Random(15), token_of(LINK, now=NOW)
    other = token_of(LINK._replace(key=7), now=NOW)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=/+\x00ü"
    forged = {"", ".", "..", token[:-1], token + "A", f" {token}", f"{token}.", token.replace(".", ""), token + "=="}
    forged.add(f"{other.partition('.')[0]}.{token.partition('.')[2]}")
    while len(forged) < 10_000:
        text = list(token)
        for _ in range(rng.randrange(1, 4)):
            text[rng.randrange(len(text))] = rng.choice(letters)
        forged.add("".join(text[: rng.choice((len(text), rng.randrange(len(text))))]))
    forged.discard(token)
    assert [text for text in forged if opened(text, *LinkKind, now=NOW)] == []
