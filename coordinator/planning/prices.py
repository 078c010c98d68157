"""What the planner is told things cost, in cents, and the numbers of labour law and of the agency it keeps to.

Everything is measured against driving: a minute on the road costs 60. The amounts are decisions of this product;
what is law names its source.
"""

from dataclasses import dataclass, field

from coordinator.planner.problem import Weights


@dataclass(frozen=True, slots=True)
class MovePrice:
    """What it costs to change where a visit stands, by what is changed."""

    clinician: int
    day: int
    time: int
    tolerance_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Labour:
    """The day and week of somebody employed in California."""

    #: Labor Code 510: more than 8 hours a day are overtime.
    daily_paid_minutes: int = 480
    #: LAB-01: more than 12 hours a day are not planned.
    daily_maximum_minutes: int = 720
    #: Labor Code 512: 30 minutes, begun before the end of the fifth hour, when more than five hours are worked.
    meal_minutes: int = 30
    meal_owed_after: int = 300
    meal_latest: int = 299
    #: The second meal, when more than ten hours are worked.
    second_meal_owed_after: int = 600
    second_meal_latest: int = 599
    #: A meal is not a meal in the first minutes of the day.
    meal_earliest: int = 120
    second_meal_earliest: int = 420
    #: Labor Code 226.7: an hour's pay for a missed meal; only where fixed visits leave no room for it.
    missed_meal: int = 9_000


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices of one run."""

    weights: Weights = field(default_factory=Weights)
    labour: Labour = field(default_factory=Labour)

    # Leaving a visit out, dearest first.
    unplaced_standing: int = 600_000
    unplaced_due: int = 400_000
    unplaced_prn: int = 300_000
    unplaced_needed: int = 150_000
    #: Its window reaches past the run: there will be another chance.
    unplaced_can_wait: int = 60_000
    unplaced_optional: int = 30_000

    #: For each day that an urgent visit waits.
    due_day: int = 2_000
    prn_day: int = 3_000

    # Who goes. The primary of the care team costs nothing.
    seen_before: int = 400
    stranger: int = 1_500
    other_language: int = 1_500
    other_gender: int = 1_200
    #: Each face of one discipline beyond the first in a week.
    new_face: int = 600
    #: Each day by which visits of an order stand closer than ideal.
    crowded_day: int = 500

    # Moving a visit that stands.
    held: MovePrice = MovePrice(clinician=300, day=600, time=200, tolerance_minutes=10)
    booked: MovePrice = MovePrice(clinician=1_000, day=2_000, time=500, tolerance_minutes=5)
    published: MovePrice = MovePrice(clinician=4_000, day=8_000, time=2_500)
    told: MovePrice = MovePrice(clinician=8_000, day=15_000, time=6_000)

    #: Visits of one patient on one day, whatever the orders say.
    patient_visits_per_day: int = 3
    #: Nothing is planned to begin sooner than this from now.
    notice_minutes: int = 30


PRICES = Prices()
