"""Licence expressions in SPDX's grammar: AND, OR, WITH and parentheses over any names that terms go by."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from license_expression import (
    AND,
    OR,
    ExpressionError,
    LicenseExpression,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    Licensing,
)

from steelyard.licences.clauses import Licence
from steelyard.licences.combine import all_of, any_of, sort
from steelyard.licences.facts import Facts
from steelyard.licences.judge import judge_facts
from steelyard.licences.load import Licences
from steelyard.licences.verdict import Reason, Verdict
from steelyard.quantities import Unknown

_GRAMMAR = Licensing()


def judge_expression(text: str, facts: Facts, at: date, licences: Licences, revision: str = "") -> Verdict:
    """AND: all apply. OR: the most permissive, as the user may choose. WITH: see `_with_exception`.

    A text that is no expression, or names what nobody knows, is unknown. `revision` is that of a single name.
    """
    terms = licences.get(text.strip(), revision, at)
    if isinstance(terms, Licence):
        return judge_facts(terms, facts, at)
    try:
        expression = _GRAMMAR.parse(text)
    except Exception as error:  # the parser trips over some texts: an empty pair of brackets is an IndexError
        why = (
            str(error).splitlines()[0] if isinstance(error, ExpressionError) else "the brackets or the words do not fit"
        )
        return unknown(text, f"it is no licence expression: {why}")
    if expression is None:
        return unknown(text, "no licence is named")
    return _judge(expression, facts, at, licences, revision)


def _judge(node: LicenseExpression, facts: Facts, at: date, licences: Licences, revision: str = "") -> Verdict:
    if isinstance(node, AND):
        return all_of(tuple(_judge(one, facts, at, licences) for one in node.args))
    if isinstance(node, OR):
        return any_of(tuple(_judge(one, facts, at, licences) for one in node.args))
    if isinstance(node, LicenseWithExceptionSymbol):
        return _with_exception(node, facts, at, licences)
    name = node.key if isinstance(node, LicenseSymbol) else str(node)
    terms = licences.get(name, revision, at)
    return unknown(name, terms.reason) if isinstance(terms, Unknown) else judge_facts(terms, facts, at)


def _with_exception(node: LicenseWithExceptionSymbol, facts: Facts, at: date, licences: Licences) -> Verdict:
    """Exceptions loosen what a licence asks of those who hand copies on; none was read, so that none loosens it here.

    Where nothing is handed on, the licence decides alone. Else what it would allow or ask is unknown.
    """
    verdict = _judge(node.license_symbol, facts, at, licences)
    if facts.distribute == "none" or verdict.status == "forbidden":
        return verdict
    name = node.exception_symbol.key
    text = f"the exception {name} was not read: what it changes for copies that are handed on is not known"
    return replace(
        verdict,
        status="unknown",
        reasons=sort((Reason("unknown", "", text, name, name), *verdict.reasons)),
        questions=(*verdict.questions, f"Who has read the exception {name}, and what does it change?"),
        not_read=(*verdict.not_read, name),
        licence_id=f"{verdict.licence_id} WITH {name}",
    )


def unknown(name: str, reason: str) -> Verdict:
    """Terms that nobody has read are never permissive."""
    return Verdict(
        status="unknown",
        reasons=(Reason("unknown", "", f"not known: {reason}", name or "no terms named", name),),
        questions=(f"Under which terms do you have it, and who has read {name or 'them'}?",),
        not_read=(name,) if name else (),
        licence_id=name,
    )
