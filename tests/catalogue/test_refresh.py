"""`steelyard models refresh` says what a newer snapshot changes, and whose studies that touches; it changes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from steelyard.catalogue.hub_card import read_card
from steelyard.catalogue.snapshot.changes import changes
from steelyard.catalogue.snapshot.listed import ListedPrice
from steelyard.catalogue.snapshot.stored import Offered, Priced, Snapshot, StoredHouse, at_hand, encoded, read
from steelyard.cli.models import command
from steelyard.errors import NotAvailable

HOUSE = StoredHouse("openai", "OpenAI", True, "openai", "openai-api-terms", "", "", "KEY")
ROW = Offered(
    house="openai",
    served="gpt-x",
    model="gpt-x",
    name="GPT X",
    vendor="OpenAI",
    openness="proprietary",
    kinds=("text",),
    modalities=("text",),
    context=((1000, 0),),
    output=(),
    released=(),
    deprecated=(),
    successor="",
    prices=(Priced("2026-01-01", ListedPrice(Decimal(1), Decimal(4)), 0),),
    rates=None,
)


def snapshot(*rows: Offered) -> Snapshot:
    return Snapshot("2026-11-24", (("a list", "2026-11-01"),), (HOUSE,), rows)


def price(given: str, answered: str) -> tuple[Priced, ...]:
    return (Priced("2026-02-01", ListedPrice(Decimal(given), Decimal(answered)), 0),)


@pytest.mark.parametrize(
    ("after", "kind", "told"),
    [
        (replace(ROW, prices=price("2", "4")), "price up", "2 in, 4 out"),
        (replace(ROW, prices=price("1", "3")), "price down", "1 in, 3 out"),
        (replace(ROW, prices=price("2", "3")), "price changed", "2 in, 3 out"),
        (replace(ROW, prices=()), "unpriced", "no price"),
        (replace(ROW, deprecated=(("2027-01-14", 0),), successor="gpt-y"), "deprecated", "2027-01-14; successor gpt-y"),
        (replace(ROW, openness="open"), "openness", "open"),
        (replace(ROW, context=((2000, 0),)), "context", "2,000 tokens"),
    ],
)
def test_every_kind_of_change_is_named_with_before_and_after(after: Offered, kind: str, told: str) -> None:
    (found,) = changes(snapshot(ROW), snapshot(after))
    assert (found.kind, found.after) == (kind, told)


def test_a_price_that_begins_later_is_no_change_yet() -> None:
    later = (*ROW.prices, Priced("2027-01-01", ListedPrice(Decimal(9), Decimal(9)), 0))
    assert changes(snapshot(ROW), snapshot(replace(ROW, prices=later))) == ()


def test_what_came_and_what_went_is_told() -> None:
    other = replace(ROW, served="gpt-z", model="gpt-z")
    assert [(one.kind, one.served) for one in changes(snapshot(ROW), snapshot(other))] == [
        ("gone", "gpt-x"),
        ("new", "gpt-z"),
    ]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["refresh", *arguments])


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The snapshot at hand in which one price of OpenAI has risen."""
    rows = tuple(
        replace(row, prices=price("99", "99")) if (row.house, row.served) == ("openai", "gpt-4o") else row
        for row in at_hand().offers
    )
    path = tmp_path / "newer.json.gz"
    path.write_bytes(encoded(replace(at_hand(), offers=rows)))
    return path


STUDY = """
name: touched
question: Which one?
data: {file: data.jsonl, input: text, target: label, test: 50%}
task: {kind: classification, prompt: "{text}", metric: accuracy}
use: {purpose: product, commercial: true}
candidates: [linear, "openai:gpt-4o", "azure:gpt-4o"]
"""


