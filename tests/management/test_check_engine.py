"""``manage.py check_engine`` says who does parts, or why nobody can; tests/shardwork/test_spark.py has a real Spark."""

import io
import socket

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command


def said() -> str:
    output = io.StringIO()
    call_command("check_engine", stdout=output)
    return output.getvalue()


def test_this_machine_needs_no_check() -> None:
    assert "processes of this machine" in said()


def test_a_cluster_that_cannot_be_reached_is_named_with_the_remedy_and_without_its_token(
    settings: LazySettings,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    settings.ENGINE = f"sc://{place}/;token=secret"
    with pytest.raises(CommandError, match=r"ENGINE=local") as raised:
        said()
    assert "secret" not in str(raised.value)
    assert place in str(raised.value) or "requirements/cluster.txt" in str(raised.value)
