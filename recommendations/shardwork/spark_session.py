"""Sessions of a Spark Connect server; whatever keeps one from beginning is said at once, with the remedy."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

PORT = 15_002  # of Spark Connect, where the address names none
ANSWERS_SECONDS = 5.0  # until a server counts as away
TRIES, LONGEST_MS = 5, 8_000  # to reach one that went: a dozen seconds, as one that comes back knows no session


class UnfitClusterError(Exception):
    """The cluster can do no part, for ``reasons`` that each name their remedy."""

    def __init__(self, words: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(words + "; ".join(reasons))
        self.reasons = list(reasons) or [words]


def place_of(url: str) -> str:
    """Host and port of an address, which may hold a token."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or PORT}"


@contextmanager
def spark_session(url: str) -> Iterator[Any]:
    """A session of the server at an address ``sc://host:port/;use_ssl=true;token=…``. Raises UnfitClusterError.

    By itself the client tries a server that it cannot reach for ten minutes: so it is asked for only once a channel of
    its own kind has come about, and tries one that goes later for a dozen seconds.
    """
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - most installs lack it
        from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UnfitClusterError(
            "ENGINE names a Spark whose client is not installed: install requirements/cluster.txt, or set ENGINE=local"
        ) from error
    _reach(url)
    session = SparkSession.builder.remote(url).create()
    session.client.set_retry_policies([DefaultPolicy(max_retries=TRIES, max_backoff=LONGEST_MS)])
    try:
        _greet(session, place=place_of(url))
        yield session
    finally:
        session.stop()


def away_errors() -> tuple[type[Exception], ...]:
    """What the client raises where the server refuses something, or has gone."""
    from grpc import RpcError  # noqa: PLC0415 - comes with the client of Spark
    from pyspark.errors import PySparkException  # noqa: PLC0415 - as above

    return PySparkException, RpcError


def _greet(session: Any, *, place: str) -> None:
    """Ask the server something, which it answers to whom it trusts. Raises UnfitClusterError."""
    try:
        session.version  # noqa: B018 - the server is asked for it
    except away_errors() as error:
        raise UnfitClusterError(
            f"Spark Connect at {place} lets no session begin ({_details(error)}): mend token= in ENGINE, or set"
            " ENGINE=local"
        ) from error


def _reach(url: str) -> None:
    """Open a connection as the client will. Raises UnfitClusterError."""
    import grpc  # noqa: PLC0415 - comes with the client of Spark
    from pyspark.sql.connect.client import DefaultChannelBuilder  # noqa: PLC0415 - as above

    place = place_of(url)
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWERS_SECONDS).close()
    except OSError as error:
        raise UnfitClusterError(
            f"Spark Connect at {place} does not answer ({error}): start it, or set ENGINE=local"
        ) from error
    builder = DefaultChannelBuilder(url)
    channel = builder.toChannel()
    try:
        grpc.channel_ready_future(channel).result(timeout=ANSWERS_SECONDS)
    except grpc.FutureTimeoutError as error:
        remedy = (
            "a token and use_ssl=true in ENGINE ask for TLS: give the server a certificate that this machine trusts"
            if builder.secure
            else "it speaks TLS or is none: set use_ssl=true in ENGINE, or another address"
        )
        raise UnfitClusterError(
            f"What answers at {place} takes no connection of Spark Connect: {remedy}, or set ENGINE=local"
        ) from error
    finally:
        channel.close()


def _details(error: Exception) -> str:
    """What a server said, without the rest of its report."""
    lines = str(error).splitlines()
    said = next((line.partition("=")[2] for line in lines if line.strip().startswith("details =")), lines[0])
    return said.strip().strip('"')
