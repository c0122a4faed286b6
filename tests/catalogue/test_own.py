"""Facts of one's own beside the study: they override and add, and say which file they come from."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Offer
from steelyard.catalogue.own import catalogue_for
from steelyard.catalogue.resolve import resolve
from steelyard.cli.models import command
from steelyard.errors import InputError, Problem
from steelyard.quantities import Sourced, Unknown

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SOURCE = """
[sources.contract]
source = "contract 17 with the vendor, signed"
as_of = "2026-09-01"
"""


def beside(folder: Path, text: str) -> Path:
    """A study file with these facts beside it."""
    (folder / "models.toml").write_text(text + SOURCE, "utf-8")
    return folder / "study.yaml"


def test_without_a_file_the_shipped_facts_hold(tmp_path: Path) -> None:
    assert catalogue_for(tmp_path) is load_catalogue()
    assert catalogue_for(None) is load_catalogue()


def test_a_negotiated_price_overrides_and_names_its_file(tmp_path: Path) -> None:
    study = beside(
        tmp_path,
        """
[[offers]]
route = "openai"
model = "gpt-5-mini"

[[offers.prices]]
input_usd_per_million = "0.20"
output_usd_per_million = "1.60"
valid_from = "2026-09-01"
from = "contract"
""",
    )
    found = resolve(catalogue_for(study), "openai:gpt-5-mini")
    assert not isinstance(found, Problem) and isinstance(found.offer, Offer)
    price = found.offer.price_at(NOW)
    assert not isinstance(price, Unknown)
    assert price.input_usd_per_million == Decimal("0.20")
    assert price.source == f"{tmp_path / 'models.toml'}: contract 17 with the vendor, signed"
    assert found.base_url == "https://api.openai.com/v1"
    assert len([o for o in catalogue_for(study).offers_of("gpt-5-mini") if o.route == "openai"]) == 1


def test_a_signed_licence_takes_the_place_of_the_public_one_and_the_rest_stays(tmp_path: Path) -> None:
    study = beside(
        tmp_path,
        """
[[models]]
id = "codestral-22b"
licence = { id = "mistral-commercial", revision = "", from = "contract" }
""",
    )
    model, shipped = catalogue_for(study).models["codestral-22b"], load_catalogue().models["codestral-22b"]
    assert isinstance(model.licence, Sourced)
    assert model.licence.value.id == "mistral-commercial"
    assert "models.toml" in model.licence.source
    assert (model.name, model.parameters, model.kinds) == (shipped.name, shipped.parameters, shipped.kinds)


def test_a_private_deployment_is_a_model_and_an_offer_of_its_own(tmp_path: Path) -> None:
    study = beside(
        tmp_path,
        """
[[models]]
id = "house-model"
name = "House model"
family = "house"
vendor = "us"
openness = "proprietary"
kinds = ["text"]
ways = ["api"]
chat = true
licence = { unknown = "our own" }

[[offers]]
route = "compatible"
model = "house-model"
vendor = "us"
base_url = "https://models.example/v1"

[[offers.prices]]
input_usd_per_million = "1"
output_usd_per_million = "1"
valid_from = "2026-01-01"
from = "contract"
""",
    )
    found = resolve(catalogue_for(study), "compatible:house-model", base_url="https://models.example/v1/")
    assert not isinstance(found, Problem) and isinstance(found.offer, Offer)
    elsewhere = resolve(catalogue_for(study), "compatible:house-model", base_url="https://other.example/v1")
    assert not isinstance(elsewhere, Problem) and isinstance(elsewhere.offer, Unknown)


def test_what_only_the_snapshot_knows_can_be_overridden_too(tmp_path: Path) -> None:
    study = beside(
        tmp_path,
        """
[[offers]]
route = "azure"
model = "gpt-4o"
retention = { value = "none: abuse monitoring is off", from = "contract" }
""",
    )
    found = resolve(catalogue_for(study), "azure:gpt-4o")
    assert not isinstance(found, Problem) and isinstance(found.offer, Offer)
    assert isinstance(found.offer.retention, Sourced)
    assert not isinstance(found.offer.price_at(NOW), Unknown)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x = ", "models.toml"),
        ("models = 3", "not a list of tables"),
        ('[[models]]\nid = "gpt-5-mini"\ncolour = "red"', "models.0.colour"),
        ('[[models]]\nid = "new"', "models.0.name"),
        ('[[models]]\nid = "gpt-5-mini"\nparameters = { value = 1, from = "nobody" }', "no source is called"),
        ('[[models]]\nid = "gpt-5-mini"\nbases = ["mine"]', "neither in the catalogue nor in this file"),
        ('[[offers]]\nroute = "openai"\nmodel = "ghost"\nvendor = "v"', "offers the model 'ghost'"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=hint.replace(".", r"\.")):
        catalogue_for(beside(tmp_path, text))


EVIL = """
[[models]]
id = "evil"
name = "E\\u001b]0;x\\u0007\\nfake line: allowed"
family = "\\u001b[2J"
vendor = "V\\nallowed everything"
openness = "proprietary"
kinds = ["text"]
ways = ["api"]
chat = true
licence = { id = "x\\u001b[1m", revision = "", from = "contract" }
"""


@pytest.mark.parametrize("arguments", [("list", "--provider", "allowed"), ("show", "evil"), ("compare", "evil")])
def test_own_facts_steer_no_terminal_and_forge_no_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    study = beside(tmp_path, EVIL)
    study.write_text(
        "name: t\ndata: {file: d.jsonl, input: a, target: b, test: 50%}\n"
        'task: {kind: classification, prompt: "{a}"}\n'
        "use: {purpose: product, commercial: true}\ncandidates: [linear]\n",
        "utf-8",
    )
    (tmp_path / "d.jsonl").write_text('{"a": "x", "b": "y"}\n{"a": "z", "b": "w"}\n', "utf-8")
    result = CliRunner().invoke(command, [*arguments, "--study", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.stdout
    assert not [line for line in result.stdout.splitlines() if line.startswith(("fake", "allowed"))]
