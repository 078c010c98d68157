"""What hangs on a patient: caregivers, coverage, diagnoses, when not to come, and the safety of the home.

Every change raises the patient's own version, so that whoever edits by version sees it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, TypeVar

from coordinator.agency.service import today
from coordinator.core.db import Base, touch
from coordinator.core.errors import Conflict, Invalid, NotFound
from coordinator.core.fields import FIRST_YEAR, LAST_YEAR
from coordinator.core.work import Work, permitted
from coordinator.domain.events import PrecautionsChanged, TeachingChanged
from coordinator.domain.vocabulary import HomeSafety, Payer
from coordinator.patients import checks
from coordinator.patients.diagnoses import diagnosis_code
from coordinator.patients.model import Caregiver, Coverage, Diagnosis, NoVisitWindow, Patient, Unavailability
from coordinator.patients.queries import for_change

B = TypeVar("B", bound=Base)

_CAREGIVER = frozenset(
    {
        "name", "relation", "language", "phone", "availability", "participating", "willing", "willing_on",
        "may_contact", "consent_to_share", "consent_from", "consent_until",
        "burden_score", "burden_scored_on", "teaching",
    }
)  # fmt: skip
MOST_ROWS = 200
_WINDOW = frozenset({"weekday", "on_date", "starts", "ends", "reason", "starts_at_sunset", "ends_at_sunset"})
#: How often somebody who is alone in a home may be asked to say that all is well.
CHECK_IN_MINUTES = range(10, 241)


def own(rows: Iterable[B], number: int, what: str) -> B:
    """The row of that number among the patient's own; NotFound if it is another's."""
    for row in rows:
        if row.id == number:  # type: ignore[attr-defined]
            return row
    raise NotFound(what)


def changed(work: Work, patient: Patient, action: str, **facts: Any) -> None:
    """Raise the version, let the database answer, and leave a line in the trail."""
    touch(patient)
    work.session.flush()  # numbers and the new version are in the answer and in the trail
    work.record(action, f"patient:{patient.id}", patient_id=patient.id, **facts)


def _room_for_one(rows: list[Any], pointer: str) -> None:
    if len(rows) >= MOST_ROWS:
        raise Invalid(f"There are {MOST_ROWS} of these already, which is all that a record holds.", pointer=pointer)


# ------------------------------------------------------------------------------------ building rows


def caregiver_from(fields: Mapping[str, Any], pointer: str = "") -> Caregiver:
    """A caregiver, checked."""
    checks.refuse_unknown(fields, _CAREGIVER, pointer)
    checks.require(fields, ("name", "relation"), pointer)
    _check_teaching(fields.get("teaching") or (), pointer)
    return Caregiver(
        **{
            "availability": [],
            "participating": True,
            "willing": None,
            **fields,
            "language": checks.language_tag(fields.get("language") or "en", f"{pointer}/language"),
            **(
                {"availability": checks.caregiver_windows(fields["availability"], f"{pointer}/availability")}
                if fields.get("availability")
                else {}
            ),
        }
    )


def check_caregiver(caregiver: Caregiver, today: date, pointer: str = "") -> None:
    """Refuse a wish of another day than it can be, and days of consent in the wrong order."""
    if caregiver.willing_on is not None and (caregiver.willing is None or caregiver.willing_on > today):
        raise Invalid("They were asked by today, and gave an answer.", pointer=f"{pointer}/willing_on")
    if caregiver.consent_from is not None:
        checks.days_in_order(caregiver.consent_from, caregiver.consent_until, f"{pointer}/consent_until")
    _check_teaching(caregiver.teaching or (), pointer)
    if caregiver.consent_to_share is None and (caregiver.consent_from or caregiver.consent_until):
        raise Invalid("There are days of a consent and no answer.", pointer=f"{pointer}/consent_to_share")


def _check_teaching(goals: Iterable[Mapping[str, Any]], pointer: str) -> None:
    """Refuse days that there are not, or that nobody lives to see."""
    for number, goal in enumerate(goals):
        for name in ("taught_on", "next_on"):
            if goal.get(name) is not None and not _is_day(goal[name]):
                raise Invalid("There is no such day.", pointer=f"{pointer}/teaching/{number}/{name}")


def _is_day(said: str) -> bool:
    try:
        return FIRST_YEAR <= date.fromisoformat(said).year <= LAST_YEAR
    except ValueError:
        return False


def coverage_into(patient: Patient, fields: Mapping[str, Any], pointer: str = "") -> Coverage:
    """A coverage, checked against the patient's others: the same payer does not pay twice for one day."""
    checks.refuse_unknown(fields, frozenset({"payer", "member_id", "starts_on", "ends_on"}), pointer)
    checks.require(fields, ("payer", "starts_on"), pointer)
    coverage = Coverage(
        payer=Payer(fields["payer"]),
        member_id=fields.get("member_id"),
        starts_on=fields["starts_on"],
        ends_on=fields.get("ends_on"),
    )
    checks.days_in_order(coverage.starts_on, coverage.ends_on, f"{pointer}/ends_on")
    _refuse_overlap(patient, coverage)
    patient.coverages.append(coverage)
    return coverage


