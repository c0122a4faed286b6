"""What a harness itself costs and adds: Steelyard beside Inspect, lm-eval and promptfoo, on the same endpoint.

    python benchmarks/harness.py                   # CPU an item and recorded latency, peers in alternation
    python benchmarks/harness.py --items 1000000   # one run of so many items: memory over its course

CPU: each harness asks 200 and 2,200 items of an endpoint on this machine that answers at once, 64 at a time. What the
second run takes more is divided by 2,000: start-up falls out. User and system time of the process and its children
(not the endpoint's). Steelyard's is `steelyard run`: reading, leak check, journal on disk, scores, decision, report.
Latency: the same with an endpoint that answers after 50 ms; the median that each harness has recorded.
Peers live in build/peers/{inspect,lm-eval,promptfoo}; `--install` puts them there; one that is absent is skipped.
Exit code 1 when Steelyard takes more than 0.5 ms an item, records a median more than 5 ms off, or grows in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE.parent / "build" / "peers"
SMALL, LARGE = 200, 2200
WIDTH = 64
MOST_CPU_MS = 0.5
MOST_OFF_MS = 5.0
MOST_GROWTH = 1.05


@dataclass(frozen=True)
class Ran:
    """CPU seconds of a run, the median latency it recorded in ms (None: it keeps none)."""

    cpu_seconds: float
    p50_ms: float | None


@dataclass(frozen=True)
class Harness:
    """`run(folder, items, port)` in a fresh folder; `missing` says why it cannot run here."""

    name: str
    run: Callable[[Path, int, int], Ran]
    missing: str = ""


@contextmanager
def endpoint(seconds: float) -> Iterator[int]:
    """The port of an endpoint that answers after so many seconds."""
    command = [sys.executable, str(HERE / "endpoint.py"), "--seconds", str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.communicate("")


def timed(command: list[str], folder: Path, **extra: str) -> float:
    """CPU seconds of a command with all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OPENAI_API_KEY": "none", "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", **extra}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 100):  # promptfoo: some answers were wrong
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def item(number: int) -> tuple[str, str]:
    """A text and its label."""
    text = f"Item {number}: order {number * 7919 % 100_003} came late again, and nobody could say why" + "!" * (
        number % 2
    )
    return text, ("positive", "negative")[number % 2]


def p50(seconds: list[float]) -> float:
    """The median in milliseconds."""
    return 1000 * statistics.median(seconds)


def write_study(folder: Path, items: int, port: int) -> None:
    """Two data files and a study."""
    for name, numbers in (("dev.jsonl", range(-40, 0)), ("test.jsonl", range(items))):
        with (folder / name).open("w") as file:
            file.writelines(json.dumps(dict(zip(("text", "label"), item(n), strict=True))) + "\n" for n in numbers)
    (folder / "study.yaml").write_text(
        f"""name: harness
data: {{train: dev.jsonl, test: test.jsonl, input: text, target: label}}
task: {{kind: classification, prompt: "{{text}}\\nSentiment:", shots: 0}}
use: {{purpose: internal, commercial: true}}
candidates:
  - {{id: compatible:instant, base_url: "http://127.0.0.1:{port}/v1", options: {{concurrency: {WIDTH}}}}}
"""
    )


def steelyard(folder: Path, items: int, port: int) -> Ran:
    """`steelyard run`, as a user runs it."""
    write_study(folder, items, port)
    cpu = timed([sys.executable, "-m", "steelyard", "run", ".", "--yes"], folder)
    with sqlite3.connect(folder / ".steelyard" / "journal.sqlite") as journal:
        records = [json.loads(record) for (record,) in journal.execute("select record from calls")]
    assert len(records) == items, f"{len(records)} of {items} calls are in the journal"
    return Ran(cpu, p50([record["timing"]["total_seconds"] for record in records]))


