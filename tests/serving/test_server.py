"""Start and stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from steelyard.errors import InputError
from steelyard.serving.server import bind, until_told_to_stop, url_of


def test_a_port_in_use_is_said_with_the_next_step() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"(?s)port {port} on 127.0.0.1 is in use.*--port") as caught:
            bind("127.0.0.1", port)
    assert caught.value.problems[0].slug == "port-in-use"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        bind("192.0.2.1", 0)
    assert caught.value.problems[0].slug == "cannot-listen"


def test_the_url_is_one_a_client_can_use() -> None:
    with bind("127.0.0.1", 0) as sock:
        assert url_of(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_stands_in_brackets() -> None:
    try:
        sock = bind("::1", 0)
    except InputError:
        pytest.skip("this machine has no IPv6 loopback")
    with sock:
        assert url_of(sock).startswith("http://[::1]:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_and_sigterm_end_the_wait(number: signal.Signals) -> None:
    forever = asyncio.get_running_loop().create_future()
    server = asyncio.ensure_future(_wait(forever))
    waiting = asyncio.ensure_future(until_told_to_stop(server))
    await asyncio.sleep(0)
    os.kill(os.getpid(), number)
    async with asyncio.timeout(2):
        await waiting
    server.cancel()


async def test_a_server_that_ends_by_itself_ends_the_wait() -> None:
    async with asyncio.timeout(2):
        await until_told_to_stop(asyncio.ensure_future(asyncio.sleep(0)))


async def _wait(future: asyncio.Future[None]) -> None:
    await future
