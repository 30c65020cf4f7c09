"""Keys of push: made to be set as they stand, and addresses brought under a new one."""

import io
import stat
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

from recommendations.models import Address, Contact, Customer
from recommendations.push_terms import AddressState, Channel
from recommendations.services.contacts import rotation
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.contacts import sealing
from recommendations.store.contacts.book import LOCK
from recommendations.store.temp_tables import run as run_sql
from recsite import env

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
NAMES = ["CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS", "VAPID_KEY"]
OLD, NEW = "old-" * 10, "new-" * 10


def run(command: str, *arguments: str | Path) -> tuple[str, str]:
    output, errors = io.StringIO(), io.StringIO()
    call_command(command, *map(str, arguments), stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_printed_keys_are_long_enough_and_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (lines(run("push_keys")[0]) for _ in range(2))
    assert list(first) == NAMES
    assert len({*first.values(), *second.values()}) == 8
    for name, value in first.items():
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        monkeypatch.setenv(name, value)
        assert env.vapid_key(name) == value if name == "VAPID_KEY" else env.secrets(name, shortest=64) == [value]


def test_whoever_has_keys_already_is_told_what_to_leave(settings: LazySettings) -> None:
    assert "Leave CONTACT_HASH_KEY as it is" in run("push_keys")[1]
    settings.CONTACT_HASH_KEY = ""
    assert run("push_keys")[1] == ""


def test_files_of_keys_are_private_and_named_as_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = lines(run("push_keys", "--folder", tmp_path / "keys")[0])
    assert list(told) == [f"{name}_FILE" for name in NAMES]
    for name, path in told.items():
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        monkeypatch.delenv(name.removesuffix("_FILE"), raising=False)
        monkeypatch.setenv(name, path)
        value = env.secret(name.removesuffix("_FILE"), shortest=43)
        assert len(value) == (43 if name == "VAPID_KEY_FILE" else 64)


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "link_keys").write_text("mine")
    with pytest.raises(CommandError, match="has link_keys already; nothing was written"):
        run("push_keys", "--folder", tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("link_keys", "mine")]


def addresses(number: int) -> None:
    """Contacts with an address each, under the key that comes first."""
    customers = Customer.objects.bulk_create(Customer(pseudonym=number.to_bytes(32)) for number in range(number))
    Contact.objects.bulk_create(Contact(customer=each, language="en", created_at=NOW) for each in customers)
    Address.objects.bulk_create(
        Address(
            contact_id=each.pk, channel=Channel.EMAIL, sealed=sealing.seal({"email": f"c{each.pk}@example.com"}),
            digest=each.pk.to_bytes(32), state=AddressState.ACTIVE,
        )
        for each in customers
    )  # fmt: skip


def seals() -> dict[int, bytes]:
    return {key: bytes(sealed) for key, sealed in Address.objects.values_list("pk", "sealed")}


