"""A server on the loopback interface that answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


@dataclass
class Server:
    """Counts connections and keeps every request's head and body."""

    base_url: str = ""
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    """Speak raw HTTP: `script` writes the bytes of one answer; the connection stays open unless it closes it."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode()
                length = int(text.lower().split("content-length:")[1].split("\r\n")[0])
                body = await reader.readexactly(length)
                server.heads.append(text)
                server.bodies.append(json.loads(body))
                await script(writer, body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.base_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(
    status: int, body: bytes | str | dict[str, object], headers: str = "", kind: str = "application/json"
) -> bytes:
    """A whole HTTP answer."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{headers}\r\n".encode() + data
    )


def always(data: bytes) -> Script:
    """The same bytes for every request."""

    async def script(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(data)

    return script


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One HTTP chunk."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def piece(text: str | None = None, finish: str | None = None, **more: object) -> bytes:
    """One event of a streaming chat completion."""
    delta = {} if text is None else {"content": text}
    document = {"model": "served-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 16},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
USAGE_EVENT = b"data: " + json.dumps({"model": "served-1", "choices": [], "usage": USAGE}).encode() + b"\n\n"
DONE = b"data: [DONE]\n\n"

COMPLETION: dict[str, object] = {
    "model": "served-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Good morning ☀"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
