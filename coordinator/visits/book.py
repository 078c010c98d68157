"""Facts for the rules about visits, handed out one case at a time.

The same book serves one assignment and a planning run over 300 visits, 25 clinicians and seven days: what does not
depend on the clinician is built once per visit and day, what does not depend on the day once per clinician.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.work import Work
from coordinator.domain.lifecycle import DONE_VISIT, LIVE_ORDER, LIVE_VISIT
from coordinator.domain.timeline import (
    ONE_DAY,
    WeekAnchor,
    day_bounds,
    local_day,
    week_start,
)
from coordinator.domain.vocabulary import (
    INTERMITTENT,
    QUALIFYING,
    THERAPIES,
    Criterion,
    Discipline,
    Eligibility,
    Gender,
    InterpreterMode,
    OrderStatus,
    Performer,
    VisitKind,
    VisitStatus,
)
from coordinator.orders.facts import order_facts
from coordinator.orders.model import Order, OrderWeek
from coordinator.orders.queries import last_day
from coordinator.patients.enrolments import episodes_as_enrolments, primary_diagnosis
from coordinator.patients.model import Authorisation as AuthorisationRow
from coordinator.patients.model import Episode, Patient
from coordinator.rules.assessments import comprehensive_due
from coordinator.rules.facts import (
    AidePlanFacts,
    AssistantFacts,
    Authorisation,
    CaregiverFacts,
    CaseReview,
    ClinicianFacts,
    Coverage,
    CredentialFacts,
    Enrolment,
    EpisodeFacts,
    InterpreterFacts,
    LanguageSkill,
    LocalWindow,
    NeighbourFacts,
    OrderFacts,
    PatientFacts,
    QualifyingFacts,
    SupervisionFacts,
    TherapyFacts,
    UsageFacts,
    VisitCase,
    VisitFacts,
)
from coordinator.rules.therapy import QUALIFIED_THERAPISTS
from coordinator.staff.model import Clinician
from coordinator.visits.model import Visit
from coordinator.visits.windows import closed_windows

#: Kinds that are not counted against an order week: nobody ordered them as one of its visits (FRQ-03, FRQ-05).
UNCOUNTED = frozenset({VisitKind.SUPERVISION, VisitKind.PRN, VisitKind.INITIAL})
_THERAPIST_KINDS = frozenset({VisitKind.EVALUATION, VisitKind.REASSESSMENT})
#: Credentials without which nobody visits; others only remind.
_NEEDED_CREDENTIALS = frozenset({"licence", "license", "certificate", "registration"})
#: An order that ended in good order still covers the days on which it held.
_ENDED_IN_ORDER = frozenset({OrderStatus.SUPERSEDED, OrderStatus.EXPIRED, OrderStatus.COMPLETED})
#: Interpreting that is there when one asks for it, without a booking for the visit.
_ON_DEMAND = frozenset({InterpreterMode.PHONE, InterpreterMode.VIDEO})
_ASSISTANTS = frozenset({Performer.LVN, Performer.PTA, Performer.COTA})


@dataclass(frozen=True, slots=True)
class Placed:
    """Another visit of the patient, as far as a rule counts it."""

    id: int
    episode_id: int
    order_id: int | None
    order_week_id: int | None
    discipline: Discipline
    kind: VisitKind
    status: VisitStatus
    day: date | None
    joint: bool
    clinician_id: int | None
    performer: Performer | None
    minutes: dict[date, int]

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_VISIT

    @property
    def counts(self) -> bool:
        """Whether it uses up a visit of its order's week (FRQ-03)."""
        return self.is_live and self.order_id is not None and self.kind not in UNCOUNTED and not self.joint

    @property
    def is_charged(self) -> bool:
        """Whether it uses up a visit of what the payer authorised (INT-04): made or to be made, and not supervision."""
        return self.is_live and self.kind is not VisitKind.SUPERVISION and not self.joint


@dataclass(frozen=True, slots=True)
class Instructions:
    """One version of the aide's instructions for a patient (AID-02)."""

    id: int
    number: int
    effective_from: date
    prepared_by: Performer
    tasks: frozenset[str]


