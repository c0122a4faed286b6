"""How long the whole catalogue takes to load, list, filter and judge under one use, in seconds of CPU.

    python benchmarks/catalogue.py

Steps run once each, in a process that has done nothing before, as a command would. Exit code 1 if 5,000 models,
the real ones and copies of them, take two seconds or more.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.selection import Filter, at_least, choices, current, kind, select
from steelyard.catalogue.whole import whole
from steelyard.cli.models.judging import Judge
from steelyard.licences.load import load_licences
from steelyard.quantities import Unknown
from steelyard.usecase.load import use_of
from steelyard.usecase.schema import UsePart

MODELS, LIMIT_SECONDS = 5000, 2.0


def main() -> int:
    """Prints one line a step and the verdicts' counts."""
    at = datetime.now(UTC)
    clock = [time.process_time()]

    def told(step: str) -> None:
        clock.append(time.process_time())
        print(f"{clock[-1] - clock[-2]:6.3f} s  {step}")

    by_hand = load_catalogue()
    told(f"{len(by_hand.models):,} models by hand")
    everything = whole(by_hand)
    told(f"the snapshot behind them: {len(everything.models):,} models, {len(everything.offers):,} offers")
    load_licences()
    told("licences")
    rows = list(choices(everything, by_hand.models, at))
    copies = iter(tuple(rows))
    while len(rows) < MODELS:
        row = next(copies)
        rows.append(replace(row, model=replace(row.model, id=f"{row.model.id}-copy-{len(rows)}")))
    told(f"{len(rows):,} rows with today's price")
    use = use_of(UsePart.model_validate({"purpose": "product", "commercial": True}))
    judge = Judge(use, Unknown("no study"), None, at.date())
    verdicts = Counter(judge.status(row) for row in rows)
    told(f"judged: {dict(verdicts)}")
    filters = [
        Filter("text", kind("text")),
        Filter("128k", at_least(lambda model: model.context_tokens, 128_000)),
        Filter("current", current(at.date())),
    ]
    kept, _ = select(rows, filters)
    told(f"three filters: {len(kept):,} left")
    total = clock[-1] - clock[0]
    print(f"{total:6.3f} s  in all; the limit is {LIMIT_SECONDS} s")
    return int(total >= LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
