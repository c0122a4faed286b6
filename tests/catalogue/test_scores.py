"""Public scores are hearsay: read with source and date, discounted, and never a measurement."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from steelyard.catalogue.model import PublicScore
from steelyard.catalogue.scores.importers import read_scores
from steelyard.catalogue.scores.kept import FILE, encoded, read_kept, shipped
from steelyard.catalogue.scores.prior import prior
from steelyard.cli.models import command
from steelyard.errors import InputError
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval

TODAY = date(2026, 11, 24)
OPEN_LLM_CSV = """fullname,IFEval,BBH,MMLU-PRO,Upload To Hub Date
meta-llama/Llama-3.3-70B-Instruct,90.0,,48.1,2024-11-26
"""
ARENA_CSV = "model_name,rating,rating_q025,vote_count\ngpt-x,1312.5,1300,5000\n"
ARENA_JSON = {"full": {"gpt-x": {"rating": 1312.5, "rating_q975": 1320}}, "coding": {"gpt-x": {"rating": 1290}}}
DATASET_ROWS = {"rows": [{"row_idx": 0, "row": {"fullname": "o/m", "GPQA": 20, "Submission Date": "2024-08-05"}}]}
LLM_STATS = {
    "name": "M",
    "qualitative_metrics": [
        {"dataset_name": "MMLU", "score": 0.86, "is_self_reported": True, "date_recorded": "2024-12-06"},
        {"dataset_name": "CodeForces", "score": 1977, "is_self_reported": False, "source_link": "https://a.example"},
        {"dataset_name": "MATH", "score": None, "is_self_reported": True},
    ],
}
AIDER = """- model: o3 (high)
  pass_rate_2: 79.6
  date: 2025-04-16
- model: o3 (high) + gpt-4.1
  pass_rate_2: 82.7
  date: 2025-04-17
"""
CONTENTS_ROW = {
    "eval_name": "o_m_bfloat16",
    "Precision": "bfloat16",
    "Model": '<a target="_blank" href="https://huggingface.co/o/m">o/m</a>',
    "fullname": "o/m",
    "BBH Raw": 0.52,
    "BBH": 31.4,
    "Flagged": False,
    "Upload To Hub Date": "2024-08-05",
}
CONTENTS = {"features": [], "rows": [{"row_idx": 0, "row": CONTENTS_ROW}, {"row": CONTENTS_ROW | {"Flagged": True}}]}
ARENA_ROWS = {
    "rows": [
        {
            "row_idx": 0,
            "row": {
                "model_name": "gpt-6-astra",
                "organization": "",
                "rating": 1498.47,
                "rating_lower": 1490.1,
                "rating_upper": 1506.2,
                "vote_count": 42,
                "rank": 1,
                "category": "overall",
                "leaderboard_publish_date": "2026-09-13",
            },
        }
    ]
}
ARENA_TABLE = """key,Model,MT-bench (score),MMLU,Knowledge cutoff date,License,Organization,Link
wizardlm-30b,wizardlm-30b,7.01,0.587,2023/6,Non-commercial,Microsoft,https://huggingface.co/o/m
gpt-x,gpt-x,-,-,-,Proprietary,X,https://x.example
"""
LLM_STATS_API = {
    "model_id": "gemini-3-pro-preview",
    "name": "Gemini 3 Pro",
    "benchmarks": [
        {"benchmark_id": "aime-2025", "name": "AIME 2025", "max_score": 1, "score": 1, "self_reported": True},
        {
            "benchmark_id": "ten",
            "name": "Score of 10",
            "max_score": 10,
            "score": 7,
            "self_reported": False,
            "verification_date": "2026-01-02",
        },
    ],
}
LLM_STATS_LIST = [
    {
        "model_id": "chatgpt-4o-latest",
        "name": "ChatGPT-4o Latest",
        "benchmarks": [
            {"dataset_name": "gpqa", "score": 0.84, "is_self_reported": True, "date_recorded": None},
            {"dataset_name": "hle", "score": None, "is_self_reported": True},
        ],
    }
]
AIDER_EDIT = """- dirname: 2024-09-12-19-57-35--o1-mini-whole
  test_cases: 36
  model: o1-mini
  pass_rate_1: 49.6
  pass_rate_2: 61.1
  date: 2024-09-12
