"""Filling the demo agency: one branch in San Francisco, its staff, its patients, and a few cases that are hard."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from coordinator.access.service import Doorman, create_user
from coordinator.agency import service as agency
from coordinator.agency.model import Branch
from coordinator.core.work import Work
from coordinator.demo import city
from coordinator.demo.orders import admit, draft, sign
from coordinator.demo.people import (
    ILLNESSES,
    LANGUAGES,
    PHYSICIANS,
    PT2,
    SN2,
    STAFF,
    STAFF_NAMES,
    Illness,
    Ordered,
)
from coordinator.directory import service as directory
from coordinator.domain.npi import is_valid
from coordinator.domain.vocabulary import (
    Discipline,
    Eligibility,
    Gender,
    HomeSafety,
    InterpreterMode,
    Payer,
    Performer,
    PractitionerType,
    Programme,
    ReferralSetting,
    Role,
)
from coordinator.notify import service as notices
from coordinator.orders import service as orders
from coordinator.orders.model import Order
from coordinator.patients import service as patients
from coordinator.patients.model import Episode, Patient
from coordinator.referrals import service as referrals
from coordinator.staff import service as staff
from coordinator.staff.model import Clinician, Physician

BRANCH = "SF"
PASSWORD = "demo-home-care"  # noqa: S105  (known to everybody on purpose: its accounts work in the demo alone)
#: Patients 1 to 6 are the hard cases, whatever the size.
HARD_CASES = 6


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was put in."""

    branch_id: int
    patients: int
    clinicians: int
    physicians: int
    orders: int


class OnceDoorman(Doorman):
    """Hashes the one demo password once: it is no secret, and argon2 is slow on purpose."""

    _hashed: str | None = None

    def hash(self, password: str) -> str:
        if self._hashed is None:
            self._hashed = super().hash(password)
        return self._hashed


def is_loaded(work: Work) -> bool:
    """Whether the demo branch is there already. Asked by other rooms before they load."""
    return work.session.execute(sa.select(Branch.id).where(Branch.code == BRANCH)).scalar() is not None


def load(
    work: Work,
    doorman: Doorman,
    directory_path: Path,
    *,
    number_of_patients: int = 60,
    number_of_clinicians: int = 16,
    seed: int = 1,
    progress: Callable[[str], None] = lambda _text: None,
) -> Loaded:
    """Fill an empty database with the demo agency: the same for the same seed, size and day."""
    random = Random(seed)
    directory.load(work, directory_path)
    branch = agency.create_branch(
        work, code=BRANCH, name="San Francisco", zone="America/Los_Angeles", office_address=city.OFFICE[0],
        office_lat=city.OFFICE[1], office_lon=city.OFFICE[2], agency_name="Golden Gate Home Care (demo)",
    )  # fmt: skip
    agency.set_service_area(work, branch.id, city.ZIPS, date(2020, 1, 1))
    doctors = [_physician(work, number, entry) for number, entry in enumerate(PHYSICIANS)]
    clinicians = [_clinician(work, random, branch, number) for number in range(number_of_clinicians)]
    _users(work, doorman, branch, clinicians, doctors)
    count = 0
    for number in range(number_of_patients):
        progress(f"patient {number + 1} of {number_of_patients}")
        count += _patient(work, random, branch, doctors, number)
    _waiting_referral(work, random, branch, doctors[1])
    _forget_signed(work)
    return Loaded(branch.id, number_of_patients, len(clinicians), len(doctors), count)


# ------------------------------------------------------------------------------------------------ people who work


def demo_npi(number: int) -> str:
    """The `number`-th NPI that passes its check digit, in a range kept for the demo."""
    body = 190000000 + number
    return next(f"{body}{digit}" for digit in range(10) if is_valid(f"{body}{digit}"))


def _physician(work: Work, number: int, entry: tuple[str, str, str, str]) -> Physician:
    given, family, kind, organisation = entry
    return staff.create_physician(
        work, npi=demo_npi(number), given_name=given, family_name=family, practitioner_type=PractitionerType(kind),
        organisation=organisation, is_kp=True, demo=True,
    )  # fmt: skip


