"""No data passes the rule; each target is opened once; all are closed."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import get_args

import pytest
from tests.providers.server import COMPLETION, always, answer, serving

from steelyard import plugins
from steelyard.errors import Denied, InputError, ProviderError
from steelyard.providers.pool import Pool, missing_key
from steelyard.providers.privacy import Allowed, DataRule, Withheld, may_send
from steelyard.providers.protocol import DataClass, LabelRequest, MaySendTo, Message, Request, Target
from steelyard.providers.scripted import Scripted

REQUEST = Request((Message("user", "secret"),))
DISTANCE = {"own": 0, "contracted": 1, "any": 2}


@pytest.mark.parametrize("custody", get_args(MaySendTo))
@pytest.mark.parametrize("reach", get_args(MaySendTo))
@pytest.mark.parametrize("data_class", get_args(DataClass))
def test_data_goes_as_far_as_it_may_and_no_further(data_class: DataClass, reach: MaySendTo, custody: MaySendTo) -> None:
    verdict = may_send(DataRule(data_class, reach), Target("openai", "m", custody=custody))
    assert isinstance(verdict, Allowed) == (DISTANCE[custody] <= DISTANCE[reach])
    assert isinstance(verdict, Allowed) or f"{data_class} data may not leave" in verdict.reason


def test_confidential_and_restricted_data_stay_at_home_unless_somebody_says_otherwise() -> None:
    reach = {data_class: DataRule.default(data_class).may_send_to for data_class in get_args(DataClass)}
    assert reach == {"public": "any", "internal": "contracted", "confidential": "own", "restricted": "own"}


def test_a_target_that_says_nothing_about_its_machines_is_a_third_partys() -> None:
    assert isinstance(may_send(DataRule.default("internal"), Target("openai", "m")), Withheld)


async def test_confidential_data_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_KEY", "sk-1")
    tried: list[object] = []
    async with serving(always(answer(200, COMPLETION))) as server:
        target = Target("openai", "gpt-5-mini", server.base_url, "CANARY_KEY", custody="any")
        monkeypatch.setattr(socket.socket, "connect", lambda self, address: tried.append(address))
        monkeypatch.setattr(plugins, "find", lambda kind, name: tried.append(name))
        async with Pool(DataRule("confidential", "own")) as pool:
            with pytest.raises(Denied, match="confidential data may not leave own machines"):
                await pool.get(target)
        assert (server.connections, tried) == (0, [])


async def test_the_rule_is_asked_before_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if a provider was opened under a laxer rule."""
    async with Pool(DataRule("public", "any")) as pool:
        provider = await pool.get(Target("scripted", "m"))
        provider._rule = DataRule("restricted", "own")  # type: ignore[attr-defined]
        inner: Scripted = provider._provider  # type: ignore[attr-defined]
        label_request = LabelRequest("secret", "", "", ("a", "b"))
        for call in (
            lambda: provider.complete(REQUEST),
            lambda: anext(provider.stream(REQUEST)),
            lambda: provider.embed(["secret"]),
            lambda: provider.score_labels(label_request),
        ):
            with pytest.raises(Denied):
                await call()
        assert inner.calls == 0


async def test_a_target_is_opened_once_for_all_who_ask_and_closed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    class Slow(Scripted):
        async def close(self) -> None:
            happened.append(f"closed {self.target.model}")

    async def open_slow(target: Target, pool: Pool) -> Scripted:
        happened.append(f"opened {target.model}")
        await asyncio.sleep(0)
        return Slow(target, {})

    monkeypatch.setattr(plugins, "find", lambda kind, name: open_slow)
    first = Target("scripted", "a", options={"seed": 1, "accuracy": 0.5})
    same = Target("scripted", "a", options={"accuracy": 0.5, "seed": 1})
    async with Pool(DataRule.default("public")) as pool:
        got = await asyncio.gather(*(pool.get(each) for each in (first, same, first, replace(first, model="b"))))
        await got[0].close()
        assert happened == ["opened a", "opened b"]
        assert got[0] is got[1] is got[2] is not got[3]
    assert happened[2:] == ["closed b", "closed a"]


async def test_a_target_that_failed_to_open_can_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    async def open_late(target: Target, pool: Pool) -> Scripted:
        attempts.append(target)
        if len(attempts) == 1:
            raise OSError("not yet")
        return Scripted(target, {})

    monkeypatch.setattr(plugins, "find", lambda kind, name: open_late)
    async with Pool(DataRule.default("public")) as pool:
        with pytest.raises(ProviderError, match=r"scripted broke off with OSError in test_pool.py, line \d+"):
            await pool.get(Target("scripted", "m"))
        assert (await pool.get(Target("scripted", "m"))).target.model == "m"


async def test_an_unknown_wire_is_an_error_that_names_those_that_exist() -> None:
    async with Pool(DataRule.default("public")) as pool:
        with pytest.raises(InputError, match="compatible, linear, llama-cpp, openai, recorded, scripted"):
            await pool.get(Target("telegraph", "m"))


def test_a_missing_key_is_named_and_an_empty_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("openai", "m", key_env="SOME_KEY")
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert missing_key(target) == "SOME_KEY is not set"
    monkeypatch.setenv("SOME_KEY", " ")
    assert missing_key(target) == "SOME_KEY is not set"
    monkeypatch.setenv("SOME_KEY", "x")
    assert missing_key(target) == missing_key(Target("scripted", "m")) == ""
