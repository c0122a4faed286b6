"""Endpoints that misbehave: a raw-socket server on the loopback interface, one behaviour an address.

`Hostile().url("reset")` is the base_url of the endpoint that resets every connection; BEHAVIOURS lists them all.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat

from tests.providers.server import answer

MEBIBYTE = b"x" * 2**20
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ELSEWHERE = "http://127.0.0.1:1/v1/chat/completions"


@dataclass
class Call:
    """A request being answered: the raw connection, which request of this behaviour it is, and its body."""

    socket: socket.socket
    number: int
    body: bytes
    over: threading.Event

    def send(self, *data: bytes) -> None:
        for part in data:
            self.socket.sendall(part)

    def reset(self) -> None:
        """End the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        raise ConnectionAbortedError

    def hang(self) -> None:
        """Say nothing more until the other side leaves or the server ends."""
        while not self.over.wait(0.05):
            self.socket.settimeout(0.01)
            try:
                if not self.socket.recv(1):
                    return
            except TimeoutError:
                continue


Behaviour = Callable[[Call], None]


def completion(content: object = "alpha", **more: object) -> dict[str, object]:
    """A chat completion with anything in it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 20, "completion_tokens": 2}
    return {"model": "m", "choices": [choice], "usage": usage, **more}


def choice(**fields: object) -> list[object]:
    return [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "alpha"}, **fields}]


def says(*parts: bytes, then: Callable[[Call], None] = lambda call: None) -> Behaviour:
    def behave(call: Call) -> None:
        call.send(*parts)
        then(call)

    return behave


def always(status: int, body: bytes | str | dict[str, object], headers: str = "", **more: str) -> Behaviour:
    return says(answer(status, body, headers, **more))


def _every_second(bad: Behaviour) -> Behaviour:
    return lambda call: bad(call) if call.number % 2 == 0 else GOOD(call)


def _forever(head: bytes, part: bytes, pause: float = 0.0) -> Behaviour:
    def behave(call: Call) -> None:
        call.send(head)
        for data in repeat(part):
            call.send(data)
            if pause and call.over.wait(pause):
                return

    return behave


def _label(call: Call) -> str:
    """The last word of what was asked; the study's messages end with their label."""
    said = json.loads(call.body)["messages"][-1]["content"]
    return str(re.findall(r"alpha|beta", said)[-1])


def GOOD(call: Call) -> None:
    call.send(answer(200, completion(_label(call))))


def _from_then_on(calls: int, bad: Behaviour) -> Behaviour:
    return lambda call: bad(call) if call.number > calls else GOOD(call)


class _Bucket:
    """So many calls a second, and not one more."""

    def __init__(self, calls: int, headers: str) -> None:
        self._calls, self._headers = calls, headers
        self._seconds: Counter[int] = Counter()

    def __call__(self, call: Call) -> None:
        second = int(time.monotonic())
        self._seconds[second] += 1
        if self._seconds[second] <= self._calls:
            return GOOD(call)
        return call.send(answer(429, {"error": {"message": "slow down"}}, self._headers))


def _closes_between(call: Call) -> None:
    """A server that says nothing of closing, answers, and then drops the connection that would be kept."""
    GOOD(call)
    call.close()


def _bomb() -> bytes:
    squeezed = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([squeezed.compress(bytes(2**20)) for _ in range(200)] + [squeezed.flush()])


TEXT = json.dumps(completion("x" * 2**20)).encode()
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = OK + b"Content-Length: 1000\r\n\r\n"
LOGIN = "<html><title>Log in to the Wi-Fi</title></html>"

