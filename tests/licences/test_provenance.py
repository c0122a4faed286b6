"""The terms of a model by its papers and its bases, and the contradictions between them.

The Apache text is the project's own; others are made up and fingerprinted here under the names of licences.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.catalogue.test_gguf_head import head, pair, text

from steelyard.catalogue.load import load_catalogue
from steelyard.cli.licence import command
from steelyard.errors import GateFailed, InputError
from steelyard.licences.load import load_licences
from steelyard.licences.papers import MOST_BYTES, MOST_FILES, read_papers
from steelyard.licences.provenance import Knowledge, Provenance, provenance
from steelyard.licences.recognise import fingerprint, fingerprints, runs_of, words_of
from steelyard.licences.tags import NO_NAME, load_tags

APACHE = (Path(__file__).parents[2] / "LICENSE").read_text(encoding="utf-8")
WORDS = ("grant", "model", "weights", "notice", "output", "terms", "party", "use", "derive", "hold", "right", "court")


def prose(seed: int, words: int = 600) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


LLAMA, GEMMA = prose(1), prose(2)


@pytest.fixture(autouse=True)
def _made_up_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = (("llama-3.1", LLAMA), ("gemma-2024-04-01", GEMMA))
    known = (*fingerprints(), *(fingerprint(name, "", "", runs_of(words_of(text))) for name, text in made_up))
    monkeypatch.setattr("steelyard.licences.recognise.fingerprints", lambda: known)
    monkeypatch.setattr("steelyard.licences.provenance.fingerprints", lambda: known)


def card(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "# A model"])


def told(folder: Path, **files: str | bytes) -> Provenance:
    """`README_md` is README.md."""
    for name, content in files.items():
        path = folder / name.replace("_md", ".md").replace("_json", ".json").replace("_gguf", ".gguf")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return provenance(read_papers(folder), Knowledge(load_licences(), load_catalogue(), load_tags()))


def between(found: Provenance) -> list[str]:
    return [one.between for one in found.contradictions]


def test_a_text_and_its_tag_agree(tmp_path: Path) -> None:
    found = told(tmp_path, LICENSE=APACHE, README_md=card("license: apache-2.0"))
    assert (found.status, found.licences, found.expression) == ("named", ("apache-2.0",), "apache-2.0")
    assert found.texts[0].of_text == pytest.approx(1, abs=0.02)


def test_a_text_names_the_revision_that_its_tag_leaves_open(tmp_path: Path) -> None:
    found = told(tmp_path, LICENSE=GEMMA, README_md=card("license: gemma"))
    assert (found.status, found.licences) == ("named", ("gemma-2024-04-01",))


@pytest.mark.parametrize("tag", ["apache-2.0", "mit"])
@pytest.mark.parametrize(
    ("base", "licence"), [("Qwen/Qwen2.5-3B", "qwen-research"), ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1")]
)
def test_a_permissive_tag_over_a_base_that_is_not_is_a_contradiction_and_both_apply(
    tmp_path: Path, tag: str, base: str, licence: str
) -> None:
    found = told(tmp_path, README_md=card(f"license: {tag}", f"base_model: {base}", "base_model_relation: finetune"))
    assert (found.status, between(found)) == ("contradictory", ["tag and base"])
    assert found.licences == (tag, licence)


def test_the_bases_text_beside_it_does_not_excuse_a_permissive_tag(tmp_path: Path) -> None:
    readme = card("license: mit", "base_model: [meta-llama/Llama-3.1-8B]")
    assert between(told(tmp_path, LICENSE=LLAMA, README_md=readme)) == ["tag and text", "tag and base"]


def test_a_text_over_a_base_with_other_terms_is_a_contradiction_without_any_tag(tmp_path: Path) -> None:
    found = told(tmp_path, LICENSE=APACHE, README_md=card("base_model: Qwen/Qwen2.5-3B"))
    assert between(found) == ["text and base"]


def test_terms_of_two_houses_may_both_apply_and_two_versions_of_one_house_may_not(tmp_path: Path) -> None:
    base = "base_model: meta-llama/Llama-3.1-8B"
    both = told(tmp_path, README_md=card("license: other", "license_name: nvidia-open-model-license", base))
    assert (both.status, both.licences) == ("named", ("nvidia-open-model", "llama-3.1"))
    assert between(told(tmp_path, README_md=card("license: llama3", base))) == ["tag and base"]


def test_a_base_that_nobody_knows_leaves_the_answer_open(tmp_path: Path) -> None:
    found = told(tmp_path, README_md=card("license: apache-2.0", "base_model: someone/something"))
    assert (found.status, found.expression) == ("unknown", "apache-2.0 AND unknown")
    assert "someone/something is not in the catalogue" in found.open[0]


def test_a_tag_against_the_text_is_a_contradiction(tmp_path: Path) -> None:
    assert between(told(tmp_path, LICENSE=LLAMA, README_md=card("license: apache-2.0"))) == ["tag and text"]
    assert between(told(tmp_path, LICENSE=prose(7), README_md=card("license: apache-2.0"))) == ["tag and text"]


def test_a_policy_of_another_licence_and_a_notice_that_names_one_are_contradictions(tmp_path: Path) -> None:
    policy = "# Llama 3.2 Acceptable Use Policy\n\nBe good."
    assert between(told(tmp_path, LICENSE=LLAMA, USE_POLICY_md=policy)) == ["policy and licence"]
    notice = "Llama 3.3 is licensed under the Llama 3.3 Community License, Copyright the house"
    assert "notice" in between(told(tmp_path, NOTICE=notice))
    assert told(tmp_path, USE_POLICY_md=policy.replace("3.2", "3.1"), NOTICE="").contradictions == ()


@pytest.mark.parametrize(
    "changed",
    [
        APACHE.replace("irrevocable", "revocable"),
        APACHE.replace("irrevocable", ""),
        APACHE.replace("irrevocable", "not irrevocable"),
    ],
)
def test_a_changed_text_is_told(tmp_path: Path, changed: str) -> None:
    assert between(told(tmp_path, LICENSE=changed, README_md=card("license: apache-2.0"))) == ["changed text"]


def test_the_filled_in_copyright_line_is_no_change(tmp_path: Path) -> None:
    blank = "Copyright [yyyy] [name of copyright owner]"
    assert blank in APACHE
    for line in ("Copyright 2024 Some House", "Copyright 2023-2025 Some House and its 7 friends"):
        found = told(tmp_path, LICENSE=APACHE.replace(blank, line))
        assert found.status == ("unknown" if "7" in line else "named")


def test_much_beside_a_licence_takes_its_name(tmp_path: Path) -> None:
    found = told(tmp_path, LICENSE=f"{APACHE}\n\n{prose(5, 80)}\n")
    assert (found.status, found.expression) == ("unknown", "unknown")
    assert "words beside a licence" in found.open[0]


@pytest.mark.parametrize("added", ["You may not use it.", "For non-commercial use."])
def test_a_restriction_added_to_a_licence_leaves_the_answer_open(tmp_path: Path, added: str) -> None:
    found = told(tmp_path, LICENSE=f"{APACHE}\n\n{added}\n")
    assert (found.status, found.expression) == ("unknown", "apache-2.0 AND unknown")
    assert "holds more than apache-2.0" in found.open[0]


def test_a_name_of_several_licences_is_settled_by_the_text_or_not_at_all(tmp_path: Path) -> None:
    readme = card("license: other", "license_name: falcon-llm-license")
    found = told(tmp_path, README_md=readme)
    assert (found.status, found.expression) == ("unknown", "unknown")
    assert "falcon-2-11b or falcon-3" in found.open[0]


@pytest.mark.parametrize("readme", ["", "# No front matter", card("license: other"), card("license: [[["), card("- a")])
def test_a_folder_that_names_nothing_is_unknown(tmp_path: Path, readme: str) -> None:
    found = told(tmp_path, README_md=readme, LICENSE="See https://example.com")
    assert (found.status, found.expression) == ("unknown", "unknown")
    assert found.open


def test_config_and_gguf_name_models_and_their_terms_apply(tmp_path: Path) -> None:
    raw = head(
        pair("general.license", 8, text("apache-2.0")),
        pair("general.name", 8, text("Qwen2.5 3B Instruct")),
        pair("general.base_model.0.repo_url", 8, text("https://huggingface.co/meta-llama/Llama-3.1-8B")),
    )
    found = told(tmp_path, config_json=json.dumps({"_name_or_path": "google/gemma-3-270m"}), model_gguf=raw)
    assert found.licences == ("apache-2.0", "gemma-terms", "qwen-research", "llama-3.1")
    assert between(found) == ["tag and base"] * 3


def test_a_damaged_gguf_file_and_a_config_that_is_none_are_open_and_the_rest_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, LICENSE=APACHE, model_gguf=b"GGUF\3", config_json="{")
    assert (found.status, found.licences, len(found.open)) == ("unknown", ("apache-2.0",), 2)


def test_long_files_and_many_files_are_read_in_part_and_this_is_told(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text(APACHE + "word " * MOST_BYTES)
    for number in range(MOST_FILES):
        (tmp_path / f"LICENSE-{number:02}").write_text("short")
    reasons = [paper.reason for paper in read_papers(tmp_path).not_read]
    assert reasons == ["only its first 1,000,000 bytes were read", f"{MOST_FILES} files are read of one folder"]


def test_a_card_that_cannot_be_read_is_open_and_one_without_front_matter_says_nothing(tmp_path: Path) -> None:
    nested, endless = card("license: " + "[" * 50_000), card("license: mit", *["x: y"] * 50_000)
    for readme, reason in ((nested, "not YAML"), (endless, "longer than any"), (endless * 5, "first 1,000,000 bytes")):
        found = told(tmp_path, LICENSE=APACHE, README_md=readme)
        assert found.status == "unknown"
        assert reason in found.open[0]
    assert told(tmp_path, LICENSE=APACHE, README_md="# A model").status == "named"
    utf16 = told(tmp_path, LICENSE=APACHE.encode("utf-16"), README_md="")
    assert utf16.licences == ("apache-2.0",)


def test_every_tag_of_the_table_stands_for_licences_that_are_encoded_or_for_itself() -> None:
    known = load_licences().by_id
    tags = load_tags().names
    assert not [id for name, ids in tags.items() for id in ids if id not in known and ids != (name,)]
    assert not NO_NAME & set(tags)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["recognise", *arguments])


def test_the_command_tells_all_and_fails_only_on_demand(tmp_path: Path) -> None:
    told(tmp_path, LICENSE=APACHE, README_md=card("license: apache-2.0", "base_model: Qwen/Qwen2.5-3B"))
    result = run(str(tmp_path))
    assert result.exit_code == 0
    for part in ("contradictory: apache-2.0 AND qwen-research", "tag and base", "% of the licence", "Not legal advice"):
        assert part in result.stdout
    assert isinstance(run(str(tmp_path), "--fail-on", "contradictory").exception, GateFailed)
    assert run(str(tmp_path / "LICENSE"), "--fail-on", "unknown").exit_code == 0
    document = json.loads(run(str(tmp_path), str(tmp_path / "LICENSE"), "--json").stdout)
    assert document["schema_version"]
    assert [path["status"] for path in document["paths"]] == ["contradictory", "named"]
    assert document["paths"][0]["expression"] == "apache-2.0 AND qwen-research"


def test_paths_that_are_nothing_to_read_are_told_all_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF")
    error = run(*(str(tmp_path / name) for name in ("pipe", "binary", "cut.gguf", "nowhere"))).exception
    assert isinstance(error, InputError)
    assert [problem.slug for problem in error.problems] == ["licence-path"] * 4
