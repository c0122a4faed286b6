"""One file from a model hub, resumed where an earlier download stopped.

The address is that of the Hugging Face Hub: ENDPOINT/OWNER/NAME/resolve/REVISION/FILE. HF_ENDPOINT names another
endpoint, HF_TOKEN a token; the token goes to that endpoint only, not to where it redirects, and into no message.
"""

from __future__ import annotations

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote

from steelyard.catalogue.model import Weights
from steelyard.errors import NotAvailable, Problem

ENDPOINT = "https://huggingface.co"
TIMEOUT_SECONDS = 30
BLOCK_BYTES = 1 << 20


def fetch_member(weights: Weights, member: str, folder: Path, say: Callable[[str], None]) -> Path:
    """The member in `folder`, complete. A rest of an earlier try is continued where the server allows it."""
    address = f"{weights.repository}/resolve/{weights.revision or 'main'}/{member}"
    place = folder / member
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(place.name + ".part")
    start = part.stat().st_size if part.exists() else 0
    url = f"{os.environ.get('HF_ENDPOINT') or ENDPOINT}/{quote(address)}"
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    token = os.environ.get("HF_TOKEN")
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    say(f"{address}: downloading" + (f", going on after {start:,} bytes" if start else ""))
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            expected = answer.headers.get("Content-Length")
            resumed = answer.status == 206
            with part.open("ab" if resumed else "wb") as file:
                shutil.copyfileobj(answer, file, BLOCK_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                part.unlink(missing_ok=True)
            raise _failed(address, _meaning(error.code)) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise _failed(address, str(getattr(error, "reason", error))) from None
    whole = (start if resumed else 0) + int(expected) if expected else None
    if whole is not None and part.stat().st_size < whole:
        raise _failed(address, f"the connection ended after {part.stat().st_size:,} of {whole:,} bytes")
    part.replace(place)
    return place


def _meaning(status: int) -> str:
    if status in (401, 403):
        return f"status {status}: the repository is gated; accept its licence there and set HF_TOKEN"
    if status == 404:
        return "status 404: no such repository, revision or file"
    return f"status {status}"


def _failed(address: str, why: str) -> NotAvailable:
    return NotAvailable(
        Problem(
            slug="download-failed",
            what=f"could not download {address}: {why}",
            next_step="try again: what has come so far is kept",
        )
    )
