"""Listening on this machine: a clean start, a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from steelyard.errors import InputError, Problem

DRAIN_SECONDS = 1
MOST_CONNECTIONS = 512
LOOPBACK_NAMES = ("127.0.0.1", "localhost")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; InputError when the port is taken or the address is none of this machine's.

    Port 0 takes any free one.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise _cannot_listen(host, port, error) from error
    return sock


def url_of(sock: socket.socket) -> str:
    """Where clients find it: the base URL without /v1."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: ASGIApp, sock: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """Answer requests inside the block; the task ends when the server stops by itself.

    At the end, open requests have `DRAIN_SECONDS` to finish, then they are cancelled.
    """
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield task
    finally:
        server.should_exit = True
        await task
        await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


async def until_told_to_stop(server: asyncio.Task[None]) -> None:
    """Wait for Ctrl-C or SIGTERM, or for the server's own end."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({waiting, server}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        for number in signals:
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to `until_told_to_stop`: it would raise them again after its end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _cannot_listen(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(
            Problem(
                slug="port-in-use",
                what=f"port {port} on {host} is in use by another program",
                next_step=f"stop it, or take another port: --port {port + 1}; --port 0 takes any free one",
            )
        )
    return InputError(
        Problem(
            slug="cannot-listen",
            what=f"cannot listen on {host}, port {port}: {error.strerror or error}",
            allowed="an address of this machine, and a port from 1024 to 65535",
            next_step="leave --host out to listen on 127.0.0.1",
        )
    )
