"""The one HTTP client: POST JSON, read the answer whole or as it comes, with honest stamps and mapped faults.

Stamps are `time.perf_counter` readings. A request's clock starts when its head is about to be written to a
connection that already stands: name resolution, connecting, TLS and waiting for a connection are not in it.
The first and the last byte are stamped when this process's event loop reads them, so a busy loop adds its own
lag; measure latency with little else going on.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from types import SimpleNamespace

import aiohttp

from steelyard.errors import Fault, ProviderError
from steelyard.providers.protocol import Timing
from steelyard.quantities import Seconds

_EXCERPT = 300
_ERROR_BYTES = 2**16
_ERROR_SECONDS = 10.0
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Limits:
    """How long and how much. `first_byte_seconds` counts from the request to the first byte of the answer's
    body, `idle_seconds` between two reads after it. An answer that does not stream has to be whole within the two
    together: whoever sends a byte a second is no better than whoever sends none. `answer_bytes` is counted after
    decompression."""

    connect_seconds: float = 10.0
    first_byte_seconds: float = 120.0
    idle_seconds: float = 60.0
    total_seconds: float = 600.0
    answer_bytes: int = 8 * 2**20


class HttpClient:
    """Posts to one server with kept-alive connections. No redirects, no proxies or netrc from the environment.

    The key is read from the environment at every call and appears in no message.
    """

    def __init__(self, base_url: str, key_env: str, limits: Limits) -> None:
        """Must be made inside a running event loop. `key_env` names the variable that holds the key, or is ""."""
        self.base_url = base_url.rstrip("/")
        self.key_env = key_env
        self.limits = limits
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(_stamp)
        trace.on_connection_reuseconn.append(_kept)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_seconds),
            trace_configs=[trace],
            trust_env=False,
        )

    @asynccontextmanager
    async def post(self, path: str, body: bytes) -> AsyncIterator[Answer]:
        """The answer to a request, once its status is 2xx; leaving early drops the connection.

        Raises ProviderError for everything else: a status that tells of a fault, no connection, silence.
        """
        key = self._key()
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        response, sent = await self._send(path, body, headers)
        try:
            answer = Answer(response, sent, self.limits, key)
            if not 200 <= response.status < 300:
                raise await _failure(answer)
            yield answer
        finally:
            response.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    def _key(self) -> str:
        if not self.key_env:
            return ""
        key = os.environ.get(self.key_env, "").strip()
        if not key:
            raise ProviderError(Fault.AUTH, f"{self.key_env} is not set")
        if not key.isprintable() or not key.isascii():
            raise ProviderError(Fault.AUTH, f"{self.key_env} holds characters that no key has")
        return key

    async def _send(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[aiohttp.ClientResponse, float]:
        patience = min(self.limits.connect_seconds + self.limits.first_byte_seconds, self.limits.total_seconds)
        try:
            async with asyncio.timeout(patience):
                return await self._sent(path, body, headers)
        except (aiohttp.ClientError, OSError) as trouble:
            failure = _trouble(trouble, self.limits.connect_seconds, patience)
        # Raised outside the handler: aiohttp's errors carry the request's headers, and so the key.
        raise failure

    async def _sent(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[aiohttp.ClientResponse, float]:
        """The answer's head. A kept connection that the server closed meanwhile is no failure: the next is taken."""
        while True:
            stamps = SimpleNamespace(sent=time.perf_counter(), kept=False)
            try:
                response = await self._session.post(
                    self.base_url + path,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    trace_request_ctx=stamps,
                )
                return response, float(stamps.sent)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not stamps.kept:
                    raise


