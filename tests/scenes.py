"""The smallest scene that rooms about people share: a branch with a nurse and a patient, and another branch."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from coordinator.agency.model import Branch
from coordinator.core.work import Actor
from coordinator.domain.vocabulary import Role
from coordinator.patients.model import Patient
from coordinator.staff.model import Clinician
from tests.builders import make_branch, make_clinician, make_patient
from tests.conftest import actor_with


@dataclass(frozen=True)
class TwoBranches:
    """`foreigner` and `stranger` are the other branch's clinician and patient."""

    branch: Branch
    elsewhere: Branch
    nurse: Clinician
    foreigner: Clinician
    patient: Patient
    stranger: Patient

    @property
    def manager(self) -> Actor:
        return actor_with(Role.CLINICAL_MANAGER, branch_ids=frozenset({self.branch.id}))

    @property
    def scheduler(self) -> Actor:
        return actor_with(Role.SCHEDULER, branch_ids=frozenset({self.branch.id}))


def two_branches(session: Session, **of_patient: Any) -> dict[str, Any]:
    """The rows of a `TwoBranches`, by field; `of_patient` are columns of the patient."""
    branch, elsewhere = make_branch(session), make_branch(session)
    return {
        "branch": branch, "elsewhere": elsewhere, "nurse": make_clinician(session, branch),
        "foreigner": make_clinician(session, elsewhere), "patient": make_patient(session, branch, **of_patient),
        "stranger": make_patient(session, elsewhere),
    }  # fmt: skip
