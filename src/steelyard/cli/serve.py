"""`steelyard serve STUDY`: the decision's winner behind an OpenAI-compatible endpoint on this machine."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.say import say
from steelyard.visible import visible

if TYPE_CHECKING:
    import socket

    from steelyard.providers.pool import Pool
    from steelyard.serving.usage_log import UsageLog
    from steelyard.serving.wiring import Wired


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8700, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes any free one."
)
@click.option("--check", is_flag=True, help="Start, ask one question, print the answer, stop: exit 0 or 3.")
def command(study: Path, host: str, port: int, check: bool) -> None:
    """Serve the decision of STUDY to programs that speak OpenAI's API.

    The model named after the study does the study's task, with the winner's prompt, examples and labels; if the
    winner fails, the next in the decision's order answers. A candidate's own id passes the conversation through.
    Every answer is in the usage log, STUDY_DIR/.steelyard/usage.jsonl, before it goes out. Ctrl-C stops.
    """
    import asyncio

    from steelyard.cli.rim import log_to_stderr
    from steelyard.serving.server import bind
    from steelyard.serving.wiring import wire

    log_to_stderr()
    wired = wire(study)
    log = _usage_log(wired)
    for reason in wired.left_out:
        say(f"not available as a fallback: {reason}", err=True)
    sock = bind(host, port)
    asyncio.run(_serve(wired, log, sock, host, check))


def _usage_log(wired: Wired) -> UsageLog:
    from steelyard.errors import InputError, Problem
    from steelyard.serving.usage_log import UsageLog

    log = UsageLog(wired.output / "usage.jsonl")
    try:
        log.open()
    except OSError as error:
        raise InputError(
            Problem(
                slug="usage-log-unwritable",
                what=f"cannot be written: {error.strerror or error}",
                where=str(log.file),
                next_step="make room or correct the permissions; nothing is served unlogged",
            )
        ) from error
    return log


async def _serve(wired: Wired, log: UsageLog, sock: socket.socket, host: str, check: bool) -> None:
    from steelyard.providers.pool import Pool
    from steelyard.serving.app import build_app
    from steelyard.serving.gateway import Gateway
    from steelyard.serving.server import LOOPBACK_NAMES, serving, until_told_to_stop, url_of

    async with Pool(wired.rule) as pool:
        await _warm_up(wired, pool)
        gateway = Gateway(wired.study, wired.routes, wired.rule, pool, log)
        local = host in LOOPBACK_NAMES
        if not local:
            say(f"anyone who can reach {host} can use this endpoint: it asks for no key", err=True)
        app = build_app(gateway, made_at=wired.made_at, allowed_hosts=LOOPBACK_NAMES if local else ("*",))
        async with serving(app, sock) as server:
            if check:
                await _ask(wired, url_of(sock))
                return
            say(_greeting(wired, url_of(sock)))
            await until_told_to_stop(server)
            say("stopping", err=True)


async def _warm_up(wired: Wired, pool: Pool) -> None:
    """Load the winner before the first request; if it does not load, the fallbacks may still serve."""
    from steelyard.errors import SteelyardError

    winner = wired.routes[0]
    say(f"loading {winner.candidate_id} ...", err=True)
    try:
        await pool.get(winner.target)
    except SteelyardError as error:
        say(f"{winner.candidate_id} cannot answer now: {error}", err=True)


def _greeting(wired: Wired, url: str) -> str:
    winner, *others = (route.candidate_id for route in wired.routes)
    fallbacks = f", then {', '.join(others)}" if others else ""
    return (
        f"{wired.study} is served at {url}/v1 by {winner}{fallbacks}\n"
        f"usage log: {wired.output / 'usage.jsonl'}\n\n"
        f"curl {url}/v1/chat/completions -H 'Content-Type: application/json' -d "
        + shlex.quote(json.dumps(_body(wired, "Hello")))
        + "\n\nCtrl-C stops"
    )


def _body(wired: Wired, text: str) -> dict[str, object]:
    return {"model": wired.study, "messages": [{"role": "user", "content": text}]}


async def _ask(wired: Wired, url: str) -> None:
    """One question over the socket, as any client would ask it."""
    import aiohttp

    from steelyard.errors import GateFailed, Problem

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=_body(wired, wired.question)) as response,
    ):
        answer = await response.json()
    if response.status != 200:
        raise GateFailed(
            Problem(
                slug="serve-check-failed",
                what=f"the endpoint answered {response.status}: {answer['error']['message']}",
                next_step="steelyard doctor says what is missing; the usage log names the fault of each candidate",
            )
        )
    say(f"asked:    {visible(wired.question)}")
    said = visible(answer["choices"][0]["message"]["content"])
    say(f"answered: {said}  ({answer['model']})")
