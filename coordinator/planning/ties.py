"""What binds visits to each other: gaps within an order, limits a day, hours of care together, faces, and pairs."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from coordinator.domain.vocabulary import INTERMITTENT
from coordinator.orders.model import CaseReview
from coordinator.planner.problem import DailyLimit, FacesLimit, GroupCap, Linked, LinkKind, Regularity, Spacing
from coordinator.planning.prices import Prices
from coordinator.planning.scene import Scene, Standing, episode_of
from coordinator.rules.terms import Policy
from coordinator.visits.book import UNCOUNTED
from coordinator.visits.model import Visit


class Ties:
    """Makes the ties of one run; `index` is the position of each visit in the problem."""

    def __init__(self, scene: Scene, visits: Sequence[Visit], policy: Policy, prices: Prices) -> None:
        self.scene, self.visits, self.policy, self.prices = scene, visits, policy, prices
        self.index = {visit.id: number for number, visit in enumerate(visits)}
        self.pairs = _pairs(visits, self.index)
        #: Second persons' visits: each a shadow of the first, so it does not count as another visit.
        self.companions = {number for number, visit in enumerate(visits) if visit.joint_with_id is not None}
        #: Those of them that no pair holds: the first one is not in the run, or goes with somebody already.
        self.alone = self.companions - {second for _, second in self.pairs}

    def links(self) -> tuple[Linked, ...]:
        """Two who go together begin together (a second person's visit lies within the first one's)."""
        return tuple(
            Linked(first, second, LinkKind.TOGETHER, different_clinicians=True) for first, second in self.pairs
        )

    def spacings(self) -> tuple[Spacing, ...]:
        """One for each patient and discipline: at most one ordered visit a day unless an order means more (FRQ-03)."""
        ties = []
        for (patient_id, discipline), members in sorted(self._by(_ordered).items()):
            single = self._per_order_day(members) <= 1
            held = self._held(patient_id, discipline)
            ties.append(
                Spacing(
                    visits=tuple(members),
                    at_most_one_per_day=single,
                    ideal_gap_days=self._ideal_gap(members) if single else 0,
                    cost=self.prices.crowded_day,
                    held_days=tuple(sorted({self.scene.horizon.index(stands.day) for stands in held})),
                )
            )
        return tuple(ties)

    def _per_order_day(self, members: Sequence[int]) -> int:
        """How many visits a day the orders of these visits mean."""
        orders = [self.scene.orders.get(self.visits[member].order_id or 0) for member in members]
        return max((order.visits_per_day for order in orders if order is not None), default=1)

    def _held(self, patient_id: int, discipline: str) -> list[Standing]:
        """Ordered visits of the patient outside the run."""
        return [
            stands
            for stands in self.scene.standing
            if stands.patient_id == patient_id and stands.discipline == discipline and stands.is_ordered
        ]

    def _ideal_gap(self, members: Sequence[int]) -> int:
        """Days from one visit to the next that spread a week's visits evenly; a weekly visit is content with five."""
        most = 1
        for member in members:
            week = self.scene.weeks.get(self.visits[member].order_week_id or 0)
            if week is not None and week.maximum:
                days = max(7, (week.ends_on - week.starts_on).days + 1)
                most = max(most, round(7 * week.maximum / days))
        return min(5, max(1, 7 // most))

    def daily_limits(self) -> tuple[DailyLimit, ...]:
        """For each patient what a day can bear, and for each order that means several a day, so many."""
        limits = []
        most_a_day = self.policy.planning.patient_visits_per_day
        for patient_id, members in sorted(self._by(lambda visit: visit.patient_id).items()):
            held = [stands for stands in self.scene.standing if stands.patient_id == patient_id]
            limits.append(DailyLimit(tuple(members), most_a_day, held=self._per_day(held, lambda _: 1)))
        for (patient_id, discipline), members in sorted(self._by(_ordered).items()):
            most = self._per_order_day(members)
            if most > 1:
                per_day = self._per_day(self._held(patient_id, discipline), lambda _: 1)
                limits.append(DailyLimit(tuple(members), most, held=per_day))
        return tuple(limits)

    def group_caps(self) -> tuple[GroupCap, ...]:
        """Nurse and aide minutes of one patient together, by day and by week (INT-01), where the programme asks."""
        settings, caps = self.policy.intermittent, []
        for patient_id, members in sorted(self._by(lambda visit: visit.patient_id, companions=True).items()):
            counted = [member for member in members if self._is_counted(self.visits[member])]
            if not counted:
                continue
            stands = [
                one for one in self.scene.standing if one.patient_id == patient_id and one.discipline in INTERMITTENT
            ]
            reviewed = self._is_reviewed(self.scene.reviews.get(patient_id, ()))
            caps.append(
                GroupCap(
                    visits=tuple(counted),
                    day_cap_minutes=settings.day_maximum_minutes,
                    week_cap_minutes=settings.week_reviewed_minutes if reviewed else settings.week_maximum_minutes,
                    used_by_day=self._per_day(stands, lambda one: one.minutes),
                    used_by_week=self._per_week(stands),
                )
            )
        return tuple(caps)

    def faces_limits(self) -> tuple[FacesLimit, ...]:
        """For each patient and discipline with several visits: every face beyond the first in a week costs."""
        limits = []
        groups = self._by(lambda visit: (visit.patient_id, visit.discipline.value))
        for (patient_id, discipline), members in sorted(groups.items()):
            if len(members) > 1:
                people = {clinician.id: number for number, clinician in enumerate(self.scene.clinicians)}
                weeks = self._weeks()
                held = sorted(
                    {
                        (week, people[stands.clinician_id])
                        for stands in self.scene.standing
                        if stands.patient_id == patient_id
                        and stands.discipline == discipline
                        and stands.clinician_id in people
                        and (week := self._week_of(stands.day)) in weeks
                    }
                )
                limits.append(FacesLimit(tuple(members), self.prices.new_face, held_faces=tuple(held)))
        return tuple(limits)

    def regularities(self) -> tuple[Regularity, ...]:
        """For each order of at most one visit a day: its visits at about the same time of day, those around the run
        included. Several a day are meant to lie apart.
        """
        ties = []
        for order_id, members in sorted(self._by(lambda v: v.order_id if _ordered(v) else None).items()):
            if self._per_order_day(members) > 1:
                continue
            around = [one for one in self.scene.standing if one.is_ordered and one.order_id == order_id]
            if len(members) + len(around) > 1:
                ties.append(
                    Regularity(
                        visits=tuple(members),
                        tolerance_minutes=self.policy.planning.usual_time_tolerance_minutes,
                        cost_minute=self.prices.stray_minute,
                        held_minutes=tuple(sorted(self._minute_of_day(one) for one in around)),
                    )
                )
        return tuple(ties)

    def _minute_of_day(self, one: Standing) -> int:
        return self.scene.horizon.minute(one.starts_at) - self.scene.horizon.bounds(one.day)[0]

    # -------------------------------------------------------------------------------------------- counting

    def _by(self, key: Callable[[Visit], object], *, companions: bool = False) -> dict:  # type: ignore[type-arg]
        """Positions of visits by key; without those whose key is None, and without companions unless asked for."""
        groups: dict[object, list[int]] = defaultdict(list)
        for number, visit in enumerate(self.visits):
            name = key(visit)
            if name is not None and (companions or number not in self.companions):
                groups[name].append(number)
        return groups

    def _is_counted(self, visit: Visit) -> bool:
        episode = episode_of(self.scene.patients[visit.patient_id], visit)
        return (
            visit.discipline in INTERMITTENT
            and episode is not None
            and self.policy.profile(episode.programme, self.scene.horizon.days[0]).skilled_need_required
        )

    def _is_reviewed(self, reviews: Sequence[CaseReview]) -> bool:
        """Whether every day of the run is covered by an approved review: 35 hours a week instead of 28."""
        return all(
            any(review.starts_on <= day <= review.ends_on for review in reviews) for day in self.scene.horizon.days
        )

    def _week_of(self, day: date) -> int:
        return self.scene.pay_week(day, self.policy.weeks.workweek_anchor)

    def _weeks(self) -> range:
        return range(self._week_of(self.scene.horizon.end_on) + 1)

    def _per_day(self, stands: Sequence[Standing], count: Callable[[Standing], int]) -> tuple[int, ...]:
        totals: Mapping[date, int] = defaultdict(int)
        for one in stands:
            totals[one.day] += count(one)  # type: ignore[index]
        return tuple(totals.get(day, 0) for day in self.scene.horizon.days)

    def _per_week(self, stands: Sequence[Standing]) -> tuple[int, ...]:
        totals = [0] * len(self._weeks())
        for one in stands:
            week = self._week_of(one.day)
            if week in self._weeks():
                totals[week] += one.minutes
        return tuple(totals)


def _ordered(visit: Visit) -> tuple[int, str] | None:
    """Patient and discipline of a visit that an order asks for as one of its week's; None for others (FRQ-03)."""
    if visit.order_id is None or visit.kind in UNCOUNTED:
        return None
    return visit.patient_id, visit.discipline.value


def _pairs(visits: Sequence[Visit], index: Mapping[int, int]) -> list[tuple[int, int]]:
    """(first, second person's) visits of the run; a visit is in one pair at most."""
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for number, visit in enumerate(visits):
        first = index.get(visit.joint_with_id) if visit.joint_with_id is not None else None
        if first is not None and not {first, number} & taken:
            pairs.append((first, number))
            taken |= {first, number}
    return pairs
