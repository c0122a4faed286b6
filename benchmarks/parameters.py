"""How far the counted parameters are from the published totals, over the whole catalogue; every outlier by name."""

from __future__ import annotations

from statistics import median

from steelyard.catalogue.load import load_catalogue
from steelyard.quantities import Unknown
from steelyard.sizing.tensors import tensors_of

STEPS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)
OUTLIER = 0.02


def main() -> None:
    errors: list[tuple[float, str, bool]] = []
    unread: list[str] = []
    for model in load_catalogue().models.values():
        if isinstance(model.architecture, Unknown):
            continue
        counted = tensors_of(model)
        if isinstance(counted, Unknown):
            unread.append(f"{model.id}: {counted.reason}")
        elif not isinstance(counted.error, Unknown):
            errors.append((counted.error, model.id, set(model.modalities) == {"text"}))
    for name, kept in (("all", errors), ("text only", [one for one in errors if one[2]])):
        within = ", ".join(f"{step:.1%}: {sum(abs(one[0]) <= step for one in kept)}" for step in STEPS)
        print(f"{name}: {len(kept)} models, median {median(abs(one[0]) for one in kept):.3%}; within {within}")
    for error, name, text in sorted(errors):
        if abs(error) > OUTLIER:
            print(f"{error:+.1%}  {name}{'' if text else ' (sees or hears: a tower is not in the numbers)'}")
    print("\n".join(unread))


if __name__ == "__main__":
    main()
