"""The endpoint: OpenAI's routes over HTTP, server-sent events, limits, and clients that hang up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from http import HTTPStatus

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import Receive, Scope, Send

from steelyard.errors import ProviderError
from steelyard.providers.protocol import Completion
from steelyard.serving import chat
from steelyard.serving.gateway import Exchange, Gateway
from steelyard.serving.refusal import Refusal, not_found

LARGEST_BODY_BYTES = 1_000_000
READ_AND_THROWN_AWAY_BYTES = 16_000_000
BODY_SECONDS = 30.0
MOST_AT_ONCE = 64

log = logging.getLogger("steelyard.serving")


def build_app(
    gateway: Gateway, *, made_at: int, allowed_hosts: Sequence[str] = ("*",), most_at_once: int = MOST_AT_ONCE
) -> Starlette:
    """The endpoint over an open pool. `made_at` is when the decision was made, in Unix seconds.

    `allowed_hosts` are the Host headers answered: naming the loopback's own names keeps web pages that rebind
    their host name to 127.0.0.1 from using the endpoint.
    """
    vendors = (("steelyard", gateway.study), *((route.vendor, route.candidate_id) for route in gateway.routes))
    models = {id: {"id": id, "object": "model", "created": made_at, "owned_by": vendor} for vendor, id in vendors}

    async def list_models(_: Request) -> Response:
        return _json(200, {"object": "list", "data": list(models.values())})

    async def one_model(request: Request) -> Response:
        asked = request.path_params["id"]
        return _json(200, models[asked]) if asked in models else _refuse(not_found(asked, tuple(models)))

    async def healthz(_: Request) -> Response:
        try:
            gateway.usage_log.open()
        except OSError:
            return _json(503, {"status": "the usage log cannot be written", "study": gateway.study})
        return _json(200, {"status": "ok", "study": gateway.study})

    return Starlette(
        routes=[
            Path("/v1/chat/completions", ChatCompletions(gateway, most_at_once), methods=["POST"]),
            Path("/v1/models", list_models, methods=["GET"]),
            Path("/v1/models/{id:path}", one_model, methods=["GET"]),
            Path("/healthz", healthz, methods=["GET"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False)],
        exception_handlers={HTTPException: _http_error},
    )


class ChatCompletions:
    """POST /v1/chat/completions as an ASGI application."""

    def __init__(self, gateway: Gateway, most_at_once: int) -> None:
        self._gateway, self._most, self._now = gateway, most_at_once, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._now >= self._most:
            busy = Refusal(429, "too_many_requests", f"{self._most} requests are being answered already",
                           headers={"retry-after": "1"})  # fmt: skip
            await _refuse(busy)(scope, receive, send)
            return
        self._now += 1
        try:
            ask = chat.parse(await _body(Request(scope, receive)))
            exchange = Exchange(self._gateway, ask)
            respond = _stream(exchange, send) if ask.stream else _plain(exchange, scope, receive, send)
            await _while_there(respond, receive, exchange)
        except Refusal as refusal:
            await _refuse(refusal)(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            self._now -= 1


async def _plain(exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
    completion: Completion | None = None
    with _booked(exchange):
        async with aclosing(exchange.chunks()) as chunks:
            async for chunk in chunks:
                completion = chunk if isinstance(chunk, Completion) else None
    assert completion is not None
    exchange.write("answered", completion)
    body = chat.completion_body(*exchange.head, completion)
    await Response(body, 200, {"x-steelyard-route": exchange.trail}, "application/json")(scope, receive, send)


async def _stream(exchange: Exchange, send: Send) -> None:
    """Headers wait for the first piece, so that a route can still be passed over; after it, errors go in band."""
    begun = False
    try:
        completion: Completion | None = None
        with _booked(exchange):
            async with aclosing(exchange.chunks()) as chunks:
                async for chunk in chunks:
                    if not begun:
                        exchange.write("begun")
                        begun = True
                        await _open(exchange, send)
                    if isinstance(chunk, Completion):
                        completion = chunk
                    else:
                        await _event(send, chat.delta_event(*exchange.head, chunk.text))
        assert completion is not None
        exchange.write("answered", completion)
        await _event(send, chat.last_events(*exchange.head, completion, exchange.ask.include_usage), more=False)
    except Refusal as refusal:
        if not begun:
            raise
        await _event(send, chat.error_event(refusal), more=False)


@contextmanager
def _booked(exchange: Exchange) -> Iterator[None]:
    """Whatever ends an answer early stands in the usage log, and leaves as a Refusal."""
    try:
        yield
    except asyncio.CancelledError:
        exchange.write(exchange.broke_off)
        raise Refusal(503, "stopping", "the endpoint is stopping") from None
    except Refusal:
        raise
    except ProviderError as error:
        exchange.write("cut")
        said = f"{exchange.answered_by} broke off in the middle of its answer ({error.fault.value})"
        raise Refusal(503, error.fault.value.replace(" ", "_"), said) from None
    except Exception:  # a fault of ours: the client gets a 500 in the API's shape, the log the traceback
        log.exception("%s failed", exchange.call)
        exchange.write("failed")
        raise Refusal(500, "internal_error", "the endpoint failed; its log says why") from None


async def _while_there(respond: Coroutine[None, None, None], receive: Receive, exchange: Exchange) -> None:
    """Run `respond` and cancel it, down to the upstream call, as soon as the client hangs up."""
    work = asyncio.ensure_future(respond)
    watch = asyncio.ensure_future(_hang_up(receive))
    try:
        await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            exchange.broke_off = "disconnected"
    finally:
        watch.cancel()
        work.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)
    if not work.cancelled():
        work.result()


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    """The whole body, or Refusal. A body that is too long is read on a while, so that the client gets the answer."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(400, "invalid_content_type", "send the header Content-Type: application/json")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size <= LARGEST_BODY_BYTES:
                    pieces.append(piece)
                elif size > READ_AND_THROWN_AWAY_BYTES:
                    break
    except TimeoutError:
        raise Refusal(408, "too_slow", f"the body did not arrive within {BODY_SECONDS:.0f} s") from None
    if size > LARGEST_BODY_BYTES:
        raise Refusal(413, "body_too_large", f"the body is larger than {LARGEST_BODY_BYTES:,} bytes")
    return b"".join(pieces)


async def _open(exchange: Exchange, send: Send) -> None:
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-steelyard-route": exchange.trail,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    await _event(send, chat.first_event(*exchange.head))


async def _event(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


def _refuse(refusal: Refusal) -> Response:
    return _json(refusal.status, refusal.body, refusal.headers)


def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    return _json(error.status_code, Refusal(error.status_code, phrase.lower().replace(" ", "_"), phrase).body)


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")