BEHAVIOURS: dict[str, Behaviour] = {
    "good": GOOD,
    "garbage": says(bytes(range(256)) * 4, then=Call.close),
    "ssh": says(b"SSH-2.0-OpenSSH_9.2\r\n", then=Call.close),
    "nothing": Call.close,
    "html-200": always(200, LOGIN, kind="text/html"),
    "html-502": always(502, "<html>Bad gateway</html>", kind="text/html"),
    "other-json": always(200, {"hello": "world"}),
    "json-list": always(200, "[1, 2]"),
    "content-null": always(200, completion(None)),
    "content-number": always(200, completion(7)),
    "content-list": always(200, completion([{"type": "text", "text": "alpha"}])),
    "content-odd-list": always(200, completion([1, None])),
    "choices-empty": always(200, completion(choices=[])),
    "choices-number": always(200, completion(choices=5)),
    "usage-negative": always(200, completion(usage={"prompt_tokens": -5, "completion_tokens": -1})),
    "usage-huge": always(200, completion(usage={"prompt_tokens": 10**30, "completion_tokens": 10**30})),
    "usage-text": always(200, completion(usage={"prompt_tokens": "many", "completion_tokens": "few"})),
    "usage-list": always(200, completion(usage=[1])),
    "usage-null": always(200, completion(usage=None)),
    "401": always(401, {"error": {"message": "Incorrect API key provided"}}),
    "403": always(403, {"error": {"message": "Your country is not supported"}}),
    "404": always(404, {"error": {"message": "The model does not exist"}}),
    "429": always(429, {"error": {"message": "slow down"}}),
    "429-after-0": always(429, {"error": {"message": "slow down"}}, "Retry-After: 0\r\n"),
    "429-after-1": always(429, {"error": {"message": "slow down"}}, "Retry-After: 1\r\n"),
    "429-after-3600": always(429, {"error": {"message": "slow down"}}, "Retry-After: 3600\r\n"),
    "429-after-date": always(429, {"error": {"message": "slow"}}, "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n"),
    "429-after-nonsense": always(429, {"error": {"message": "slow"}}, "Retry-After: \xe9t\xe9, 9e999\r\n"),
    "500": always(500, "boom"),
    "500-every-second": _every_second(always(500, "boom")),
    "500-from-the-10th": _from_then_on(10, always(500, "boom")),
    "hang-from-the-10th": _from_then_on(10, Call.hang),
    "429-from-the-10th": _from_then_on(10, always(429, {"error": {"message": "slow down"}}, "Retry-After: 1\r\n")),
    "10-a-second": _Bucket(10, "Retry-After: 1\r\n"),
    "10-a-second-unsaid": _Bucket(10, ""),
    "redirect-self": always(307, "", "Location: completions\r\n"),
    "redirect-elsewhere": always(308, "", f"Location: {ELSEWHERE}\r\n"),
    "hang-before-head": Call.hang,
    "hang-after-head": says(LONG, then=Call.hang),
    "hang-in-body": says(LONG + b'{"choices', then=Call.hang),
    "reset": Call.reset,
    "reset-after-head": says(LONG, then=Call.reset),
    "reset-in-body": says(LONG + b'{"choices', then=Call.reset),
    "cut-body": says(LONG + b'{"choices', then=Call.close),
    "bad-chunk": says(CHUNKED + b"zz\r\nnonsense\r\n", then=Call.close),
    "negative-length": says(OK + b"Content-Length: -7\r\n\r\n", then=Call.close),
    "100-MB": says(OK + b"Content-Length: 104857600\r\n\r\n", *([MEBIBYTE] * 100)),
    "endless-body": _forever(OK + b"\r\n", MEBIBYTE),
    "endless-head": _forever(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"),
    "endless-100": _forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "bomb": always(200, _bomb(), "Content-Encoding: gzip\r\n"),
    "bad-gzip": always(200, b"not gzip at all", "Content-Encoding: gzip\r\n"),
    "good-gzip": always(200, gzip.compress(json.dumps(completion()).encode()), "Content-Encoding: gzip\r\n"),
    "trickle": _forever(OK + b"Content-Length: 1000000\r\n\r\n", b" ", pause=1.0),
    "trickle-head": _forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"a", pause=1.0),
    "closes-between": _closes_between,
    "resets-every-second": _every_second(Call.reset),
    "other-model": always(200, completion(model="another-model")),
    "1-MB-answer": always(200, TEXT),
    "control-characters": always(200, completion("alpha \x1b[31mred\x1b[0m \0 \u202e")),
    "lone-surrogate": always(200, json.dumps(completion("\ud800 alpha"))),
    "invalid-utf8": always(200, json.dumps(completion("XX")).encode().replace(b"XX", b"\xff\xfe")),
    "length-empty": always(200, completion(choices=choice(finish_reason="length", message={"content": ""}))),
    "content-filter": always(200, completion(choices=choice(finish_reason="content_filter", message={"content": ""}))),
    "content-filter-400": always(400, {"error": {"message": "blocked", "code": "content_filter"}}),
    "deep-json": always(200, "[" * 100_000),
    "ansi-error": always(400, {"error": {"message": "\x1b[2J\x1b[31mhello\x07\nsecond line\u202e"}}),
    "huge-error": always(500, {"error": {"message": "no " * 10_000_000}}),
}


@dataclass
class Hostile:
    """The server; keeps when each call came, by behaviour, and the heads it was sent."""

    port: int = 0
    calls: dict[str, list[float]] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    connections: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, behaviour: str) -> str:
        """The base_url under which it behaves so."""
        assert behaviour in BEHAVIOURS
        return f"http://127.0.0.1:{self.port}/{behaviour}/v1"

    def _converse(self, connection: socket.socket) -> None:
        stream, known = connection.makefile("rb"), False
        try:
            while head := b"".join(iter(stream.readline, b"\r\n")) if stream.peek(1) else b"":
                text = head.decode("latin-1")
                behaviour = text.split("/", 2)[1]
                length = re.search(r"(?i)content-length: (\d+)", text)
                body = stream.read(int(length[1]) if length else 0)
                calls = self.calls.setdefault(behaviour, [])
                calls.append(time.monotonic())
                self.heads.append(text)
                self.connections[behaviour] += not known
                known = True
                connection.settimeout(None)
                BEHAVIOURS[behaviour](Call(connection, len(calls), body, self.over))
        except OSError:
            pass
        finally:
            stream.close()
            connection.close()


@contextmanager
def hostile() -> Iterator[Hostile]:
    """The server, in threads of its own, for as long as the block runs."""
    server = Hostile()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server.port = listener.getsockname()[1]

        def accept() -> None:
            while not server.over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=server._converse, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown(socket.SHUT_RDWR)
