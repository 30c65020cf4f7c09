"""An object store that speaks as S3 does, in a process of its own; what is in it goes with it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from pyarrow import fs

from tests.post_office import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "of-tests", "AWS_SECRET_ACCESS_KEY": "of-tests", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class ObjectStore:
    """Where the store listens."""

    port: int

    def url(self, bucket: str, *, folder: str = "recsite") -> str:
        """The address of a folder of a bucket, as ``ARTEFACTS`` is given it."""
        return f"s3://{bucket}/{folder}?endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"

    def files(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            endpoint_override=f"127.0.0.1:{self.port}", scheme="http", region="us-east-1", allow_bucket_creation=True
        )

    def names(self, bucket: str) -> list[str]:
        """Paths of all files of a bucket."""
        found = self.files().get_file_info(fs.FileSelector(bucket, recursive=True))
        return sorted(one.path.partition("/")[2] for one in found if one.type is fs.FileType.File)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with patch.dict(os.environ, KEYS), subprocess.Popen(command, **quiet) as process:
        try:
            _wait(port)
            yield ObjectStore(port)
        finally:
            process.terminate()


def _wait(port: int, *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
