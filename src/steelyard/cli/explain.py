"""`steelyard explain WORD`: what an error message means, and what to do."""

from __future__ import annotations

import click


@click.command()
@click.argument("word", default="")
def command(word: str) -> None:
    """Explain WORD, the word that an error message ends with; without it, list all words."""
    from steelyard.catalogue.ids import nearest
    from steelyard.cli.say import say
    from steelyard.errors import InputError, Problem

    texts = explanations()
    if not word:
        say("\n".join(texts))
    elif word in texts:
        say(texts[word])
    else:
        what = f"no message ends with {word!r}{nearest(word, tuple(texts))}"
        raise InputError(Problem("unknown-message", what, next_step="`steelyard explain` lists all words"))


def explanations() -> dict[str, str]:
    """The page on messages, which ships with the package: word -> text."""
    from importlib.resources import files

    _, *sections = files("steelyard").joinpath("messages.md").read_text("utf-8").split("\n## ")
    return {word: text.strip() for word, _, text in (section.partition("\n") for section in sections)}