def _clinician(work: Work, random: Random, branch: Branch, number: int) -> Clinician:
    day = agency.today(work, branch.id)
    performer, languages, skills, gender = STAFF[number % len(STAFF)]
    given, family = STAFF_NAMES[number % len(STAFF_NAMES)]
    again = number // len(STAFF)
    expires = day + timedelta(days=random.randrange(120, 700))
    if performer is Performer.PTA:
        expires = day - timedelta(days=1)  # hard case: a licence that ran out yesterday
    home = city.make_home(random)
    late = number % 4 == 3
    weekdays = (1, 2, 3, 4, 5) if number % 5 == 4 else ((0, 2, 3, 4, 6) if number % 7 == 5 else (0, 1, 2, 3, 4))
    return staff.create_clinician(
        work,
        branch_id=branch.id,
        employee_no=f"D{number + 1:03d}",
        given_name=given if again == 0 else f"{given} {again + 1}",
        family_name=family,
        performer=performer,
        gender=Gender(gender),
        start_lat=home["lat"], start_lon=home["lon"], end_lat=home["lat"], end_lon=home["lon"],
        weekly_minutes=2400,
        weekly_maximum_minutes=2640,
        credentials=[
            {
                "kind": "licence", "number": f"DEMO-{number + 1:04d}", "issued_on": day - timedelta(days=900),
                "expires_on": expires, "verified_on": day - timedelta(days=random.randrange(10, 200)),
            }
        ],
        skills=skills,
        languages=[{"code": code, "qualified_on": day - timedelta(days=400)} for code in ("en", *languages)],
        weekly_shifts=[
            {"weekday": weekday, "starts": time(9 if late else 8), "ends": time(17 if late else 16, 30)}
            for weekday in weekdays
        ],
        demo=True,
    )  # fmt: skip


#: The first of each profession signs in by a name that is easy to remember.
_NICKNAMES = {
    Performer.RN: "nurse", Performer.CHHA: "aide", Performer.PT: "therapist", Performer.MSW: "social-worker",
    Performer.CHAPLAIN: "chaplain",
}  # fmt: skip


def _users(work: Work, doorman: Doorman, branch: Branch, clinicians: list[Clinician], doctors: list[Physician]) -> None:
    def add(username: str, name: str, role: Role, **identity: int) -> None:
        create_user(
            work, doorman, username=username, password=PASSWORD, display_name=name, roles=[role.value],
            branch_ids=[branch.id], demo=True, **identity,
        )  # fmt: skip

    add("scheduler", "Sam Scheduler", Role.SCHEDULER)
    add("manager", "Maria Manager", Role.CLINICAL_MANAGER)
    add("intake", "Ira Intake", Role.INTAKE)
    add("admin", "Addie Administrator", Role.ADMINISTRATOR)
    taken: set[str] = set()
    for clinician in clinicians:
        nickname = _NICKNAMES.get(clinician.performer)
        username = clinician.employee_no.lower() if nickname is None or nickname in taken else nickname
        taken.add(username)
        add(username, f"{clinician.given_name} {clinician.family_name}", Role.CLINICIAN, clinician_id=clinician.id)
    for number, doctor in enumerate(doctors, 1):
        username = "physician" if number == 1 else f"physician{number}"
        add(username, f"Dr {doctor.given_name} {doctor.family_name}", Role.PHYSICIAN, physician_id=doctor.id)


# ------------------------------------------------------------------------------------------------ people in care


def _person(random: Random, day: date, language: str | None = None) -> dict[str, Any]:
    chosen = next(
        (entry for entry in LANGUAGES if entry[0] == language),
        None,
    ) or random.choices(LANGUAGES, weights=[entry[2] for entry in LANGUAGES])[0]  # fmt: skip
    spoken, written, _, families, women, men = chosen
    woman = random.random() < 0.58
    needed = spoken != "en" and random.random() < 0.7
    return {
        "given_name": random.choice(women if woman else men),
        "family_name": random.choice(families),
        "birth_date": day - timedelta(days=random.randrange(62 * 365, 96 * 365)),
        "gender": Gender.FEMALE if woman else Gender.MALE,
        "phone": f"415-555-{random.randrange(100, 200):04d}",
        "spoken_language": spoken,
        "written_language": written,
        "interpreter_needed": needed,
        "interpreter_mode": InterpreterMode.PHONE if needed else None,
    }


