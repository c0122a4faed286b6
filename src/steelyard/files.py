"""Files that are whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from steelyard.errors import NotWritable, Problem


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file at once: a reader, and a machine that stops in between, sees the old content or the new.

    The folder must exist. Raises NotWritable with the old content left as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise NotWritable(
            Problem(
                slug="output-not-writable",
                where=str(path),
                what=f"cannot be written: {error.strerror or error}",
                next_step="free disk space, or make the folder exist and writable, then give the same command again",
            )
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
