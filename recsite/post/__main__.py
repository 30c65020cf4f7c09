"""``python -m recsite.post --folder DIR --port N --web-port N``: take what is sent here, and write it down."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aiosmtpd.smtp import SMTP

from recsite.post.mails import MOST_BYTES, PostOffice
from recsite.post.web import HOST, PostServer
from recsite.processes import keep_private


async def serve(folder: Path, *, port: int, web_port: int | None) -> None:
    """Take mails, and with a ``web_port`` notifications and webhooks, until a signal ends it."""
    office, loop, ended = PostOffice(folder), asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    def protocol() -> SMTP:
        return SMTP(office, data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, hostname="localhost", loop=loop)

    web = PostServer(folder, port=web_port) if web_port is not None else None
    if web is not None:
        web.begin()
    server = await loop.create_server(protocol, HOST, port)
    await ended.wait()
    server.close()
    if web is not None:
        web.server_close()


def mute() -> None:
    """Silence the library, which logs recipients, and asyncio, which shows what was sent with an error."""
    for name in ("mail.log", "asyncio"):
        logging.getLogger(name).disabled = True


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m recsite.post", description="Take mails, and write them down.")
    parser.add_argument("--folder", type=Path, required=True, help="where all that comes becomes a file")
    parser.add_argument("--port", type=int, required=True, help="for mails, of this machine; nobody else can reach it")
    parser.add_argument("--web-port", type=int, help="for browser notifications and webhooks, likewise")
    options = parser.parse_args(argv)
    keep_private()
    mute()
    asyncio.run(serve(options.folder, port=options.port, web_port=options.web_port))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