def _patient(work: Work, random: Random, branch: Branch, doctors: list[Physician], number: int) -> int:
    """One patient with an episode, a team and orders; answers how many orders were signed."""
    day = agency.today(work, branch.id)
    illness = ILLNESSES[number % len(ILLNESSES)]
    doctor = doctors[number % len(doctors)]
    fields = _person(random, day, language="yue" if number == 3 else None)
    home = city.make_home(random)
    windows: list[dict[str, Any]] = []
    if number == 3:  # hard case: Cantonese, an interpreter is needed and none is booked
        fields |= {"interpreter_needed": True, "interpreter_mode": None}
    if number == 4:  # hard case: a home to which two go
        home |= {"access_notes": "Call from the gate; two people, always."}
    if number % 9 == 8:
        windows = [
            {"weekday": weekday, "starts": time(6), "ends": time(12), "reason": "dialysis"} for weekday in (1, 3, 5)
        ]
    if number % 13 == 7:
        fields |= {"preferred_clinician_gender": fields["gender"]}
    patient = patients.create(
        work,
        branch_id=branch.id,
        home=home,
        coverages=[{"payer": Payer.KP, "member_id": f"DEMO{number + 1:05d}", "starts_on": day - timedelta(days=900)}],
        diagnoses=[{"code": illness.code}],
        caregivers=[] if number % 6 == 5 else [_caregiver(random, fields)],
        no_visit_windows=windows,
        managing_physician_id=doctor.id,
        demo=True,
        **fields,
    )
    hazards = ["AGGRESSIVE_DOG", "VIOLENCE"] if number == 4 else []
    safety = HomeSafety.SAFE_WITH_MITIGATION if number == 4 else HomeSafety.SAFE
    patients.record_home_safety(work, patient.id, safety, hazards, 0, day - timedelta(days=2))
    soc = day - timedelta(days=0 if number < HARD_CASES else random.randrange(0, 30))
    episode = patients.open_episode(
        work, patient_id=patient.id, programme=Programme.KP_HBPC, payer=Payer.KP,
        accepted_at=datetime.combine(soc, time(17), work.now.tzinfo) - timedelta(days=1),
        eligibility=Eligibility.ELIGIBLE,
    )  # fmt: skip
    patients.start_of_care(work, episode.id, soc)
    return _orders(work, patient, episode, doctor, number, illness)


def _caregiver(random: Random, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{random.choice(('Alex', 'Jamie', 'Chris', 'Pat', 'Robin'))} {fields['family_name']}",
        "relation": random.choice(("daughter", "son", "spouse", "sister", "neighbour")),
        "language": fields["spoken_language"],
        "willing": True,
    }


#: Nurse and aide together come to 27 and a half hours a week, of 28.
_NEAR_LIMIT = (
    Ordered(Discipline.SN, "5w2", ("wound care", "teaching of caregivers"), "Wound clean", minutes=90),
    Ordered(Discipline.HHA, "5w2", ("bathing", "dressing", "transfers"), "Clean and comfortable", minutes=240),
)


def _orders(
    work: Work, patient: Patient, episode: Episode, doctor: Physician, number: int, illness: Illness
) -> int:  # fmt: skip
    if number == 0:  # hard case: physical therapy that nobody has signed yet
        given = admit(work, patient, episode, doctor, (SN2,))
        orders.send(work, draft(work, patient, doctor, PT2).id)
        return len(given)
    if number == 1:  # hard case: nurse and aide together close to the limit
        return len(admit(work, patient, episode, doctor, _NEAR_LIMIT))
    if number == 4:  # hard case: visits by two
        given = admit(work, patient, episode, doctor, ())
        return len(given) + bool(sign(work, draft(work, patient, doctor, SN2, two_person=True)))
    if number == 5:  # hard case: speech therapy waits for its signature as well
        given = admit(work, patient, episode, doctor, illness.orders[:2])
        for entry in illness.orders[2:]:
            orders.send(work, draft(work, patient, doctor, entry).id)
        return len(given)
    return len(admit(work, patient, episode, doctor, illness.orders))


def _forget_signed(work: Work) -> None:
    """Nobody begins the day with notices of orders that were signed while loading; those that still wait stand."""
    work.session.flush()  # the states of the orders are read below
    signed = work.session.scalars(sa.select(Order.id).where(Order.signed_at.is_not(None)))
    notices.settle(work, subjects=[f"order:{number}" for number in signed], kinds=["order.sent", "order.signed"])


def _waiting_referral(work: Work, random: Random, branch: Branch, doctor: Physician) -> None:
    """A referral that came this morning, complete, with its clock running."""
    day = agency.today(work, branch.id)
    person = _person(random, day, language="es")
    home = city.make_home(random)
    referrals.receive(
        work,
        branch.id,
        Programme.KP_HBPC,
        work.now - timedelta(hours=3),
        given_name=person["given_name"], family_name=person["family_name"], birth_date=person["birth_date"],
        gender=person["gender"], phone=person["phone"], spoken_language="es", written_language="es",
        interpreter_needed=True, address=home["address"], city=home["city"], state=home["state"], zip=home["zip"],
        lat=home["lat"], lon=home["lon"], diagnosis_code="I50.9", reason="Breathless at rest, wants to be at home",
        setting=ReferralSetting.HOME,
        disciplines=["SN", "PT"], payer=Payer.KP, member_id="DEMO90001", coverage_from=day - timedelta(days=800),
        practitioner_name=f"{doctor.given_name} {doctor.family_name}", practitioner_npi=doctor.npi,
        practitioner_type=doctor.practitioner_type, practitioner_organisation=doctor.organisation,
    )  # fmt: skip
