"""What the policy's prices are to the planner, and which of them a scenario may set."""

from coordinator.planner.problem import Touch, Weights
from coordinator.rules.terms import MovePrice, Prices

__all__ = ["SCENARIO_PRICES", "MovePrice", "Prices", "touch_of", "weights_of"]

#: Prices that a scenario may set, by their names in the policy.
SCENARIO_PRICES = (
    "travel_minute", "waiting_minute", "overtime_minute", "doubletime_minute", "fairness_minute", "unplaced_needed",
    "unplaced_can_wait", "unplaced_optional", "seen_before", "stranger", "other_language", "other_gender", "new_face",
    "crowded_day", "stray_minute",
)  # fmt: skip


def weights_of(prices: Prices) -> Weights:
    """The prices of what is not priced on the visit itself."""
    return Weights(
        travel_minute=prices.travel_minute,
        waiting_minute=prices.waiting_minute,
        overtime_minute=prices.overtime_minute,
        doubletime_minute=prices.doubletime_minute,
        fairness_minute=prices.fairness_minute,
    )


def touch_of(prices: Prices, *, told: bool) -> Touch:
    """What a change costs each patient and each day of a clinician once, besides what it costs the visits; nothing
    where nobody was told (`told`), because prices across the whole plan keep a search from going in parts.
    """
    if not told:
        return Touch()
    return Touch(told_patient_cost=prices.touched_told_patient, clinician_cost=prices.touched_told_day)
