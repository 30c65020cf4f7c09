"""Is this process alive, and can it serve? For load balancers, containers and ``make demo``; no login."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_TIMEOUTS = {"socket_timeout": 1, "socket_connect_timeout": 1}


@require_safe
@never_cache
@login_not_required
def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
@login_not_required
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when everything a request needs is there; else 503 with a sentence for each part that is missing."""
    missing = {name: problem for name, check in _CHECKS.items() if (problem := check())}
    status = "not ready" if missing else "ready"
    return JsonResponse({"status": status, "missing": missing}, status=503 if missing else 200)


def _postgresql() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"The database does not answer: {type(error).__name__}."
    return ""


def _valkey() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **_TIMEOUTS) as client:
            client.ping()
    except redis.RedisError as error:
        return f"Valkey does not answer: {type(error).__name__}."
    return ""


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError:
        return "Unknown, because the database does not answer."
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} migrations are not applied; run manage.py migrate." if missing else ""


_CHECKS: dict[str, Callable[[], str]] = {
    "postgresql": _postgresql,
    "valkey": _valkey,
    "migrations": _migrations,
}
