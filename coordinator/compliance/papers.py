"""What the rules say of a patient's papers as they are now, whether or not anything is due or held because of them.

Certification and encounter, the assessment of the start, the plan's last skilled visit, therapy, concerns about aides,
the team, the schedule in writing: read from where each is kept, and asked by the same words as there.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import sqlalchemy as sa

from coordinator.agency import service as agency
from coordinator.core.work import Work
from coordinator.deadlines import cases, papers
from coordinator.deadlines.model import Deadline
from coordinator.deadlines.obligation import Asked
from coordinator.domain.timeline import certification_period_of, local_day
from coordinator.domain.vocabulary import AssessmentKind, DeadlineStatus, Discipline, VisitStatus
from coordinator.episodes.reading import findings_of, is_certified
from coordinator.patients.model import Episode, Patient
from coordinator.rules.assessments import ask_comprehensive
from coordinator.rules.certification import ask_idle_plan
from coordinator.rules.conference import ask_composition
from coordinator.rules.notes import ask_written_schedule
from coordinator.rules.supervision import ask_concern
from coordinator.rules.terms import Finding
from coordinator.rules.therapy import QUALIFIED_THERAPISTS, ask_reassessment_booked
from coordinator.staff.model import Clinician
from coordinator.teams.members import team_of
from coordinator.visits.model import Visit
from coordinator.visits.oversight_model import AideConcern

#: Rules of a certification, by what they are asked about.
FIRST, LATER = ("CERT-01", "CERT-06", "F2F-01", "F2F-02"), ("CERT-02", "CERT-06")
_PLACED = (VisitStatus.PENDING, VisitStatus.BOOKED)
_SCHEDULE = "VIS-05"

#: A rule, what it was asked about, and what it says; nothing where it is content.
Answer = tuple[str, str, Sequence[Finding]]


def of_patient(work: Work, patient: Patient) -> Iterator[Answer]:
    """Each rule that was asked of the patient's papers. Asked by the room: no permission."""
    zone = agency.zone_of(work, patient.branch_id)
    asked = Asked(work.now, local_day(work.now, zone), zone, work.policy)
    scope = cases.Scope(work, patient.branch_id, asked, frozenset({patient.id}))
    for episode in patient.episodes:
        if episode.soc_date is not None and episode.discharged_on is None:
            yield from _certifications(work, episode, asked.today)
            yield from _team(work, patient, episode, asked.today)
    for file in papers.papers(scope):
        if file.stay.in_care and file.stay.soc is not None:
            day = (AssessmentKind.START_OF_CARE, file.stay.soc)
            completed_on = file.stay.soc if day in file.assessed else None
            yield "ASM-03", _name(file.stay), ask_comprehensive(file.stay.soc, completed_on, asked.today, work.policy)
    for seen in cases.seen(scope):
        last = seen.skilled_on or seen.stay.soc
        if last is not None:
            yield "CERT-05", _name(seen.stay), _some(ask_idle_plan(last, asked.today, work.policy))
    for therapy in cases.therapies(scope):
        if therapy.last_on is not None:
            booked_on = _booked(work, scope, therapy.stay.patient_id, therapy.discipline)
            said = ask_reassessment_booked(therapy.last_on, booked_on, asked.today, work.policy)
            yield "THX-01", f"{_name(therapy.stay)}:{therapy.discipline.value}", said
    concerns = sa.select(AideConcern).where(AideConcern.patient_id == patient.id, AideConcern.cleared_on.is_(None))
    for concern in work.session.scalars(concerns.order_by(AideConcern.id)):
        yield "SUP-02", f"aide-concern:{concern.id}", [ask_concern(concern.noted_on, work.policy)]
    yield from _schedules(work, scope, patient)


def _name(stay: cases.Stay) -> str:
    return f"episode:{stay.id}"


def _some(finding: Finding | None) -> list[Finding]:
    return [] if finding is None else [finding]


def _certifications(work: Work, episode: Episode, today: date) -> Iterator[Answer]:
    """The first period's certification and encounter, and that of the period that is running."""
    assert episode.soc_date is not None
    for number in sorted({1, certification_period_of(episode.soc_date, max(today, episode.soc_date))}):
        findings = findings_of(work, episode, number)
        rules = set(FIRST if number == 1 else LATER) if is_certified(work, episode) else set()
        for rule in sorted(rules | {finding.rule for finding in findings}):
            yield rule, f"period:{episode.id}/{number}", [one for one in findings if one.rule == rule]


def _team(work: Work, patient: Patient, episode: Episode, today: date) -> Iterator[Answer]:
    """Whether the team has its core roles, where the programme has the team meet (IDT-01)."""
    if work.policy.profile(episode.programme, today).idt_interval_days is None:
        return
    members = [member.clinician.performer for member in team_of(work, patient.id, today)]
    managed = patient.managing_physician_id is not None
    said = ask_composition(members, managed, work.policy.on(today))
    yield "IDT-01", f"episode:{episode.id}", _some(said)


def _booked(work: Work, scope: cases.Scope, patient_id: int, discipline: Discipline) -> date | None:
    """The first day on which a therapist's visit of the discipline is booked or held."""
    found = work.session.scalar(
        sa.select(sa.func.min(Visit.starts_at))
        .join(Clinician, Clinician.id == Visit.clinician_id)
        .where(
            Visit.patient_id == patient_id,
            Visit.discipline == discipline,
            Visit.status.in_(_PLACED),
            Visit.starts_at >= work.now,
            Clinician.performer.in_(sorted(QUALIFIED_THERAPISTS)),
        )
    )
    return None if found is None else scope.day(found)


def _schedules(work: Work, scope: cases.Scope, patient: Patient) -> Iterator[Answer]:
    """Orders whose schedule the patient does not have in writing yet (VIS-05): at the next visit."""
    rows = work.session.scalars(
        sa.select(Deadline)
        .where(Deadline.patient_id == patient.id, Deadline.rule == _SCHEDULE, Deadline.status == DeadlineStatus.OPEN)
        .order_by(Deadline.id)
    ).all()
    if not rows:
        return
    begun = {line.id: line.effective_from for stay in cases.stays(scope) for line in stay.lines}
    next_visit = work.session.scalar(
        sa.select(sa.func.min(Visit.starts_at)).where(
            Visit.patient_id == patient.id, Visit.status.in_(_PLACED), Visit.starts_at >= work.now
        )
    )
    next_on = None if next_visit is None else scope.day(next_visit)
    for row in rows:
        changed_on = begun.get(cases.number_of(row.subject))
        if changed_on is not None:
            yield _SCHEDULE, row.subject, [ask_written_schedule(changed_on, next_on, patient.written_language)]
