"""Tokens of links: they open what they were made for, and nothing that was forged, cut, swapped or aged."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from recommendations.services.contacts.tokens import LASTS, OF_CUSTOMERS, LinkKind, SignedLink, opened, token_of

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=/+\x00ü"
LINK = SignedLink(LinkKind.CLICK, 1_234_567, place=3, generation=2)


def test_a_token_opens_what_it_was_made_for() -> None:
    for kind in LinkKind:
        own = {"item": 2**63 - 1, "minutes": 255} if kind in OF_CUSTOMERS else {"place": 255, "generation": 255}
        link = SignedLink(kind, -(2**63), **own)
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


@pytest.mark.parametrize("kind", LinkKind)
def test_of_10_000_forged_cut_swapped_and_aged_tokens_of_each_kind_none_opens(kind: LinkKind) -> None:
    rng = random.Random(f"{kind} 15")
    right = {token_of(SignedLink(kind, key, place, generation), now=NOW) for key in (1, 2, 2**40, -1)
             for place in (0, 1, 255) for generation in (0, 1)}  # fmt: skip
    others = {token_of(SignedLink(other, key), now=NOW) for other in LinkKind if other is not kind for key in (1, 2)}
    aged = {token_of(SignedLink(kind, key), now=NOW - LASTS[kind] - timedelta(minutes=2)) for key in range(500)}
    forged, every = others | aged, sorted(right)
    forged |= {f"{one.partition('.')[0]}.{other.partition('.')[2]}"
               for one in every for other in [*every, *sorted(others)] if one != other}  # fmt: skip
    forged |= {token[:end] for token in every for end in range(len(token))}
    forged |= {token[:at] + token[at + 1 :] for token in every for at in range(len(token))}
    forged |= {
        form.format(token) for token in every for form in (" {}", "{}.", "{}A", "{}==", "{}\n", "{0}.{0}", ".{}")
    }
    forged |= {token.translate({45: 43, 95: 47}) for token in every} | {token.replace(".", "") for token in every}
    while len(forged) < 10_000 + len(right):
        text = list(rng.choice(every))
        for _ in range(rng.randrange(1, 4)):
            text[rng.randrange(len(text))] = rng.choice(LETTERS)
        forged.add("".join(text))
    forged -= right
    assert len(forged) >= 10_000
    assert [text for text in forged if opened(text, kind, now=NOW)] == []
    assert all(opened(text, kind, now=NOW) for text in right)


def test_another_installations_tokens_do_not_open(settings: LazySettings) -> None:
    theirs, settings.LINK_KEYS = settings.LINK_KEYS, ["another-key-of-at-least-32-characters"]
    tokens = {kind: token_of(SignedLink(kind, 1), now=NOW) for kind in LinkKind}
    settings.LINK_KEYS = theirs
    assert [kind for kind, token in tokens.items() if opened(token, kind, now=NOW)] == []
