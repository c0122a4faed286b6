"""`steelyard models compare`: facts of several models side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.licence.judge import PURPOSES
from steelyard.cli.licence.options import WHAT, WHO, with_options
from steelyard.cli.models.document import choice_document
from steelyard.cli.models.judging import Judge, judge_of
from steelyard.cli.models.telling import MODEL_FACTS, models_called, say_document, say_line, value_or_unknown

if TYPE_CHECKING:
    from steelyard.catalogue.selection import Choice


@click.command("compare")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--study", type=click.Path(path_type=Path), help="Judge for a study's use; take its own facts too.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="What it is for; adds the verdict of every model.")
@with_options(WHAT, WHO)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def compare_command(models: tuple[str, ...], study: Path | None, as_json: bool, **options: Any) -> None:
    """Compare MODELs side by side: one line a fact, one column a model. `show` has the sources and dates."""
    from steelyard.catalogue.own import catalogue_for
    from steelyard.catalogue.selection import choice_of
    from steelyard.catalogue.whole import whole

    at = datetime.now(UTC)
    by_hand = catalogue_for(study)
    catalogue = whole(by_hand)
    judge = judge_of(study, options, at)
    found = models_called(catalogue, models)
    choices = [choice_of(model, catalogue.offers_of(model.id), model.id in by_hand.models, at) for model in found]
    if as_json:
        say_document({"models": [choice_document(choice, judge) for choice in choices]})
        return
    columns = [_column(choice, judge) for choice in choices]
    from steelyard.cli.table import print_table

    heads = ("fact", *(column["model"] for column in columns))
    names = [name for name in columns[0] if name not in ("model", "verdict")]
    print_table(heads, [{"fact": name, **{column["model"]: column[name] for column in columns}} for name in names])
    for column in columns if judge is not None else ():
        say_line(f"{column['model']}: {column['verdict']}")


def _column(choice: Choice, judge: Judge | None) -> dict[str, str]:
    from steelyard.catalogue.selection import weights_bytes
    from steelyard.quantities import Unknown

    model, price = choice.model, choice.price
    column = {
        "model": model.id,
        "name": model.name,
        "vendor": model.vendor,
        "openness": model.openness,
        "kinds": ", ".join(model.kinds),
        "modalities": ", ".join(model.modalities),
        "ways": ", ".join(model.ways),
    }
    column |= {name.replace("_", " "): value_or_unknown(getattr(model, name)) for name in MODEL_FACTS}
    if judge is not None:
        verdict = judge.verdict(choice)
        column["verdict"] = f"{verdict.status}: {verdict.headline}"
    size = weights_bytes(model)
    column["weights"] = "unknown" if isinstance(size, Unknown) else f"{size.value / 1e9:.3g} GB"
    if isinstance(price, Unknown):
        column |= {"USD/M in": "unknown", "USD/M out": "unknown", "sources of the price": "none"}
    else:
        agree = f"{1 + price.agreeing} of {1 + len(price.others)} agree"
        column |= {
            "USD/M in": str(price.input_usd_per_million),
            "USD/M out": str(price.output_usd_per_million),
            "sources of the price": agree,
        }
    return column | {
        "sold by": ", ".join(dict.fromkeys(offer.vendor for offer in choice.offers[:6]))
        + (f" and {len(choice.offers) - 6} more" if len(choice.offers) > 6 else ""),
        "facts": "by hand" if choice.by_hand else "snapshot",
    }
