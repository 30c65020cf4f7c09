"""What a receipt says of an erasure; nothing in it leads to the person."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.models import ModelVersion, PrivacyRequest
from recommendations.privacy_terms import HolderCode
from recommendations.services.privacy.at_once import first_of
from recommendations.services.privacy.erasing import NOTHING
from recommendations.store.holders.learned import summing_recommenders
from recommendations.store.models.nets import stored_nets

COUNTS = ("found", "deleted", "changed", "kept", "why")
HOUR_OF_RUN = 3  # of the schedule, in the shop's time zone


def facts_of(request: PrivacyRequest, *, now: datetime) -> dict[str, Any]:
    """What both receipts of an erasure say."""
    return {
        "request": str(request.pk),
        "reference": request.reference,
        "asked_by": _author(request),
        "subject": bytes(request.subject).hex(),
        "mode": request.mode,
        "received": moment(request.created_at),
        "unknown": moment(request.unknown_at),
        "holders": {code: {name: entry[name] for name in COUNTS} for code, entry in request.counts.items()},
        "nets_of_before": nets_of_before(first_of(request)),
        "backups_until": (now + timedelta(days=settings.BACKUP_DAYS)).date().isoformat(),
        **{name: request.options[name] for name in ("same_as",) if name in request.options},
    }


def first_facts(request: PrivacyRequest, *, now: datetime) -> dict[str, Any]:
    """Facts of the receipt after the first scan: sums of many that were learned with the person are still to go."""
    learned = first_of(request).counts.get(HolderCode.LEARNED, NOTHING)["found"]
    sums = summing_recommenders() if learned else []
    return {
        **facts_of(request, now=now),
        "first_scan": {"at": moment(now), "found": _left(request)},
        "sums": {
            "recommenders": sums,
            "until": moment(next_run(now)) if sums else None,
        },
    }


def last_facts(request: PrivacyRequest, *, versions: int, now: datetime) -> dict[str, Any]:
    """Facts of the receipt after the second scan: the model that serves learned without the person."""
    return {
        **facts_of(request, now=now),
        "first_scan": {"at": moment(request.scanned_at), "found": 0},
        "second_scan": {"at": moment(now), "found": _left(request)},
        "learned_by": str(live) if (live := ModelVersion.objects.live().first()) else None,
        "versions_deleted": versions,
        "closed": moment(now),
    }


def nets_of_before(request: PrivacyRequest) -> list[str]:
    """Cuts of nets that were trained on what the person did: runs take them as they are, until they are trained."""
    if request.unknown_at is None or not any(entry["found"] for entry in request.counts.values()):
        return []
    unknown = request.unknown_at.timestamp() / timedelta(days=1).total_seconds()
    return sorted(cut.value for cut, net in stored_nets().items() if net.until <= unknown)


def next_run(now: datetime) -> datetime:
    """When the schedule starts the next run."""
    local = now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE))
    today = local.replace(hour=HOUR_OF_RUN, minute=0, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def _left(request: PrivacyRequest) -> int:
    return sum(entry["left"] for entry in request.counts.values())


def _author(request: PrivacyRequest) -> dict[str, str]:
    """Who asked: a role or the name of a key, and no person's name."""
    if request.api_key is not None:
        return {"key": request.api_key.name}
    if request.options.get("by_owner"):
        return {"role": "customer"}
    return {"role": request.started_by.role} if request.started_by is not None else {"role": "command"}
