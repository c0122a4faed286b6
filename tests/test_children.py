"""The process that holds a real model is killed and stopped: calls are made again, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.providers.test_llama import WEIGHTS

from steelyard.errors import Fault, ProviderError
from steelyard.providers import llama_cpp
from steelyard.providers.llama_cpp import LlamaCpp, open_llama_cpp
from steelyard.providers.protocol import LabelRequest, Message, Request, Settings, Target
from steelyard.providers.retry import RetryPolicy, call_with_retry

pytestmark = [
    pytest.mark.skipif(isinstance(WEIGHTS, str), reason=str(WEIGHTS)),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.local_model,
]
CITIES = (" Paris", " Rome", " London", " Tokyo", " Madrid", " Berlin")
COUNTRIES = ("France", "Italy", "England", "Japan", "Spain", "Germany")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The model under a name of this test alone, by which its processes are found."""
    link = tmp_path / "model.gguf"
    try:
        link.hardlink_to(WEIGHTS)
    except OSError:
        shutil.copy(WEIGHTS, link)
    return link


def workers(weights: Path) -> set[int]:
    """The processes that hold it."""
    found = set()
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"llama_worker" in command and str(weights).encode() in command:
                found.add(int(folder.name))
    return found


def gone(weights: Path, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while workers(weights):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@asynccontextmanager
async def opened(weights: Path) -> AsyncIterator[LlamaCpp]:
    provider = await open_llama_cpp(Target("llama-cpp", "m", weights=weights), None)  # type: ignore[arg-type]
    try:
        yield provider
    finally:
        await provider.close()


async def every_verb(provider: LlamaCpp) -> list[object]:
    """Many calls at once, each made again where it failed: the likeliest labels, a generated text, an embedding."""

    async def persist(call: Callable[[], object]) -> object:
        policy = RetryPolicy(tries=20, first_pause_seconds=0.05, longest_pause_seconds=0.5)
        return await call_with_retry(call, policy, rng=random.Random(0))  # type: ignore[arg-type]

    def score(country: str) -> Callable[[], object]:
        return lambda: provider.score_labels(LabelRequest("", "Capitals.\n", f"{country}:", CITIES))

    def say(country: str) -> Callable[[], object]:
        asked = Request((Message("user", f"The capital of {country}?"),), Settings(max_tokens=8))
        return lambda: provider.complete(asked)

    calls = [score(country) for country in COUNTRIES * 4] + [say(country) for country in COUNTRIES]
    scored = [await asyncio.gather(*map(persist, calls)) for _ in range(2)]
    embedded = await persist(lambda: provider.embed(["Where is my parcel?", "Money back!"]))
    answers = [getattr(answer, "best", getattr(answer, "text", None)) for answer in [*scored[0], *scored[1]]]
    return [*answers, [round(float(number), 3) for row in embedded.vectors for number in row[:20]]]  # type: ignore[attr-defined]


@pytest.mark.slow
async def test_killed_again_and_again_it_gives_the_answers_of_an_undisturbed_run(weights: Path) -> None:
    async with opened(weights) as provider:
        undisturbed = await every_verb(provider)
    killed: set[int] = set()

    async def killer() -> None:
        chance = random.Random(1)
        while len(killed) < 5:
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            for pid in workers(weights) - killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)

    provider = await open_llama_cpp(Target("llama-cpp", "m", weights=weights), None)  # type: ignore[arg-type]
    killing = asyncio.create_task(killer())
    try:
        provider.child._starts = 1000  # the killer spares nobody; the limit has a test of its own
        assert await every_verb(provider) == undisturbed
    finally:
        killing.cancel()
        await provider.close()
    assert len(killed) >= 2
    assert gone(weights)


async def test_a_worker_killed_while_it_loads_is_started_once_more(weights: Path) -> None:
    async def kill_the_first() -> None:
        while not (found := workers(weights)):  # noqa: ASYNC110 - nobody tells when it starts
            await asyncio.sleep(0.001)
        os.kill(found.pop(), signal.SIGKILL)

    killing = asyncio.create_task(kill_the_first())
    async with opened(weights) as provider:
        assert killing.done()
        assert (await provider.score_labels(LabelRequest("", "Capitals.\n", "France:", CITIES))).best == 0


async def test_a_worker_that_dies_whenever_it_loads_is_given_up(weights: Path) -> None:
    killed: set[int] = set()

    async def kill_all() -> None:
        while True:
            for pid in workers(weights):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            await asyncio.sleep(0.001)

    killing = asyncio.create_task(kill_all())
    with pytest.raises(ProviderError, match="was ended by SIGKILL, as a system does that runs out of memory") as error:
        await open_llama_cpp(Target("llama-cpp", "m", weights=weights), None)  # type: ignore[arg-type]
    killing.cancel()
    assert error.value.fault is Fault.CRASHED
    assert "free memory" in error.value.problems[0].next_step
    assert len(killed) == 2


