"""The official client talks to the endpoint over a loopback socket."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from typing import TYPE_CHECKING

import aiohttp
import openai
import pytest

from steelyard.errors import Fault, ProviderError
from steelyard.providers.privacy import DataRule

if TYPE_CHECKING:
    from tests.serving.conftest import Bench

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = [{"role": "user", "content": "where is my parcel?"}]


def failure(fault: Fault, message: str = "told to") -> ProviderError:
    return ProviderError(fault, message)


async def test_models_are_the_study_then_each_candidate(bench: Bench) -> None:
    bench.add("linear", "delivery", classifier=True)
    bench.add("smol", "hello")
    async with bench.client() as client:
        models = [model.id async for model in client.models.list()]
    assert models == ["inbox", "linear", "smol"]


async def test_one_model_is_told_by_its_id_whatever_signs_are_in_it(bench: Bench) -> None:
    bench.add("host:org/smol@main#q8_0+head", "hello")
    async with bench.client() as client:
        for id in ("inbox", "host:org/smol@main#q8_0+head"):
            assert (await client.models.retrieve(id)).id == id
        with pytest.raises(openai.NotFoundError, match="there are: inbox, host:org/smol"):
            await client.models.retrieve("nobody")


async def test_the_study_does_its_task_on_the_last_user_message(bench: Bench) -> None:
    fake = bench.add("smol", "deli", "very")
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"}, *HELLO]
    async with bench.client() as client:
        raw = await client.chat.completions.with_raw_response.create(model="inbox", messages=turns)
    answer = raw.parse()
    assert answer.choices[0].message.content == "delivery"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "smol"
    assert raw.headers["x-steelyard-route"] == "smol"
    assert answer.usage is not None and answer.usage.total_tokens == 10
    assert fake.inputs == ["where is my parcel?"]


async def test_a_candidate_asked_by_its_own_id_gets_the_conversation_and_the_settings(bench: Bench) -> None:
    fake = bench.add("smol", "hello")
    turns = [{"role": "developer", "content": [{"type": "text", "text": "be "}, {"type": "text", "text": "brief"}]}]
    async with bench.client() as client:
        answer = await client.chat.completions.create(
            model="smol", messages=[*turns, *HELLO], max_completion_tokens=9, temperature=0.5, stop="\n"
        )
    assert answer.choices[0].message.content == "hello"
    (asked,) = fake.asked
    assert [(m.role, m.content) for m in asked.messages] == [("system", "be brief"), ("user", "where is my parcel?")]
    assert (asked.settings.max_tokens, asked.settings.temperature, asked.settings.stop) == (9, 0.5, ("\n",))


async def test_a_classifier_asked_by_its_own_id_answers_with_its_label(bench: Bench) -> None:
    fake = bench.add("linear", "delivery", classifier=True)
    async with bench.client() as client:
        answer = await client.chat.completions.create(model="linear", messages=HELLO)
    assert answer.choices[0].message.content == "delivery"
    assert fake.inputs == ["where is my parcel?"]


@pytest.mark.parametrize("model", ["smol", "inbox"])
async def test_a_stream_ends_with_its_reason_and_the_usage_that_was_asked_for(bench: Bench, model: str) -> None:
    bench.add("smol", "hel", "", "lo 😀")
    async with bench.client() as client:
        stream = await client.chat.completions.create(
            model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "hello 😀"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 3
    assert {chunk.model for chunk in chunks} == {"smol"}


async def test_without_include_usage_no_chunk_lacks_a_choice(bench: Bench) -> None:
    bench.add("smol", "hello")
    async with bench.client() as client:
        stream = await client.chat.completions.create(model="smol", messages=HELLO, stream=True)
        assert all([chunk.choices async for chunk in stream])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failing_target_is_passed_over_and_the_answer_says_who_gave_it(bench: Bench, stream: bool) -> None:
    bench.add("first", failure(Fault.CRASHED))
    bench.add("second", "", "delivery")
    async with bench.client() as client:
        raw = await client.chat.completions.with_raw_response.create(model="inbox", messages=HELLO, stream=stream)
        answer = raw.parse()
        model = (await anext(aiter(answer))).model if stream else answer.model
        if stream:
            assert [chunk async for chunk in answer]
    assert model == "second"
    assert raw.headers["x-steelyard-route"] == "first (crashed) > second"
    assert bench.lines[-1]["steps"] == [
        {"candidate": "first", "fault": "crashed"},
        {"candidate": "second", "fault": ""},
    ]


async def test_a_fault_that_may_pass_is_tried_again_before_the_next_target(bench: Bench) -> None:
    first = bench.add("first", failure(Fault.OVERLOADED))
    second = bench.add("second", "delivery")
    async with bench.client() as client:
        await client.chat.completions.create(model="inbox", messages=HELLO)
    assert (len(first.asked), len(second.asked)) == (2, 1)


async def test_an_answer_without_a_label_is_not_asked_for_again_but_counted(bench: Bench) -> None:
    first = bench.add("first", "")
    bench.add("second", "delivery")
    async with bench.client() as client:
        raw = await client.chat.completions.with_raw_response.create(model="inbox", messages=HELLO)
    assert len(first.inputs) == 1
    assert raw.headers["x-steelyard-route"] == "first (no label) > second"
    assert bench.lines[0]["steps"][0]["usage"]["output_tokens"] == 3  # type: ignore[index]


async def test_who_names_a_candidate_gets_no_other_ones_answer(bench: Bench) -> None:
    bench.add("first", failure(Fault.CRASHED))
    second = bench.add("second", "hello")
    async with bench.client() as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="first", messages=HELLO)
    assert caught.value.status_code == 503
    assert second.asked == []


async def test_a_content_filter_is_not_routed_around(bench: Bench) -> None:
    bench.add("first", failure(Fault.CONTENT_FILTER))
    second = bench.add("second", "delivery")
    async with bench.client() as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="inbox", messages=HELLO)
    assert caught.value.code == "content_filter"
    assert second.asked == []


async def test_trouble_upstream_is_never_the_clients_key(bench: Bench) -> None:
    statuses = {Fault.BAD_REQUEST: 400, Fault.TOO_LONG: 400, Fault.CONTENT_FILTER: 400, Fault.RATE_LIMIT: 429}
    for fault in Fault:
        bench.add(fault.name, failure(fault, "bad key sk-secret"))
    async with bench.client() as client:
        for fault in Fault:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(model=fault.name, messages=HELLO)
            assert caught.value.status_code == statuses.get(fault, 503)
            assert ("sk-secret" in str(caught.value)) == (caught.value.status_code == 400)
            assert bench.lines[-1]["outcome"] == "failed"


async def test_a_prompt_of_the_studys_own_is_never_the_clients_bad_request(bench: Bench) -> None:
    bench.add("smol", failure(Fault.BAD_REQUEST))
    async with bench.client() as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="inbox", messages=HELLO)


async def test_a_silent_target_is_given_up(bench: Bench) -> None:
    bench.patience_seconds = 0.05
    silent = bench.add("first", asyncio.Event())
    bench.add("second", "delivery")
    async with bench.client() as client:
        answer = await client.chat.completions.create(model="inbox", messages=HELLO)
    assert answer.model == "second"
    assert silent.cancelled.is_set()


async def test_a_stream_that_breaks_off_says_so_in_band_and_is_not_switched(bench: Bench) -> None:
    bench.add("first", "deli", failure(Fault.CUT_STREAM))
    second = bench.add("second", "delivery")
    async with bench.client() as client:
        stream = await client.chat.completions.create(model="first", messages=HELLO, stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            _ = [chunk async for chunk in stream]
        async with aiohttp.ClientSession() as session:
            body = {"model": "first", "messages": HELLO, "stream": True}
            async with session.post(bench.url + "/v1/chat/completions", json=body) as response:
                text = await response.text()
    assert '"error"' in text and "[DONE]" not in text and '"finish_reason":"stop"' not in text
    assert second.asked == []
    assert [line["outcome"] for line in bench.lines[:2]] == ["begun", "cut"]


async def test_data_that_may_not_leave_opens_nothing(bench: Bench) -> None:
    bench.rule = DataRule("confidential", "own")
    vendor = bench.add("vendor", "hello", custody="any")
    async with bench.client() as client:
        for model in ("inbox", "vendor"):
            with pytest.raises(openai.PermissionDeniedError, match="confidential data may not leave own machines"):
                await client.chat.completions.create(model=model, messages=HELLO)
    assert bench.pool.opened == [] and vendor.asked == []
    assert [line["outcome"] for line in bench.lines] == ["denied", "denied"]
    assert "may not leave" in str(bench.lines[0]["rule"])


async def test_a_fallback_that_may_not_see_the_data_is_no_fallback(bench: Bench) -> None:
    bench.rule = DataRule("confidential", "own")
    bench.add("local", failure(Fault.CRASHED))
    vendor = bench.add("vendor", "delivery", custody="any")
    async with bench.client() as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="inbox", messages=HELLO)
    assert "vendor" not in bench.pool.opened and vendor.asked == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_hangs_up_stops_the_call_upstream(bench: Bench, stream: bool) -> None:
    never = asyncio.Event()
    fake = bench.add("smol", *(["he"] if stream else []), never)
    body = {"model": "smol", "messages": HELLO, "stream": stream}
    async with bench.client(), aiohttp.ClientSession() as session:
        call = asyncio.ensure_future(session.post(bench.url + "/v1/chat/completions", json=body))
        if stream:
            response = await call
            await response.content.readany()
            response.close()
        else:
            await fake.called.wait()
            call.cancel()
        async with asyncio.timeout(5):
            await fake.cancelled.wait()
    assert bench.lines[-1]["outcome"] == "disconnected"
    assert bench.lines[-1]["usage"] == {"unknown": "the answer did not end"}


async def test_a_stopping_endpoint_ends_a_stream_with_an_error_within_two_seconds(bench: Bench) -> None:
    fake = bench.add("smol", "he", asyncio.Event())
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        async with bench.own_server():
            body = {"model": "smol", "messages": HELLO, "stream": True}
            response = await session.post(bench.url + "/v1/chat/completions", json=body)
            stopping = loop.time()
        assert loop.time() - stopping < 2
        assert b"the endpoint is stopping" in await response.read()
    assert fake.cancelled.is_set()
    assert bench.lines[-1]["outcome"] == "stopped"


async def test_the_log_says_who_asked_what_and_what_it_took_but_not_what_was_said(bench: Bench) -> None:
    bench.add("smol", "delivery", priced=True)
    async with bench.client() as client:
        answer = await client.chat.completions.create(model="inbox", messages=HELLO)
    (line,) = bench.lines
    assert line["call"] == answer.id
    assert line["time"] == "2026-03-01T12:00:00.000+00:00"
    assert (line["asked"], line["answered_by"], line["outcome"]) == ("inbox", "smol", "answered")
    tokens = {"input_tokens": 7, "output_tokens": 3, "cached_tokens": 0, "reasoning_tokens": 0}
    assert line["usage"].items() >= {**tokens, "estimated": False}.items()
    assert line["cost_usd"] == "0.000044"
    assert line["data_class"] == "internal"
    assert line["rule"] == "internal data may be sent to: any; smol is: own"
    assert line["input_sha256"] == hashlib.sha256(b'[["user","where is my parcel?"]]').hexdigest()
    assert line["output_sha256"] == hashlib.sha256(b"delivery").hexdigest()
    assert "parcel" not in bench.log.read_text()
    assert bench.log.stat().st_mode & 0o777 == 0o600


async def test_a_call_without_a_price_is_not_free(bench: Bench) -> None:
    bench.add("smol", "delivery")
    async with bench.client() as client:
        await client.chat.completions.create(model="inbox", messages=HELLO)
    assert bench.lines[0]["cost_usd"] == {"unknown": "no offer prices it"}


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_goes_out_unlogged(bench: Bench, stream: bool) -> None:
    bench.add("smol", "delivery")
    bench.log.mkdir(parents=True)
    async with bench.client() as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="smol", messages=HELLO, stream=stream)
        async with aiohttp.ClientSession() as session, session.get(bench.url + "/healthz") as health:
            assert health.status == 503
    assert caught.value.code == "usage_log_unwritable"
    assert "delivery" not in str(caught.value)


async def test_a_log_that_fails_in_the_middle_of_a_stream_ends_it_with_an_error(bench: Bench) -> None:
    hold = asyncio.Event()
    bench.add("smol", "he", hold, "llo")
    async with bench.client() as client:
        stream = await client.chat.completions.create(model="smol", messages=HELLO, stream=True)
        bench.log.unlink()
        bench.log.mkdir()
        hold.set()
        with pytest.raises(openai.APIError, match="usage log"):
            _ = [chunk async for chunk in stream]


async def test_an_unknown_model_is_a_404_that_lists_the_models(bench: Bench) -> None:
    bench.add("smol", "hello")
    async with bench.client() as client:
        with pytest.raises(openai.NotFoundError, match="there are: inbox, smol") as caught:
            await client.chat.completions.create(model="gpt-x", messages=HELLO)
    assert caught.value.param == "model"


async def test_more_requests_than_are_allowed_at_once_are_told_to_come_back(bench: Bench) -> None:
    bench.most_at_once = 1
    hold = asyncio.Event()
    fake = bench.add("smol", hold, "hello")
    async with bench.client() as client:
        first = asyncio.ensure_future(client.chat.completions.create(model="smol", messages=HELLO))
        await fake.called.wait()
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="smol", messages=HELLO)
        hold.set()
        assert (await first).choices[0].message.content == "hello"
        assert await client.chat.completions.create(model="smol", messages=HELLO)
    assert caught.value.response.headers["retry-after"] == "1"


async def test_a_body_over_a_megabyte_is_a_413(bench: Bench) -> None:
    bench.add("smol", "hello")
    async with bench.client(), aiohttp.ClientSession() as session:
        url, headers = bench.url + "/v1/chat/completions", {"content-type": "application/json"}
        async with session.post(url, data=io.BytesIO(b" " * 5_000_000), headers=headers) as response:
            assert response.status == 413
            assert (await response.json())["error"]["code"] == "body_too_large"


async def test_a_message_without_a_user_is_no_input(bench: Bench) -> None:
    bench.add("smol", "hello")
    async with bench.client() as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="inbox", messages=[{"role": "system", "content": "x"}])
        assert await client.chat.completions.create(model="smol", messages=[{"role": "system", "content": "x"}])
    assert caught.value.param == "messages"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/chat/completions", 405), ("POST", "/v1/embeddings", 404)]
)
async def test_other_routes_fail_in_the_clients_own_error_shape(
    bench: Bench, method: str, path: str, status: int
) -> None:
    async with bench.client(), aiohttp.ClientSession() as session, session.request(method, bench.url + path) as got:
        assert got.status == status
        assert set(json.loads(await got.text())["error"]) == {"message", "type", "param", "code"}


async def test_a_form_from_a_web_page_is_not_taken(bench: Bench) -> None:
    bench.add("smol", "hello")
    body = json.dumps({"model": "smol", "messages": HELLO})
    async with (
        bench.client(),
        aiohttp.ClientSession() as session,
        session.post(bench.url + "/v1/chat/completions", data=body, headers={"content-type": "text/plain"}) as got,
    ):
        assert got.status == 400


async def test_a_bug_is_a_500_that_is_logged_and_tells_nothing(bench: Bench) -> None:
    bench.add("smol", ZeroDivisionError("secret"))
    async with bench.client() as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="smol", messages=HELLO)
    assert caught.value.status_code == 500 and "secret" not in str(caught.value)
    assert bench.lines[-1]["outcome"] == "failed"
