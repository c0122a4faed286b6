"""An OpenAI-compatible endpoint that costs next to nothing: the peer against which a harness's own cost shows.

    python benchmarks/endpoint.py --seconds 0.05

Prints its port, then answers every chat completion after so many seconds with "positive" or "negative", by the length
of the request. GET /count says how many it has answered. Ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

ANSWER = (
    b'{"id":"c","object":"chat.completion","created":0,"model":"instant","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"%s"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":40,"completion_tokens":1,"total_tokens":41}}'
)


def http(body: bytes) -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


ANSWERS = tuple(http(ANSWER % word) for word in (b"positive", b"negative"))


class Endpoint(asyncio.Protocol):
    """One connection. Requests come one after the other, as HTTP clients without pipelining send them."""

    answered = 0

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        head, end, body = self._pending.partition(b"\r\n\r\n")
        if not end:
            return
        length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"0")
        if len(body) < int(length):
            return
        self._pending = b""
        if head.startswith(b"GET"):
            self._send(http(b"%d" % Endpoint.answered))
            return
        Endpoint.answered += 1
        answer = ANSWERS[len(body) % 2]
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)  # type: ignore[attr-defined]


async def main() -> None:
    """Serve until standard input ends."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=0.0, help="how long each answer takes")
    seconds = options.parse_args().seconds
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(seconds), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
