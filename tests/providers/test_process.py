"""Children: answers by id, crashes reported and mended, nothing left behind."""

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from steelyard.errors import Fault, ProviderError
from steelyard.providers.process import ChildProcess

FAKE = textwrap.dedent("""
    import json, os, sys
    def say(**reply):
        print(json.dumps(reply), flush=True)
    say(id=0, last=True, text="ready")
    held = None
    for line in sys.stdin:
        ask = json.loads(line)
        match ask["do"]:
            case "echo": say(id=ask["id"], last=True, text=ask["text"])
            case "count":
                for number in range(3): say(id=ask["id"], last=number == 2, text=str(number))
            case "hold": held = ask["id"]
            case "release": say(id=held, last=True, text="held"); say(id=ask["id"], last=True, text="released")
            case "die": print("the last words", file=sys.stderr, flush=True); os._exit(7)
            case "say": print(ask["line"], flush=True)
            case "flood": os.write(2, b"x" * 3_000_000 + b"\\nthe very last"); os._exit(3)
            case "babble":
                while True: os.write(1, b"babble " * 10_000 + b"\\n" * ask["lines"])
            case "signal": os.kill(os.getpid(), ask["number"])
            case "cancel": print("cancelled", ask["id"], file=sys.stderr, flush=True)
""")


@dataclass(frozen=True)
class Said:
    id: int
    last: bool
    text: str


def child(code=FAKE, **settings):
    return ChildProcess(
        [sys.executable, "-c", code],
        lambda line: Said(**json.loads(line)),
        lambda number: json.dumps({"do": "cancel", "id": number}).encode() + b"\n",
        **settings,
    )


async def ask(running, **what):
    def line(number):
        return json.dumps({"id": number, **what}).encode() + b"\n"

    async with contextlib.aclosing(running.ask(line)) as replies:
        return [arrival.reply.text async for arrival in replies]


@contextlib.asynccontextmanager
async def started(**settings):
    running = child(**settings)
    await running.start()
    try:
        yield running
    finally:
        await running.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def pid_of(running):
    while running.pid is None:  # noqa: ASYNC110 - the child tells nobody that it has been started
        await asyncio.sleep(0)
    return running.pid


async def test_the_first_reply_is_the_greeting_and_starting_twice_is_starting_once():
    running = child()
    assert (await running.start()).text == "ready"
    pid = running.pid
    assert await running.start() is None
    assert running.pid == pid
    await running.close()
    await running.close()
    assert not alive(pid)


async def test_replies_find_their_requests_out_of_order():
    async with started() as running:
        held = asyncio.create_task(ask(running, do="hold"))
        assert await ask(running, do="echo", text="first") == ["first"]
        assert await ask(running, do="release") == ["released"]
        assert await held == ["held"]
        assert await ask(running, do="count") == ["0", "1", "2"]


async def test_a_crash_fails_what_is_in_flight_with_the_last_words_and_the_next_call_starts_again():
    async with started() as running:
        held = asyncio.create_task(ask(running, do="hold"))
        await ask(running, do="echo", text="held has been sent")
        with pytest.raises(ProviderError, match=r"ended with status 7\n  \| the last words") as crash:
            await ask(running, do="die")
        assert crash.value.fault is Fault.CRASHED
        with pytest.raises(ProviderError):
            await held
        assert await ask(running, do="echo", text="again") == ["again"]


async def test_a_killed_child_says_by_which_signal():
    async with started() as running:
        held = asyncio.create_task(ask(running, do="hold"))
        await ask(running, do="echo", text="")
        os.kill(running.pid, signal.SIGKILL)
        with pytest.raises(ProviderError, match="SIGKILL"):
            await held


async def test_it_is_started_again_three_times_and_no_more():
    async with started() as running:
        for _ in range(4):
            with pytest.raises(ProviderError, match="status 7"):
                await ask(running, do="die")
        with pytest.raises(ProviderError, match="status 7"):
            await ask(running, do="echo", text="")
        assert running.pid is None


async def test_an_answer_in_between_gives_all_restarts_back():
    async with started(restarts=1) as running:
        for _ in range(5):
            assert await ask(running, do="echo", text="fine") == ["fine"]
            with pytest.raises(ProviderError, match=r"status 7\n"):
                await ask(running, do="die")
        with pytest.raises(ProviderError, match="status 7, 2 times in a row"):
            await ask(running, do="die")


