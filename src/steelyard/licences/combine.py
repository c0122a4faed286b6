"""Several terms at once: all of them, or the ones of the user's choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from steelyard.licences.verdict import STRICTEST_FIRST, Reason, Verdict


def all_of(verdicts: tuple[Verdict, ...]) -> Verdict:
    """All terms apply: the strictest decides, duties and questions add up. The first is the model's own.

    Where one forbids, only what could lift that is asked, and no duty helps.
    """
    if len(verdicts) == 1:
        return verdicts[0]
    reasons = sort(dict.fromkeys(reason for verdict in verdicts for reason in verdict.reasons))
    status = min((verdict.status for verdict in verdicts), key=STRICTEST_FIRST.index)
    asking = [verdict for verdict in verdicts if status != "forbidden" or verdict.status == "forbidden"]
    return Verdict(
        status=status,
        reasons=reasons,
        duties=unique(duty for verdict in asking for duty in verdict.duties),
        questions=unique(question for verdict in asking for question in verdict.questions),
        not_read=unique(text for verdict in verdicts for text in verdict.not_read),
        licence_id=" AND ".join(unique(verdict.licence_id for verdict in verdicts if verdict.licence_id)),
        licence_name=" and ".join(unique(verdict.licence_name for verdict in verdicts if verdict.licence_name)),
        revision=verdicts[0].revision,
        source="; ".join(unique(verdict.source for verdict in verdicts if verdict.source)),
        as_of=min((verdict.as_of for verdict in verdicts if verdict.as_of), default=""),
        thresholds=tuple(dict.fromkeys(limit for verdict in verdicts for limit in verdict.thresholds)),
    )


def any_of(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The user may choose: the most permissive terms, those with the fewest duties and questions among equals."""
    if len(verdicts) == 1:
        return verdicts[0]
    chosen = max(
        verdicts,
        key=lambda verdict: (STRICTEST_FIRST.index(verdict.status), -len(verdict.questions), -len(verdict.duties)),
    )
    others = ", ".join(verdict.licence_name or verdict.licence_id for verdict in verdicts if verdict is not chosen)
    name = chosen.licence_name or chosen.licence_id
    choice = Reason(
        chosen.status, "", f"you may choose the terms: {name} rather than {others}", name, chosen.licence_id
    )
    return replace(chosen, reasons=sort((*chosen.reasons, choice)))


def with_hidden_bases(verdict: Verdict, tag: str, bases: Iterable[Verdict]) -> Verdict:
    """The verdict with a word on each base whose terms are stricter than a permissive tag lets one think.

    It cites the clause of the base that decides.
    """
    words = []
    for base in bases:
        terms = base.licence_name or base.licence_id
        text = (
            f"the tag {tag} hides a base: it derives from a model under {terms or 'terms that are not known'}, "
            "which bind it as well"
        )
        decides = next((reason for reason in base.reasons if reason.clause), None)
        if decides is None:
            words.append(
                Reason(base.status, "", text, terms or "no terms read", base.licence_id, base.source, base.as_of)
            )
        else:
            words.append(replace(decides, effect=base.status, text=f"{text}: {decides.text}"))
    return replace(verdict, reasons=sort((*verdict.reasons, *words))) if words else verdict


def sort(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The strictest first, else in their order."""
    return tuple(sorted(reasons, key=lambda reason: STRICTEST_FIRST.index(reason.effect)))


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(texts))
