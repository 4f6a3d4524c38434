"""A server on loopback that speaks the OpenAI protocol, as strict or as broken as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Server:
    """What it does, and what it was asked.

    Attributes:
        models: Entries of `/v1/models`.
        statuses: Of calls, one after another; 200 once they are used up.
        key: Bearer token that it wants.
        reply: What it replies.
        finish: How the reply ends.
        props: Of `/props`, as llama.cpp has them.
        together: Waits there with each call, for calls to other servers.
        said: Body of its errors.
        tokens: Of a reply, as it counts them.
        asked: Bodies of the calls.
    """

    models: list[Mapping[str, Any]] = field(default_factory=lambda: [{"id": "large"}])
    statuses: list[int] = field(default_factory=list)
    key: str | None = None
    reply: str = "Yes."
    finish: str = "stop"
    props: Mapping[str, Any] | None = None
    together: threading.Barrier | None = None
    said: str = "no"
    tokens: int = 3
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, body: Mapping[str, Any], token: str | None) -> tuple[int, Mapping[str, Any]]:
        """Status and answer of a call."""
        self.asked.append(body)
        if self.together is not None:
            self.together.wait(20)
        if self.key is not None and token != f"Bearer {self.key}":
            return 401, {"error": {"message": f"{token} is no key"}}
        if body.get("model") not in [m["id"] for m in self.models]:
            return 404, {"error": {"message": f"The model `{body.get('model')}` does not exist."}}
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return status, {"error": {"message": self.said}}
        message = {"role": "assistant", "content": self.reply}
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        usage = {"prompt_tokens": 11, "completion_tokens": self.tokens}
        return 200, {"choices": [choice], "usage": usage}


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve it; `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found: Mapping[str, Any] | None = None
            if self.path == "/v1/models":
                found = {"object": "list", "data": server.models}
            elif self.path == "/props":
                found = server.props
            self._send(404 if found is None else 200, found or {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*server.answer(body, self.headers.get("Authorization")))

        def _send(self, status: int, answer: Mapping[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listener.server_port}/v1"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