def _refuse_overlap(patient: Patient, coverage: Coverage) -> None:
    for other in patient.coverages:
        if other is coverage or other.payer != coverage.payer:
            continue
        begins_in_time = other.ends_on is None or coverage.starts_on <= other.ends_on
        ends_too_late = coverage.ends_on is None or other.starts_on <= coverage.ends_on
        if begins_in_time and ends_too_late:
            raise Conflict(
                "This payer already covers some of these days. End that coverage first.",
                code="coverage-overlap",
                blocking=[{"coverage": other.id, "starts_on": other.starts_on, "ends_on": other.ends_on}],
            )


def diagnosis_into(patient: Patient, fields: Mapping[str, Any], pointer: str = "") -> Diagnosis:
    """A diagnosis at its rank, the others moved down; last where no rank is given."""
    checks.refuse_unknown(fields, frozenset({"code", "rank", "snomed", "recorded_on", "display"}), pointer)
    checks.require(fields, ("code",), pointer)
    code, title = diagnosis_code(fields["code"], f"{pointer}/code")
    checks.snomed_code(fields.get("snomed"), f"{pointer}/snomed")
    if any(other.code == code for other in patient.diagnoses):
        raise Conflict("This diagnosis is in the record already.", code="diagnosis-exists")
    rank = min(fields.get("rank") or len(patient.diagnoses) + 1, len(patient.diagnoses) + 1)
    if rank < 1:
        raise Invalid("The primary diagnosis has rank 1.", pointer=f"{pointer}/rank")
    diagnosis = Diagnosis(
        code=code, display=title, rank=rank, snomed=fields.get("snomed"), recorded_on=fields.get("recorded_on")
    )
    ordered = sorted(patient.diagnoses, key=lambda row: row.rank)
    ordered.insert(rank - 1, diagnosis)
    patient.diagnoses.append(diagnosis)
    _number(ordered)
    return diagnosis


def _number(ordered: list[Diagnosis]) -> None:
    for rank, row in enumerate(ordered, 1):
        row.rank = rank


def window_from(fields: Mapping[str, Any], pointer: str = "") -> NoVisitWindow:
    """A window in which nobody is to come: on a weekday, on one date, or daily; past midnight if it ends earlier."""
    checks.refuse_unknown(fields, _WINDOW, pointer)
    checks.require(fields, ("starts", "ends", "reason"), pointer)
    checks.weekday(fields.get("weekday"), f"{pointer}/weekday")
    if fields.get("weekday") is not None and fields.get("on_date") is not None:
        raise Invalid("Give a weekday or a date, not both.", pointer=f"{pointer}/on_date")
    if fields["starts"] == fields["ends"]:
        raise Invalid("It must end at another time than it begins.", pointer=f"{pointer}/ends")
    if fields.get("starts_at_sunset") and fields.get("ends_at_sunset"):
        raise Invalid(
            "It begins or ends at sunset. From one sunset to the next, give an evening and the day after it.",
            pointer=f"{pointer}/ends_at_sunset",
        )
    return NoVisitWindow(**{"starts_at_sunset": False, "ends_at_sunset": False, **fields})


def unavailability_from(fields: Mapping[str, Any], pointer: str = "") -> Unavailability:
    """A stretch in which the patient is away, checked."""
    checks.refuse_unknown(fields, frozenset({"starts_at", "ends_at", "reason"}), pointer)
    checks.require(fields, ("starts_at", "ends_at", "reason"), pointer)
    checks.instants_in_order(fields["starts_at"], fields["ends_at"], f"{pointer}/ends_at")
    return Unavailability(**fields)


# ------------------------------------------------------------------------------------ caregivers


