"""Opens each target once, lets no data past the privacy rule, and no key out of what a provider says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Hashable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from steelyard import plugins
from steelyard.errors import Denied, Fault, Problem, ProviderError, SteelyardError
from steelyard.providers.keys import key, redacted, scrubbed
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

log = logging.getLogger("steelyard.providers")

_Key: TypeAlias = tuple[Hashable, ...]


def missing_key(target: Target) -> str:
    """Why the target cannot be called with the keys at hand ("X is not set"), or "" if it can."""
    if target.key_env and not key(target.key_env):
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
        which = _identity(target)
        async with self._locks.setdefault(which, asyncio.Lock()):
            if which not in self._providers:
                with _honest(target):
                    opener: Opener = plugins.find("providers", target.wire)
                    provider = await opener(target, self)
                self._stack.push_async_callback(provider.close)
                self._providers[which] = _Guarded(provider, self.rule)
        return self._providers[which]

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
    """A provider that asks the rule before every call and says no key. The pool closes what it guards."""

    def __init__(self, provider: Provider, rule: DataRule) -> None:
        self.target = provider.target
        self.verbs = provider.verbs
        self._provider = provider
        self._rule = rule

    async def complete(self, request: Request) -> Completion:
        check(self._rule, self.target)
        with _honest(self.target):
            return self._redacted(await self._provider.complete(request))

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """A key that comes in pieces is not seen in the deltas; the completion at the end has none."""
        check(self._rule, self.target)
        with _honest(self.target):
            async for chunk in self._provider.stream(request):
                yield self._redacted(chunk) if isinstance(chunk, Completion) else chunk

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        check(self._rule, self.target)
        with _honest(self.target):
            return await self._provider.embed(texts)

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        check(self._rule, self.target)
        with _honest(self.target):
            return await self._provider.score_labels(request)

    async def close(self) -> None:
        """Nothing: others may share the provider."""

    def _redacted(self, completion: Completion) -> Completion:
        name = self.target.key_env
        text, model = redacted(completion.text, name), redacted(completion.served_model, name)
        if (text, model) == (completion.text, completion.served_model):
            return completion
        return replace(completion, text=text, served_model=model)


@contextmanager
def _honest(target: Target) -> Iterator[None]:
    """What a provider raises leaves as an error of ours, without a key in it: its bug is its candidate's failure."""
    try:
        yield
        return
    except ProviderError as error:
        said = error.problems[0].what
        if (clean := scrubbed(said)) == said:
            raise
        message = clean.removeprefix(f"{error.fault.value}: ")
        retry_after = error.retry_after_seconds
        step = error.problems[0].next_step
        told = ProviderError(error.fault, message, status=error.status, retry_after_seconds=retry_after, next_step=step)
    except (SteelyardError, MemoryError):
        raise
    except Exception as error:  # a plug-in may raise anything, and what it says may hold anything
        log.debug("the provider %s broke off", target.wire, exc_info=True)
        told = ProviderError(Fault.CRASHED, f"the provider {target.wire} broke off with {_kind_and_place(error)}")
    raise told


def _kind_and_place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
    why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{why}{where}"


def _identity(target: Target) -> _Key:
    plain = (getattr(target, each.name) for each in fields(target) if each.name != "options")
    return (*plain, tuple(sorted(target.options.items())))
