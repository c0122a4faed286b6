"""Which model is best, without asking every model everything: pure policies that say whom to ask what next.

`guaranteed(problem)` and `expected(problem)` each give a `policy(history)`; see docs/statistics.md.
"""

from steelyard.trials.race.expected import expected
from steelyard.trials.race.guaranteed import guaranteed
from steelyard.trials.race.shape import Call, History, Policy, RaceProblem, Stop

__all__ = ["Call", "History", "Policy", "RaceProblem", "Stop", "expected", "guaranteed"]
