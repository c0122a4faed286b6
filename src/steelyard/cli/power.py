"""`steelyard power`: what so many samples will show, or how many a difference takes; before anything is labelled."""

from __future__ import annotations

import click

from steelyard.cli.say import say
from steelyard.errors import InputError, Problem


@click.command()
@click.option("--samples", type=click.IntRange(2, 10**7), help="Labelled test samples you have or could get.")
@click.option("--difference", metavar="SHARE", help="The difference in accuracy that matters to you, such as 5%.")
@click.option("--candidates", type=click.IntRange(2, 1000), default=3, show_default=True, help="How many are compared.")
@click.option(
    "--disagree",
    metavar="SHARE",
    help="Share of samples on which one of two is right and the other wrong.  [default: 25%]",
)
def command(samples: int | None, difference: str | None, candidates: int, disagree: str | None) -> None:
    """Say what a number of test samples can show, before labelling or paying for them.

    With --samples: the smallest difference in accuracy that they show with probability 0.8, between any two
    candidates, all pairs compared. With --difference: how many samples that takes. Nothing is called or read.
    """
    from steelyard.decision.sentences import counted, percent, points
    from steelyard.stats.power import DISCORDANCE, POWER, items_needed, smallest_difference

    if samples is None and difference is None:
        what, next_step = "neither --samples nor --difference is given", "give one of them, such as --difference 5%"
        raise InputError(Problem("power-of-nothing", what, next_step=next_step))
    share = DISCORDANCE if disagree is None else _share("--disagree", disagree)
    pairs = candidates * (candidates - 1) // 2
    if samples is not None:
        smallest = smallest_difference(samples, share, pairs)
        shown = f"differences of {points(smallest)} points" if smallest <= 1 else "no difference, however large"
        say(f"{counted(samples, 'sample')} will show {shown} with probability {POWER:g}.")
    if difference is not None:
        gap = _share("--difference", difference)
        needed = items_needed(gap, share, pairs)
        say(
            f"A difference of {points(gap)} points takes {counted(needed, 'sample')} to show "
            f"with probability {POWER:g}."
        )
    say(
        f"Between any two of {counted(candidates, 'candidate')}, all pairs together at 95 %, if two disagree on "
        f"{percent(share)} of the samples."
    )


def _share(name: str, text: str) -> float:
    from steelyard.usecase.values import share

    found = share(text)
    if isinstance(found, Problem):
        try:
            found = float(text)
        except ValueError:
            found = -1.0
    if not 0.001 <= found <= 1:
        what = f"{name} {text!r} is not a share"
        raise InputError(Problem("not-a-share", what, "", "0.1% to 100%, or a number such as 0.05"))
    return found