@pytest.mark.slow
async def test_a_stopped_worker_is_noticed_by_its_silence_and_a_working_one_never(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_cpp, "SILENCE_SECONDS", 12.0)
    async with opened(weights) as provider:
        long = Request((Message("user", "A long story."),), Settings(max_tokens=12))
        stopped = provider.child.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(ProviderError, match="no sign of life for 12 seconds and was killed"):
            await provider.complete(long)
        assert (await provider.complete(long)).text
        assert workers(weights) == {provider.child.pid}
    assert gone(weights)


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from steelyard.providers.llama_cpp import open_llama_cpp
    from steelyard.providers.protocol import LabelRequest, Message, Request, Settings, Target

    async def main():
        print("begun", flush=True)
        provider = await open_llama_cpp(Target("llama-cpp", "m", weights=Path(sys.argv[1])), None)
        story = Request((Message("user", "A long story."),), Settings(max_tokens=2000))
        print("loaded", flush=True)
        await provider.complete(story)

    asyncio.run(main())
"""


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(("begun", 0.05), marks=pytest.mark.slow),
        pytest.param(("begun", 0.1), marks=pytest.mark.slow),
        ("begun", 0.2),
        pytest.param(("begun", 0.4), marks=pytest.mark.slow),
        pytest.param(("loaded", 0.0), marks=pytest.mark.slow),
        ("loaded", 0.5),
    ],
)
def test_no_worker_outlives_a_killed_parent(weights: Path, when: tuple[str, float]) -> None:
    word, seconds = when
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        while parent.stdout.readline().strip() != word:
            pass
        time.sleep(seconds)
        assert workers(weights) or word == "begun"
        parent.kill()
    assert gone(weights)


@pytest.mark.slow
def test_without_help_from_the_kernel_the_end_of_stdin_ends_a_worker_that_is_deep_in_work(weights: Path) -> None:
    """As on systems other than Linux."""
    untied = "from steelyard.providers import llama_worker as w; w.die_with_parent = lambda: None; w.main()"
    load = json.dumps({"weights": str(weights), "adapter": ""})
    command = [sys.executable, "-c", untied, load, "llama_worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        while b"Ready" not in worker.stdout.readline():
            pass
        order = {"kind": "Generate", "id": 1, "messages": [["user", "A long story."]], "max_tokens": 2000}
        order |= {"temperature": 0.0, "seed": 0, "stop": [], "stream": True}
        worker.stdin.write(json.dumps(order).encode() + b"\n")
        worker.stdin.flush()
        while b"Piece" not in worker.stdout.readline():
            pass
        worker.stdin.close()
        assert worker.wait(5) == 0


STUDY = {
    "name": "inbox",
    "question": "Which model?",
    "data": {"file": "data.jsonl", "input": "message", "target": "intent", "test": "50%"},
    "task": {"kind": "classification", "prompt": "{message}\nIntent:", "shots": 0, "calibration": "none"},
    "use": {"purpose": "internal", "commercial": True},
    "workload": {"requests_per_day": 1000},
}


@pytest.fixture
def study(tmp_path: Path, weights: Path) -> Path:
    rows = [
        {"message": f"message {n} is {['alpha', 'beta'][n % 2]}", "intent": ["alpha", "beta"][n % 2]}
        for n in range(400)
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "study.yaml").write_text(json.dumps({**STUDY, "candidates": [f"llama-cpp:{weights}", "linear"]}))
    return tmp_path


@pytest.fixture
def running(study: Path, weights: Path) -> Iterator[subprocess.Popen[str]]:
    """`steelyard run` with a worker under way."""
    command = [sys.executable, "-m", "steelyard", "run", str(study)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "answering" in line and "linear" not in line:
                break
        assert workers(weights)
        yield process
        process.kill()
    assert gone(weights)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_no_worker_outlives_a_run_that_is_ended(
    running: subprocess.Popen[str], weights: Path, number: signal.Signals, code: int
) -> None:
    running.send_signal(number)
    said, _ = running.communicate(timeout=10)
    assert running.returncode == code, said
    assert "Traceback" not in said
    assert gone(weights, 2.0)


@pytest.mark.slow
def test_a_run_whose_worker_is_killed_goes_on_and_is_whole(running: subprocess.Popen[str], weights: Path) -> None:
    for pid in workers(weights):
        os.kill(pid, signal.SIGKILL)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert "Partial" not in said and "Traceback" not in said
