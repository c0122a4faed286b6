"""A first study file, with comments, from the answers of `steelyard init`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from steelyard.providers.protocol import DataClass
from steelyard.usecase.case import Purpose
from steelyard.usecase.guess import Guess

CANDIDATES = ("linear", "smollm2-135m-instruct", "smollm2-135m-instruct+head", "gemma-3-270m")


@dataclass(frozen=True)
class Answers:
    """What `steelyard init` has been told. `test_file` "" means that a share of `file` is sealed instead."""

    name: str
    file: str
    columns: Guess
    test_file: str = ""
    purpose: Purpose = "internal"
    commercial: bool = True
    organisation: str = ""
    domicile: str = ""
    territories: tuple[str, ...] = ()
    data_class: DataClass = "internal"
    requests_per_day: int = 1000
    candidates: tuple[str, ...] = CANDIDATES


def study_text(answers: Answers) -> str:
    """The file's text; `load_study` accepts it as soon as the data file is there."""
    columns = answers.columns
    prompt = f"{columns.input.capitalize()}: {{{columns.input}}}\n{columns.target.capitalize()}:"
    files = (
        [f"  train: {quoted(answers.file)}", f"  test: {quoted(answers.test_file)}"]
        if answers.test_file
        else [
            f"  file: {quoted(answers.file)}",
            "  test: 40%                    # sealed: never used to choose or to fit",
        ]
    )
    named = {"id": columns.id, "language": columns.language}
    organisation = {"kind": answers.organisation, "domicile": answers.domicile}
    stated = ", ".join(f"{key}: {quoted(value)}" for key, value in organisation.items() if value)
    territories = ", ".join(quoted(code) for code in answers.territories)
    return _TEMPLATE.format(
        name=quoted(answers.name),
        files="\n".join(files),
        input=quoted(columns.input),
        target=quoted(columns.target),
        named="".join(f"  {key}: {quoted(value)}\n" for key, value in named.items() if value),
        prompt=_quotes(prompt),
        purpose=answers.purpose,
        commercial=str(answers.commercial).lower(),
        organisation=f"  organisation: {{{stated}}}" if stated else "  # organisation: {kind: company, domicile: DE}",
        users=f"  users: {{territories: [{territories}]}}" if territories else "  # users: {territories: [DE, FR]}",
        data_class=answers.data_class,
        requests=f"{answers.requests_per_day:_}",
        candidates="\n".join(f"  - {quoted(candidate)}" for candidate in answers.candidates),
    )


def quoted(text: str) -> str:
    """The text as YAML: plain where that is safe, else in double quotes."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./+-]*|[A-Za-z][\w./+-]*:[a-z][\w./+-]*", text)
    return text if plain and text not in ("true", "false", "null") else _quotes(text)


def _quotes(text: str) -> str:
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


_TEMPLATE = """\
# A study asks one question about one data file. Run it with `steelyard run`; every field: docs/study-file.md
name: {name}

data:
{files}
  input: {input}
  target: {target}
{named}
task:
  kind: classification
  prompt: {prompt}
  shots: auto                  # how many examples stand in the prompt: the best on dev is taken
  calibration: auto

# What licences are judged against. The more is said, the fewer questions stay open.
use:
  purpose: {purpose:<19} # evaluate | research | internal | product | hosted-service
  commercial: {commercial}
  # field: customer-support    # what it is used for: many licences bar fields such as military
{organisation}
{users}

privacy:
  class: {data_class:<21} # public | internal | confidential | restricted
  # may_send_to: any           # own | contracted | any; the default follows from the class

workload:
  requests_per_day: {requests:<10} # the monthly cost is for this
  growth_per_month: 0%
  horizon_months: 12

# Hard limits: whoever misses one is ruled out. Take the # off and set your own.
# require:
#   accuracy: ">= 0.80"
#   latency_p95: "<= 800 ms"
#   cost_per_month: "<= 1000 USD"

prefer: [quality, cost, speed] # among those that pass, in the order of importance

candidates:
{candidates}
  # - openai:gpt-5-mini        # without a key: priced and licence-checked, reported as not measured
"""