@dataclass(slots=True)
class PatientBook:
    """One patient's rows, sorted out."""

    patient: Patient
    zone: ZoneInfo
    orders: list[Order] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    plans: list[Instructions] = field(default_factory=list)
    #: (profession, day) on which an assistant's work with this patient was seen to (SUP-05).
    assistants_supervised: list[tuple[Performer, date]] = field(default_factory=list)
    #: (discipline, first day, clinician) of therapists of record, by reassignment in writing.
    therapists: list[tuple[Discipline, date, int]] = field(default_factory=list)
    supervised: list[date] = field(default_factory=list)
    reviews: list[CaseReview] = field(default_factory=list)
    authorisations: list[AuthorisationRow] = field(default_factory=list)
    enrolments: tuple[Enrolment, ...] = ()
    minutes: dict[date, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    nursing: dict[date, set[int]] = field(default_factory=lambda: defaultdict(set))

    def count(self) -> None:
        """Spread the minutes and nursing days of what is placed over the days."""
        for visit in self.placed:
            if not visit.is_live or visit.discipline not in INTERMITTENT:
                continue
            for day, minutes in visit.minutes.items():
                self.minutes[day].append((visit.id, minutes))
            if visit.discipline is Discipline.SN and visit.day is not None:
                self.nursing[visit.day].add(visit.id)

    def minutes_on(self, day: date, without: int | None) -> int:
        return sum(minutes for number, minutes in self.minutes.get(day, ()) if number != without)

    def minutes_in_week(self, first: date, without: int | None) -> int:
        return sum(self.minutes_on(first + timedelta(days=step), without) for step in range(7))

    def nursing_run(self, day: date, step: int, without: int | None) -> int:
        run, at = 0, day + timedelta(days=step)
        while self.nursing.get(at, set()) - {without}:
            run, at = run + 1, at + timedelta(days=step)
        return run


class CaseBook:
    """Cases about the visits it was loaded for, with any clinician, day or time."""

    def __init__(self, work: Work, patients: dict[int, PatientBook], facts: "Lookups") -> None:
        self._work = work
        self._now = work.now
        self._policy = work.policy
        self._patients = patients
        self._extra = facts
        self._sides: dict[Any, VisitCase] = {}
        self._clinicians: dict[tuple[int, bool], ClinicianFacts] = {}
        self._areas: dict[tuple[int, date], bool | None] = {}

    def zone(self, visit: Visit) -> ZoneInfo:
        """The zone of the patient's home: its branch's."""
        return self._patients[visit.patient_id].zone

    def order(self, visit: Visit) -> Order | None:
        """The visit's order."""
        return self._extra.orders.get(visit.order_id) if visit.order_id is not None else None

    def patient(self, visit: Visit) -> Patient:
        """The visit's patient."""
        return self._patients[visit.patient_id].patient

    def placed(self, visit: Visit) -> list[Placed]:
        """Everything else that is placed for the patient, done or planned."""
        return [other for other in self._patients[visit.patient_id].placed if other.id != visit.id and other.is_live]

    def case(
        self,
        visit: Visit,
        clinician: Clinician | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        day: date | None = None,
        neighbours: NeighbourFacts | None = None,
    ) -> VisitCase:
        """The facts about `visit` if `clinician` made it then; without times, on `day`, or where it stands now.

        Neighbours are the caller's: they depend on the clinician's whole day (see `cases.Days`).
        """
        if starts_at is None and day is None and visit.starts_at is not None:
            starts_at, ends_at = visit.starts_at, visit.ends_at
        side = self._patient_side(visit, starts_at, ends_at, day)
        if clinician is None:
            return side
        return VisitCase(
            patient=side.patient,
            episode=side.episode,
            visit=side.visit,
            order=side.order,
            usage=side.usage,
            qualifying=side.qualifying,
            aide_plan=side.aide_plan,
            supervision=side.supervision,
            therapy=side.therapy,
            assistant=self._assistant(clinician, visit, side.visit.day),
            clinician=self._clinician(clinician, visit.patient_id, side.visit.day),
            neighbours=neighbours,
        )

    # ------------------------------------------------------------------------------------ parts

    def _patient_side(
        self, visit: Visit, starts_at: datetime | None, ends_at: datetime | None, day: date | None
    ) -> VisitCase:
        book = self._patients[visit.patient_id]
        if starts_at is not None:
            ends_at = ends_at or starts_at + timedelta(minutes=visit.minutes)
            day = local_day(starts_at, book.zone)
        day = day or visit.window_from
        key = (visit.id, day, starts_at, ends_at, visit.kind, visit.minutes)
        known = self._sides.get(key) if visit.id is not None else None
        if known is not None:
            return known
        episode = self._extra.episodes[visit.episode_id]
        minutes = visit.minutes
        if starts_at is not None and ends_at is not None:
            minutes = int((ends_at - starts_at).total_seconds()) // 60
        side = VisitCase(
            patient=self._patient(book, episode, visit, day),
            episode=self._episode(book, episode),
            visit=VisitFacts(
                kind=visit.kind,
                discipline=visit.discipline,
                day=day,
                minutes=minutes,
                zone=book.zone,
                starts_at=starts_at,
                ends_at=ends_at,
                clinicians=2 if visit.joint_with_id is not None or visit.id in self._extra.with_companion else 1,
                interpreter=_interpreter(book.patient, visit),
                prn_trigger=visit.prn_trigger or "",
                purpose=visit.purpose or "",
                conversation=visit.conversation,
                check_in_timer=book.patient.home.check_in_minutes is not None,
            ),
            order=self._order(book, visit, day),
            usage=self._usage(book, episode, visit, day),
            qualifying=self._qualifying(book),
            aide_plan=_aide_plan(book, day) if visit.discipline is Discipline.HHA else None,
            supervision=_supervision(book, day) if visit.discipline is Discipline.HHA else None,
            therapy=self._therapy(book, visit, day) if visit.discipline in THERAPIES else None,
        )
        if visit.id is not None:
            self._sides[key] = side
        return side

    def _patient(self, book: PatientBook, episode: Episode, visit: Visit, day: date) -> PatientFacts:
        patient, home = book.patient, book.patient.home
        ended = episode.discharged_on is not None and episode.discharged_on < day
        awaiting = any(
            other.kind is VisitKind.RESUMPTION and other.status not in DONE_VISIT and other.id != visit.id
            for other in book.placed
        )
        return PatientFacts(
            active=patient.active and patient.deceased_on is None and not ended,
            on_hold=episode.on_hold_since is not None,
            awaiting_resumption=awaiting,
            admitted=episode.soc_date is not None,
            coverage=tuple(Coverage(row.payer, row.starts_on, row.ends_on) for row in patient.coverages) or None,
            eligibility=Eligibility(episode.eligibility),
            open_criteria=self._extra.open_criteria.get(episode.id, ()),
            address_in_area=self._in_area(book.patient, day),
            home_safety=home.safety,
            mitigations_done=home.mitigations_open == 0,
            hazards=frozenset(hazard.upper() for hazard in home.hazards),
            spoken_language=patient.spoken_language,
            interpreter_needed=patient.interpreter_needed,
            interpreter_declined=patient.interpreter_declined_on is not None and patient.interpreter_declined_on <= day,
            preferred_gender=Gender(patient.preferred_clinician_gender) if patient.preferred_clinician_gender else None,
            gender_required=patient.gender_required,
            no_visit_windows=closed_windows(patient, book.zone, self._extra.branches.get(patient.branch_id), day),
            caregivers=tuple(
                CaregiverFacts(willing=bool(person.willing), available=_available(person.availability))
                for person in patient.caregivers
                if person.participating
            ),
        )

    def _in_area(self, patient: Patient, day: date) -> bool | None:
        """Unknown where the branch has recorded no area at all."""
        key = (patient.id, day)
        if key not in self._areas:
            branch = self._extra.branches.get(patient.branch_id)
            home = patient.home
            if branch is None or (branch.polygon is None and not branch.service_zips):
                self._areas[key] = None
            else:
                self._areas[key] = agency.serves(self._work, patient.branch_id, home.zip, day, home.lat, home.lon)
        return self._areas[key]

    def _episode(self, book: PatientBook, episode: Episode) -> EpisodeFacts:
        ordered = {order.discipline for order in book.orders if order.episode_id == episode.id}
        ordered |= self._extra.referred.get(episode.referral_id or 0, frozenset())
        return EpisodeFacts(
            episode.programme,
            episode.payer,
            episode.soc_date,
            frozenset(ordered),
            enrolments=book.enrolments + episodes_as_enrolments(book.patient, episode),
            birth_date=book.patient.birth_date,
            condition=primary_diagnosis(book.patient),
            assessment_late_from=self._late_from(book, episode),
        )

    def _late_from(self, book: PatientBook, episode: Episode) -> date | None:
        """The first day on which the assessment of the start was late, where that day has come and it lacks."""
        if episode.soc_date is None or episode.id in self._extra.assessed:
            return None
        late_from = comprehensive_due(episode.soc_date, self._work.policy) + ONE_DAY
        return late_from if late_from <= local_day(self._work.now, book.zone) else None

    def _order(self, book: PatientBook, visit: Visit, day: date) -> OrderFacts | None:
        order = self.order(visit)
        if order is None:
            return None
        own = [other for other in book.placed if other.order_id == order.id and other.id != visit.id]
        week = next((row for row in self._extra.weeks(order) if row.starts_on <= day <= row.ends_on), None)
        # The second person of a joint visit takes nothing of the allowance.
        counted = [] if visit.joint_with_id is not None else [other for other in own if other.counts]
        same_day = [] if visit.joint_with_id is not None else [
            other
            for other in book.placed
            if other.id != visit.id and other.counts and other.discipline is visit.discipline and other.day == day
        ]  # fmt: skip
        facts = order_facts(
            order,
            week,
            used=sum(1 for other in counted if week and other.day and week.starts_on <= other.day <= week.ends_on),
            used_on_day=len(same_day),
            prn_used=sum(1 for other in own if other.kind is VisitKind.PRN),
            evaluation_used=any(other.kind is VisitKind.EVALUATION and other.counts for other in own),
            evaluation_complete=any(
                other.kind is VisitKind.EVALUATION
                and other.discipline is order.discipline
                and other.status in DONE_VISIT
                and other.performer in QUALIFIED_THERAPISTS
                for other in book.placed
            ),
            goals_by_therapist=self._extra.goals.get(order.id, False),
        )
        if order.status in _ENDED_IN_ORDER and day <= last_day(order):
            was = OrderStatus.ACTIVE_SIGNED if order.signed_at is not None else OrderStatus.ACTIVE_VERBAL
            facts = replace(facts, status=was)
        return facts

    def _usage(self, book: PatientBook, episode: Episode, visit: Visit, day: date) -> UsageFacts | None:
        authorisation = self._authorisation(book, episode, visit, day)
        if visit.discipline not in INTERMITTENT:
            return UsageFacts(authorisation=authorisation) if authorisation is not None else None
        anchor: WeekAnchor = self._policy.on(day).weeks.hours_week_anchor
        soc = episode.soc_date or day
        following = day + ONE_DAY
        running = [order for order in book.orders if order.status in LIVE_ORDER and order.effective_from <= day]
        running = [order for order in running if day <= last_day(order)]
        statements = [order.daily_nursing_ends_on for order in running if order.daily_nursing_ends_on is not None]
        live = {order.discipline for order in running}
        return UsageFacts(
            day_minutes=book.minutes_on(day, visit.id),
            week_minutes=book.minutes_in_week(week_start(day, anchor, soc), visit.id),
            next_day_minutes=book.minutes_on(following, visit.id),
            next_week_minutes=book.minutes_in_week(week_start(following, anchor, soc), visit.id),
            review=next((review for review in book.reviews if review.first_day <= day <= review.last_day), None),
            nursing_days_before=book.nursing_run(day, -1, visit.id),
            nursing_days_after=book.nursing_run(day, 1, visit.id),
            daily_nursing_ends_on=max(statements, default=None),
            daily_insulin=any(order.daily_insulin for order in running),
            other_qualifying_service=bool(live & (QUALIFYING - {Discipline.SN})),
            authorisation=authorisation,
        )

    def _authorisation(self, book: PatientBook, episode: Episode, visit: Visit, day: date) -> Authorisation | None:
        """What the episode's payer authorised for that day. None recorded: the payer asks for none.

        The second person of a joint visit takes nothing of it.
        """
        if visit.joint_with_id is not None:
            return None
        for row in book.authorisations:
            if (row.payer, row.discipline) == (episode.payer, visit.discipline) and row.starts_on <= day <= row.ends_on:
                used = sum(
                    1
                    for other in book.placed
                    if other.id != visit.id
                    and other.is_charged
                    and other.discipline is row.discipline
                    and other.day is not None
                    and row.starts_on <= other.day <= row.ends_on
                    and self._extra.episodes[other.episode_id].payer == row.payer
                )
                return Authorisation(maximum=row.maximum_visits, used=used)
        return None

    def _qualifying(self, book: PatientBook) -> QualifyingFacts:
        done = {other.discipline for other in book.placed if other.status in DONE_VISIT}
        continuing = bool(done & QUALIFYING)
        skilled = QUALIFYING | ({Discipline.OT} if continuing else frozenset())
        days = [other.day for other in book.placed if other.discipline in skilled and other.is_live and other.day]
        for order in book.orders:
            if order.discipline in skilled and order.status in LIVE_ORDER:
                ends = [row.ends_on for row in self._extra.weeks(order) if row.maximum]
                days.append(min(max(ends, default=order.effective_to), last_day(order)))
        return QualifyingFacts(max(days, default=None), continuing)

    def _therapy(self, book: PatientBook, visit: Visit, day: date) -> TherapyFacts:
        today = local_day(self._now, book.zone)
        days = [
            other.day
            for other in book.placed
            if other.discipline is visit.discipline
            and other.kind in _THERAPIST_KINDS
            and other.performer in QUALIFIED_THERAPISTS
            and other.id != visit.id
            and other.day is not None
            and other.day <= day
            and other.is_live
            and (other.status in DONE_VISIT or other.day >= today)
        ]
        return TherapyFacts(max(days, default=None))

    def _clinician(self, clinician: Clinician, patient_id: int, day: date) -> ClinicianFacts:
        facts = self._person(clinician, patient_id)
        if clinician.performer is not Performer.CHHA:
            return facts
        competence = self._extra.aides.get(clinician.id, AideRecord())
        plan = _in_force(self._patients[patient_id].plans, day)
        return replace(
            facts,
            aide_plan_acknowledged=plan is None or (plan.id, clinician.id) in self._extra.acknowledged,
            last_paid_aide_work_on=competence.last_paid_work_on,
            requalified_on=competence.requalified_on,
            blocked_tasks=competence.blocked_tasks,
            last_observed_on=competence.last_observed_on,
        )

    def _assistant(self, clinician: Clinician, visit: Visit, day: date) -> AssistantFacts | None:
        """What stands behind the assistant: supervision with this patient, and the therapist of record."""
        performer = clinician.performer
        if performer not in _ASSISTANTS:
            return None
        book = self._patients[visit.patient_id]
        seen_to = [on for who, on in book.assistants_supervised if who is performer and on <= day]
        first = [one.day for one in book.placed if one.performer is performer and one.is_live and one.day]
        answers = _of_record(book, visit.discipline, day) if visit.discipline in THERAPIES else None
        return AssistantFacts(
            counted_from=max(seen_to, default=None) or min((on for on in first if on <= day), default=None),
            therapist_reachable=None if answers is None else self._extra.reachable(answers, day, book.zone),
        )

    def _person(self, clinician: Clinician, patient_id: int) -> ClinicianFacts:
        declined = any(row.patient_id == patient_id for row in clinician.exclusions)
        known = self._clinicians.get((clinician.id, declined))
        if known is None:
            known = self._clinicians[(clinician.id, declined)] = ClinicianFacts(
                performer=clinician.performer,
                credentials=tuple(
                    CredentialFacts(
                        row.kind,
                        row.status == "active",
                        row.issued_on,
                        row.expires_on,
                        row.verified_on,
                        frozenset(VisitKind(word) for word in row.restricted_kinds or ()),
                    )
                    for row in clinician.credentials
                    if row.kind in _NEEDED_CREDENTIALS
                ),
                skills=frozenset(row.skill for row in clinician.skills),
                languages=tuple(
                    LanguageSkill(row.code, row.qualified_on, row.expires_on) for row in clinician.languages
                ),
                gender=clinician.gender,
                excluded=clinician.excluded_on is not None,
                declined_by_patient=declined,
            )
        return known


@dataclass(frozen=True, slots=True)
class AideRecord:
    """What is on record of an aide: competence (AID-03), open concerns (SUP-02), the last observation (SUP-03)."""

    last_paid_work_on: date | None = None
    requalified_on: date | None = None
    blocked_tasks: frozenset[str] = frozenset()
    last_observed_on: date | None = None


@dataclass(slots=True)
class Lookups:
    """What is looked up by number while cases are built."""

    episodes: dict[int, Episode]
    orders: dict[int, Order]
    referred: dict[int, frozenset[Discipline]]
    open_criteria: dict[int, tuple[Criterion, ...]]
    #: Whether a therapist set the order's goals (ORD-09).
    goals: dict[int, bool]
    with_companion: set[int]
    #: Held here, so that the session does not forget them between one question and the next.
    branches: dict[int, Branch]
    #: Episodes of which the comprehensive assessment of the start is complete (ASM-03).
    assessed: set[int] = field(default_factory=set)
    #: The weeks of orders that are not live yet, as they would be.
    laid_out: dict[int, list[OrderWeek]] = field(default_factory=dict)
    #: Aides by their number, where anything is on record; and (version of instructions, aide) acknowledged.
    aides: dict[int, AideRecord] = field(default_factory=dict)
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    #: Therapists of record who still work here, and when they are away.
    at_work: set[int] = field(default_factory=set)
    away: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def reachable(self, clinician_id: int, day: date, zone: ZoneInfo) -> bool:
        """Whether a therapist of record works here and is not away at some hour of that day."""
        begins, ends = day_bounds(day, zone)
        return clinician_id in self.at_work and not any(
            starts < ends and begins < over for starts, over in self.away.get(clinician_id, ())
        )

    def weeks(self, order: Order) -> list[OrderWeek]:
        """The weeks of the order: its rows when it is or was live, else as its text reads."""
        return order.weeks or self.laid_out.get(order.id, [])


# ------------------------------------------------------------------------------------ small pieces


def _available(rows: Sequence[dict[str, Any]]) -> tuple[LocalWindow, ...] | None:
    if not rows:
        return None
    return tuple(
        LocalWindow(time.fromisoformat(row["from"]), time.fromisoformat(row["to"]), row.get("weekday")) for row in rows
    )


def _interpreter(patient: Patient, visit: Visit) -> InterpreterFacts:
    if visit.interpreter_companion:
        return InterpreterFacts(
            companion=True,
            companion_age=visit.interpreter_companion_age,
            companion_requested=visit.interpreter_companion_basis == "requested",
            emergency=visit.interpreter_companion_basis == "emergency",
        )
    if visit.interpreter_booked:
        try:
            return InterpreterFacts(InterpreterMode(visit.interpreter_booked))
        except ValueError:
            return InterpreterFacts()
    mode = InterpreterMode(patient.interpreter_mode) if patient.interpreter_mode else None
    return InterpreterFacts(mode if mode in _ON_DEMAND else None)


def _in_force(plans: Sequence[Instructions], day: date) -> Instructions | None:
    """The latest version that was written for that day."""
    return max((plan for plan in plans if plan.effective_from <= day), key=lambda plan: plan.number, default=None)


def _aide_plan(book: PatientBook, day: date) -> AidePlanFacts:
    plan = _in_force(book.plans, day) or min(book.plans, key=lambda plan: plan.effective_from, default=None)
    return AidePlanFacts(plan.effective_from, plan.prepared_by, plan.tasks) if plan is not None else AidePlanFacts()


def _of_record(book: PatientBook, discipline: Discipline, day: date) -> int | None:
    """Who answers for the discipline's assistants: by reassignment in writing, else whoever evaluated last."""
    assigned = [(on, number) for what, on, number in book.therapists if what is discipline and on <= day]
    if assigned:
        return max(assigned)[1]
    evaluated = [
        (one.day, one.clinician_id)
        for one in book.placed
        if one.discipline is discipline
        and one.kind is VisitKind.EVALUATION
        and one.status in DONE_VISIT
        and one.performer in QUALIFIED_THERAPISTS
        and one.day is not None
        and one.clinician_id is not None
    ]
    return max(evaluated)[1] if evaluated else None


def _supervision(book: PatientBook, day: date) -> SupervisionFacts:
    aide_days = [
        other.day for other in book.placed if other.discipline is Discipline.HHA and other.is_live and other.day
    ]
    skilled = QUALIFYING | {Discipline.OT}
    return SupervisionFacts(
        last_on=max((supervised for supervised in book.supervised if supervised <= day), default=None),
        first_aide_visit_on=min((at for at in aide_days if at <= day), default=None),
        skilled_service=any(order.discipline in skilled and order.status in LIVE_ORDER for order in book.orders),
    )
