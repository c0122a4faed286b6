"""The facts on machines that ship with Steelyard."""

from __future__ import annotations

import pytest

from steelyard.costs import machine, machines
from steelyard.costs.machines import peak_utilisation
from steelyard.errors import InputError
from steelyard.quantities import ZERO_USD


def test_every_machine_has_a_price_with_source_and_date_and_an_id_of_its_own():
    assert len({known.id for known in machines()}) == len(machines())
    for known in machines():
        assert known.usd_per_hour.value > ZERO_USD
        assert known.usd_per_hour.source
        assert known.usd_per_hour.as_of


def test_the_planned_utilisation_is_a_sourced_share():
    assert 0 < peak_utilisation().value <= 1
    assert peak_utilisation().source


def test_an_unknown_machine_names_those_that_exist():
    with pytest.raises(InputError, match="cpu-2-arm"):
        machine("abacus")