class Answer:
    """An answer under way: status and headers are in, the body is not."""

    def __init__(self, response: aiohttp.ClientResponse, sent: float, limits: Limits, key: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.sent = sent
        self.first_byte: float | None = None
        self.last_byte = sent
        self._response = response
        self._limits = limits
        self._key = key

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes as they come. Raises ProviderError on silence, a cut, or too much."""
        size = 0
        while data := await self._read():
            self.last_byte = time.perf_counter()
            self.first_byte = self.first_byte or self.last_byte
            size += len(data)
            if size > self._limits.answer_bytes:
                raise ProviderError(Fault.MALFORMED, f"the answer is longer than {self._limits.answer_bytes} bytes")
            yield data

    async def body(self) -> bytes:
        """The whole body."""
        limits = self._limits
        self._limits = replace(
            limits, total_seconds=min(limits.total_seconds, limits.first_byte_seconds + limits.idle_seconds)
        )
        return b"".join([data async for data in self.chunks()])

    async def beginning(self) -> bytes:
        """As much of the body as an error may need."""
        found = b""
        with suppress(ProviderError):
            async with aclosing(self.chunks()) as chunks:
                async for data in chunks:
                    found += data
                    if len(found) >= _ERROR_BYTES:
                        break
        return found[:_ERROR_BYTES]

    def explain(self, document: bytes) -> tuple[str, str]:
        """What an error in this answer says, and its code; without the key, which some servers repeat."""
        if not self._key:
            return _error_text(document)
        message, code = _error_text(document.replace(self._key.encode(), b"[key]"))
        return message.replace(self._key, "[key]"), code

    def hurry(self, seconds: float) -> None:
        """From now on wait no longer than this for each further read."""
        self._limits = replace(self._limits, idle_seconds=min(seconds, self._limits.idle_seconds))

    def timing(self, first_token: float | None = None, last: float | None = None) -> Timing:
        """From the request to the last byte (or to the stamp `last`), and to the stamp of the first token."""
        first = None if first_token is None else Seconds(first_token - self.sent)
        return Timing(Seconds((last or self.last_byte) - self.sent), first)

    async def _read(self) -> bytes:
        limits = self._limits
        elapsed = time.perf_counter() - self.sent
        patience = limits.first_byte_seconds - elapsed if self.first_byte is None else limits.idle_seconds
        try:
            async with asyncio.timeout(min(patience, limits.total_seconds - elapsed)):
                return await self._response.content.readany()
        except TimeoutError:
            seconds = time.perf_counter() - self.sent
            failure = ProviderError(Fault.TIMEOUT, f"the answer had begun, and was not whole after {seconds:.3g} s")
        except (aiohttp.ClientError, OSError):
            failure = ProviderError(Fault.CUT_STREAM, "the connection closed inside the answer")
        raise failure


async def _stamp(session: aiohttp.ClientSession, context: SimpleNamespace, sent: object) -> None:
    context.trace_request_ctx.sent = time.perf_counter()


async def _kept(session: aiohttp.ClientSession, context: SimpleNamespace, connection: object) -> None:
    context.trace_request_ctx.kept = True


def _trouble(trouble: Exception, connect_seconds: float, patience: float) -> ProviderError:
    if isinstance(trouble, aiohttp.ConnectionTimeoutError):
        return ProviderError(Fault.UNREACHABLE, f"no connection within {connect_seconds:g} s")
    if isinstance(trouble, TimeoutError):
        return ProviderError(Fault.TIMEOUT, f"no answer within {patience:g} s")
    if isinstance(trouble, aiohttp.ClientSSLError):
        return ProviderError(Fault.UNREACHABLE, f"no TLS connection with {trouble.host}:{trouble.port}")
    if isinstance(trouble, aiohttp.ClientConnectorError):
        return ProviderError(Fault.UNREACHABLE, f"no connection to {trouble.host}:{trouble.port}")
    if isinstance(trouble, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        return ProviderError(Fault.BAD_REQUEST, "base_url is not an http or https address")
    if isinstance(trouble, aiohttp.ClientResponseError):
        return ProviderError(Fault.MALFORMED, "the answer is not HTTP")
    return ProviderError(Fault.UNREACHABLE, "the connection closed before the answer")


async def _failure(answer: Answer) -> ProviderError:
    answer.hurry(_ERROR_SECONDS)
    message, code = answer.explain(await answer.beginning())
    if 300 <= answer.status < 400:
        message = "the address redirects elsewhere, which is not followed; correct base_url"
    wait = retry_after(answer.headers, datetime.now(UTC))
    advice = f", try again in {wait:.0f} s" if wait else ""
    return ProviderError(
        fault_of(answer.status, code, message),
        f"{message or 'no explanation'} (HTTP {answer.status}{advice})",
        status=answer.status,
        retry_after_seconds=wait,
    )


def _error_text(body: bytes) -> tuple[str, str]:
    """The message and the code or type, in the shapes that OpenAI-like servers use."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode(errors="replace").strip()
        return (html_said(text) if text.startswith("<") else _line(text)), ""
    inner = document.get("error", document) if isinstance(document, dict) else document
    if not isinstance(inner, dict):
        return _line(str(inner)), ""
    message = inner.get("message") or inner.get("detail") or ""
    code = inner.get("code") or inner.get("type") or ""
    return _line(str(message)), str(code)


def html_said(text: str) -> str:
    """What a page says that came where data was expected: its title."""
    title = _TITLE.search(text[:_ERROR_BYTES])
    return f'HTML, titled "{_line(unescape(title[1]))}"' if title else "HTML"


def _line(text: str) -> str:
    return " ".join(text[: 4 * _EXCERPT].split())[:_EXCERPT]


_BY_STATUS: Mapping[int, Fault] = {
    400: Fault.BAD_REQUEST,
    401: Fault.AUTH,
    402: Fault.PERMISSION,
    403: Fault.PERMISSION,
    404: Fault.NOT_FOUND,
    408: Fault.TIMEOUT,
    409: Fault.SERVER,
    413: Fault.TOO_LONG,
    425: Fault.OVERLOADED,
    429: Fault.RATE_LIMIT,
    503: Fault.OVERLOADED,
    504: Fault.TIMEOUT,
    529: Fault.OVERLOADED,
}
_LENGTH_WORDS = ("context length", "context_length", "maximum context", "context window", "too many tokens")
_FILTER_WORDS = ("content_filter", "content filter", "content management policy", "content_policy")


def fault_of(status: int, code: str, message: str) -> Fault:
    """The fault behind an error. Status 0: the error came inside a stream that had begun well."""
    said = f"{code} {message}".lower()
    if status in (0, 400, 413, 422):
        if any(word in said for word in _LENGTH_WORDS):
            return Fault.TOO_LONG
        if any(word in said for word in _FILTER_WORDS):
            return Fault.CONTENT_FILTER
    if status in (0, 429) and "insufficient_quota" in said:
        return Fault.PERMISSION  # no credit left: waiting does not help
    if status == 0:
        return _in_band(said)
    return _BY_STATUS.get(status, Fault.SERVER if status >= 500 else Fault.BAD_REQUEST)


def _in_band(said: str) -> Fault:
    if "rate" in said and "limit" in said:
        return Fault.RATE_LIMIT
    if "overloaded" in said or "unavailable" in said:
        return Fault.OVERLOADED
    if "invalid_request" in said:
        return Fault.BAD_REQUEST
    return Fault.SERVER


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait as the server advises: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        try:
            date = parsedate_to_datetime(headers.get("Retry-After", ""))
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None
