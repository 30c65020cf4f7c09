"""Another layer over every pseudonym of the record, in one transaction: each is hashed once more, and no id is needed.

Tombstones keep the generation of their time, as whoever hashes an id passes through all of them.
"""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from recommendations.models import Customer, Event, LegalHold, PrivacyRequest, ShopSetting
from recommendations.store.events.generations import GENERATION, LOCK, stored_generation
from recommendations.store.events.partitions import run_in_half_gone
from recommendations.store.events.pseudonyms import CHECK_VALUE, check_of, later_unit, layered, pseudonym_unit
from recommendations.store.events.tombstones import digest_of
from recommendations.store.live.fetch import Changed, announce
from recommendations.store.models.directory_files import lay_directories_anew
from recommendations.store.temp_tables import MEMORY, copying, rows, run, temporary

PATIENCE = 10.0  # seconds to wait for who writes pseudonyms
LOOK = 0.02
AT_ONCE = 50_000

_LAYER = "(before bytea, after bytea, unit bigint, later_unit bigint)"
_UNITS = "(unit bigint, later_unit bigint)"
# What is called so is whom somebody follows, of whom the record may know nothing else.
_FOLLOWED = "{0} ->> 'target_type' = 'customer' AND {0} ->> 'target_id' ~ '^[0-9a-f]{{64}}$'"
_PSEUDONYMS = f"""
SELECT pseudonym FROM recommendations_customer
UNION SELECT decode(target_id, 'hex') FROM recommendations_event
  WHERE target_type = 'customer' AND target_id ~ '^[0-9a-f]{{64}}$'
UNION SELECT decode(sent ->> 'target_id', 'hex') FROM recommendations_waitingline WHERE {_FOLLOWED.format("sent")}
UNION SELECT decode(event ->> 'target_id', 'hex') FROM recommendations_heldevent WHERE {_FOLLOWED.format("event")}
"""  # noqa: S608 - a condition of our own
_KNOWN_UNITS = "INSERT INTO unit_layer SELECT unit, min(later_unit) FROM pseudonym_layer GROUP BY unit"
# Of somebody who was answered and did nothing the record has no more than the unit.
_OTHER_UNITS = """
SELECT unit FROM recommendations_slate WHERE unit IS NOT NULL UNION SELECT unit FROM recommendations_unit
EXCEPT SELECT unit FROM unit_layer
"""
# Who takes a waiting line out writes its event: lines go first, so that the event is there when it is looked for.
_LAY = (
    f"""
UPDATE recommendations_waitingline SET sent = jsonb_set(sent, '{{target_id}}', to_jsonb(encode(after, 'hex')))
FROM pseudonym_layer WHERE {_FOLLOWED.format("sent")} AND before = decode(sent ->> 'target_id', 'hex')
""",  # noqa: S608 - a condition of our own
    f"""
UPDATE recommendations_heldevent SET event = jsonb_set(event, '{{target_id}}', to_jsonb(encode(after, 'hex')))
FROM pseudonym_layer WHERE {_FOLLOWED.format("event")} AND before = decode(event ->> 'target_id', 'hex')
""",  # noqa: S608 - a condition of our own
    """
UPDATE recommendations_event SET target_id = encode(after, 'hex') FROM pseudonym_layer
WHERE target_type = 'customer' AND target_id = encode(before, 'hex')
""",
    "UPDATE recommendations_slate slate SET unit = later_unit FROM unit_layer WHERE slate.unit = unit_layer.unit",
    "UPDATE recommendations_unit stored SET unit = later_unit FROM unit_layer WHERE stored.unit = unit_layer.unit",
    "UPDATE recommendations_customer SET pseudonym = after FROM pseudonym_layer WHERE pseudonym = before",
)
_LAY_HALF_GONE = """
UPDATE {month} SET target_id = encode(after, 'hex') FROM pseudonym_layer
WHERE target_type = 'customer' AND target_id = encode(before, 'hex')
"""


class WritersGoOnError(Exception):
    """Somebody has been writing pseudonyms all the time: an import, or an erasure."""


