"""Every way in which a server can fail maps to one Fault; nothing leaks; time is counted from the request."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime

import pytest
from tests.providers.server import COMPLETION, STREAM_HEAD, always, answer, chunk, piece, serving

from steelyard.errors import Fault, ProviderError
from steelyard.providers.http import HttpClient, Limits, retry_after
from steelyard.providers.openai_api import OpenAiApi, open_compatible
from steelyard.providers.protocol import Message, Option, Pool, Request, Target

REQUEST = Request((Message("user", "Good morning?"),))
KEY = "sk-canary-5f2a9c"


async def opened(base_url: str, key_env: str = "", **options: Option) -> OpenAiApi:
    return await open_compatible(Target("compatible", "m", base_url, key_env, options=options), NO_POOL)


class _NoPool:
    async def get(self, target: Target):  # type: ignore[no-untyped-def]
        raise AssertionError("asks for no other target")


NO_POOL: Pool = _NoPool()


async def failure(base_url: str, *, stream: bool = False, key_env: str = "", **options: Option) -> ProviderError:
    provider = await opened(base_url, key_env, **options)
    try:
        with pytest.raises(ProviderError) as caught:
            if stream:
                [_ async for _ in provider.stream(REQUEST)]
            else:
                await provider.complete(REQUEST)
    finally:
        await provider.close()
    return caught.value


def error(message: str, code: str | None = None, kind: str = "") -> dict[str, object]:
    return {"error": {"message": message, "code": code, "type": kind}}


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (400, error("temperature must be positive"), Fault.BAD_REQUEST),
        (400, error("too long", "context_length_exceeded"), Fault.TOO_LONG),
        (400, error("This model's maximum context length is 8192 tokens."), Fault.TOO_LONG),
        (400, error("filtered", "content_filter"), Fault.CONTENT_FILTER),
        (401, error("Incorrect API key provided"), Fault.AUTH),
        (402, {"detail": "no credit"}, Fault.PERMISSION),
        (403, error("not in your country"), Fault.PERMISSION),
        (404, error("no such model", "model_not_found"), Fault.NOT_FOUND),
        (408, "", Fault.TIMEOUT),
        (413, "too large", Fault.TOO_LONG),
        (418, "", Fault.BAD_REQUEST),
        (422, {"error": "unprocessable"}, Fault.BAD_REQUEST),
        (429, error("slow down", "rate_limit_exceeded"), Fault.RATE_LIMIT),
        (429, error("no money left", "insufficient_quota"), Fault.PERMISSION),
        (500, "<html>oops</html>", Fault.SERVER),
        (502, "<html>bad gateway</html>", Fault.SERVER),
        (503, error("busy"), Fault.OVERLOADED),
        (504, "", Fault.TIMEOUT),
        (529, error("overloaded"), Fault.OVERLOADED),
        (302, "", Fault.BAD_REQUEST),
        (200, "<html>Please log in</html>", Fault.MALFORMED),
        (200, "{", Fault.MALFORMED),
        (200, {"choices": []}, Fault.MALFORMED),
        (200, error("the engine is overloaded"), Fault.OVERLOADED),
        (200, error("Rate limit reached"), Fault.RATE_LIMIT),
    ],
)
async def test_each_answer_maps_to_its_fault(status: int, body: str | dict[str, object], fault: Fault) -> None:
    async with serving(always(answer(status, body, "Location: http://127.0.0.1:1/\r\n"))) as server:
        assert (await failure(server.base_url)).fault is fault
        assert (await failure(server.base_url, stream=True)).fault is fault


async def test_redirects_are_not_followed() -> None:
    async with serving(always(answer(200, COMPLETION))) as elsewhere:
        moved = answer(307, "", f"Location: {elsewhere.base_url}/chat/completions\r\n")
        async with serving(always(moved)) as server:
            assert "redirects" in str(await failure(server.base_url))
        assert elsewhere.connections == 0


async def test_proxies_from_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(always(answer(200, COMPLETION))) as proxy, serving(always(answer(200, COMPLETION))) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("ALL_PROXY", proxy.base_url)
        provider = await opened(server.base_url)
        await provider.complete(REQUEST)
        await provider.close()
        assert (proxy.connections, server.connections) == (0, 1)


async def test_nobody_listening_is_unreachable() -> None:
    async with serving(always(b"")) as server:
        base_url = server.base_url
    assert (await failure(base_url)).fault is Fault.UNREACHABLE


async def test_an_address_that_is_none_is_a_bad_request() -> None:
    assert (await failure("")).fault is Fault.BAD_REQUEST
    assert (await failure("ftp://127.0.0.1/v1")).fault is Fault.BAD_REQUEST


async def test_a_reset_before_the_answer_is_unreachable() -> None:
    async def reset(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.transport.abort()

    async with serving(reset) as server:
        assert (await failure(server.base_url)).fault is Fault.UNREACHABLE


async def test_an_answer_that_is_not_http_is_malformed() -> None:
    async with serving(always(b"SSH-2.0-OpenSSH\r\n\r\n")) as server:
        assert (await failure(server.base_url)).fault is Fault.MALFORMED


async def test_a_body_that_breaks_off_is_a_cut_stream() -> None:
    async def cut(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(answer(200, COMPLETION)[:-5])
        writer.close()

    async with serving(cut) as server:
        assert (await failure(server.base_url)).fault is Fault.CUT_STREAM


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        (b"", {"first_byte_seconds": 0.05, "connect_seconds": 0.05}),
        (STREAM_HEAD, {"first_byte_seconds": 0.05}),
        (STREAM_HEAD + chunk(piece("Go")), {"idle_seconds": 0.05}),
        (STREAM_HEAD + chunk(piece("Go")), {"total_seconds": 0.05}),
    ],
)
async def test_silence_at_any_stage_is_a_timeout(sent: bytes, options: dict[str, float]) -> None:
    async with serving(always(sent)) as server:
        assert (await failure(server.base_url, stream=True, **options)).fault is Fault.TIMEOUT


async def test_an_answer_without_end_is_given_up() -> None:
    async with serving(always(answer(200, "x" * 5000))) as server:
        assert "longer than 1000 bytes" in str(await failure(server.base_url, answer_bytes=1000))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Tue, 01 Sep 2026 10:00:07 GMT"}, 7.0),
        ({"Retry-After": "Tue, 01 Sep 2026 09:00:00 GMT"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2026, 9, 1, 10, 0, 0, tzinfo=UTC)) == seconds


async def test_the_servers_advice_to_wait_reaches_the_error() -> None:
    async with serving(always(answer(429, error("slow down"), "Retry-After: 3\r\n"))) as server:
        found = await failure(server.base_url)
    assert (found.retry_after_seconds, found.status) == (3.0, 429)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "reply",
    [
        answer(401, error(f"Incorrect API key provided: {KEY}")),
        answer(500, f"key {KEY} broke it"),
        b"nonsense\r\n\r\n",
        answer(200, error(f"Incorrect API key provided: {KEY}")),
        b"",
    ],
)
async def test_the_key_never_shows(monkeypatch: pytest.MonkeyPatch, reply: bytes, stream: bool) -> None:
    monkeypatch.setenv("CANARY_KEY", f" {KEY}\n")

    async def script(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(reply)
        writer.close()

    async with serving(script) as server:
        found = await failure(server.base_url, stream=stream, key_env="CANARY_KEY")
        assert f"Bearer {KEY}\r\n" in server.heads[0]
    seen: BaseException | None = found
    while seen is not None:
        assert KEY not in repr(seen) + str(seen) + repr(vars(seen)) + "".join(traceback.format_exception(seen))
        seen = seen.__cause__ or seen.__context__


async def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_KEY", f"{KEY}\r\nX-Injected: yes")
    async with serving(always(answer(200, COMPLETION))) as server:
        found = await failure(server.base_url, key_env="CANARY_KEY")
        assert found.fault is Fault.AUTH and KEY not in str(found)
        assert server.connections == 0


async def test_without_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANARY_KEY", raising=False)
    async with serving(always(answer(200, COMPLETION))) as server:
        found = await failure(server.base_url, key_env="CANARY_KEY")
        assert (found.fault, "CANARY_KEY is not set" in str(found)) == (Fault.AUTH, True)
        assert server.connections == 0


async def test_connections_are_kept_alive() -> None:
    async with serving(always(answer(200, COMPLETION))) as server:
        provider = await opened(server.base_url)
        for _ in range(3):
            await provider.complete(REQUEST)
        await provider.close()
        assert (server.connections, len(server.heads)) == (1, 3)


async def test_a_kept_connection_that_the_server_drops_is_no_failure() -> None:
    answered = 0

    async def script(writer: asyncio.StreamWriter, body: bytes) -> None:
        nonlocal answered
        answered += 1
        if answered % 2 == 0:
            writer.transport.abort()
        else:
            writer.write(answer(200, COMPLETION))

    async with serving(script) as server:
        provider = await opened(server.base_url)
        for _ in range(4):
            await provider.complete(REQUEST)
        await provider.close()
        assert (server.connections, answered) == (4, 7)


async def test_the_clock_starts_at_the_request_and_not_before_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("steelyard.providers.http.time.perf_counter", lambda: now[0])

    async def script(writer: asyncio.StreamWriter, body: bytes) -> None:
        now[0] += 2.0
        writer.write(answer(200, COMPLETION))

    async with serving(script) as server:
        client = HttpClient(server.base_url, "", Limits())
        connect = client._session.connector._create_connection  # type: ignore[union-attr]

        async def slow(*args: object, **more: object) -> object:
            now[0] += 50.0
            return await connect(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(client._session.connector, "_create_connection", slow)
        async with client.post("/chat/completions", b"{}") as reply:
            await reply.body()
        await client.close()
    assert reply.timing().total_seconds == 2.0