@permitted("patient:edit")
def add_caregiver(work: Work, patient_id: int, **fields: Any) -> Caregiver:
    """Somebody who helps is in the record: name, relation, language, phone, availability, participating, willing."""
    patient = for_change(work, patient_id)
    _room_for_one(patient.caregivers, "/name")
    caregiver = caregiver_from(fields)
    check_caregiver(caregiver, today(work, patient.branch_id))
    patient.caregivers.append(caregiver)
    changed(work, patient, "patient.caregiver-added")
    if caregiver.teaching:
        work.publish(TeachingChanged(patient_id=patient.id, caregiver_id=caregiver.id))
    return caregiver


@permitted("patient:edit")
def edit_caregiver(work: Work, patient_id: int, caregiver_id: int, **changes: Any) -> Caregiver:
    """The caregiver with those fields changed."""
    patient = for_change(work, patient_id)
    caregiver = own(patient.caregivers, caregiver_id, "caregiver")
    checks.refuse_unknown(changes, _CAREGIVER)
    for name in ("name", "relation", "language", "availability", "participating"):
        if name in changes and changes[name] is None:
            raise Invalid(f"{name} is needed.", pointer=f"/{name}")
    if "language" in changes:
        changes["language"] = checks.language_tag(changes["language"], "/language")
    if "availability" in changes:
        changes["availability"] = checks.caregiver_windows(changes["availability"], "/availability")
    if changes.get("willing", caregiver.willing) is not caregiver.willing:
        changes.setdefault("willing_on", today(work, patient.branch_id) if changes["willing"] is not None else None)
    for name, value in changes.items():
        setattr(caregiver, name, value)
    check_caregiver(caregiver, today(work, patient.branch_id))
    changed(work, patient, "patient.caregiver-edited", caregiver=caregiver_id, fields=sorted(changes))
    if "teaching" in changes:
        work.publish(TeachingChanged(patient_id=patient.id, caregiver_id=caregiver.id))
    return caregiver


# ------------------------------------------------------------------------------------ coverage


@permitted("patient:edit")
def add_coverage(
    work: Work, patient_id: int, *, payer: Payer, starts_on: date, ends_on: date | None = None,
    member_id: str | None = None,
) -> Coverage:  # fmt: skip
    """The payer covers these days, both included; Conflict if the same payer covers some of them already."""
    patient = for_change(work, patient_id)
    _room_for_one(patient.coverages, "/payer")
    coverage = coverage_into(
        patient, {"payer": payer, "starts_on": starts_on, "ends_on": ends_on, "member_id": member_id}
    )
    changed(work, patient, "patient.coverage-added", payer=str(coverage.payer))
    return coverage


@permitted("patient:edit")
def end_coverage(work: Work, patient_id: int, coverage_id: int, ends_on: date | None) -> Coverage:
    """The coverage's last day is `ends_on`, or it is open again with None."""
    patient = for_change(work, patient_id)
    coverage = own(patient.coverages, coverage_id, "coverage")
    checks.days_in_order(coverage.starts_on, ends_on, "/ends_on")
    before, coverage.ends_on = coverage.ends_on, ends_on
    try:
        _refuse_overlap(patient, coverage)
    except Conflict:
        coverage.ends_on = before
        raise
    changed(work, patient, "patient.coverage-ended", coverage=coverage_id, ends_on=str(ends_on))
    return coverage


# ------------------------------------------------------------------------------------ diagnoses


@permitted("patient:edit")
def add_diagnosis(
    work: Work, patient_id: int, *, code: str, rank: int | None = None, snomed: str | None = None,
    recorded_on: date | None = None,
) -> Diagnosis:  # fmt: skip
    """The ICD-10-CM code is in the record at that rank; its title is the code system's own."""
    patient = for_change(work, patient_id)
    _room_for_one(patient.diagnoses, "/code")
    diagnosis = diagnosis_into(patient, {"code": code, "rank": rank, "snomed": snomed, "recorded_on": recorded_on})
    changed(work, patient, "patient.diagnosis-added", code=diagnosis.code, rank=diagnosis.rank)
    return diagnosis


@permitted("patient:edit")
def remove_diagnosis(work: Work, patient_id: int, diagnosis_id: int) -> None:
    """The diagnosis is no longer in the record, and those below it move up."""
    patient = for_change(work, patient_id)
    diagnosis = own(patient.diagnoses, diagnosis_id, "diagnosis")
    patient.diagnoses.remove(diagnosis)
    _number(sorted(patient.diagnoses, key=lambda row: row.rank))
    changed(work, patient, "patient.diagnosis-removed", code=diagnosis.code)


# ------------------------------------------------------------------------------------ when not to come


