"""Opens each target once, and lets no data past the privacy rule."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import AsyncExitStack
from dataclasses import fields
from types import TracebackType
from typing import TypeAlias

from steelyard import plugins
from steelyard.errors import Denied, Problem
from steelyard.providers.privacy import DataRule, Withheld, may_send
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Embeddings,
    LabelRequest,
    LabelScores,
    Opener,
    Provider,
    Request,
    Target,
)

_Key: TypeAlias = tuple[Hashable, ...]


def missing_key(target: Target) -> str:
    """Why the target cannot be called with the keys at hand ("X is not set"), or "" if it can."""
    if target.key_env and not os.environ.get(target.key_env, "").strip():
        return f"{target.key_env} is not set"
    return ""


class Pool:
    """Providers by target, each opened on first use and closed at the end: `async with Pool(rule) as pool`.

    Whatever it hands out asks the rule before every call; a target that the rule shuts out is never opened.
    """

    def __init__(self, rule: DataRule) -> None:
        self.rule = rule
        self._providers: dict[_Key, Provider] = {}
        self._locks: dict[_Key, asyncio.Lock] = {}
        self._stack = AsyncExitStack()

    async def get(self, target: Target) -> Provider:
        """The provider for a target. Raises Denied before anything is opened."""
        check(self.rule, target)
        key = _identity(target)
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._providers:
                opener: Opener = plugins.find("providers", target.wire)
                provider = await opener(target, self)
                self._stack.push_async_callback(provider.close)
                self._providers[key] = _Guarded(provider, self.rule)
        return self._providers[key]

    async def close(self) -> None:
        """Close all providers, the last opened first; one that fails to close does not keep the others open."""
        self._providers.clear()
        await self._stack.aclose()

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def check(rule: DataRule, target: Target) -> None:
    """Raises Denied if the rule keeps the data from the target."""
    verdict = may_send(rule, target)
    if isinstance(verdict, Withheld):
        raise Denied(
            Problem(
                slug="data-may-not-leave",
                what=verdict.reason,
                next_step="leave the candidate out, run it on own machines, or change `privacy` in the study file",
            )
        )


class _Guarded:
    """A provider that asks the rule before every call. The pool closes what it guards."""

    def __init__(self, provider: Provider, rule: DataRule) -> None:
        self.target = provider.target
        self.verbs = provider.verbs
        self._provider = provider
        self._rule = rule

    async def complete(self, request: Request) -> Completion:
        check(self._rule, self.target)
        return await self._provider.complete(request)

    def stream(self, request: Request) -> AsyncIterator[Chunk]:
        check(self._rule, self.target)
        return self._provider.stream(request)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        check(self._rule, self.target)
        return await self._provider.embed(texts)

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        check(self._rule, self.target)
        return await self._provider.score_labels(request)

    async def close(self) -> None:
        """Nothing: others may share the provider."""


def _identity(target: Target) -> _Key:
    plain = (getattr(target, each.name) for each in fields(target) if each.name != "options")
    return (*plain, tuple(sorted(target.options.items())))
