"""A care team as other systems read it."""

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Performer
from coordinator.teams.model import CareTeamMember, OutsideParticipant
from tests.builders import MONDAY, make_branch, make_clinician, make_patient, make_physician
from tests.people import at, browser


def test_a_care_team_is_read_as_a_fhir_resource(app: Coordinator, database: Database) -> None:
    with database.transaction() as session:
        branch = make_branch(session)
        patient = make_patient(session, branch, managing_physician_id=make_physician(session).id)
        stranger = make_patient(session, make_branch(session))
        chaplain = make_clinician(session, branch, Performer.CHAPLAIN)
        session.add_all(
            [
                CareTeamMember(
                    patient_id=patient.id, clinician_id=chaplain.id, role="chap", is_primary=True, starts_on=MONDAY
                ),
                OutsideParticipant(
                    patient_id=patient.id, kind="outpatient_clinic", name="Infusion centre", role="infusion",
                    organisation="Bay Hospital", starts_on=MONDAY, consents=[],
                ),
            ]
        )  # fmt: skip
    manager = browser(app, database, "clinical_manager", branch_ids=[branch.id])
    with at():

        def read(path: str):
            return manager.client.get(f"/fhir/R4{path}", headers={"Authorization": f"Bearer {manager.token}"})

        answer = read(f"/CareTeam/patient-{patient.id}")
        assert answer.mimetype == "application/fhir+json"
        team = answer.json
        assert (team["resourceType"], team["status"], team["subject"]) == (
            "CareTeam", "active", {"reference": f"Patient/{patient.id}"},
        )  # fmt: skip
        said = {one["role"][0]["coding"][0]["code"]: one for one in team["participant"]}
        assert set(said) == {"managing_physician", "chaplain", "infusion"}
        assert said["chaplain"]["member"]["reference"] == f"Practitioner/clinician-{chaplain.id}"
        assert said["infusion"]["onBehalfOf"]["display"] == "Bay Hospital"
        assert said["infusion"]["period"] == {"start": "2026-11-09"}
        bundle = read(f"/CareTeam?patient={patient.id}").json
        assert (bundle["type"], bundle["total"], bundle["entry"][0]["resource"]) == ("searchset", 1, team)
        assert read(f"/CareTeam/patient-{stranger.id}").status_code == 404
        assert read("/CareTeam?patient=x").status_code == 422
        assert read("/CareTeam").status_code == 422