def lay_layer() -> int:
    """Lay the layer of the next key over everything, within the transaction that is open; the generation from now on.

    New customers, imports and erasures wait or are refused until it is committed; who is known goes on. The keys must
    be there. Raises WritersGoOnError.
    """
    _wait_for_writers()
    layers = stored_generation() + 1
    with temporary("pseudonym_layer", _LAYER), temporary("unit_layer", _UNITS):
        run(MEMORY)
        _hash_all(layers)
        run("ANALYZE pseudonym_layer; ANALYZE unit_layer")
        _move_digests(layers)
        for statement in _LAY:
            run(statement)
        run_in_half_gone(Event._meta.db_table, _LAY_HALF_GONE)
    ShopSetting.objects.update_or_create(key=GENERATION, defaults={"value": layers})
    ShopSetting.objects.update_or_create(key=CHECK_VALUE, defaults={"value": check_of(layers)})
    lay_directories_anew()
    transaction.on_commit(lambda: announce(Changed.PEOPLE))
    return layers


def _wait_for_writers() -> None:
    until = time.monotonic() + PATIENCE
    while not rows("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=LOCK)[0][0]:
        if time.monotonic() > until:
            raise WritersGoOnError
        time.sleep(LOOK)


def _hash_all(layers: int) -> None:
    for part in _parts(_PSEUDONYMS):
        with copying("COPY pseudonym_layer FROM STDIN") as target:
            for value in map(bytes, part):
                later = layered(value, after=layers - 1, until=layers)
                target.write_row((value, later, pseudonym_unit(value), pseudonym_unit(later)))
    run(_KNOWN_UNITS)
    for part in _parts(_OTHER_UNITS):
        with copying("COPY unit_layer FROM STDIN") as target:
            for unit in part:
                target.write_row((unit, later_unit(unit, layers=layers)))


def _move_digests(layers: int) -> None:
    """Let holds, what customers asked for themselves and files of exports name people as their rows do; what names
    nobody of the record keeps the generation of its time, but for holds, which last for who comes later, too.
    """
    for hold in LegalHold.objects.exclude(pseudonym=None):
        hold.pseudonym = layered(bytes(hold.pseudonym or b""), after=layers - 1, until=layers)
        hold.digest = digest_of(hold.pseudonym)
        hold.save(update_fields=["pseudonym", "digest"])
    own = PrivacyRequest.objects.filter(options__by_owner=True)
    files = PrivacyRequest.objects.exclude(file="")
    named = {bytes(digest) for digest in own.values_list("subject", flat=True)}
    named |= {bytes.fromhex(digest) for options in files.values_list("options", flat=True) for digest in _of(options)}
    for before, after in _moved(named, layers):
        own.filter(subject=before).update(subject=after)
        for request in files.filter(options__of__contains=[before.hex()]):
            request.options["of"] = [*_of(request.options), after.hex()]
            request.save(update_fields=["options"])


def _of(options: Mapping[str, Any]) -> Sequence[str]:
    """Digests of whom a file is about, as the request for it has them."""
    digests: Sequence[str] = options.get("of", ())
    return digests


def _moved(named: Set[bytes], layers: int) -> Iterator[tuple[bytes, bytes]]:
    """Digests of people of the record among these, each with that of the generation that begins."""
    if not named:
        return
    for value in Customer.objects.values_list("pseudonym", flat=True).iterator(chunk_size=AT_ONCE):
        if (digest := digest_of(bytes(value))) in named:
            yield digest, digest_of(layered(bytes(value), after=layers - 1, until=layers))


def _parts(query: str) -> Iterator[Sequence[Any]]:
    """Values of the only column, many at once."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while part := cursor.fetchmany(AT_ONCE):
            yield [value for (value,) in part]


def next_key_is_there() -> bool:
    """Whether PSEUDONYM_KEYS has a key that no pseudonym was hashed under yet."""
    return len(settings.PSEUDONYM_KEYS) > stored_generation()
