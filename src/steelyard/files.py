"""Files that are whole or not there, and that one process at a time may write."""

from __future__ import annotations

import fcntl
import glob
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from steelyard.errors import NotWritable, Problem


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file at once: a reader, and a machine that stops in between, sees the old content or the new.

    The folder must exist. Raises NotWritable with the old content left as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        _sweep(path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the system refuses inside the block becomes one message about `path`: NotWritable."""
    try:
        yield
    except OSError as error:
        raise NotWritable(
            Problem(
                slug="output-not-writable",
                where=str(path),
                what=f"cannot be written: {error.strerror or error}",
                next_step="free disk space, or make the folder exist and writable, then give the same command again",
            )
        ) from error


@contextmanager
def hold(path: Path, busy: str, *, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Keep every other holder of `path` out until the block is left or this process ends, however it ends.

    The kernel keeps the lock with the open file, so none is ever stale; the file stays and says who held it last.
    If another process holds it, raises NotWritable with `busy` and who that is since when; with `wait` that
    sentence is said instead, and the block begins when the other has let go. The folder is made if missing.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with writing(path):
            _take(descriptor, path, busy, wait)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, busy: str, wait: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = f"{busy} ({_holder(descriptor)})"
        if wait is None:
            step = "wait until it ends, or stop it: what it has finished is kept"
            raise NotWritable(Problem("in-use", said, str(path), next_step=step)) from None
        wait(said)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    with suppress(OSError):  # a full disk: the lock holds all the same, it only has no name on it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)


def _holder(descriptor: int) -> str:
    name = os.pread(descriptor, 300, 0).decode(errors="replace").strip() or "its process is not known"
    since = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
    return f"{name}, since {since:%Y-%m-%d %H:%M:%S} UTC"


def _sweep(path: Path) -> None:
    """Remove what killed writers of the same file left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        writer = left.suffix[1:]
        if writer.isdecimal() and not _alive(int(writer)):
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
