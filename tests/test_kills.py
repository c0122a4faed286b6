"""Nothing lost, nothing counted twice: real runs that are killed, stopped, out of disk space, or two at once.

The endpoint counts each request by its content and bills it when it is read: a vendor bills what nobody waits for too.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.trials.journal import JOURNAL, spent_before

pytestmark = pytest.mark.slow

WORDS = {
    "delivery_late": "parcel courier late tracking waiting days",
    "plan_cancel": "cancel subscription stop end plan anymore",
    "refund": "money back refund return paid charge",
}
LABELS = [label.replace("_", " ") for label in WORDS]
WIDTH = 4
"""Calls at once, a candidate."""
STEELYARD = [sys.executable, "-m", "steelyard"]
INTERRUPTED = "interrupted: what was measured is kept; the same command goes on from here"


class Vendor:
    """An OpenAI-compatible endpoint in a thread: right in 8 of 10 cases by a hash of the request, after a few ms.

    The model `hangs` takes half a minute, `busy` is never free. gpt-5-mini is billed at its list price.
    """

    def __init__(self, seconds: float = 0.004) -> None:
        self.seconds = seconds
        self.truth: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.billed = self.dearest = Decimal(0)
        self.base_url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Vendor:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.ensure_future(self._answers(reader, writer)))

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                body = await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
                status, document = await self._answer(json.loads(body), hashlib.sha256(body).hexdigest())
                data = json.dumps(document).encode()
                more = "Retry-After: 20\r\n" if status == 429 else ""
                writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()

    async def _answer(self, asked: dict[str, Any], digest: str) -> tuple[int, dict[str, object]]:
        self.asked[digest] += 1
        tokens = (sum(len(message["content"]) for message in asked["messages"]) // 4, 400)
        if asked["model"] == "gpt-5-mini":
            cost = (tokens[0] * Decimal("0.25") + tokens[1] * 2) / 10**6
            self.billed += cost
            self.dearest = max(self.dearest, cost)
        if asked["model"] == "busy":
            return 429, {"error": {"message": "slow down"}}
        number = int(digest[:8], 16)
        await asyncio.sleep(30 if asked["model"] == "hangs" else self.seconds * (0.5 + number % 100 / 100))
        said = self.truth[asked["messages"][-1]["content"]] if number % 10 < 8 else LABELS[number % 3]
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
        return 200, {"model": f"{asked['model']}-served", "choices": [choice], "usage": usage}


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as vendor:
        yield vendor


def study(folder: Path, vendor: Vendor, *models: str) -> Path:
    """150 messages, 90 of them to test on; `linear` and the models, all of them behind the endpoint."""
    rng = random.Random(5)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(150):
        intent = sorted(WORDS)[number % 3]
        words = [rng.choice(WORDS[rng.choice([intent, intent, *WORDS])].split()) for _ in range(7)]
        rows.append({"message": f"{' '.join(words)} {number}", "intent": intent})
    vendor.truth = {f"Message: {row['message']}\nIntent:": row["intent"].replace("_", " ") for row in rows}
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    endpoint = {"base_url": vendor.base_url, "key_env": "VENDOR_KEY", "options": {"concurrency": WIDTH}}
    content = {
        "name": "inbox",
        "data": {"file": "data.jsonl", "input": "message", "target": "intent", "test": "60%"},
        "task": {"kind": "classification", "prompt": "Message: {message}\nIntent:", "shots": [0, 3]},
        "privacy": {"class": "public"},
        "use": {"purpose": "internal", "commercial": True},
        "workload": {"requests_per_day": 1000},
        "require": {"cost_per_month": "<= 3000 USD"},
        "candidates": ["linear", *({"id": model, **endpoint} for model in models)],
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder


ALL = ("compatible:alpha", "compatible:beta", "openai:gpt-5-mini")


BEGUN: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def leave_none_running() -> Iterator[None]:
    """Whatever fails: no run outlives its test."""
    yield
    for process in BEGUN:
        if process.poll() is None:
            process.kill()
            process.communicate()
    BEGUN.clear()


def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*STEELYARD, "run", str(folder), "--yes", *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "VENDOR_KEY": "none"},
    )
    BEGUN.append(process)
    return process


def run(folder: Path, *more: str) -> tuple[int, str]:
    """Exit code and stderr of a run to its end."""
    process = begin(folder, *more)
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said
    return process.returncode, said


def killed(folder: Path, seconds: float, *more: str) -> bool:
    """Begin a run and kill it after so many seconds; False if it had ended by itself."""
    process = begin(folder, *more)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


def until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def output(folder: Path) -> Path:
    return folder / ".steelyard"


def journalled(folder: Path) -> dict[str, tuple[str, object]]:
    """Answer and score of every finished call, by its key."""
    path = output(folder) / JOURNAL
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as journal:
        try:
            rows = journal.execute("select key, record from calls where candidate != 'linear'").fetchall()
        except sqlite3.OperationalError:  # killed while it was being made
            return {}
    return {key: (trial["answer"], trial["score"]) for key, trial in ((key, json.loads(row)) for key, row in rows)}


def outcome(folder: Path) -> object:
    """All of the decision that does not rest on how fast the machine was, nor on when it was asked."""
    decision = json.loads((output(folder) / "decision.json").read_text())
    lines = []
    for line in sorted(decision["standings"], key=lambda line: line["candidate"]):
        assert line["throughput_per_second"]["value"] > 0
        assert line["cost"]["per_month"]["value"] > 0
        timed = ("latency_p50", "latency_p95", "latency_seconds", "throughput_per_second", "loop_lag", "cost", "gates")
        gates = [(gate["name"], gate["outcome"]) for gate in line["gates"]]
        lines.append(({name: value for name, value in line.items() if name not in timed}, gates))
    return decision["winner"], decision["ties"], decision["comparisons"], decision["data"], lines


def no_file_is_half_written(folder: Path) -> None:
    for name in ("decision.json", "lock.json", "peeks.json"):
        path = output(folder) / name
        assert not path.exists() or json.loads(path.read_text())
    report = output(folder) / "report.html"
    assert not report.exists() or report.read_text().rstrip().endswith("</html>")


def test_fifty_kills_change_nothing_and_repeat_only_what_was_in_flight(tmp_path: Path, vendor: Vendor) -> None:
    """The moments are spread over all that a run does: some fall into its start, some into calls, some into its end."""
    whole = study(tmp_path / "whole", vendor, *ALL)
    assert run(whole)[0] == 0
    begun = time.monotonic()
    assert run(whole)[0] == 0
    again = time.monotonic() - begun
    asked = dict(vendor.asked)
    assert set(asked.values()) == {1}

    vendor.asked.clear()
    vendor.billed = Decimal(0)
    folder, rng = study(tmp_path / "killed", vendor, *ALL), random.Random(11)
    kills = lost = 0
    while kills < 50:
        before = vendor.asked.total() - len(journalled(folder))
        kills += killed(folder, rng.uniform(0, 0.9 * again + 0.2))
        lost_now = vendor.asked.total() - len(journalled(folder)) - before
        assert 0 <= lost_now <= WIDTH * len(ALL)
        lost += lost_now
        no_file_is_half_written(folder)
        assert vendor.billed <= spent_before(output(folder) / JOURNAL).usd
    assert run(folder)[0] == 0
    assert outcome(folder) == outcome(whole)
    assert journalled(folder) == journalled(whole)
    assert vendor.asked.keys() == asked.keys()
    assert vendor.asked.total() - len(asked) == lost
    assert [len(runs) for runs in json.loads((output(folder) / "peeks.json").read_text())["runs"].values()] == [1]
    assert not [path for path in output(folder).iterdir() if re.fullmatch(r"\..+\.\d+", path.name)]


def test_a_budget_is_the_studys_however_often_its_runs_are_killed(tmp_path: Path, vendor: Vendor) -> None:
    """All 154 calls would cost about 0.13 USD. What was in flight at a kill is billed, and counted."""
    folder = study(tmp_path, vendor, "openai:gpt-5-mini")
    budget, kills = Decimal("0.10"), 5
    for number in range(kills):
        process = begin(folder, "--budget", str(budget))
        before = vendor.asked.total()
        until(lambda before=before, more=3 + number: vendor.asked.total() >= before + more)  # type: ignore[misc]
        process.kill()
        process.communicate()
        spent = spent_before(output(folder) / JOURNAL).usd
        assert 0 < vendor.billed <= spent <= budget
    code, said = run(folder, "--budget", str(budget))
    assert code == 5
    assert "Earlier runs of this study spent" in said
    assert vendor.billed <= budget
    assert vendor.billed > budget - kills * WIDTH * 2 * vendor.dearest
    assert run(folder, "--budget", "0.30")[0] == 0
    assert vendor.asked.total() - len(vendor.asked) <= kills * WIDTH


STOPS = [
    pytest.param(ALL, (0.05, 2.2), [signal.SIGINT], id="anywhere"),
    pytest.param(ALL, (0.4, 2.2), [signal.SIGTERM], id="SIGTERM"),
    pytest.param(ALL, (0.4, 2.2), [signal.SIGINT] * 3, id="impatient"),
    pytest.param(("compatible:hangs",), (1.7, 2.5), [signal.SIGINT], id="slow-endpoint"),
    pytest.param(("compatible:busy",), (1.7, 2.5), [signal.SIGINT], id="waiting-after-429"),
]


@pytest.mark.parametrize(("models", "moments", "signals"), STOPS)
def test_ctrl_c_ends_a_run_within_two_seconds_with_one_line(
    models: tuple[str, ...], moments: tuple[float, float], signals: list[int], tmp_path: Path, vendor: Vendor
) -> None:
    folder, rng = study(tmp_path, vendor, *models), random.Random(len(models))
    vendor.seconds = 0.03
    for _ in range(3):
        process = begin(folder)
        time.sleep(rng.uniform(*moments))
        begun, running = time.monotonic(), process.poll() is None
        for number in signals:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            time.sleep(0.05)
        _, said = process.communicate(timeout=60)
        assert time.monotonic() - begun < 2
        if running and process.returncode != 0:  # 0: it was all but done
            assert process.returncode == 130
            assert said.rstrip().splitlines()[-1] in (INTERRUPTED, "stopped before anything was done")
            assert said.count("interrupted") <= 1
        assert "Traceback" not in said
    assert vendor.asked.total() - len(vendor.asked) <= 3 * WIDTH * len(models) or models == ("compatible:busy",)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=16m", "x", folder], check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(disk: Path, left: int) -> None:
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as file:
        file.write(bytes(free.f_bavail * free.f_frsize - left))


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system of Linux")
def test_on_a_full_disk_a_run_stops_with_one_message_and_goes_on_when_there_is_room(
    disk: Path, tmp_path: Path, vendor: Vendor
) -> None:
    whole = study(tmp_path / "whole", vendor, *ALL)
    assert run(whole)[0] == 0
    vendor.asked.clear()
    folder = study(disk / "study", vendor, *ALL)

    def stops(left: int, what: str) -> None:
        fill(disk, left)
        code, said = run(folder)
        assert (code, said.count("error: ")) == (2, 1)
        assert re.search(what, said.split("error: ")[1])
        (disk / "filler").unlink()

    stops(0, "no room|No space left")
    stops(12 * 1024, r"peeks\.json: cannot be written: No space left")
    assert vendor.asked.total() == 0
    stops(300 * 1024, "the journal cannot be used: database or disk is full")
    assert 0 < vendor.asked.total() - len(journalled(folder)) <= WIDTH * len(ALL)
    lost = vendor.asked.total() - len(journalled(folder))
    assert run(folder)[0] == 0
    assert vendor.asked.total() - len(vendor.asked) == lost
    for name in ("decision.json", "report.html", "lock.json"):
        (output(folder) / name).unlink()
    for left in (36 * 1024, (output(whole) / "report.html").stat().st_size - 4096):
        stops(left, r"(decision\.json|report\.md|report\.html): cannot be written: No space left")
    shutil.rmtree(output(folder) / "tuned")
    stops(36 * 1024, r"tuned/.*: cannot be written: No space left")
    assert run(folder)[0] == 0
    assert vendor.asked.total() - len(vendor.asked) == lost
    assert outcome(folder) == outcome(whole)


def test_in_a_read_only_folder_nothing_is_called(
    tmp_path: Path, vendor: Vendor, request: pytest.FixtureRequest
) -> None:
    """Root may write everywhere but on a disk that is mounted so."""
    root = os.geteuid() == 0
    place = request.getfixturevalue("disk") if root else tmp_path
    folder = study(place / "study", vendor, "openai:gpt-5-mini")

    def writable(yes: bool) -> None:
        if root:
            subprocess.run(["mount", "-o", "remount,rw" if yes else "remount,ro", place], check=True)
        else:
            for path in (folder, output(folder)):
                if path.exists():
                    path.chmod(0o755 if yes else 0o555)

    for made in (False, True):
        writable(False)
        code, said = run(folder)
        writable(True)
        assert (code, said.count("error: ")) == (2, 1)
        assert "writ" in said.split("error: ")[1]
        assert vendor.asked.total() == 154 * made
        assert run(folder)[0] == 0


def test_a_second_run_of_the_same_study_is_refused_and_readers_are_not(tmp_path: Path, vendor: Vendor) -> None:
    assert run(study(tmp_path, vendor))[0] == 0
    folder = study(tmp_path, vendor, "compatible:hangs")
    first = begin(folder)
    until(lambda: vendor.asked.total() > 0)
    code, said = run(folder)
    assert code == 2
    assert f"another run of this study is going on (process {first.pid} on " in said
    begun = time.monotonic()
    report = [*STEELYARD, "report", str(folder), "--md", "--output", "-"]
    assert "linear" in subprocess.run(report, capture_output=True, text=True, check=True).stdout
    assert time.monotonic() - begun < 10
    first.kill()
    first.communicate()
    asked = vendor.asked.total()
    third = begin(folder)
    until(lambda: vendor.asked.total() > asked)
    third.send_signal(signal.SIGINT)
    third.communicate(timeout=10)
    assert third.returncode == 130
    assert [len(runs) for runs in json.loads((output(folder) / "peeks.json").read_text())["runs"].values()] == [2]
