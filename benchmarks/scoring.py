"""Label scoring: exact pruning over the label trie against one full prompt a label, on the same engine.

    python benchmarks/scoring.py --weights MODEL.gguf --data LABELLED.jsonl

The data has one JSON object a line with "input" and "expected". Few-shot: 10 items, one example a label.
Zero-shot: 50 items. Both with the 10 most frequent labels. Both ways must name the same label, except where the two
best scores lie closer together than the same prompt's scores differ between the two ways (quantised kernels
round differently for different batch shapes). Exit code 1 if they differ otherwise.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from steelyard.providers.llama_engine import Batch, Context, Load, Model
from steelyard.providers.llama_scoring import Prepared, Scorer, log_probabilities
from steelyard.providers.llama_wire import Score


@dataclass(frozen=True)
class Task:
    """A prefix, the items' own prompts, and the labels."""

    prefix: str
    prompts: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass
class Tally:
    """Label named per item, tokens run through the model, CPU seconds."""

    best: list[int]
    tokens: int = 0
    cpu_seconds: float = 0.0


def cpu_seconds() -> float:
    """User and system time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def verbalise(label: str) -> str:
    """A label as it follows "Intent:"."""
    return " " + label.replace("_", " ")


def make_task(rows: Sequence[tuple[str, str]], labels: Sequence[str], items: int, shots: int) -> Task:
    """The first `items` rows are asked, examples come from the others: one a label, `shots` labels."""
    asked = [row for row in rows if row[1] in labels][:items]
    others = [row for row in rows if row not in asked]
    examples = [next(row for row in others if row[1] == label) for label in labels[:shots]]
    prefix = "".join(f"Message: {text}\nIntent:{verbalise(label)}\n\n" for text, label in examples)
    prompts = tuple(f"Message: {text}\nIntent:" for text, _ in asked)
    return Task(prefix, prompts, tuple(map(verbalise, labels)))


def pruned(
    scorer: Scorer, task: Task, batch_items: int, *, full: bool = False
) -> tuple[Tally, list[tuple[float, ...]]]:
    """The way of the product; the prefix is already known."""
    tally, scores = Tally([]), list[tuple[float, ...]]()
    before = cpu_seconds()
    for start in range(0, len(task.prompts), batch_items):
        group: list[Prepared] = [
            scorer.prepare(Score(0, task.prefix, prompt, task.labels, None, full))
            for prompt in task.prompts[start : start + batch_items]
        ]
        for result in scorer.group(group):
            tally.best.append(result.best)
            tally.tokens += result.prompt_tokens - result.cached_tokens + result.asked_tokens
            scores.append(result.scores or ())
    tally.cpu_seconds = cpu_seconds() - before
    return tally, scores


def naive(model: Model, context: Context, task: Task) -> tuple[Tally, list[tuple[float, ...]]]:
    """One whole prompt a label, nothing shared."""
    tally, scores = Tally([]), list[tuple[float, ...]]()
    before = cpu_seconds()
    for prompt in task.prompts:
        start = len(model.tokenise(task.prefix + prompt))
        row = tuple(score_label(model, context, task.prefix + prompt + label, start, tally) for label in task.labels)
        scores.append(row)
        tally.best.append(max(range(len(row)), key=row.__getitem__))
    tally.cpu_seconds = cpu_seconds() - before
    return tally, scores


def score_label(model: Model, context: Context, text: str, start: int, tally: Tally) -> float:
    """The log-probability of all tokens of a text from `start` on."""
    tokens = model.tokenise(text)
    context.reserve(len(tokens))
    total = 0.0
    for first in range(0, len(tokens) - 1, context.batch_tokens):
        batch = Batch()
        part = range(first, min(first + context.batch_tokens, len(tokens) - 1))
        for place in part:
            batch.add(tokens[place], place, [0], place >= start - 1)
        context.decode(batch)
        for place in part:
            if place >= start - 1:
                total += log_probabilities(context.logits(place - first), [tokens[place + 1]])[0]
    tally.tokens += len(tokens) - 1
    context.forget(0)
    return total


def compare(name: str, model: Model, task: Task, batch_items: int) -> bool:
    """Run both ways, print what they cost, and say whether they agree but for near ties."""
    scorer = Scorer(model, Context(model))
    before = cpu_seconds()
    scorer.group([scorer.prepare(Score(0, task.prefix, task.prompts[0], task.labels, None, False))])
    first = cpu_seconds() - before
    ours, _ = pruned(scorer, task, batch_items)
    whole, full_scores = pruned(scorer, task, batch_items, full=True)
    theirs, naive_scores = naive(model, Context(model), task)
    noise = max(
        abs(a - b)
        for one, other in zip(full_scores, naive_scores, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    different = [place for place in range(len(task.prompts)) if ours.best[place] != theirs.best[place]]
    wrong = [
        place
        for place in different
        if naive_scores[place][theirs.best[place]] - naive_scores[place][ours.best[place]] > noise
    ]
    items = len(task.prompts)
    print(f"{name}: {items} items, {len(task.labels)} labels, {len(model.tokenise(task.prefix))} prefix tokens")
    print(f"  first item with the prefix: {first:.2f} CPU-s, once")
    for label, tally in (("pruned", ours), ("every score", whole), ("a prompt a label", theirs)):
        print(
            f"  {label:17} {tally.tokens / items:9.1f} tokens  {tally.cpu_seconds / items:8.3f} CPU-s an item"
            f"  {theirs.cpu_seconds / tally.cpu_seconds:7.1f} x"
        )
    print(
        f"  same label: {items - len(different)} of {items}; near ties: {len(different) - len(wrong)};"
        f" wrong: {len(wrong)}; batch noise of a score: {noise:.3f}"
    )
    return not wrong


def main() -> int:
    """Both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--few-shot-items", type=int, default=10)
    parser.add_argument("--zero-shot-items", type=int, default=50)
    parser.add_argument("--batch-items", type=int, default=8)
    parser.add_argument("--labels", type=int, default=10, help="of the few-shot comparison")
    args = parser.parse_args()
    for path in (args.weights, args.data):
        if not path.is_file():
            print(f"skipped: there is no file {path}")
            return 0
    lines = args.data.read_text(encoding="utf-8").splitlines()
    rows = [(str(row["input"]), str(row["expected"])) for row in map(json.loads, lines)]
    frequent = [label for label, _ in Counter(label for _, label in rows).most_common()]
    model = Model(Load(str(args.weights)))
    few = make_task(rows, frequent[: args.labels], args.few_shot_items, args.labels)
    zero = make_task(rows, frequent[:10], args.zero_shot_items, 0)
    agreed = [compare("few-shot", model, few, args.batch_items), compare("zero-shot", model, zero, args.batch_items)]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    sys.exit(main())
