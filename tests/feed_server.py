"""A shop's web server on this machine that gives a feed, or does what it should not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(kw_only=True)
class FeedServer:
    """What is answered; ``asked`` are the headers of every request, ``paths`` what was asked for."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: str = ""
    broken: bool = False  # ends in the middle
    address: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def serving(server: FeedServer) -> Iterator[FeedServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(dict(self.headers))
            server.paths.append(self.path)
            same = server.etag and self.headers["If-None-Match"] == server.etag
            same = same or (server.modified and self.headers["If-Modified-Since"] == server.modified)
            self.send_response(304 if same else server.status)
            given = {"ETag": server.etag, "Last-Modified": server.modified, **server.headers}
            body = b"" if same else server.content
            for name, value in {"Content-Length": str(len(body) + 10 * server.broken), **given}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_text: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
