"""Health of this process: is it alive, can it serve? For load balancers, containers, ``make demo``; no login."""

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recommendations.services.operations.readiness import what_is_missing

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
    """Answer 200 when everything a request needs is there; else 503 with a sentence for each part that is missing."""
    missing = _database() | _valkey()
    status = "not ready" if missing else "ready"
    return JsonResponse({"status": status, "missing": missing}, status=503 if missing else 200)


def _database() -> dict[str, str]:
    try:
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return {"migrations": f"{len(plan)} migrations are not applied; run manage.py migrate."}
        return what_is_missing()
    except DatabaseError as error:
        return {"postgresql": f"The database does not answer ({type(error).__name__})."}


def _valkey() -> dict[str, str]:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **_TIMEOUTS) as client:
            client.ping()
    except redis.RedisError as error:
        return {"valkey": f"Valkey does not answer ({type(error).__name__})."}
    return {}
