"""How patients are called, for lists of other things that are about them."""

from collections.abc import Collection

import sqlalchemy as sa

from coordinator.access.scope import patients_in_sight
from coordinator.core.work import Work, permitted
from coordinator.patients.model import Patient


@permitted("patient:read")
def names_of(work: Work, patient_ids: Collection[int]) -> dict[int, str]:
    """Number -> given and family name, of those of the patients whom the actor may see."""
    if not patient_ids:
        return {}
    rows = work.session.execute(
        sa.select(Patient.id, Patient.given_name, Patient.family_name).where(
            Patient.id.in_(sorted(patient_ids)), Patient.id.in_(patients_in_sight(work))
        )
    )
    found = {row.id: f"{row.given_name} {row.family_name}" for row in rows}
    work.record("patient.named", "patients", numbers=sorted(found))
    return found
