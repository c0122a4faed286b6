"""Verdicts on paper: as text for people, as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steelyard.cli.say import say, say_json

if TYPE_CHECKING:
    from steelyard.licences import Verdict

NOT_ADVICE = "Not legal advice: read the clause itself, and ask a lawyer where it matters."


def say_verdict(name: str, verdict: Verdict) -> None:
    """Who, the verdict, then each clause, duty, question and limit on a line of its own."""
    terms = f"{verdict.licence_name or verdict.licence_id} {verdict.revision}".strip() or "no terms known"
    colour = {"allowed": "green", "conditional": "yellow"}.get(verdict.status, "red")
    say(f"{name}: {verdict.status} under {terms}", colour=colour, bold=True)
    for reason in verdict.reasons:
        where = f"{reason.licence} {reason.clause}".strip()
        say(f"  {reason.effect}: {reason.text} ({where})")
    limits = tuple(limit.text for limit in verdict.thresholds)
    for head, texts in (
        ("duty", verdict.duties),
        ("question", verdict.questions),
        ("threshold", limits),
        ("not read", verdict.not_read),
    ):
        for text in texts:
            say(f"  {head}: {text}")
    if verdict.source:
        say(f"  as of {verdict.as_of}: {verdict.source}")


def verdict_row(verdict: Verdict) -> dict[str, object]:
    """One answer of a batch. Every reason says which licence, which section, where and when it was read."""
    return {
        "verdict": verdict.status,
        "licence": verdict.licence_id,
        "revision": verdict.revision,
        "reasons": [
            {
                "text": reason.text,
                "licence": reason.licence_id or reason.licence,
                "section": reason.clause,
                "effect": reason.effect,
                "source": reason.source,
                "as_of": reason.as_of,
            }
            for reason in verdict.reasons
        ],
        "duties": verdict.duties,
        "questions": verdict.questions,
        "thresholds": [
            {
                "text": limit.text,
                "licence": limit.licence_id,
                "section": limit.section,
                "effect": limit.effect,
                "counted": limit.counted,
                "limit": limit.limit,
                "value": limit.value,
                "headroom": limit.headroom,
                "crossed_in_months": limit.crossed_in_months,
                "crossed_in": limit.crossed_in or None,
            }
            for limit in verdict.thresholds
        ],
        "not_read": verdict.not_read,
    }


def say_document(document: dict[str, object]) -> None:
    """One JSON document with the version of its form."""
    import orjson

    say_json(orjson.dumps({"schema_version": "1.0", **document}, option=orjson.OPT_INDENT_2))
