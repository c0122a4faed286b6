"""`steelyard doctor`: what this machine has, and what to do next."""

from __future__ import annotations

import click

EXTRAS = {
    "local": ("xllamacpp", "local models and fitted classifiers"),
    "tune": ("torch", "fine-tuning"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """Tell what is installed, which keys are set (never their values), which weights are at hand, what to do next."""
    import orjson

    from steelyard.cli.environment import versions
    from steelyard.cli.say import say, say_json

    found = versions()
    keys, weights = _keys(), _weights()
    steps = _next_steps(found, weights)
    if as_json:
        document = {"schema_version": "1.0", "versions": found, "keys": keys, "weights": weights, "next": steps}
        say_json(orjson.dumps(document))
        return
    say("installed")
    for name, version in found.items():
        say(f"  {name} {version}")
    for extra, (package, purpose) in EXTRAS.items():
        if package not in found:
            say(f"  [{extra}] is not installed ({purpose})")
    say("keys")
    for name, is_set in keys.items():
        say(f"  {name}: {'set' if is_set else 'not set'}")
    say("weights")
    for model, path in weights.items():
        say(f"  {model}: {path or 'not at hand'}")
    say("next")
    for step in steps:
        say(f"  {step}")


def _keys() -> dict[str, bool]:
    from steelyard.catalogue.load import load_catalogue
    from steelyard.providers.keys import key

    names = sorted({offer.key_env for offer in load_catalogue().offers if offer.key_env})
    return {name: bool(key(name)) for name in names}


def _weights() -> dict[str, str]:
    from steelyard.catalogue.load import load_catalogue
    from steelyard.catalogue.weights import find_weights

    models = (model for model in load_catalogue().models.values() if model.weights)
    return {model.id: str(find_weights(model, model.weights[0]) or "") for model in models}


def _next_steps(found: dict[str, str], weights: dict[str, str]) -> list[str]:
    steps = []
    if "xllamacpp" not in found:
        steps.append("pip install 'steelyard[local]'  to run local models without a key or a GPU")
    missing = [model for model, path in weights.items() if not path]
    if missing:
        steps.append(f"steelyard models get {missing[0]}  to fetch weights")
    return [*steps, "steelyard init  to start a study on your own data"]
