"""A controller in another process: the same decisions, one effect per call, and nobody else gets in."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from twin.domain.commands import AvoidRoad, WakeAt
from twin.domain.messages import ClosureReport
from twin.domain.wire import encode
from twin.errors import AdapterError, ScenarioError
from twin.hosts import Host, find_factory
from twin.remote import TOKEN, RemoteController, check_address, serve

SECRET = "a-long-token"


class Counter:
    """Answers with how often it was called; a call that is made twice would be seen."""

    def __init__(self):
        self.calls = 0

    def decide(self, now_s, messages):
        self.calls += 1
        return [AvoidRoad(f"a/{self.calls}/{m.key}", m.road, now_s + 60, "closed") for m in messages]


class Broken:
    def decide(self, now_s, messages):
        raise RuntimeError("no idea")


@contextmanager
def served(factory, token=SECRET):
    server = serve(factory, 0, token)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv(TOKEN, SECRET)


def report(t):
    return ClosureReport(t, f"c/{t}", 7, True, "road user")


@pytest.mark.usefixtures("token")
def test_remote_and_in_process_decide_alike(tmp_path):
    here = Host("x", Counter, tmp_path / "here.jsonl")
    with served(Counter) as address:
        there = Host("x", find_factory(address), tmp_path / "there.jsonl")
        for t in (10, 20, 30):
            for host in (here, there):
                host.tell(report(t))
            assert here.decide(t) == there.decide(t)
        here.close()
        there.close()
    assert (tmp_path / "here.jsonl").read_text() == (tmp_path / "there.jsonl").read_text()


@pytest.mark.usefixtures("token")
def test_every_run_has_a_controller_of_its_own():
    with served(Counter) as address:
        first, second = RemoteController(address), RemoteController(address)
        for _ in range(3):
            first.decide(1, [report(1)])
        assert second.decide(1, [report(1)])[0].key == "a/1/c/1"


def post(address, body, **headers):
    request = urllib.request.Request(f"{address}/decide", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.loads(response.read())


def test_a_repeated_call_is_answered_but_not_decided_again():
    with served(Counter) as address:
        auth = {"Authorization": f"Bearer {SECRET}"}
        body = {"session": "s", "call": 1, "now_s": 5, "messages": []}
        assert post(address, body, **auth) == post(address, body, **auth)
        told = [encode(report(1))]
        answer = post(address, {**body, "call": 2, "messages": told}, **auth)
        assert answer["commands"][0]["key"].startswith("a/2/")  # called twice in all, not three times


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {SECRET}", "Host": "evil.example"}, 403),
        ({"Authorization": f"Bearer {SECRET}", "Origin": "http://evil.example"}, 403),
    ],
)
def test_strangers_are_refused(headers, status):
    with served(Counter) as address:
        with pytest.raises(urllib.error.HTTPError) as error:
            post(address, {"session": "s", "call": 1, "now_s": 5, "messages": []}, **headers)
        assert error.value.code == status
        error.value.close()


def test_without_a_token_nobody_may_call():
    with served(Counter, token="") as address:
        with pytest.raises(urllib.error.HTTPError) as error:
            post(address, {"session": "s", "call": 1, "now_s": 1, "messages": []}, Authorization="Bearer ")
        assert error.value.code == 401
        error.value.close()


@pytest.mark.usefixtures("token")
def test_a_failing_and_an_absent_controller_are_one_sentence():
    with served(Broken) as address, pytest.raises(AdapterError, match=r"refused the call at 5 s \(500: .*no idea"):
        RemoteController(address).decide(5, [])
    with pytest.raises(AdapterError, match="did not answer at 5 s, 3 times"):
        RemoteController(address, timeout_s=0.5).decide(5, [])


@pytest.mark.parametrize(
    "address", ["http://example.org:80", "http://127.0.0.1", "http://127.0.0.1:99/x", "http://a@127.0.0.1:9"]
)
def test_only_addresses_of_this_machine(address):
    with pytest.raises(ScenarioError):
        check_address(address)


def test_wake_ups_come_back_too():
    class Sleeper:
        def decide(self, now_s, messages):
            return [WakeAt(f"w/{now_s}", now_s + 9)]

    with served(Sleeper) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN, SECRET)
        host = Host("x", find_factory(address))
        host.tell(report(1))
        host.decide(1)
        assert host.next_wake_s() == 10