def test_a_study_is_touched_by_the_offer_of_its_candidate_and_by_no_other_sellers(newer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "studies" / "inbox"
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(STUDY, "utf-8")
    (folder / "data.jsonl").write_text('{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n', "utf-8")
    document = json.loads(run("--from", str(newer), "--json", str(tmp_path / "studies")).stdout)
    assert [change["kind"] for change in document["changes"]] == ["price up"]
    assert [(one["candidate"], one["after"]) for one in document["touched"]] == [("openai:gpt-4o", "99 in, 99 out")]
    text = run("--from", str(newer), str(folder)).stdout
    assert "price up: gpt-4o at OpenAI: 2.5 in, 10 out -> 99 in, 99 out" in text
    assert f"{folder}: openai:gpt-4o: price up" in text


def test_a_study_that_cannot_be_read_is_named_and_the_others_are_looked_at(newer: Path, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("name: [", "utf-8")
    result = run("--from", str(newer), str(tmp_path))
    assert result.exit_code == 0
    assert "not looked at" in result.stderr
    assert "no study that was looked at is touched" in result.stdout


def test_the_newer_snapshot_is_kept_only_where_it_is_told_to(newer: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json.gz"
    assert run("--from", str(newer), "--write", str(kept)).exit_code == 0
    assert read(kept) == read(newer)


@pytest.mark.parametrize("arguments", [(), ("--fetch", "--from", "."), ("--hub", "gpt-5-mini")])
def test_without_a_source_nothing_is_compared(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


CARD = {
    "id": "openai/gpt-oss-20b",
    "sha": "abc",
    "gated": "auto",
    "lastModified": "2026-10-01T00:00:00Z",
    "cardData": {"license": "apache-2.0", "base_model": "somebody/base"},
    "safetensors": {"total": 21_511_953_984},
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A hub on the loopback interface: what stands under a path is answered."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield pages
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_card_of_the_hub_is_read(hub: dict[str, bytes]) -> None:
    hub["/api/models/openai/gpt-oss-20b"] = json.dumps(CARD).encode()
    card = read_card("openai/gpt-oss-20b")
    assert (card.licence, card.gated, card.bases, card.parameters, card.revision, card.modified) == (
        "apache-2.0",
        True,
        ("somebody/base",),
        21_511_953_984,
        "abc",
        "2026-10-01",
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": 3}', b"<html>", b"\xff"])
def test_what_is_no_card_is_one_clear_error(body: bytes, hub: dict[str, bytes]) -> None:
    hub["/api/models/o/m"] = body
    with pytest.raises(NotAvailable, match="the hub says nothing of o/m"):
        read_card("o/m")


def test_a_card_of_odd_parts_says_nothing_of_them(hub: dict[str, bytes]) -> None:
    odd = {"id": "o/m", "sha": 3, "cardData": [], "safetensors": "many", "gated": None}
    hub["/api/models/o/m"] = json.dumps(odd).encode()
    card = read_card("o/m")
    assert (card.licence, card.revision, card.parameters, card.gated) == ("", "", None, False)


def test_a_changed_licence_is_a_difference(hub: dict[str, bytes]) -> None:
    hub["/api/models/openai/gpt-oss-20b"] = json.dumps(CARD | {"cardData": {"license": "cc-by-nc-4.0"}}).encode()
    document = json.loads(run("--hub", "gpt-oss-20b", "--json").stdout)
    licence = next(one for one in document["hub"] if one["kind"] == "licence changed")
    assert (licence["before"], licence["after"]) == ("apache-2.0", "cc-by-nc-4.0")


def test_a_tag_that_stands_for_the_known_terms_is_no_difference(hub: dict[str, bytes]) -> None:
    hub["/api/models/openai/gpt-oss-20b"] = json.dumps(CARD).encode()
    document = json.loads(run("--hub", "gpt-oss-20b", "--json").stdout)
    assert "licence changed" not in {one["kind"] for one in document["hub"]}


def test_a_study_is_touched_by_what_its_lock_and_decision_say_was_run(
    newer: Path, hub: dict[str, bytes], tmp_path: Path
) -> None:
    """An Ollama name leads to the record behind it, and a derived model is touched by its base."""
    hub["/api/models/meta-llama/Llama-3.1-8B"] = json.dumps(
        {"id": "meta-llama/Llama-3.1-8B", "cardData": {"license": "apache-2.0"}}
    ).encode()
    output = tmp_path / "old" / ".steelyard"
    output.mkdir(parents=True)
    ran = [{"candidate": "ollama:llama3.1:8b"}, {"candidate": "openai:gpt-4o"}]
    (output / "lock.json").write_text(json.dumps({"schema_version": "1.0", "ran": ran}), "utf-8")
    standings = [{"candidate": "deepseek-r1-distill-llama-8b"}, {"candidate": "openai:gpt-4o"}]
    (tmp_path / "decision.json").write_text(json.dumps({"standings": standings}), "utf-8")
    result = run("--from", str(newer), "--hub", "llama-3.1-8b", "--json", str(tmp_path))
    touched = json.loads(result.stdout)["touched"]
    base = "licence changed of its base llama-3.1-8b"
    assert {(Path(one["study"]).name, one["candidate"], one["kind"]) for one in touched} == {
        ("old", "ollama:llama3.1:8b", base),
        ("old", "openai:gpt-4o", "price up"),
        (tmp_path.name, "deepseek-r1-distill-llama-8b", base),
        (tmp_path.name, "openai:gpt-4o", "price up"),
    }


@pytest.mark.parametrize("content", ["", "[]", '{"ran": 3}', '{"ran": [3, {"candidate": []}]}', "\0"])
def test_a_lock_of_another_kind_touches_nothing(newer: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "lock.json").write_text(content, "utf-8")
    result = run("--from", str(newer), str(tmp_path))
    assert result.exit_code == 0
    assert "no study that was looked at is touched" in result.stdout
