"""Step 1 of an erasure on real servers: who is meant, and that no id leads to them afterwards."""

import json
import stat
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from recommendations.models import Customer, CustomerAlias, ShopSetting, Tombstone
from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure import log as erasure_log
from recommendations.store.erasure.burial import bury, bury_all, lift_block
from recommendations.store.erasure.subjects import subject_digest, subject_of
from recommendations.store.events import mergers
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.mergers import Merger, Told
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.tombstones import digest_of
from recommendations.terms import CustomerKind

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
VISITOR, SIGNED_IN = CustomerKind.ANONYMOUS, CustomerKind.SIGNED_IN


def customer(shop_id: str, kind: CustomerKind = SIGNED_IN) -> Customer:
    return Customer.objects.create(pseudonym=pseudonym(shop_id, kind=kind), kind=kind, properties={"city": "Bern"})


def join(visitor: Customer, known: Customer, *, undone: bool = False) -> None:
    CustomerAlias.objects.create(anonymous=visitor, customer=known, source="api", undone_at=NOW if undone else None)


def erase(*anonymous: str, user_id: str | None = None, mode: EraseMode = EraseMode.FORGET, now: datetime = NOW) -> None:
    bury(subject_of(user_id, anonymous), mode=mode, now=now)


@pytest.mark.django_db
def test_a_person_is_every_key_that_was_joined_and_not_undone() -> None:
    ada, phone, tablet, lent = customer("ada"), *(customer(name, VISITOR) for name in ("phone", "tablet", "lent"))
    stranger = customer("phone")  # signed in under what is somebody's anonymous id
    join(phone, ada)
    join(tablet, ada)
    join(lent, ada, undone=True)

    by_id, by_visit = subject_of("ada", []), subject_of(None, ["phone", "elsewhere"])

    assert by_id.keys == by_visit.keys == {ada.pk, phone.pk, tablet.pk}
    assert set(by_id.pseudonyms) == {bytes(each.pseudonym) for each in (ada, phone, tablet)}
    assert set(by_visit.pseudonyms) - set(by_id.pseudonyms) == {pseudonym("elsewhere", kind=VISITOR)}
    assert subject_of("phone", []).keys == {stranger.pk}


@pytest.mark.django_db
def test_an_unknown_id_has_pseudonyms_alone() -> None:
    unknown = subject_of("nobody", ["never"])

    assert unknown.keys == set()
    assert set(unknown.pseudonyms) == {pseudonym("nobody"), pseudonym("never", kind=VISITOR)}
    assert unknown.units == {int.from_bytes(value[:8], signed=True) for value in unknown.pseudonyms}
    assert subject_digest("nobody", ["never"]) == digest_of(pseudonym("nobody"))
    assert subject_digest(None, ["b", "a"]) == subject_digest(None, ["a"]) != digest_of(pseudonym("a"))
    with pytest.raises(ValueError, match="id"):
        subject_digest(None, [])


@pytest.mark.django_db(transaction=True)
def test_no_id_leads_to_who_was_buried(valkey: redis.Redis) -> None:
    keys = [person_keys(["ada"], SIGNED_IN)["ada"], person_keys(["phone"], VISITOR)["phone"]]
    other = person_keys(["bob"], SIGNED_IN)["bob"]
    join(*Customer.objects.in_bulk(keys[::-1]).values())
    mark = valkey.hget("live:changed", "people")

    erase(user_id="ada")

    rows = {row.pk: row for row in Customer.objects.all()}
    assert {key for key, row in rows.items() if row.erased_at == NOW} == set(keys)
    assert all(len(rows[key].pseudonym) == 32 and not rows[key].personalise for key in keys)
    assert bytes(rows[keys[0]].pseudonym) != bytes(rows[keys[1]].pseudonym)
    assert rows[other].erased_at is None
    assert rows[other].pseudonym == pseudonym("bob")
    assert subject_of("ada", ["phone"]).keys == set()
    assert CustomerAlias.objects.count() == 1  # holders need it
    assert {bytes(row.digest): (row.at, row.mode) for row in Tombstone.objects.all()} == {
        digest_of(value): (NOW, EraseMode.FORGET) for value in (pseudonym("ada"), pseudonym("phone", kind=VISITOR))
    }
    newcomers = [bytes(key) for key in valkey.keys("live:newcomer:*")]
    assert newcomers == [b"live:newcomer:" + pseudonym("bob")]
    assert valkey.hget("live:changed", "people") != mark


