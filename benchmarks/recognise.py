"""Are licence texts named right, or not at all? On texts that are not part of the project.

    python benchmarks/recognise.py --texts DIR           # judge: whole, cut to half, re-wrapped, without title
    python benchmarks/recognise.py --texts DIR --write   # first make the fingerprints anew from these texts

DIR holds licence texts by the names in `FILES`; what else is in it must not be named. MIT, BSD, GPL and the like are
read from the system and from installed packages. Exit code 1 if one text is named wrong, or fewer than 90 % of the
whole and 75 % of the half texts are named.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

from steelyard.licences.recognise import Abstained, fingerprints, packed, recognise, runs_of, words_of

DATA = Path(__file__).parents[1] / "src" / "steelyard" / "licences" / "fingerprints.json"
READ_ON = "2026-11-24"
FILES = {
    "BigCode-Open-RAIL-M-v1-License-Agreement": "bigcode-openrail-m-v1",
    "CreativeML-Open-RAIL++-M-License-20230726": "openrail++-m",
    "DEEPSEEK-LICENSE-AGREEMENT-1.0": "deepseek-1.0",
    "Databricks-Open-Model-License": "databricks-open-model",
    "EXAONE-AI-Model-License-Agreement-1.1-NC": "exaone-1.1-nc",
    "FLUX-Non-Commercial-License-v2.1": "flux-nc-2.1",
    "Falcon-2-11B-TII-License-1.0": "falcon-2-11b",
    "Falcon-3-TII-Falcon-License-December-2024": "falcon-3",
    "Gemma-Terms-of-Use-20240221": "gemma-2024-02-21",
    "Gemma-Terms-of-Use-20240401": "gemma-2024-04-01",
    "gemma-tou-2024-04-01.txt": "gemma-2024-04-01",
    "Gemma-Terms-of-Use-20250324": "gemma-2025-03-24",
    "Grok-2-Community-License-Agreement-20251104": "grok-2-community",
    "Health-AI-Developer-Foundations-Terms-of-Use-20241115": "hai-def",
    "Kimi-K2-LICENSE": "modified-mit-kimi-k2",
    "Kimi-K3-License": "kimi-k3",
    "LFM-Open-License-v1.0": "lfm-1.0",
    "MICROSOFT-RESEARCH-LICENSE-TERMS": "ms-research",
    "MINIMAX-MODEL-LICENSE": "minimax-m2.5",
    "MNPL-0.1.md": "mistral-non-production-0.1",
    "MRL-0.1.md": "mistral-research-0.1",
    "MiniMax-M2": "minimax-m2",
    "MiniMax-M2.7": "minimax-m2.7",
    "Mistral-Medium-3.5-LICENSE": "mistral-modified-mit-20m",
    "NVIDIA-AI-Foundation-Models-Community-License-Agreement": "nvidia-ai-foundation-community",
    "NVIDIA-OPEN-MODEL-AGREEMENT": "nvidia-open-model-2026",
    "OpenMDW-1.1": "openmdw-1.1",
    "Qwen-RESEARCH-LICENSE-AGREEMENT": "qwen-research",
    "STABILITY-AI-NON-COMMERCIAL-RESEARCH-COMMUNITY-LICENSE-AGREEMENT": "stability-nc-2023",
    "STABLE-BELUGA-NON-COMMERCIAL-COMMUNITY-LICENSE-AGREEMENT": "stable-beluga",
    "Tongyi-Qianwen-LICENSE-AGREEMENT": "tongyi-qianwen",
    "real_tongyi.txt": "tongyi-qianwen",
    "Tongyi-Qianwen-RESEARCH-LICENSE-AGREEMENT": "tongyi-qianwen-research",
    "real_tongyi_research.txt": "tongyi-qianwen-research",
    "bigscience-rail-1.0.txt": "bigscience-rail-1.0",
    "glm-4-9b-LICENSE": "glm-4",
    "qwen-2024.txt": "qwen-2024",
    "real_llama2.txt": "llama-2",
    "real_llama3.txt": "llama-3",
    "real_llama3_1.txt": "llama-3.1",
    "llama-3.2-license-2024.txt": "llama-3.2",
    "real_llama3_2.txt": "llama-3.2",
    "real_llama3_3.txt": "llama-3.3",
    "real_llama4.txt": "llama-4",
    "stability-ai-community-2024.txt": "stability-community-2024",
}
SYSTEM = Path("/usr/share/common-licenses")
STANDARD = {
    "Apache-2.0": "apache-2.0",
    "BSD": "bsd-3-clause",
    "GPL-2": "gpl-2.0",
    "GPL-3": "gpl-3.0",
    "LGPL-2.1": "lgpl-2.1",
    "LGPL-3": "lgpl-3.0",
    "MPL-2.0": "mpl-2.0",
}
PERMISSION = "Permission is hereby granted, free of charge, to any person obtaining a copy"


def packaged(wanted: Callable[[str], bool]) -> list[str]:
    """Licence files of installed packages."""
    found = []
    for package in distributions():
        for file in package.files or ():
            if file.name.upper().startswith(("LICENSE", "COPYING")) and not file.name.endswith(".py"):
                text = Path(str(package.locate_file(file))).read_text(encoding="utf-8", errors="replace")
                found += [text] if wanted(text) else []
    return found


def mit_texts() -> list[str]:
    """MIT licences, each with a copyright line of its own."""
    return packaged(lambda text: PERMISSION in " ".join(text.split()) and len(text) < 1500)


def spoiled(text: str) -> dict[str, str]:
    """The text as it may come: whole, halves, re-wrapped, without its head, in HTML, with curly quotes."""
    paragraphs = re.split(r"\n\s*\n", text)
    return {
        "whole": text,
        "first half": text[: len(text) // 2],
        "second half": text[len(text) // 2 :],
        "re-wrapped": textwrap.fill(" ".join(text.split()), 57),
        "without title": text[min(300, len(text) // 10) :],
        "HTML": "<html><body>" + "".join(f"<p>{p.replace('&', '&amp;')}</p>" for p in paragraphs) + "</body></html>",
        "curly quotes": text.replace('"', "\u201d").replace("'", "\u2019").upper(),
    }


def write(folder: Path) -> None:
    """The fingerprints of all files named in FILES and of the standard licences."""
    texts = [(licence, name, (folder / name).read_text(encoding="utf-8")) for name, licence in FILES.items()]
    for name, licence in STANDARD.items():
        texts.append((licence, f"Debian base-files, common-licenses/{name}", (SYSTEM / name).read_text()))
    mit = min(mit_texts(), key=len)
    texts.append(("mit", "an installed package's licence, from the grant on", mit[mit.index("Permission") :]))
    rows = [
        {"licence": licence, "source": source, "as_of": READ_ON, "runs": packed(runs_of(words_of(text)))}
        for licence, source, text in sorted(texts)
    ]
    DATA.write_text(json.dumps({"schema_version": "1.0", "fingerprints": rows}, indent=1) + "\n")


def in_one_file(texts: dict[str, str]) -> list[str]:
    """Each text with each standard licence behind it, and before it: what got a name all the same."""
    standard = {name: (SYSTEM / name).read_text() for name in STANDARD} | {"MIT": min(mit_texts(), key=len)}
    found = []
    for name, text in texts.items():
        for other, more in standard.items():
            for both in (f"{text}\n\n{more}", f"{more}\n\n{text}", f"{text[: len(text) // 2]}\n\n{more}"):
                got = recognise(both)
                if not isinstance(got, Abstained):
                    found.append(f"{name} and {other} in one file: {got.licence}")
    print(f"{3 * len(texts) * len(standard):,} files of two licences; {len(found)} got a name")
    return found


def judge(folder: Path) -> bool:
    """True when nothing is named wrong and enough is named."""
    named: dict[str, list[bool]] = {}
    wrong = []
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in FILES}
    for name, text in texts.items():
        for way, form in spoiled(text).items():
            got = recognise(form)
            if isinstance(got, Abstained):
                print(f"abstains: {name}, {way}: {got.reason} {', '.join(got.nearest)}")
            elif got.licence != FILES[name]:
                wrong.append(f"{name}, {way}: {got.licence}")
            named.setdefault(way, []).append(not isinstance(got, Abstained))
    others = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name not in FILES}
    others |= {file.name: file.read_text(errors="replace") for file in SYSTEM.iterdir()}
    others |= {f"package {n}": text for n, text in enumerate(packaged(lambda text: len(text) > 1000))}
    for name, text in others.items():
        for way, form in spoiled(text).items():
            got = recognise(form)
            if not isinstance(got, Abstained) and got.licence not in {*STANDARD.values(), "mit"}:
                wrong.append(f"{name}, {way}: {got.licence}")
    wrong += in_one_file(texts)
    for way, marks in named.items():
        print(f"{way:14} {sum(marks)} of {len(marks)} named ({100 * sum(marks) / len(marks):.0f} %)")
    print(f"{len(others)} other texts, {len(fingerprints())} fingerprints; named wrong: {len(wrong)}")
    print("\n".join(wrong))
    shares = {way: sum(marks) / len(marks) for way, marks in named.items()}
    halves = min(shares["first half"], shares["second half"])
    return not wrong and shares["whole"] >= 0.9 and halves >= 0.75


def main() -> None:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--texts", type=Path, required=True)
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    if asked.write:
        write(asked.texts)
    sys.exit(0 if judge(asked.texts) else 1)


if __name__ == "__main__":
    main()
