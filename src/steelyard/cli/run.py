"""`steelyard run STUDY`: measure every candidate that may be measured, and decide."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.say import say, say_json
from steelyard.errors import Exit, Fault, InputError, Problem
from steelyard.visible import visible

if TYPE_CHECKING:
    from steelyard.decision import Decision
    from steelyard.quantities import Money
    from steelyard.study import Prepared

GATES = ("licence", "privacy", "ways", "quality", "latency", "budget")


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--budget", metavar="USD", help="Never spend more than this on vendors' models, all runs of this study together."
)
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as one JSON document.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice((*GATES, "none-passes")),
    help="Exit 3 if nobody passes every gate and this one is among the reasons; none-passes: whatever the reason.",
)
def command(study: Path, budget: str | None, yes: bool, as_json: bool, fail_on: tuple[str, ...]) -> int:
    """Measure the candidates of STUDY and decide.

    STUDY is a YAML file, or a folder with study.yaml. Licences are judged before anything is fetched or called,
    the cost is shown before anything is spent, and what was measured is kept: after an interruption the same
    command goes on. The decision, the report and the journal lie in STUDY's folder under .steelyard/.
    """
    from steelyard.cli.stopping import stopping

    with stopping() as stop:
        from datetime import UTC, datetime

        from steelyard.cli.environment import versions
        from steelyard.cli.progress import watcher
        from steelyard.cli.rim import log_to_stderr
        from steelyard.study import measure, prepare

        log_to_stderr()
        limit = _money(budget)
        ready = prepare(study, datetime.now(UTC))
        _announce(ready, limit, yes)
        with watcher(ready) as watching:
            decision, stopped = stop.run(measure(ready, watching, limit=limit, versions=versions()))
        _show(decision, ready.case.output, as_json)
    if stopped is not None:
        raise stopped
    return _exit_code(decision, fail_on)


def _money(text: str | None) -> Money | None:
    from steelyard.quantities import Money

    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$").removesuffix("USD").strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise InputError(
            Problem("budget-not-an-amount", f"--budget {text!r} is not an amount", "", "US dollars, e.g. 2.50")
        )
    return Money(amount)


def _announce(ready: Prepared, limit: Money | None, yes: bool) -> None:
    """Say what will be called and what that costs; ask before money is spent. Unpriced is never free."""
    from steelyard.decision.sentences import usd
    from steelyard.quantities import ZERO_USD, Unknown
    from steelyard.trials.journal import JOURNAL, spent_before

    case, data = ready.case, ready.data
    question = visible(case.question)
    say(f"{question} {len(data.test)} test samples, {len(data.dev)} for choosing and fitting.", err=True)
    for odd in data.odd_rows[:5]:
        say(f"  row {odd.row} of {visible(odd.file)}: {visible(odd.reason)}", err=True)
    if len(data.odd_rows) > 5:
        say(f"  and {len(data.odd_rows) - 5} more odd rows: all are in the report", err=True)
    for name, reason in ready.not_measured.items():
        say(f"  not measured: {name}: {visible(reason.reason)}", err=True)
    total, unpriced, spent = ZERO_USD, [], spent_before(case.output / JOURNAL)
    for contender in ready.contenders:
        cost = ready.plans[contender.candidate.id].cost
        if isinstance(cost, Unknown):
            unpriced.append(contender.candidate.id)
        else:
            total += cost
    say(_outlook(ready, total, unpriced), err=True)
    if unpriced and limit is not None:
        raise InputError(
            Problem(
                "unpriced-with-a-budget",
                f"--budget cannot be kept: no price is known for {', '.join(unpriced)}",
                next_step="leave the candidate out, or run without --budget",
            )
        )
    if total == ZERO_USD and not unpriced:
        return
    priced = f"about {usd(float(total))}" + (f" and an unknown amount for {', '.join(unpriced)}" if unpriced else "")
    checked = "estimated from the text; a --budget is checked before every call"
    say(f"Vendors' models will cost {priced} ({checked}).", err=True)
    if spent > ZERO_USD:
        before = f"Earlier runs of this study spent {usd(float(spent))}"
        say(f"{before}: what they finished is not paid again, and a --budget counts it.", err=True)
    if not yes and not sys.stdin.isatty():
        raise InputError(
            Problem(
                slug="spending-needs-a-yes",
                what="this run costs money, and there is no terminal to ask at",
                next_step="give --yes, best together with --budget USD",
            )
        )
    if not yes:
        click.confirm("Spend it?", abort=True, err=True)


def _outlook(ready: Prepared, total: Money, unpriced: list[str]) -> str:
    """What so many samples will show, and what asking everybody takes."""
    from steelyard.decision.foresight import disagreement, foresight
    from steelyard.decision.sentences import usd

    price = f"about {usd(float(total))}" if total.usd else "nothing to pay"
    if unpriced:
        price += f" and an unknown amount for {', '.join(unpriced)}" if total.usd else ", as far as prices are known"
    clusters = {sample.cluster for sample in ready.data.test if sample.cluster}
    calls = sum(ready.plans[one.candidate.id].calls for one in ready.contenders)
    before = disagreement(ready.case.output)
    return foresight(len(ready.data.test), len(ready.contenders), calls, price, len(clusters), before)


def _show(decision: Decision, folder: Path, as_json: bool) -> None:
    from rich.console import Console

    from steelyard.decision.store import to_json
    from steelyard.report.terminal import print_summary

    if as_json:
        say_json(to_json(decision))
    else:
        print_summary(decision, Console(markup=False, emoji=False, highlight=False))
    say(f"\nreport: {folder / 'report.html'}\ndecision: {folder / 'decision.json'}", err=True)


def _exit_code(decision: Decision, fail_on: tuple[str, ...]) -> Exit:
    if "none-passes" in fail_on and decision.winner is None:
        return Exit.GATE
    failed = {gate.name for line in decision.standings for gate in line.ruled_out_by}
    if decision.winner is None and failed & set(fail_on):
        return Exit.GATE
    failures = {
        line.candidate: {kind: number for kind, number in line.failures.items() if not Fault(kind).of_the_model}
        for line in decision.standings
    }
    missing = [line for line in decision.standings if line.failed or failures[line.candidate]]
    if not missing:
        return Exit.DONE
    say("partial:", err=True)
    for line in missing:
        calls = ", ".join(f"{number} x {kind}" for kind, number in failures[line.candidate].items())
        say(f"  {line.candidate}: {visible(line.not_measured or f'failed calls: {calls}')}", err=True)
    say("Mend that and give the same command again: what was answered is kept, the rest is asked anew.", err=True)
    return Exit.PARTIAL
