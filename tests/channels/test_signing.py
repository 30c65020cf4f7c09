"""A signed chain: what is as it was signed verifies, and nothing that was forged, aged, swapped or cut."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from recommendations.channels import signing
from recommendations.channels.sealing import base64url, bytes_of_base64url

SEED, OTHER = signing.new_seed(), signing.new_seed()
PUBLIC = signing.public_half(SEED)
KEYS = {signing.key_id(PUBLIC): PUBLIC}


def chain(length: int = 4, seed: str = SEED, who: str = "ключ") -> list[dict[str, Any]]:
    envelopes: list[dict[str, Any]] = []
    previous = signing.FIRST
    for number in range(1, length + 1):
        document = {"number": number, "previous": previous, "scanned": f"2026-09-0{number}", "who": who}
        signature = signing.sign(document, seed)
        previous = signing.chain_hash(document, signature)
        key = signing.key_id(signing.public_half(seed))
        envelopes.append({"document": document, "key": key, "signature": base64url(signature)})
    return envelopes


def test_the_signature_is_that_of_the_standard() -> None:
    """The first test of RFC 8032, 7.1, by its seed and public key."""
    seed = base64url(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert signing.public_half(seed) == base64url(public)


def test_names_stand_in_order_whatever_order_they_came_in() -> None:
    assert signing.canonical({"b": 1, "a": {"d": "é", "c": None}}) == '{"a":{"c":null,"d":"é"},"b":1}'.encode()


def test_a_chain_verifies_and_each_of_it_alone() -> None:
    assert signing.flaws_of(chain(), KEYS, whole=True) == []
    assert [signing.flaws_of([each], KEYS) for each in chain()] == [[]] * 4
    assert signing.flaws_of(chain()[::-1], KEYS, whole=True) == []
    assert signing.flaws_of([chain()[0], chain()[3]], KEYS) == []


def aged(envelopes: list[dict[str, Any]]) -> None:
    envelopes[1]["document"]["scanned"] = "2020-01-01"


def swapped(envelopes: list[dict[str, Any]]) -> None:
    envelopes[1]["signature"], envelopes[2]["signature"] = envelopes[2]["signature"], envelopes[1]["signature"]


def renumbered(envelopes: list[dict[str, Any]]) -> None:
    envelopes[1]["document"]["number"], envelopes[2]["document"]["number"] = 3, 2


def cut(envelopes: list[dict[str, Any]]) -> None:
    del envelopes[1]


def beheaded(envelopes: list[dict[str, Any]]) -> None:
    del envelopes[0]


def doubled(envelopes: list[dict[str, Any]]) -> None:
    envelopes.append(copy.deepcopy(envelopes[1]))


def forged(envelopes: list[dict[str, Any]]) -> None:
    envelopes[1] = chain(seed=OTHER)[1]


def forged_under_our_name(envelopes: list[dict[str, Any]]) -> None:
    envelopes[1] = chain(seed=OTHER)[1] | {"key": envelopes[1]["key"]}


def grown(envelopes: list[dict[str, Any]]) -> None:
    envelopes[1]["document"]["more"] = 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (aged, "Receipt 2 was changed"), (swapped, "Receipt 2 was changed"), (renumbered, "Receipt 3 was changed"),
        (cut, "Between Receipt 1 and Receipt 3 some are missing"), (beheaded, "begins with Receipt 2"),
        (doubled, "two of Receipt 2"), (forged, "none of those given"), (grown, "Receipt 2 was changed"),
        (forged_under_our_name, "Receipt 2 was changed"),
    ],
)  # fmt: skip
def test_what_was_tampered_with_is_named(change: Callable[[list[dict[str, Any]]], None], words: str) -> None:
    envelopes = chain()
    change(envelopes)
    assert words in "\n".join(signing.flaws_of(envelopes, KEYS, whole=True))


def test_a_document_that_was_signed_anew_breaks_the_chain() -> None:
    """Somebody who has the key, and rewrites the past."""
    envelopes = chain()
    document = {**envelopes[1]["document"], "scanned": "2020-01-01"}
    envelopes[1] |= {"document": document, "signature": base64url(signing.sign(document, SEED))}
    assert "Receipt 3 does not follow Receipt 2" in signing.flaws_of(envelopes, KEYS, whole=True)[0]


def anchor(through: int = 2, seed: str = SEED, **changes: Any) -> dict[str, Any]:
    """That the chain was let go up to a number, as its owner signs it."""
    last = chain()[through - 1]
    reached = signing.chain_hash(last["document"], bytes_of_base64url(last["signature"]))
    document = {"format": signing.ANCHOR, "through": through, "hash": reached, "flaws": [], **changes}
    key = signing.key_id(signing.public_half(seed))
    return {"document": document, "key": key, "signature": base64url(signing.sign(document, seed))}


def whole(envelopes: list[dict[str, Any]], let_go: dict[str, Any]) -> str:
    return "\n".join(signing.flaws_of(envelopes, KEYS, whole=True, anchor=let_go))


def test_a_chain_goes_on_from_what_was_let_go() -> None:
    assert whole(chain()[2:], anchor()) == ""
    assert whole(chain(), anchor()) == ""  # somebody kept those that went
    assert "the last let go" in whole(chain()[3:], anchor())  # the third was cut off
    assert "begins with Receipt 2, which does not follow Receipt 2" in whole(chain()[1:], anchor())
    assert "the last let go" in whole(chain()[2:], anchor(hash="0" * 64))
    assert whole(chain()[2:], anchor(flaws=["Between Receipt 1 …"])) == "Between Receipt 1 …"
    assert signing.flaws_of(chain()[2:], KEYS, whole=True)


def test_nobody_else_says_that_a_chain_was_let_go() -> None:
    assert "none of those given" in whole(chain()[2:], anchor(seed=OTHER))
    assert "was changed" in whole(chain()[2:], anchor(seed=OTHER) | {"key": anchor()["key"]})
    moved = anchor()
    moved["document"]["through"] = 3
    assert "The anchor after Receipt 3 was changed" in whole(chain()[3:], moved)
    for no_anchor in (chain()[1], {}, anchor(flaws=None), anchor(format="recsite-receipt/1")):
        assert "no anchor" in whole(chain()[2:], no_anchor)
    assert "no receipt" in signing.flaws_of([anchor()], KEYS)[0]


@pytest.mark.parametrize("nonsense", [{}, {"document": 1}, {"document": {}, "key": "k", "signature": "x"}, 7, None])
def test_what_is_no_receipt_is_said(nonsense: Any) -> None:
    assert "no receipt" in signing.flaws_of([nonsense], KEYS)[0]


def log_of(envelopes: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """What stands beside the database: the number and the hash of each."""
    return [
        (each["document"]["number"], signing.chain_hash(each["document"], bytes_of_base64url(each["signature"])))
        for each in envelopes
    ]


def test_a_cut_tail_is_seen_by_the_log_alone() -> None:
    every = chain(6)
    noted = log_of(every)
    assert signing.flaws_of(every[:3], KEYS, whole=True) == []
    assert signing.flaws_by_log(every, noted) == []
    assert signing.flaws_by_log(every[:3], noted) == ["The chain lacks what the log has: Receipts 4–6."]
    assert signing.flaws_by_log([every[0], every[2]], noted) == ["The chain lacks what the log has: Receipts 2, 4–6."]
    assert signing.flaws_by_log([], noted[:1]) == ["The chain lacks what the log has: Receipt 1."]


def test_a_chain_that_was_written_anew_differs_from_the_log() -> None:
    """By whoever has the signing key: each document is signed, and follows the one before."""
    anew = chain(3, who="nobody")
    assert signing.flaws_of(anew, KEYS, whole=True) == []
    assert signing.flaws_by_log(anew, log_of(chain(3))) == ["The chain has other ones than the log: Receipts 1–3."]


def test_what_was_let_go_is_not_missed_in_the_log() -> None:
    noted = log_of(chain())
    assert signing.flaws_by_log(chain()[3:], noted, anchor=anchor(3)) == []
    assert signing.flaws_by_log(chain(), noted, anchor=anchor(3)) == []
    assert signing.flaws_by_log([], noted, anchor=anchor(3)) == ["The chain lacks what the log has: Receipt 4."]
    assert signing.flaws_by_log(chain()[3:], noted, anchor=anchor(3, hash="0" * 64)) == [
        "The chain has other ones than the log: Receipt 3."
    ]
    assert signing.flaws_by_log([{"document": 3}], noted, anchor={"document": 3}) == [
        "The chain lacks what the log has: Receipts 1–4."
    ]
