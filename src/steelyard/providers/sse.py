"""Server-sent events from bytes that may be cut anywhere.

Follows the WHATWG HTML standard, section 9.2.6, except that an event which the end of the stream leaves
without its blank line is given out by `finish` instead of being dropped: servers forget that line.
"""

from __future__ import annotations

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Event:
    """One event; `name` is "message" unless the server says otherwise, `data` its lines joined by newlines."""

    name: str
    data: str


class EventParser:
    """Feed it bytes as they come; it gives back the events they complete."""

    def __init__(self) -> None:
        self._pending = b""
        self._started = False
        self._after_return = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[Event]:
        """The events completed by these bytes. Lines are decoded whole, so no character is ever torn."""
        if not data:
            return []
        if self._after_return:
            data = data.removeprefix(b"\n")
            self._after_return = False
        data = self._pending + data
        if not self._started:
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._pending = data
                return []
            self._started = True
            data = data.removeprefix(_BOM)
        lines = data.splitlines(keepends=True)
        self._pending = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        self._after_return = not self._pending and data.endswith(b"\r")
        events = (self._line(line.rstrip(b"\r\n").decode(errors="replace")) for line in lines)
        return [event for event in events if event is not None]

    def finish(self) -> list[Event]:
        """What the end of the stream leaves over."""
        self._after_return = False
        return self.feed(b"\n\n")

    def _line(self, line: str) -> Event | None:
        if not line:
            event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
            self._name, self._data = "", []
            return event
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        return None
