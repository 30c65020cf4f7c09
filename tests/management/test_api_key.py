"""Keys from the command line: the printed key works, and what is wrong is said in one line."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommendations.models import ApiKey, AuditEntry
from recommendations.services.access import keys
from recommendations.terms import Scope

pytestmark = pytest.mark.django_db


def told(*words: str) -> str:
    out = StringIO()
    call_command("api_key", *words, stdout=out)
    keys.key_ring.drop()
    return out.getvalue().strip()


def test_a_key_through_its_life() -> None:
    token = told("create", "Shop pages", "--scope", "events:write", "--origin", "https://shop.example/")
    key = keys.find_key(token)
    assert key is not None
    assert (key.scopes, key.origins) == ({Scope.EVENTS_WRITE}, {"https://shop.example"})
    newer = told("rotate", key.prefix, "--grace", "1")
    assert keys.find_key(token) is not None
    assert keys.find_key(newer) is not None
    listed = [line.split("\t") for line in told("list").splitlines()]
    assert [line[1:2] + line[3:] for line in listed] == [
        ["Shop pages", "page", "60000/min", "events:write", "https://shop.example"]
    ] * 2
    assert [line[2][:5] for line in listed] == ["valid", "until"]
    assert told("revoke", newer.partition(".")[0]) == ""
    assert keys.find_key(newer) is None
    assert "revoked" in told("list")
    secrets = [each.partition(".")[2] for each in (token, newer)]
    assert not any(secret in told("list") for secret in secrets)
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == [
        "create", "create", "rotate", "revoke",
    ]  # fmt: skip


def test_without_grace_the_old_one_ends_at_once() -> None:
    token = told("create", "Leaked", "--scope", "recommendations:read")
    assert keys.find_key(told("rotate", token, "--grace", "0")) is not None
    assert keys.find_key(token) is None
    assert "expired" in told("list")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "x", "--scope", "all"], "invalid choice"),
        (
            ["create", "x", "--scope", "events:write", "--origin", "shop.example", "--origin", "*"],
            "No origin: 'shop.example', '*'",
        ),
        (["create", "x", "--scope", "metrics:read", "--origin", "https://shop.example"], "events:write and no other"),
        (["create", "x", "--scope", "events:write", "--scope", "recommendations:read", "--page"], "with an --origin"),
        (["create", "x", "--scope", "events:write", "--requests-per-minute", "-1"], "a rate is 1"),
        (["create", "x", "--scope", "events:write", "--lines-per-minute", "0"], "a rate is 1"),
        (["create", "x", "--scope", "events:write", "--new-people-per-hour", "9"], "a key in a page only"),
        (["create", "x", "--scope", "events:write", "--requests-per-minute", "99999999999"], "a rate is 1"),
        (["create", "x" * 101, "--scope", "events:write"], "at most 100"),
        (["create", "x", "--scope", "events:write", *(f"--origin=https://s{n}.example" for n in range(21))], "At most"),
        (["rotate", "nobody"], "no key 'nobody'"),
        (["revoke", "nobody.secret"], "no key 'nobody'"),
        (["rotate", "nobody", "--grace", "-1"], "from 0 on"),
    ],
)
def test_a_flawed_call_is_refused_and_makes_no_key(words: list[str], said: str) -> None:
    with pytest.raises(CommandError) as refused:
        told(*words)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
    assert not ApiKey.objects.exists()


def test_a_key_is_replaced_once_and_revoked_once() -> None:
    token = told("create", "Shop", "--scope", "events:write")
    told("rotate", token)
    with pytest.raises(CommandError, match="was replaced before"):
        told("rotate", token)
    told("revoke", token)
    with pytest.raises(CommandError, match="revoked before"):
        told("revoke", token)
