"""A small Gemini on loopback that both Google packages talk to, and that says what a test scripted.

`reply(request)` makes the parts of an answer of a request's JSON body; texts are sent word by word. `mode` breaks it:
rate_limited, broken (500), bad_key, hang, garbage (no JSON), malformed (a tool call), refusal, blocked (the prompt),
huge (1 MB of words), cut (the connection ends midway). `failures` breaks so many requests with 503 first.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

HOLD_SECONDS = 30
HUGE_BYTES = 1_000_000
ERRORS = {
    "rate_limited": (429, "RESOURCE_EXHAUSTED"),
    "broken": (500, "INTERNAL"),
    "bad_key": (400, "INVALID_ARGUMENT"),
}

JSON = dict[str, Any]
Reply = Callable[[JSON], list[JSON]]


def says(text: str) -> Reply:
    """A reply that is always this text."""
    return lambda _request: [{"text": text}]


def calls(name: str, **arguments: Any) -> JSON:
    """The part by which the model asks for a tool."""
    return {"functionCall": {"name": name, "args": arguments}}


def results_in(request: JSON) -> list[JSON]:
    """What tools answered since the person last spoke, oldest first: {name, response}."""
    found: list[JSON] = []
    for content in request["contents"]:
        answered = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        if content["role"] == "user" and not answered:
            found.clear()
        found += answered
    return found


def asks_first(*wanted: JSON, then: str | Callable[[list[JSON]], str]) -> Reply:
    """A model that asks for tools and then says something, of their results where `then` is a function."""

    def reply(request: JSON) -> list[JSON]:
        results = results_in(request)
        if len(results) < len(wanted):
            return [wanted[len(results)]]
        return [{"text": then if isinstance(then, str) else then(results)}]

    return reply


class GeminiStandIn:
    """The server and its script. See the module."""

    def __init__(self, port: int = 0) -> None:
        self.mode = "normal"
        self.failures = 0
        self.reply: Reply = says("Hello from the stand-in.")
        self.pause = threading.Event()  # where a test holds the stream after its first word
        self.pause.set()
        self.requests: list[JSON] = []
        self.heads: list[tuple[str, dict[str, str]]] = []
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def bodies(self) -> str:
        """All that was sent here, as one text."""
        return json.dumps(self.requests, ensure_ascii=False)

    def __enter__(self) -> GeminiStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def hold(self) -> None:
        """Say nothing until the block ends."""
        self._released.wait(HOLD_SECONDS)

    def release(self) -> None:
        """Let those go that wait for a word."""
        self._released.set()
        self.pause.set()

    def chunks(self, request: JSON) -> Iterator[JSON]:
        """The stream of an answer."""
        if self.mode == "blocked":
            yield {"promptFeedback": {"blockReason": "SAFETY"}}
            return
        if self.mode == "refusal":
            yield _chunk([{"text": "I "}])
            yield _chunk([], "SAFETY")
            return
        if self.mode == "malformed":
            yield _chunk([], "MALFORMED_FUNCTION_CALL")
            return
        if self.mode == "huge":
            yield _chunk([{"text": "word " * (HUGE_BYTES // 5)}], "STOP")
            return
        parts = self.reply(request)
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            if "text" not in part:
                yield _chunk([part], "STOP" if is_last else None)
                continue
            words = part["text"].split(" ")
            for at, word in enumerate(words):
                ends = at == len(words) - 1
                yield _chunk([{"text": word if ends else f"{word} "}], "STOP" if is_last and ends else None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up waiting is what some of the tests are about."""


def _chunk(parts: list[JSON], finish: str | None = None) -> JSON:
    candidate: JSON = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 30, "candidatesTokenCount": 12, "totalTokenCount": 42}
    return {"candidates": [candidate], "modelVersion": "stand-in", "usageMetadata": usage}


def _handler(script: GeminiStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.requests.append(request)
            script.heads.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if script.mode == "hang":
                script.hold()
                self.close_connection = True
                return
            if script.failures > 0:
                script.failures -= 1
                self._send(503, {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}})
                return
            if script.mode in ERRORS:
                status, name = ERRORS[script.mode]
                self._send(status, {"error": {"code": status, "message": "no", "status": name}})
                return
            if script.mode == "garbage":
                self._send(200, "<html>We will be right with you</html>")
                return
            self._stream(script.chunks(request), as_events="alt=sse" in self.path)

        def _stream(self, chunks: Iterator[JSON], as_events: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if as_events else "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number, chunk in enumerate(chunks):
                text = json.dumps(chunk)
                self._write(f"data: {text}\r\n\r\n" if as_events else f"{',' if number else '['}{text}")
                if script.mode == "cut":
                    self.close_connection = True
                    return
                if number == 0:
                    script.pause.wait(HOLD_SECONDS)
            if not as_events:
                self._write("]")
            self.wfile.write(b"0\r\n\r\n")

        def _write(self, text: str) -> None:
            data = text.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def _send(self, status: int, body: Any) -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: `requests` remembers."""

    return Handler
