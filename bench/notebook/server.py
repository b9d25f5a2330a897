"""The search page and its JSON over HTTP, by the standard library alone; for one person and a talk, not for the open net."""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.errors import BenchError
from bench.notebook.collection import SearchIndex
from bench.notebook.search_page import named, page, searched

LONGEST, MOST = 1000, 100  # characters of a question, and results
SECONDS = 10  # that a client may be silent
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class RefusedError(Exception):
    """A request that is refused: a status of HTTP and one line."""

    def __init__(self, status: int, why: str):
        super().__init__(why)
        self.status = status


class SearchServer(ThreadingHTTPServer):
    """Answers ``/`` with the page and ``/api/search?q=…&k=…`` with JSON, one search at a time."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], indexes: Sequence[SearchIndex], engine: dict[str, Any]):
        self.indexes, self.engine = indexes, engine
        self.names = [named(index) for index in indexes]
        self.one_at_a_time = threading.Lock()
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One request. The address that a browser asks must be this machine's, so that no other site's page can read it."""

    server: SearchServer
    timeout = SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "bench", ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        api = url.path.startswith("/api/")
        question, k = "", 10
        try:
            self._check_host()
            if url.path not in ("/", "/api/search"):
                raise RefusedError(404, f"{url.path[:80]!r} is not here; there are / and /api/search?q=...&k=10")
            question, k = asked(url.query, needed=api)
            with self.server.one_at_a_time:
                sides = searched(self.server.indexes, question, k, **self.server.engine) if question else []
        except RefusedError as refused:
            return self._refuse(api, refused.status, str(refused), question)
        except BenchError as error:
            return self._refuse(api, 400, " ".join(str(error).split()), question)
        except Exception as error:
            self.log_error("%s: %s", type(error).__name__, error)
            return self._refuse(api, 500, f"the search failed ({type(error).__name__}); see the terminal", question)
        if not api:
            return self._answer(200, "text/html; charset=utf-8", page(self.server.names, question, k, sides))
        said = [
            {"index": name, "results": [found.as_json() for found in side]}
            for name, side in zip(self.server.names, sides, strict=True)
        ]
        return self._json(200, {"question": question, "sides": said})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _check_host(self) -> None:
        bound, named = str(self.server.server_address[0]), self.headers.get("Host", "")
        host = named.rsplit(":", 1)[0] if not named.endswith("]") else named
        if bound in LOOPBACK and host not in LOOPBACK:
            raise RefusedError(403, f"this page is for this machine alone, not for the host {host[:80]!r}")

    def _refuse(self, api: bool, status: int, why: str, question: str) -> None:
        if api:
            return self._json(status, {"error": why})
        return self._answer(status, "text/html; charset=utf-8", page(self.server.names, question, why=why))

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, "application/json; charset=utf-8", json.dumps(value, ensure_ascii=False))

    def _answer(self, status: int, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print errors alone."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002
        super().log_message(format, *args)


def asked(query: str, *, needed: bool) -> tuple[str, int]:
    """Return the question and the number of results of a query string. Raise RefusedError for one that cannot be."""
    try:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=8, errors="strict")
    except ValueError as error:
        raise RefusedError(400, "the address is not UTF-8, or has more than 8 values") from error
    if unknown := sorted(set(given) - {"q", "k"}):
        raise RefusedError(400, f"{unknown[0][:80]!r} is not known; give q, a question, and k, a number of results")
    question, number = given.get("q", [""])[0].strip(), given.get("k", ["10"])[0]
    if needed and not question:
        raise RefusedError(400, "there is no question; give q")
    if len(question) > LONGEST:
        raise RefusedError(400, f"the question has {len(question)} characters; give at most {LONGEST}")
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= MOST and len(number) < 9):
        raise RefusedError(400, f"k {number[:20]!r} is not a number from 1 to {MOST}")
    return question, int(number)
