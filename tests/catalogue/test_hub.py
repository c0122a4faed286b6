"""Downloads from a hub go on where they stopped, and the token goes nowhere else."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from steelyard.catalogue import Model, Weights
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.weights import find_weights, get_weights
from steelyard.errors import NotAvailable
from steelyard.quantities import Bytes

CONTENT = bytes(range(256)) * 40


@dataclass
class Hub:
    """What the server does, and the headers it saw, one (path, range, authorization) a request."""

    status: int = 200
    cut_after: int | None = None
    ranges: bool = True
    elsewhere: str = ""
    seen: list[tuple[str, str | None, str | None]] = field(default_factory=list)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    behaviour = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            behaviour.seen.append((self.path, asked, self.headers.get("Authorization")))
            if behaviour.elsewhere and not self.path.startswith("/elsewhere"):
                self.send_response(302)
                self.send_header("Location", behaviour.elsewhere)
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and behaviour.ranges else 0
            body = CONTENT[start:]
            self.send_response(behaviour.status if behaviour.status != 200 else (206 if start else 200))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: behaviour.cut_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield behaviour
    server.shutdown()
    thread.join()
    server.server_close()


MODEL: Model = replace(load_catalogue().models["gpt-oss-20b"], id="tiny")
WEIGHTS = Weights(
    name="q8_0",
    format="gguf",
    kind="hub",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size_bytes=Bytes(len(CONTENT)),
    repository="org/tiny",
    revision="abc",
    members=("sub/tiny.gguf",),
)


def test_a_file_is_fetched_from_its_revision(hub: Hub, tmp_path: Path) -> None:
    path = get_weights(MODEL, WEIGHTS, lambda _: None)
    assert path.read_bytes() == CONTENT
    assert hub.seen == [("/org/tiny/resolve/abc/sub/tiny.gguf", None, None)]
    assert {entry.name for entry in (tmp_path / "tiny").iterdir()} == {"tiny-q8_0.gguf", ".tiny.lock"}


def test_a_cut_download_does_not_count_and_goes_on_where_it_stopped(hub: Hub) -> None:
    hub.cut_after = 1000
    with pytest.raises(NotAvailable, match="after 1,000 of 10,240 bytes"):
        get_weights(MODEL, WEIGHTS, lambda _: None)
    assert find_weights(MODEL, WEIGHTS) is None
    hub.cut_after = None
    said: list[str] = []
    assert get_weights(MODEL, WEIGHTS, said.append).read_bytes() == CONTENT
    assert hub.seen[-1][1] == "bytes=1000-"
    assert any("after 1,000 bytes" in line for line in said)


def test_a_server_without_ranges_starts_over(hub: Hub) -> None:
    hub.cut_after = 1000
    with pytest.raises(NotAvailable):
        get_weights(MODEL, WEIGHTS, lambda _: None)
    hub.cut_after, hub.ranges = None, False
    assert get_weights(MODEL, WEIGHTS, lambda _: None).read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_not_kept(hub: Hub) -> None:
    wrong = replace(WEIGHTS, sha256="0" * 64)
    with pytest.raises(NotAvailable, match="SHA-256"):
        get_weights(MODEL, wrong, lambda _: None)
    assert get_weights(MODEL, WEIGHTS, lambda _: None).read_bytes() == CONTENT
    assert len(hub.seen) == 2


@pytest.mark.parametrize(("status", "hint"), [(401, "HF_TOKEN"), (404, "no such repository"), (503, "status 503")])
def test_a_refusal_says_what_it_means(hub: Hub, status: int, hint: str) -> None:
    hub.status = status
    with pytest.raises(NotAvailable, match=hint):
        get_weights(MODEL, WEIGHTS, lambda _: None)


def test_the_token_goes_to_the_hub_only_and_into_no_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.elsewhere = "/elsewhere"
    said: list[str] = []
    get_weights(MODEL, WEIGHTS, said.append)
    assert [authorization for _, _, authorization in hub.seen] == ["Bearer hf_secret", None]
    assert "hf_secret" not in "".join(said)


def test_a_machine_that_is_offline_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NotAvailable, match="could not download org/tiny") as caught:
        get_weights(MODEL, WEIGHTS, lambda _: None)
    assert len(caught.value.problems) == 1