def inspect(folder: Path, items: int, port: int) -> Ran:
    """Inspect AI, with what its documentation advises for many samples."""
    (folder / "task.py").write_text(
        """from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import match
from inspect_ai.solver import generate

@task
def harness():
    return Task(dataset=json_dataset("data.jsonl"), solver=generate(max_tokens=8), scorer=match())
"""
    )
    rows = (json.dumps(dict(zip(("input", "target"), item(n), strict=True))) + "\n" for n in range(items))
    (folder / "data.jsonl").write_text("".join(rows))
    binary = PEERS / "inspect" / "bin"
    flags = f"--max-connections {WIDTH} --max-samples {WIDTH} --display none --no-log-realtime --no-score-display"
    model = f"--model openai/instant --model-base-url http://127.0.0.1:{port}/v1 -M responses_api=false"
    cpu = timed(
        [str(binary / "inspect"), "eval", "task.py", *flags.split(), *model.split(), "--log-dir", "logs"], folder
    )
    read = """import glob, statistics
from inspect_ai.log import read_eval_log
log = read_eval_log(glob.glob("logs/*")[0])
times = [e.call.time for s in log.samples for e in s.events if e.event == "model"]
print(len(times), statistics.median(times))"""
    said = subprocess.run(
        [binary / "python", "-c", read], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    count, median = said.split()
    assert int(count) == items, said
    return Ran(cpu, 1000 * float(median))


def lm_eval(folder: Path, items: int, port: int) -> Ran:
    """lm-eval's chat completions; it keeps no latency."""
    rows = (json.dumps(dict(zip(("input", "target"), item(n), strict=True))) + "\n" for n in range(items))
    (folder / "data.jsonl").write_text("".join(rows))
    (folder / "harness.yaml").write_text(
        f"""task: harness
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/data.jsonl}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{input}}}}"
doc_to_target: "{{{{target}}}}"
generation_kwargs: {{max_gen_toks: 8, until: ["\\n"]}}
metric_list: [{{metric: exact_match}}]
"""
    )
    model = f"model=instant,base_url=http://127.0.0.1:{port}/v1/chat/completions,num_concurrent={WIDTH}"
    flags = (
        f"--model local-chat-completions --model_args {model},tokenizer_backend=None --tasks harness --include_path ."
    )
    binary = str(PEERS / "lm-eval" / "bin" / "lm_eval")
    cache = {"HF_HOME": str(folder / "hf"), "HF_DATASETS_OFFLINE": "1"}
    command = [binary, *flags.split(), "--apply_chat_template", "--output_path", "out", "--log_samples"]
    return Ran(timed(command, folder, **cache), None)


def promptfoo(folder: Path, items: int, port: int) -> Ran:
    """promptfoo, its cache off."""
    tests = [
        {"vars": {"text": text}, "assert": [{"type": "equals", "value": label}]}
        for text, label in map(item, range(items))
    ]
    config = {
        "prompts": ["{{text}}"],
        "providers": [{"id": "openai:chat:instant", "config": {"apiBaseUrl": f"http://127.0.0.1:{port}/v1"}}],
        "tests": tests,
    }
    (folder / "promptfooconfig.json").write_text(json.dumps(config))
    binary = str(PEERS / "promptfoo" / "node_modules" / ".bin" / "promptfoo")
    quiet = {f"PROMPTFOO_DISABLE_{what}": "1" for what in ("TELEMETRY", "UPDATE", "SHARING", "DEBUG_LOG", "ERROR_LOG")}
    flags = f"eval -c promptfooconfig.json -j {WIDTH} --no-cache --no-progress-bar --no-table --no-share -o out.json"
    cpu = timed([binary, *flags.split()], folder, PROMPTFOO_CONFIG_DIR=str(folder / "home"), **quiet)
    results = json.loads((folder / "out.json").read_text())["results"]["results"]
    assert len(results) == items, f"{len(results)} of {items}"
    return Ran(cpu, p50([result["latencyMs"] / 1000 for result in results]))


def harnesses() -> list[Harness]:
    """Steelyard first; each peer, or why it is skipped."""
    found = [Harness("steelyard", steelyard)]
    for name, run, program in (
        ("inspect", inspect, "bin/inspect"),
        ("lm-eval", lm_eval, "bin/lm_eval"),
        ("promptfoo", promptfoo, "node_modules/.bin/promptfoo"),
    ):
        there = (PEERS / name / program).exists()
        found.append(Harness(name, run, "" if there else f"not in {PEERS / name}: run with --install first"))
    return found


def install() -> None:
    """Each peer into a folder of its own under build/peers."""
    for name, packages in (("inspect", ["inspect-ai", "openai"]), ("lm-eval", ["torch==2.13.0", "lm-eval[api]"])):
        subprocess.run([sys.executable, "-m", "venv", PEERS / name], check=True)
        for package in packages:  # torch first, and alone: it must not come with what a plain name would bring
            subprocess.run([PEERS / name / "bin" / "pip", "install", "-q", package], check=True)
    (PEERS / "promptfoo").mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--silent", "promptfoo"], cwd=PEERS / "promptfoo", check=True)


def fresh(run: Callable[[Path, int, int], Ran], items: int, port: int) -> Ran:
    """One run in a folder that is thrown away."""
    folder = Path(tempfile.mkdtemp(prefix="harness-"))
    try:
        return run(folder, items, port)
    finally:
        shutil.rmtree(folder)


def compare(rounds: int, scripted_ms: float) -> bool:
    """CPU an item and recorded latency of all that are here, in alternation. True when Steelyard keeps its limits."""
    here = [harness for harness in harnesses() if not harness.missing]
    for harness in harnesses():
        if harness.missing:
            print(f"{harness.name}: skipped, {harness.missing}")
    cpu: dict[str, list[float]] = {harness.name: [] for harness in here}
    latency: dict[str, list[float | None]] = {harness.name: [] for harness in here}
    with endpoint(0) as instant, endpoint(scripted_ms / 1000) as slow:
        for _ in range(rounds):
            for harness in here:
                small, large = (fresh(harness.run, items, instant) for items in (SMALL, LARGE))
                cpu[harness.name].append(1000 * (large.cpu_seconds - small.cpu_seconds) / (LARGE - SMALL))
                latency[harness.name].append(fresh(harness.run, LARGE, slow).p50_ms)
    print(f"\n{'harness':12}{'CPU ms an item':>26}{'ratio':>8}{f'p50 it records ({scripted_ms:g} ms is true)':>36}")
    for name, values in cpu.items():
        ratio = statistics.median(theirs / ours for theirs, ours in zip(values, cpu["steelyard"], strict=True))
        stamps = [stamp for stamp in latency[name] if stamp is not None]
        said = f"{statistics.median(stamps):.1f} ms" if stamps else "keeps none"
        spread = f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        print(f"{name:12}{spread:>26}{ratio:>7.1f}x{said:>36}")
    off = abs(statistics.median(stamp for stamp in latency["steelyard"] if stamp is not None) - scripted_ms)
    kept = statistics.median(cpu["steelyard"]) <= MOST_CPU_MS and off <= MOST_OFF_MS
    print(f"limits: {MOST_CPU_MS} ms an item, p50 within {MOST_OFF_MS:g} ms: {'kept' if kept else 'BROKEN'}")
    return kept


def memory_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def grows(items: int) -> bool:
    """One run of so many items. True when memory stays flat while they are answered."""
    folder = Path(tempfile.mkdtemp(prefix="harness-"))
    seen: list[tuple[int, int]] = []
    try:
        with endpoint(0) as port:
            write_study(folder, items, port)
            begun = time.monotonic()
            command = [sys.executable, "-m", "steelyard", "run", ".", "--yes"]
            with subprocess.Popen(
                command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            ) as run:
                assert run.stderr is not None
                for line in run.stderr:
                    if "answering the test set" in line:
                        done = int(line.split()[-1].split("/")[0])
                        seen.append((done, memory_bytes(run.pid)))
                        print(f"{done:>12,} answered {seen[-1][1] / 1e6:>8.0f} MB {time.monotonic() - begun:>7.0f} s")
            assert run.returncode == 0, f"ended with {run.returncode}"
        print(f"peak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3:.0f} MB")
    finally:
        shutil.rmtree(folder)
    early = next(memory for done, memory in seen if done >= items / 20)
    flat = seen[-1][1] <= MOST_GROWTH * early
    print(f"from 5 % to 100 % of the answers memory grows by {100 * (seen[-1][1] / early - 1):.1f} %")
    return flat


def main() -> None:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--install", action="store_true", help="install the peers under build/peers first")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--items", type=int, help="measure memory over one run of so many items instead")
    asked = options.parse_args()
    if asked.install:
        install()
    sys.exit(0 if (grows(asked.items) if asked.items else compare(asked.rounds, 50.0)) else 1)


if __name__ == "__main__":
    main()