"""
MODELS_DEV = {"openai": {"models": {"gpt-x": {"benchmarks": [{"name": "GPQA", "score": 0.7, "source": "https://b"}]}}}}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "open.csv",
            OPEN_LLM_CSV,
            [
                ("meta-llama/Llama-3.3-70B-Instruct", "IFEval (normalised)", 0.9, "share", False, "2024-11-26"),
                ("meta-llama/Llama-3.3-70B-Instruct", "MMLU-PRO (normalised)", 0.481, "share", False, "2024-11-26"),
            ],
        ),
        ("rows.json", json.dumps(DATASET_ROWS), [("o/m", "GPQA (normalised)", 0.2, "share", False, "2024-08-05")]),
        ("contents.json", json.dumps(CONTENTS), [("o/m", "BBH", 0.52, "share", False, "2024-08-05")]),
        (
            "latest.json",
            json.dumps(ARENA_ROWS),
            [("gpt-6-astra", "LMArena overall", 1498.47, "rating", False, "2026-09-13")],
        ),
        (
            "leaderboard_table_20250804.csv",
            ARENA_TABLE,
            [
                ("wizardlm-30b", "MT-bench", 7.01, "points", False, "2025-08-04"),
                ("wizardlm-30b", "MMLU", 0.587, "share", True, "2025-08-04"),
            ],
        ),
        (
            "gemini.json",
            json.dumps(LLM_STATS_API),
            [
                ("gemini-3-pro-preview", "AIME 2025", 1.0, "share", True, "2026-11-24"),
                ("gemini-3-pro-preview", "Score of 10", 0.7, "share", False, "2026-01-02"),
            ],
        ),
        (
            "full.json",
            json.dumps(LLM_STATS_LIST),
            [("chatgpt-4o-latest", "gpqa", 0.84, "share", True, "2026-11-24")],
        ),
        ("edit_leaderboard.yml", AIDER_EDIT, [("o1-mini", "Aider edit", 0.611, "share", False, "2024-09-12")]),
        ("data.yml", AIDER_EDIT, [("o1-mini", "Aider, part of a leaderboard", 0.611, "share", False, "2024-09-12")]),
        ("arena.csv", ARENA_CSV, [("gpt-x", "LMArena", 1312.5, "rating", False, "2026-11-24")]),
        (
            "arena.json",
            json.dumps(ARENA_JSON),
            [
                ("gpt-x", "LMArena full", 1312.5, "rating", False, "2026-11-24"),
                ("gpt-x", "LMArena coding", 1290, "rating", False, "2026-11-24"),
            ],
        ),
        (
            "model.json",
            json.dumps(LLM_STATS),
            [
                ("m-1", "MMLU", 0.86, "share", True, "2024-12-06"),
                ("m-1", "CodeForces", 1977, "points", False, "2026-11-24"),
            ],
        ),
        ("polyglot.yml", AIDER, [("o3 (high)", "Aider polyglot", 0.796, "share", False, "2025-04-16")]),
        ("api.json", json.dumps(MODELS_DEV), [("gpt-x", "GPQA", 0.7, "share", True, "2026-11-24")]),
    ],
)
def test_every_export_is_known_by_its_own_fields(
    name: str, content: str, told: list[tuple[object, ...]], tmp_path: Path
) -> None:
    path = tmp_path / "m-1" / name
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    found = read_scores(path, "2026-11-24")
    assert [
        (one.name, one.score.benchmark, one.score.value, one.score.unit, one.score.self_reported, one.score.as_of)
        for one in found
    ] == told
    assert all(one.score.source for one in found)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b""),
        ("a.json", b"[]"),
        ("a.json", b"3"),
        ("a.json", b'{"x": {"y": 1}}'),
        ("a.json", b'[{"model": "m", "IFEval": "nan"}]'),
        ("a.json", b"[" * 5000),
        ("a.csv", b"a,b\n1,2\n"),
        ("a.csv", b"\xff\xfe"),
        ("a.yml", b"a: [1"),
        ("a.yml", b"- model: m\n  pass_rate_2: 3\n"),
    ],
)
def test_what_is_no_export_is_one_clear_error(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="no public scores can be read"):
        read_scores(tmp_path / name, "2026-11-24")


def score(value: float, *, own: bool = False, day: str = "2026-11-24") -> PublicScore:
    return PublicScore("B", value, "share", own, "a list", day)


FAMILY = (0.4, 0.5, 0.6)


def expect(*scores: PublicScore, family: tuple[float, ...] = FAMILY) -> tuple[float, float]:
    """Value and width."""
    found = prior(scores, family, TODAY)
    assert isinstance(found, Estimate) and isinstance(found.interval, Interval)
    return found.value, found.interval.high - found.interval.low


def test_without_scores_the_family_is_expected() -> None:
    assert expect()[0] == pytest.approx(0.5)


def test_a_fresh_independent_score_counts_as_much_as_the_family() -> None:
    assert expect(score(0.9))[0] == pytest.approx(0.7)


def test_what_the_maker_says_and_what_is_old_moves_less() -> None:
    fresh, said, old = expect(score(0.9)), expect(score(0.9, own=True)), expect(score(0.9, day="2024-11-24"))
    assert 0.5 < old[0] < said[0] < fresh[0]
    assert fresh[1] < said[1] < old[1]


def test_a_score_from_the_future_counts_no_more_than_one_of_today() -> None:
    assert expect(score(0.9, day="2027-11-24")) == expect(score(0.9))


def test_a_family_of_two_says_nothing() -> None:
    assert isinstance(prior([score(0.9)], (0.4, 0.5), TODAY), Unknown)


def test_ratings_and_points_are_no_shares() -> None:
    rating = PublicScore("B", 1300, "rating", False, "a list", "2026-11-24")
    assert expect(rating) == expect()


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=5),
    st.lists(st.floats(0, 1), min_size=3, max_size=8),
)
def test_what_is_expected_lies_between_the_scores_and_the_family(
    scores: list[tuple[float, bool]], family: list[float]
) -> None:
    found = prior([score(value, own=own) for value, own in scores], family, TODAY)
    assert isinstance(found, Estimate) and isinstance(found.interval, Interval)
    reach = [value for value, _ in scores] + family
    assert min(reach) - 1e-9 <= found.value <= max(reach) + 1e-9
    assert 0 <= found.interval.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.interval.high <= 1


def test_the_shipped_scores_have_sources_and_days_and_licences_that_let_them_be_shipped() -> None:
    assert len(shipped()) > 1000
    for one in shipped():
        date.fromisoformat(one.score.as_of)
        assert "CC-BY-4.0" in one.score.source or "Apache-2.0" in one.score.source or "MIT" in one.score.source


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(encoded(shipped()[:10]))
    assert read_kept(path) == shipped()[:10]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_scores_are_shown_as_hearsay_with_who_said_them() -> None:
    text = run("show", "llama-3.3-70b-instruct").stdout
    assert "hearsay: " in text
    assert "said by its maker [LLM-Stats (CC-BY-4.0): " in text
    assert "in no decision" in text


def test_what_to_expect_is_told_as_a_guess() -> None:
    result = run("scores", "--model", "llama-3.3-70b-instruct", "--benchmark", "mmlu-pro")
    assert "expect 0." in result.stdout
    assert "a guess" in result.stdout
    assert "hearsay" in result.stderr
    document = json.loads(run("scores", "--model", "llama-3.3-70b-instruct", "--json").stdout)
    assert {row["model"] for row in document["priors"]} == {"llama-3.3-70b-instruct"}


def test_a_name_that_neither_scores_nor_the_catalogue_know_is_told_with_a_near_one() -> None:
    failed = CliRunner().invoke(command, ["scores", "--model", "gpt-5-mimi", "--model", "no such thing"]).exception
    assert isinstance(failed, InputError)
    assert len(failed.problems) == 2
    assert "did you mean 'gpt-5-mini'?" in failed.problems[0].what


def test_a_model_that_nobody_scored_says_so() -> None:
    result = CliRunner().invoke(command, ["scores", "--model", "bge-m3"])
    assert result.exit_code == 0
    assert "bge-m3: nobody's score of it is here" in result.stderr
