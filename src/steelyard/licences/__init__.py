"""Terms applied to an intended use: allowed, conditional, forbidden or unknown, with the clause."""

from steelyard.licences.verdict import Reason, Status, Threshold, Verdict

__all__ = ["Reason", "Status", "Threshold", "Verdict"]