@pytest.fixture
def twelve(db: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Sequence[int]:
    """Addresses under the old key, where a new one stands before it; parts are of five."""
    settings.CONTACT_KEYS = [OLD]
    addresses(12)
    settings.CONTACT_KEYS = [NEW, OLD]
    monkeypatch.setattr(rotation, "MOST_AT_ONCE", 5)
    return sorted(seals())


def test_afterwards_the_old_key_may_go(twelve: Sequence[int], settings: LazySettings) -> None:
    assert run("rotate_contacts")[0] == (
        "12 addresses were sealed anew, 0 were under the first key already, 0 open with no key.\n"
    )
    settings.CONTACT_KEYS = [NEW]
    assert {key: sealing.unseal(sealed)["email"] for key, sealed in seals().items()} == {
        address.pk: f"c{address.contact_id}@example.com" for address in Address.objects.all()
    }


def test_a_second_rotation_changes_nothing(twelve: Sequence[int]) -> None:
    run("rotate_contacts")
    before = seals()
    assert run("rotate_contacts")[0].startswith("0 addresses were sealed anew, 12 were under the first key already")
    assert seals() == before


def test_a_rotation_that_was_killed_goes_on(twelve: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rotation.reseal_part
    calls: list[int] = []

    def killed(*, after: int, most: int) -> object:
        calls.append(after)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(after=after, most=most)

    monkeypatch.setattr(rotation, "reseal_part", killed)
    with pytest.raises(CommandError, match=rf"with --after {twelve[9]} to go on there"):
        run("rotate_contacts")
    monkeypatch.setattr(rotation, "reseal_part", whole)
    assert run("rotate_contacts", "--after", str(twelve[9]))[0].startswith("2 addresses were sealed anew, 0 were")
    assert run("rotate_contacts")[0].startswith("0 addresses were sealed anew, 12 were")


def test_what_no_key_opens_is_named_by_its_primary_key(twelve: Sequence[int], settings: LazySettings) -> None:
    settings.CONTACT_KEYS = ["lost-" * 10]
    lost = sealing.seal({"email": "lost@example.com"})
    Address.objects.filter(pk__in=twelve[3:5]).update(sealed=lost)
    settings.CONTACT_KEYS = [NEW, OLD]
    with pytest.raises(CommandError) as caught:
        run("rotate_contacts")
    assert caught.value.returncode == 1
    assert str(caught.value).endswith(f"Their primary keys: {twelve[3]}, {twelve[4]}.")
    assert [bytes(Address.objects.get(pk=key).sealed) for key in twelve[3:5]] == [lost, lost]
    assert run_fails("rotate_contacts") == (
        "0 addresses were sealed anew, 10 were under the first key already, 2 open with no key.\n"
    )


def run_fails(command: str) -> str:
    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command(command, stdout=output)
    return output.getvalue()


def test_addresses_that_are_gone_are_passed_over(twelve: Sequence[int]) -> None:
    Address.objects.filter(pk=twelve[0]).update(state=AddressState.GONE, sealed=b"")
    assert run("rotate_contacts")[0].startswith("11 addresses were sealed anew")
    assert bytes(Address.objects.get(pk=twelve[0]).sealed) == b""


def test_a_part_waits_for_whoever_writes_contacts(twelve: Sequence[int]) -> None:
    run_sql("SET LOCAL lock_timeout = '200ms'")
    before = seals()
    with advisory_lock(LOCK) as alone:
        assert alone
        with pytest.raises(OperationalError, match="lock timeout"):
            run("rotate_contacts")
    assert seals() == before
    assert run("rotate_contacts")[0].startswith("12 addresses were sealed anew")


def test_without_keys_it_says_so(twelve: Sequence[int], settings: LazySettings) -> None:
    settings.CONTACT_KEYS = []
    with pytest.raises(CommandError, match="CONTACT_KEYS is not set"):
        run("rotate_contacts")


@pytest.mark.django_db
def test_the_cost_grows_with_the_addresses_alone(settings: LazySettings) -> None:
    """5,000 addresses in a twentieth of what 100,000 may cost, which took 1.8 s when they were tried."""
    settings.CONTACT_KEYS = [OLD]
    addresses(5_000)
    settings.CONTACT_KEYS = [NEW, OLD]
    begin = process_time()
    assert run("rotate_contacts")[0].startswith("5,000 addresses were sealed anew")
    assert process_time() - begin < 60 / 20


def manage(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run ``manage.py`` in a process that has no settings but these."""
    argv = [sys.executable, "manage.py", *arguments]
    return subprocess.run(argv, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, check=False)


def test_keys_are_made_before_there_are_any_settings() -> None:
    done = manage("push_keys")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(lines(done.stdout)) == NAMES
    assert "has keys already" in manage("push_keys", CONTACT_HASH_KEY="x" * 32).stderr


def test_another_command_without_settings_says_in_a_line_what_is_not_set() -> None:
    done = manage("check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("PSEUDONYM_KEY is not set.")
    assert "Traceback" not in done.stderr