@permitted("patient:set-preferences")
def add_no_visit_window(
    work: Work, patient_id: int, *, starts: time, ends: time, reason: str, weekday: int | None = None,
    on_date: date | None = None, starts_at_sunset: bool = False, ends_at_sunset: bool = False,
) -> NoVisitWindow:  # fmt: skip
    """Nobody is to come in that window (CUL-01), in the branch's wall clock; daily without weekday and date.

    Beginning or ending at sunset it follows the sun over the branch, day by day.
    """
    patient = for_change(work, patient_id)
    _room_for_one(patient.no_visit_windows, "/starts")
    window = window_from(
        {
            "weekday": weekday, "on_date": on_date, "starts": starts, "ends": ends, "reason": reason,
            "starts_at_sunset": starts_at_sunset, "ends_at_sunset": ends_at_sunset,
        }
    )  # fmt: skip
    patient.no_visit_windows.append(window)
    changed(work, patient, "patient.no-visit-window-added")
    return window


@permitted("patient:set-preferences")
def remove_no_visit_window(work: Work, patient_id: int, window_id: int) -> None:
    """The window is gone."""
    patient = for_change(work, patient_id)
    patient.no_visit_windows.remove(own(patient.no_visit_windows, window_id, "window"))
    changed(work, patient, "patient.no-visit-window-removed", window=window_id)


@permitted("patient:set-preferences")
def add_unavailability(
    work: Work, patient_id: int, *, starts_at: datetime, ends_at: datetime, reason: str
) -> Unavailability:
    """The patient cannot be visited between the two instants."""
    patient = for_change(work, patient_id)
    _room_for_one(patient.unavailabilities, "/starts_at")
    stretch = unavailability_from({"starts_at": starts_at, "ends_at": ends_at, "reason": reason})
    patient.unavailabilities.append(stretch)
    changed(work, patient, "patient.unavailability-added")
    return stretch


@permitted("patient:set-preferences")
def remove_unavailability(work: Work, patient_id: int, unavailability_id: int) -> None:
    """The stretch is gone."""
    patient = for_change(work, patient_id)
    patient.unavailabilities.remove(own(patient.unavailabilities, unavailability_id, "unavailability"))
    changed(work, patient, "patient.unavailability-removed", unavailability=unavailability_id)


# ------------------------------------------------------------------------------------ the home


@permitted("home:assess-safety")
def record_home_safety(
    work: Work, patient_id: int, result: HomeSafety, hazards: Iterable[str], mitigations_open: int, assessed_on: date
) -> Patient:
    """The home was assessed that day with that result (ELG-6); an assessment older than the last is refused."""
    patient = for_change(work, patient_id)
    if result is HomeSafety.NOT_ASSESSED:
        raise Invalid("An assessment has a result.", pointer="/result")
    if mitigations_open < 0 or (mitigations_open and result is not HomeSafety.SAFE_WITH_MITIGATION):
        raise Invalid("Only a home that is safe with mitigation has mitigations open.", pointer="/mitigations_open")
    if assessed_on > today(work, patient.branch_id):
        raise Invalid("The day of the assessment lies in the future.", pointer="/assessed_on")
    home = patient.home
    if home.safety_assessed_on is not None and assessed_on < home.safety_assessed_on:
        raise Conflict("There is a later assessment of this home.", code="assessment-superseded")
    home.hazards = checks.hazards(hazards, "/hazards")
    home.safety, home.safety_assessed_on, home.mitigations_open = result, assessed_on, mitigations_open
    changed(work, patient, "patient.home-safety", result=result.value, mitigations_open=mitigations_open)
    return patient


@permitted("home:assess-safety")
def set_precautions(
    work: Work, patient_id: int, *, two_person: bool, check_in_minutes: int | None, until_sunset: bool
) -> Patient:
    """Whoever goes to the home goes so from now on: two together, heard of so often, out before sunset (LAB-06).

    All three are as given. They stay with the patient at another address, until somebody lifts them.
    """
    patient = for_change(work, patient_id)
    if check_in_minutes is not None and check_in_minutes not in CHECK_IN_MINUTES:
        raise Invalid(f"From {CHECK_IN_MINUTES[0]} to {CHECK_IN_MINUTES[-1]} minutes.", pointer="/check_in_minutes")
    home = patient.home
    home.two_person, home.check_in_minutes, home.until_sunset = two_person, check_in_minutes, until_sunset
    changed(
        work, patient, "patient.precautions", two_person=two_person, check_in_minutes=check_in_minutes,
        until_sunset=until_sunset,
    )  # fmt: skip
    work.publish(PrecautionsChanged(patient_id=patient.id))
    return patient
