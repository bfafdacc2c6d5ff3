"""The page's server: the standard library's, on the loopback; files, and answers to questions in JSON.

A request is answered where its `Host` is this machine's loopback and, if it says where it comes from, that is this
page. A question is JSON of at most 10 KB. Nothing is asked of any other machine.
"""

from __future__ import annotations

import json
import sys
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import urlsplit

from indexcalc.errors import KindError
from indexcalc.page.answers import ANSWERS
from indexcalc.page.worker import MEMORY, SECONDS, Pool

STATIC = Path(__file__).parent / "static"
KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2", ".svg": "image/svg+xml",
}  # fmt: skip
"""What files there are, by their endings."""
LONGEST = 10 * 1024
"""Bytes of a question: a formula of several pages."""
DRAINED = 1 << 20
"""Bytes of a longer question that are read and left, so that who sent them reads the answer."""
PATIENCE = 10
"""Seconds that a connection may be silent."""
PORTS = range(2**16)
SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What browsers are told with every answer."""


def files() -> dict[str, tuple[str, bytes]]:
    """The files of the page by their addresses, with their kinds.

    >>> files()["/"][0]
    'text/html; charset=utf-8'
    """
    found = {
        f"/static/{path.relative_to(STATIC).as_posix()}": (KINDS[path.suffix], path.read_bytes())
        for path in sorted(STATIC.rglob("*"))
        if path.suffix in KINDS
    }
    return {**found, "/": found["/static/index.html"]}


class PageServer(ThreadingHTTPServer):
    """The server of one page, with its workers."""

    daemon_threads = True

    def __init__(self, port: int = 0, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.pool = Pool(seconds, memory)
        super().__init__(("127.0.0.1", port), Handler)
        self.pool.start()
        self.files = files()
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    def server_bind(self) -> None:
        """Take the port; no name is looked up for it."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What fails is told on standard error, but where only the browser has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/"

    def server_close(self) -> None:
        """Close the connection, and end the workers."""
        super().server_close()
        self.pool.close()


class Handler(BaseHTTPRequestHandler):
    """One request: a file, or a question."""

    server: PageServer
    server_version, sys_version = "indexcalc", ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        """A file of the page."""
        found = self.server.files.get(urlsplit(self.path).path)
        if self._is_own():
            self._send(200, *found) if found else self._refuse(404, "there is no such page")

    do_HEAD = do_GET  # noqa: N815  (the names are http.server's)

    def do_POST(self) -> None:
        """The answer to a question."""
        if not self._is_own():
            return
        verb = self.path.removeprefix("/api/")
        length = self.headers.get("Content-Length", "")
        if not self.path.startswith("/api/") or verb not in ANSWERS:
            self._refuse(404, "there is no such question")
        elif self.headers.get_content_type() != "application/json":
            self._refuse(415, "a question is application/json")
        elif not (length.isascii() and length.isdigit()):
            self._refuse(411, "a question says how long it is")
        elif len(length) > len(str(DRAINED)) or int(length) > LONGEST:
            self.rfile.read(min(int(length[:9]), DRAINED))
            self._refuse(413, f"a question has at most {LONGEST:,} bytes")
        else:
            self._answer(verb, self.rfile.read(int(length)))

    def _answer(self, verb: str, body: bytes) -> None:
        try:
            asked = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            return self._refuse(400, "the question is no JSON")
        if not isinstance(asked, dict):
            return self._refuse(400, "a question is a table")
        self._send(200, "application/json", self.server.pool.ask(verb, asked))

    def _is_own(self) -> bool:
        """Does the request come from this page, on this machine? Else it is refused."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        if host not in self.server.hosts:
            self._refuse(421, "this is no host of the page")
        elif (origin is not None and origin != f"http://{host}") or (
            site not in ("same-origin", "none") and self.command == "POST"
        ):
            self._refuse(403, "the page answers itself alone")
        else:
            return True
        return False

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        self._send(status, "application/json", json.dumps({"error": {"kind": "Refused", "text": why}}).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**SAFE, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses is told as the page tells it."""
        self.command = self.command or ""
        self._refuse(code, message or "the request is not understood")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written down."""


def serve(port: int = 0, browser: bool = True, tell: Callable[[str], object] = print) -> None:
    """Serve the page until somebody interrupts, on a free port where none is named."""
    if port not in PORTS:
        raise KindError(f"--port {port}", "there is no such port", f"give one below {len(PORTS)}, or none")
    try:
        server = PageServer(port)
    except OSError as error:
        raise KindError(f"--port {port}", error.strerror or "it can't be had", "leave --port out") from None
    with server:
        tell(f"{server.address}  (ends with Ctrl-C)")
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")
