"""A controller in another process, over HTTP: ``desk: http://127.0.0.1:8123`` in a scenario, and the server for it.

The calls are those of the contract: ``POST /decide`` with now_s and messages as JSON, commands as the answer. A call
that is repeated after a timeout gets the answer it had: the server remembers the last one, so nothing is decided twice.
The server listens on loopback only, wants a token, and refuses foreign ``Host`` and ``Origin``; both sides limit
time and size. No pickle: only classes of ``twin.domain.wire`` can come back.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from twin.control.ports import Controller
from twin.domain.commands import Command
from twin.domain.messages import Message
from twin.domain.wire import decode, encode
from twin.errors import AdapterError, ScenarioError

TOKEN = "TWIN_CONTROL_TOKEN"
TIMEOUT_S = 30.0
TRIES = 3
MAX_BYTES = 64_000_000
MAX_SESSIONS = 64
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_address(spec: object) -> bool:
    """Say whether a factory of a scenario is the address of a remote controller."""
    return isinstance(spec, str) and spec.startswith(("http://", "https://"))


def check_address(spec: str) -> str:
    """Return an address that may be called. ScenarioError: not loopback, or no port."""
    parts = urlsplit(spec)
    if parts.hostname not in LOOPBACK:
        raise ScenarioError(f"{spec}: remote controllers are called on this machine only; write http://127.0.0.1:PORT")
    if parts.port is None or parts.path not in ("", "/") or parts.query or parts.username:
        raise ScenarioError(f"{spec}: expected http://127.0.0.1:PORT and nothing after it")
    return f"http://{'[::1]' if parts.hostname == '::1' else parts.hostname}:{parts.port}"


class RemoteController:
    """A controller that lives behind an address. Raises AdapterError when it does not answer, or with nonsense."""

    def __init__(self, address: str, timeout_s: float = TIMEOUT_S) -> None:
        self.address, self._timeout_s = check_address(address), timeout_s
        self._session, self._calls = secrets.token_hex(8), 0

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Ask the other process; a call that times out is repeated under its number."""
        self._calls += 1
        body = {
            "session": self._session,
            "call": self._calls,
            "now_s": now_s,
            "messages": [encode(m) for m in messages],
        }
        answer = self._ask(json.dumps(body, separators=(",", ":")).encode(), now_s)
        try:
            return [decode(c) for c in answer["commands"]]
        except (KeyError, TypeError, ValueError) as error:
            raise AdapterError(f"{self.address} answered at {now_s} s what is no list of commands ({error})") from None

    def _ask(self, body: bytes, now_s: int) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get(TOKEN, '')}"}
        reason = ""
        for _ in range(TRIES):
            request = urllib.request.Request(f"{self.address}/decide", body, headers)
            try:
                with urllib.request.urlopen(request, timeout=self._timeout_s) as response:
                    text = response.read(MAX_BYTES + 1)
                if len(text) > MAX_BYTES:
                    raise AdapterError(f"{self.address} answered more than {MAX_BYTES:,} bytes at {now_s} s")
                return json.loads(text)
            except urllib.error.HTTPError as error:
                said = error.read(2000).decode("utf-8", "replace")
                raise AdapterError(f"{self.address} refused the call at {now_s} s ({error.code}: {said})") from None
            except ValueError:
                raise AdapterError(f"{self.address} answered at {now_s} s what is not JSON") from None
            except OSError as error:  # a timeout, a refused or a broken connection: the same call again
                reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise AdapterError(f"the controller at {self.address} did not answer at {now_s} s, {TRIES} times ({reason})")


class _Sessions:
    """The controllers of the runs that call: one for each, made anew, with the last answer kept."""

    def __init__(self, factory: Callable[[], Controller]) -> None:
        self._factory = factory
        self._live: dict[str, tuple[Controller, list[Any]]] = {}
        self._lock = threading.Lock()

    def decide(self, body: Any) -> Any:
        with self._lock:
            session, call = str(body["session"]), int(body["call"])
            if session not in self._live:
                if len(self._live) >= MAX_SESSIONS:
                    self._live.pop(next(iter(self._live)))
                self._live[session] = (self._factory(), [0, None])
            controller, last = self._live[session]
            if call == last[0]:
                return last[1]
            if call != last[0] + 1:
                raise ValueError(f"call {call} after call {last[0]}: this server was started anew; begin the run again")
            told = [decode(m) for m in body["messages"]]
            answer = {"commands": [encode(c) for c in controller.decide(int(body["now_s"]), told)]}
            last[:] = [call, answer]
            return answer


def serve(factory: Callable[[], Controller], port: int = 0, token: str | None = None) -> ThreadingHTTPServer:
    """Return a server for a controller on 127.0.0.1, not started yet; ``token``: default that of the environment.

    Its ``server_port`` says where it listens. Each run gets a controller of its own.
    """
    secret = token if token is not None else os.environ.get(TOKEN, "")
    sessions = _Sessions(factory)

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S

        def do_POST(self) -> None:
            status, answer = self._answer()
            data = json.dumps(answer, separators=(",", ":")).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _answer(self) -> tuple[int, Any]:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
            if host not in LOOPBACK or self.headers.get("Origin") is not None:
                return 403, {"error": "only programs on this machine may call"}
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
                return 401, {"error": f"wrong token; set {TOKEN}"}
            length = self.headers.get("Content-Length", "")
            if self.path != "/decide" or not length.isdecimal() or int(length) > MAX_BYTES:
                return 400, {"error": f"expected POST /decide with at most {MAX_BYTES} bytes"}
            try:
                return 200, sessions.decide(json.loads(self.rfile.read(int(length))))
            except (ValueError, KeyError, TypeError) as error:
                return 400, {"error": f"{type(error).__name__}: {error}"}
            except Exception as error:  # the controller's own mistake
                return 500, {"error": f"{type(error).__name__}: {error}"}

        def log_message(self, *_: Any) -> None:
            """Say nothing: the journal of the run tells all."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
