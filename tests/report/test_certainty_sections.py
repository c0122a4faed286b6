"""The report says how far the figures carry, and computes none of it."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.decision.evidence import MADE_AT, case, measured, scores, summary
from tests.decision.samples import sample_decision

from steelyard.decision.certainty import Certainty, CorpusFigure
from steelyard.decision.decide import decide
from steelyard.quantities import Unknown
from steelyard.report.certainty_sections import good_enough, other_metrics, slices
from steelyard.report.page import page
from steelyard.report.render import html, markdown
from steelyard.stats import Estimate, Interval


def decision(**changes):
    by_sample = {f"s{i}": {"channel": "mail" if i % 8 else "<b>chat</b>"} for i in range(240)}
    return decide(
        case(**changes),
        (measured("a", scores(190, 240)), measured("b", scores(185, 240, 40)), measured("c", scores(60, 240))),
        summary(),
        made_at=MADE_AT,
        versions={},
        slices=by_sample,
    )


def test_these_samples_and_traffic_like_them_stand_side_by_side():
    text = markdown(decision(margin=0.03))
    assert "| Candidate | On these 240 samples | On traffic like this | Within the margin |" in text
    assert "less than 3 points below the best" in text
    assert "on these samples only" in text
    assert re.search(r"^\| c .* points .* points .*\| no \|$", text, re.MULTILINE)
    assert "Within the margin" not in markdown(decision())


def test_slices_show_the_drawn_in_figure_beside_the_slices_own_and_say_how_many_were_looked_at():
    made = decision()
    text = markdown(made)
    assert "By channel" in text
    assert "4 figures of slices were looked at" in text
    assert "(alone " in text
    assert "<b>chat" not in html(made)


def test_other_metrics_have_a_table_where_there_are_some():
    assert other_metrics(decision()) is None
    made = decision()
    span = Estimate(0.5, Interval(0.4, 0.6), 240, "bootstrap (BCa)", "share")
    figures = (
        CorpusFigure("macro_f1", "a", span, Unknown("the best itself"), 1.0),
        CorpusFigure("macro_f1", "b", replace(span, interval=Unknown("too few items")), replace(span, value=-0.1), 0.2),
    )
    assert isinstance(made.certainty, Certainty)
    text = markdown(replace(made, certainty=replace(made.certainty, corpus=figures)))
    assert "| Macro-F1 | a | 50.0 % (40.0 to 60.0 %) |" in text
    assert "| Macro-F1 | b | 50.0 % (too few items) | -10.0 points" in text


def test_the_sentences_stand_under_how_sure():
    section = next(section for section in page(decision()).sections if section.id == "doubts")
    assert "Not shown to be worse than any other" in str(section.blocks)


def test_a_decision_made_before_these_were_worked_out_has_no_such_sections():
    old = sample_decision()
    assert good_enough(old) is None
    assert slices(old) is None