@pytest.mark.parametrize("line", ["{nonsense", '{"id": [1], "last": true, "text": ""}', '{"id": 1}', "[]", "\x00"])
async def test_nonsense_is_a_crash(line):
    async with started(restarts=0) as running:
        with pytest.raises(ProviderError, match="not a reply"):
            await ask(running, do="say", line=line)


@pytest.mark.parametrize("lines", [0, 1])
async def test_endless_nonsense_is_a_crash_too(lines, monkeypatch):
    monkeypatch.setattr("steelyard.providers.process.LINE_LIMIT_BYTES", 2**20)
    async with started(restarts=0) as running:
        with pytest.raises(ProviderError, match="not a reply"):
            await ask(running, do="babble", lines=lines)


async def test_of_endless_stderr_the_end_is_kept():
    async with started(restarts=0) as running:
        with pytest.raises(ProviderError, match="the very last") as crash:
            await ask(running, do="flood")
    assert len(str(crash.value)) < 5000


@pytest.mark.skipif(sys.platform != "linux", reason="the number of the signal is Linux's")
async def test_a_signal_without_a_name_is_told_by_its_number():
    async with started(restarts=0) as running:
        with pytest.raises(ProviderError, match="ended by signal 40"):
            await ask(running, do="signal", number=40)


async def test_a_child_that_stands_still_is_killed_and_one_that_takes_long_is_not():
    beating = FAKE.replace(
        "held = None",
        """
    import threading, time
    def beat():
        while True: time.sleep(0.02); say(id=-1, last=False, text="")
    threading.Thread(target=beat, daemon=True).start()
    held = None""".replace("\n    ", "\n"),
    )
    async with started(code=beating, silence_seconds=0.6) as running:
        held = asyncio.create_task(ask(running, do="hold"))
        await asyncio.wait([held], timeout=1.2)
        assert not held.done()
        os.kill(running.pid, signal.SIGSTOP)
        async with asyncio.timeout(20):
            with pytest.raises(ProviderError, match=r"no sign of life for 0\.6 seconds"):
                await held
        assert await ask(running, do="echo", text="again") == ["again"]


async def test_a_stopped_child_is_closed_all_the_same():
    running = child()
    await running.start()
    pid = running.pid
    os.kill(pid, signal.SIGSTOP)
    await running.close(grace_seconds=0.01)
    assert not alive(pid)


async def test_a_start_that_is_given_up_leaves_nothing_and_costs_no_restart():
    running = child("import time; time.sleep(600)", restarts=0)
    for _ in range(3):
        starting = asyncio.create_task(running.start())
        pid = await pid_of(running)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await running._reap()
        assert not alive(pid)
    await running.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_restarts_leak_neither_descriptors_nor_processes():
    quick = 'import os; os.write(1, b\'{"id": 0, "last": true, "text": ""}\\n\'); os.read(0, 1); os._exit(7)'
    running, pids = child(quick), set()

    async def crash(times):
        for _ in range(times):
            running._starts_left = 4
            await running.start()
            pids.add(running.pid)
            with pytest.raises(ProviderError, match="status 7"):
                await ask(running)

    await crash(3)
    before = descriptors()
    await crash(30)
    assert descriptors() == before
    await running.close()
    assert not any(map(alive, pids))


async def test_a_child_that_cannot_start_says_why():
    running = child("import sys; sys.exit('no model here')", restarts=0)
    with pytest.raises(ProviderError, match="no model here"):
        await running.start()
    await running.close()


async def test_giving_up_a_request_tells_the_child():
    async with started(restarts=0) as running:
        held = asyncio.create_task(ask(running, do="hold"))
        await ask(running, do="echo", text="held has been sent")
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        with pytest.raises(ProviderError, match=r"\| cancelled \d"):
            await ask(running, do="die")


async def test_a_child_that_does_not_listen_is_killed():
    stubborn = 'import time; print(\'{"id": 0, "last": true, "text": ""}\', flush=True); time.sleep(600)'
    running = child(stubborn)
    await running.start()
    pid = running.pid
    await running.close(grace_seconds=0.01)
    assert not alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent")
def test_a_child_dies_with_a_parent_that_is_killed():
    grandchild = (
        "import time; from steelyard.providers.process import die_with_parent; "
        "die_with_parent(); print('tied', flush=True); time.sleep(600)"
    )
    parent = (
        "import subprocess, sys, time; "
        f"child = subprocess.Popen([sys.executable, '-c', {grandchild!r}], stdout=subprocess.PIPE); "
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        descriptor = os.pidfd_open(pid)
        process.kill()
    ended, _, _ = select.select([descriptor], [], [], 5)
    os.close(descriptor)
    assert ended, "the child outlived its parent"