@pytest.mark.django_db(transaction=True)
def test_the_log_has_a_private_line_for_each_id() -> None:
    customer("ada")
    erase("phone", user_id="ada", mode=EraseMode.BLOCK)

    file = erasure_log.path()
    lines = [json.loads(line) for line in file.read_text().splitlines()]

    assert sorted(line["digest"] for line in lines) == sorted(
        digest_of(value).hex() for value in (pseudonym("ada"), pseudonym("phone", kind=VISITOR))
    )
    assert [line | {"digest": ""} for line in lines] == 2 * [
        {"digest": "", "generation": 1, "at": NOW.isoformat(), "mode": "block"}
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.django_db
def test_the_newest_erasure_counts_and_blocks_anew() -> None:
    day = timedelta(days=1)
    erase(user_id="ada", mode=EraseMode.BLOCK)
    assert lift_block(digest_of(pseudonym("ada")), now=NOW + day)
    assert not lift_block(digest_of(pseudonym("ada")), now=NOW + day)

    erase(user_id="ada", mode=EraseMode.BLOCK, now=NOW - day)
    stone = Tombstone.objects.get()
    assert (stone.at, stone.lifted_at) == (NOW, NOW + day)

    erase(user_id="ada", mode=EraseMode.BLOCK, now=NOW + day)
    stone = Tombstone.objects.get()
    assert (stone.at, stone.mode, stone.lifted_at) == (NOW + day, EraseMode.BLOCK, None)


@pytest.mark.django_db
def test_a_key_that_joins_while_the_rows_are_locked_is_buried_too() -> None:
    ada, phone = customer("ada"), customer("phone", VISITOR)
    before = subject_of("ada", [])
    join(phone, ada)

    buried = bury(before, mode=EraseMode.FORGET, now=NOW)

    assert buried.keys == {ada.pk, phone.pk}
    assert set(buried.pseudonyms) == {bytes(ada.pseudonym), bytes(phone.pseudonym)}
    assert Tombstone.objects.count() == 2


@pytest.mark.django_db
def test_of_several_each_has_their_own_keys_and_no_others() -> None:
    ada, phone, bob, laptop = customer("ada"), customer("phone", VISITOR), customer("bob"), customer("laptop", VISITOR)
    before = [subject_of("ada", []), subject_of("nobody", []), subject_of("bob", ["laptop"]), subject_of("ada", [])]
    join(phone, ada)

    buried = bury_all(before, mode=EraseMode.FORGET, now=NOW)

    theirs, own = [ada, phone], [bob, laptop]
    assert [each.keys for each in buried] == [{row.pk for row in rows} for rows in (theirs, [], own, theirs)]
    assert [set(each.pseudonyms) for each in buried] == [
        {bytes(row.pseudonym) for row in theirs}, {pseudonym("nobody")}, {bytes(row.pseudonym) for row in own},
        {bytes(row.pseudonym) for row in theirs},
    ]  # fmt: skip
    assert Tombstone.objects.count() == 5
    assert len({bytes(row.pseudonym) for row in Customer.objects.filter(erased_at=NOW)}) == 4


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_bury_once() -> None:
    ada = customer("ada")
    visitors = [customer(f"visit {number}", VISITOR) for number in range(8)]
    for visitor in visitors:
        join(visitor, ada)

    def one(names: Sequence[str]) -> frozenset[int]:
        try:
            return bury(subject_of(None, names), mode=EraseMode.FORGET, now=timezone.now()).keys
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        buried = list(pool.map(one, [[f"visit {number}"] for number in range(8)]))

    keys = {row.pk for row in (ada, *visitors)}
    assert set().union(*buried) == keys
    assert Customer.objects.filter(erased_at=None).count() == 0
    assert Tombstone.objects.count() == len(keys)
    assert len({bytes(row.pseudonym) for row in Customer.objects.all()}) == len(keys)


@pytest.mark.django_db(transaction=True)
def test_what_began_before_has_ended_when_it_returns() -> None:
    """A statement may still write the key that it saw; a holder that looks afterwards has to see what it wrote."""
    begun = threading.Event()
    customer("ada")

    def write() -> None:
        with transaction.atomic():
            ShopSetting.objects.create(key="late", value=1)
            begun.set()
            time.sleep(0.15)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert begun.wait(5)
        erase(user_id="ada")
        assert ShopSetting.objects.filter(key="late").exists()
        writing.result()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_came_past_the_tombstone_is_buried_too() -> None:
    """An import had added the id before the erasure, and committed it afterwards."""
    added = threading.Event()

    def add() -> None:
        with transaction.atomic():
            customer("ada")
            added.set()
            time.sleep(0.15)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add)
        assert added.wait(5)
        buried = bury(subject_of("ada", []), mode=EraseMode.FORGET, now=NOW)
        adding.result()

    [row] = Customer.objects.all()
    assert buried.keys == {row.pk}
    assert row.erased_at == NOW


@pytest.mark.django_db(transaction=True)
def test_nobody_is_joined_to_who_is_being_erased() -> None:
    """The merger waits for the rows, and then sees that there is nobody any more."""
    ada, phone, locked = customer("ada"), customer("phone", VISITOR), threading.Event()

    def erase_slowly() -> None:
        with transaction.atomic():
            erase(user_id="ada")
            locked.set()
            time.sleep(0.15)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        erasing = pool.submit(erase_slowly)
        assert locked.wait(5)
        mergers.merge([Merger(phone.pk, ada.pk, NOW)], told=Told.API)
        erasing.result()

    assert not CustomerAlias.objects.exists()
