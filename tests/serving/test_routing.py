"""Who may answer, in which order."""

from __future__ import annotations

from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Completion, MaySendTo, Provider, Target
from steelyard.quantities import Unknown
from steelyard.serving.routing import Route, order


async def nothing(provider: Provider, text: str) -> Completion:
    raise AssertionError("ordering routes asks nobody")


def route(name: str, custody: MaySendTo) -> Route:
    return Route(name, Target("fake", name, custody=custody), nothing, True, Unknown("a test"), "Vendor")


ROUTES = (route("vendor", "any"), route("processor", "contracted"), route("local", "own"))


def ids(asked: str, rule: DataRule) -> list[str]:
    return [route.candidate_id for route in order(asked, "inbox", ROUTES, rule)]


def test_the_studys_name_means_all_in_the_decisions_order() -> None:
    assert ids("inbox", DataRule("public", "any")) == ["vendor", "processor", "local"]


def test_what_may_not_receive_the_data_is_left_out_before_anything_is_chosen() -> None:
    assert ids("inbox", DataRule("internal", "contracted")) == ["processor", "local"]
    assert ids("inbox", DataRule("restricted", "own")) == ["local"]


def test_a_candidates_own_id_means_that_candidate_or_nobody() -> None:
    assert ids("vendor", DataRule("public", "any")) == ["vendor"]
    assert ids("vendor", DataRule("restricted", "own")) == []
    assert ids("nobody", DataRule("public", "any")) == []
