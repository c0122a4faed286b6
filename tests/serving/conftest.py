"""Providers that do as they are told, and an endpoint over them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from starlette.types import ASGIApp, Receive, Scope, Send

from steelyard.catalogue import Offer, Price
from steelyard.errors import Fault, ProviderError
from steelyard.providers.pool import check
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    Embeddings,
    LabelRequest,
    LabelScores,
    MaySendTo,
    Provider,
    Request,
    Target,
    Timing,
    Usage,
)
from steelyard.providers.retry import RetryPolicy
from steelyard.quantities import Seconds, Tokens, Unknown
from steelyard.serving.app import build_app
from steelyard.serving.gateway import Gateway
from steelyard.serving.routing import Route
from steelyard.serving.server import bind, serving, url_of
from steelyard.serving.usage_log import UsageLog

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USAGE = Usage(Tokens(7), Tokens(3))


def said(text: str) -> Completion:
    return Completion(text, "stop", USAGE, Timing(Seconds(0.1)), "fake-1")


@dataclass
class Fake:
    """Says `pieces`; an exception among them is raised there, an Event is waited for."""

    target: Target
    pieces: Sequence[str | Exception | asyncio.Event]
    asked: list[Request] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    verbs: frozenset[str] = frozenset({"complete"})

    async def complete(self, request: Request) -> Completion:
        text = "".join([chunk.text async for chunk in self.stream(request) if isinstance(chunk, Delta)])
        return said(text)

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        self.asked.append(request)
        self.called.set()
        text = ""
        for piece in self.pieces:
            if isinstance(piece, asyncio.Event):
                try:
                    await piece.wait()
                except asyncio.CancelledError:
                    self.cancelled.set()
                    raise
            elif isinstance(piece, Exception):
                raise piece
            else:
                text += piece
                yield Delta(piece)
        yield said(text)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        raise ProviderError(Fault.BAD_REQUEST, "no embeddings here")

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        raise ProviderError(Fault.BAD_REQUEST, "no labels here")

    async def close(self) -> None: ...


class FakePool:
    def __init__(self, fakes: Mapping[str, Fake], rule: DataRule) -> None:
        self.fakes, self.rule, self.opened = fakes, rule, list[str]()

    async def get(self, target: Target) -> Provider:
        check(self.rule, target)
        self.opened.append(target.model)
        return self.fakes[target.model]


async def label_of(provider: Provider, text: str) -> Completion:
    """The task of the test study: the fake's words, after the study's own prompt."""
    assert isinstance(provider, Fake)
    provider.inputs.append(text)
    return await provider.complete(Request(()))


def offer(model: str) -> Offer:
    row = Price(Decimal(2), Decimal(10), valid_from="2026-01-01", valid_to="", source="price list", as_of="2026-01-01")
    no = Unknown("a test")
    return Offer("openai", model, "Vendor", model, "", "", (row,), no, no, no)


class Switch:
    """One listening server for many tests: uvicorn takes a quarter of a second to stop."""

    app: ASGIApp
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass
class Bench:
    """An endpoint for the study `inbox`: who stands behind it, its log, and how to reach it."""

    log: Path
    switch: Switch
    rule: DataRule = DataRule("internal", "any")
    fakes: dict[str, Fake] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    patience_seconds: float = 60.0
    most_at_once: int = 64
    url: str = ""

    def add(
        self,
        name: str,
        *pieces: str | Exception | asyncio.Event,
        classifier: bool = False,
        custody: MaySendTo = "own",
        priced: bool = False,
    ) -> Fake:
        target = Target(wire="fake", model=name, custody=custody)
        self.fakes[name] = Fake(target, pieces)
        price = offer(name) if priced else Unknown("no offer prices it")
        self.routes.append(Route(name, target, label_of, not classifier, price, "Vendor"))
        return self.fakes[name]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncOpenAI]:
        self.log.parent.mkdir(exist_ok=True)
        self.pool = FakePool(self.fakes, self.rule)
        gateway = Gateway(
            "inbox",
            self.routes,
            self.rule,
            self.pool,
            UsageLog(self.log),
            now=lambda: NOON,
            patience_seconds=self.patience_seconds,
            retry=RetryPolicy(tries=2, busy_tries=2, first_pause_seconds=0.0),
        )
        self.switch.app = build_app(gateway, made_at=1_772_000_000, most_at_once=self.most_at_once)
        self.url = self.switch.url
        async with AsyncOpenAI(base_url=self.url + "/v1", api_key="none", max_retries=0) as client:
            yield client

    @asynccontextmanager
    async def own_server(self) -> AsyncIterator[None]:
        """A server that stops at the end of the block."""
        sock = bind("127.0.0.1", 0)
        async with self.client(), serving(self.switch.app, sock):
            self.url = url_of(sock)
            yield

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def switch() -> AsyncIterator[Switch]:
    sock, switch = bind("127.0.0.1", 0), Switch()
    switch.url = url_of(sock)
    async with serving(switch, sock):
        yield switch


@pytest.fixture
def bench(tmp_path: Path, switch: Switch) -> Bench:
    return Bench(tmp_path / ".steelyard" / "usage.jsonl", switch)
