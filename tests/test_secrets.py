"""A key goes to its own server and nowhere else: not into a file, a message, a log, a child process."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from steelyard import cli, plugins
from steelyard.cli import rim
from steelyard.errors import Fault, ProviderError
from steelyard.providers.keys import redacted, scrubbed, without_keys
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.process import ChildProcess
from steelyard.providers.protocol import Message, Request, Target
from steelyard.providers.retry import RetryPolicy
from steelyard.providers.scripted import Scripted
from steelyard.serving.refusal import from_provider
from steelyard.usecase.load import claim_output, load_study

CANARY = "canary-T7q9Zx2LmW4vRb8KcY3n"
IN_BASE64 = base64.b64encode(f"user:{CANARY}".encode()).decode()
TRACES = [CANARY, CANARY[:12], CANARY[-12:], IN_BASE64[8:20], CANARY.encode().hex()]


class Echo(BaseHTTPRequestHandler):
    """Says the key that it was called with in every way that a careless server might."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"].removeprefix("Bearer ")
        assert key == CANARY
        error = {
            "whole": f"Incorrect API key provided: {key}",
            "part": f"no access with {key[:12]}*** (account of {key[-12:]})",
            "encoded": f"not for Basic {IN_BASE64}",
        }
        way = self.path.split("/")[1]
        status, body = {"whole": 401, "part": 403, "encoded": 400}.get(way, 200), f"<html>{key}</html>"
        if way in error:
            body = json.dumps({"error": {"message": error[way], "code": key}})
        elif way == "answer":
            choice = {"index": 0, "message": {"role": "assistant", "content": f"late {key}"}, "finish_reason": "stop"}
            body = json.dumps({"model": f"served {key}", "choices": [choice]})
        elif way == "redirect":
            status = 302
        self.send_response(status, key)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", f"http://127.0.0.1:1/{key}")
        self.send_header("X-Key", key)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OWN_VENDOR", "HF_TOKEN"):
        monkeypatch.setenv(name, CANARY)


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    def write(*candidates: Any) -> Path:
        rows = [{"text": f"{'where is my parcel' if n % 2 else 'stop it'} {n}", "label": "late" if n % 2 else "stop"}
                for n in range(40)]  # fmt: skip
        (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
        content = {
            "name": "inbox",
            "data": {"file": "data.jsonl", "input": "text", "target": "label", "test": "40%"},
            "task": {"kind": "classification", "prompt": "{text}:", "shots": 0},
            "use": {"purpose": "internal", "commercial": True},
            "privacy": {"class": "public"},
            "candidates": ["linear", *candidates],
        }
        (tmp_path / "study.yaml").write_text(json.dumps(content))
        return tmp_path

    return write


def steelyard(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    return int(left.value.code or 0)


def assert_no_key(text: str) -> None:
    assert [trace for trace in TRACES if trace in text] == []


@pytest.mark.usefixtures("keys")
def test_a_server_that_repeats_the_key_puts_it_nowhere(
    study: Callable[..., Path],
    address: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Errors, answers, headers, model names, whole and in parts: files, streams and logs of every verb are searched."""
    monkeypatch.setattr("steelyard.trials.run.RetryPolicy", lambda: RetryPolicy(tries=1))
    ways = ("whole", "part", "encoded", "answer", "redirect", "html")
    folder = study(
        *({"id": f"compatible:{way}", "base_url": f"{address}/{way}/v1", "key_env": "OWN_VENDOR"} for way in ways)
    )
    caplog.set_level(logging.DEBUG)
    assert steelyard("run", str(folder), "--yes") == 4
    assert steelyard("report", str(folder), "--json") == 0
    assert steelyard("report", str(folder), "--md", "--output", "-") == 0
    assert steelyard("serve", str(folder), "--check", "--port", "0") == 0
    assert steelyard("doctor", "--json") == 0
    told = capfd.readouterr()
    assert "Incorrect API key provided: [key]" in told.out
    assert re.search(r"no access with \[[A-Z_]+\]\*\*\* \(account of \[[A-Z_]+\]\)", told.out)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"journal.sqlite", "lock.json", "decision.json", "report.html", "report.md", "usage.jsonl"} <= {
        path.name for path in files
    }
    assert b"late [OWN_VENDOR]" in (folder / ".steelyard" / "journal.sqlite").read_bytes()
    for text in (told.out, told.err, caplog.text, *(path.read_bytes().decode("latin-1") for path in files)):
        assert_no_key(text)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    "wrong",
    [
        {"key_env": CANARY},
        {"base_url": f"https://user:{CANARY}@host/v1"},
        {"base_url": f"https://{CANARY}@host/v1"},
        {"base_url": f"https://host/v1?api-key={CANARY}"},
        {"base_url": f"https://host/v1#{CANARY}"},
        {"base_url": CANARY},
        {"base_url": f"ftp://{CANARY}"},
        {"base_url": f"https://host:{CANARY}/v1"},
        {"headers": {"Authorization": f"Bearer {CANARY}"}},
        {"contracted": CANARY},
        {"options": {"send_seed": [CANARY]}},
    ],
)
def test_a_key_typed_into_a_study_is_refused_and_not_repeated(
    study: Callable[..., Path], wrong: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    right = {"id": "compatible:m", "base_url": "https://host/v1", "key_env": "OWN_VENDOR"}
    assert steelyard("run", str(study(right | wrong))) == 2
    assert_no_key(capfd.readouterr().err)


def test_a_key_that_is_set_nowhere_is_known_by_its_looks() -> None:
    pasted = "sk-proj-Ab1Cd2Ef3Gh4Ij5Kl6"
    assert scrubbed(f"key_env: {pasted}!") == "key_env: [key]!"
    assert scrubbed("smollm2-135m-instruct sk-learn hf:hf-internal-testing/tiny") == (
        "smollm2-135m-instruct sk-learn hf:hf-internal-testing/tiny"
    )


def test_a_placeholder_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that want no key are called with one like this; an answer may well say it."""
    monkeypatch.setenv("OWN_API_KEY", "none")
    assert redacted("none of them", "OWN_API_KEY") == "none of them"
    assert scrubbed("none of them") == "none of them"


async def test_the_bug_of_a_provider_is_its_candidates_failure_and_does_not_tell_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(Scripted):
        async def complete(self, request: Request) -> Any:
            secret = os.environ["OWN_VENDOR"]
            raise RuntimeError(f"no luck with {secret}")

    async def open_broken(target: Target, pool: Pool) -> Broken:
        return Broken(target, {})

    monkeypatch.setenv("OWN_VENDOR", CANARY)
    monkeypatch.setattr(plugins, "find", lambda kind, name: open_broken)
    async with Pool(DataRule.default("public")) as pool:
        provider = await pool.get(Target("mine", "m", key_env="OWN_VENDOR"))
        with pytest.raises(
            ProviderError, match=r"the provider mine broke off with RuntimeError in test_secrets"
        ) as bug:
            await provider.complete(Request((Message("user", "hi"),)))
    assert bug.value.fault is Fault.CRASHED
    assert_no_key(str(bug.value))


@pytest.mark.usefixtures("keys")
async def test_a_child_process_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import json, os; print(json.dumps(dict(os.environ)), flush=True); input()"
    heard: list[str] = []

    class Said:
        id, last = 0, True

    def decode(line: bytes) -> Said:
        heard.append(line.decode())
        return Said()

    monkeypatch.setenv("OWN_VENDOR", CANARY)
    assert CANARY not in without_keys(os.environ).values()
    child: ChildProcess[Any] = ChildProcess([sys.executable, "-c", code], decode, lambda number: b"\n")
    await child.start()
    await child.close()
    assert "PATH" in json.loads(heard[0])
    assert_no_key(heard[0])


@pytest.mark.usefixtures("keys")
def test_no_bug_and_no_log_tells_the_key(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try:
        secret = os.environ["OPENAI_API_KEY"]
        raise ValueError(f"bad header {secret}")
    except ValueError as error:
        problem = rim.unforeseen(error)
    (file,) = tmp_path.iterdir()
    assert str(file) in problem.next_step and "ValueError: bad header [OPENAI_API_KEY]" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert_no_key(str(problem) + file.read_text())
    record = logging.LogRecord("steelyard.serving", logging.ERROR, "f", 1, "\x1b[2J%s", (CANARY,), None)
    assert rim._formatter().format(record) == "ERROR steelyard.serving: \\x1b[2J[OPENAI_API_KEY]"
    said = ProviderError(Fault.BAD_REQUEST, f"wrong: {CANARY}\x1b")
    assert_no_key(from_provider(said, "", clients_words=True).message)


@pytest.mark.parametrize(("data", "folder"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)])
def test_who_may_not_read_the_data_may_not_read_what_came_of_them(
    study: Callable[..., Path], data: int, folder: int
) -> None:
    case = load_study(study())
    (case.folder / "data.jsonl").chmod(data)
    before = os.umask(0o022)
    try:
        claim_output(case)
    finally:
        os.umask(before)
    assert case.output.stat().st_mode & 0o777 == folder
    assert (case.output / ".gitignore").read_text() == "*\n"
