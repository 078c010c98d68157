"""Physicians: known by an NPI that passes its check digit."""

import pytest

from coordinator.core.errors import Conflict, Forbidden, Invalid
from coordinator.domain.vocabulary import PractitionerType
from coordinator.staff import service
from tests.builders import NPIS
from tests.conftest import WorkAs
from tests.staff.conftest import Scene


def test_an_npi_passes_its_check_digit_and_is_one_person_s(scene: Scene, work_as: WorkAs) -> None:
    body = {
        "given_name": "Ada", "family_name": "Okafor", "practitioner_type": PractitionerType.MD, "organisation": "KP",
    }  # fmt: skip
    with work_as(scene.manager) as work:
        good = NPIS[199]
        wrong = good[:9] + str((int(good[9]) + 1) % 10)
        for number in (wrong, "", "123", "٣234567893"):
            with pytest.raises(Invalid) as refusal:
                service.create_physician(work, npi=number, **body)
            assert refusal.value.extra["errors"][0]["pointer"] == "/npi"
        made = service.create_physician(work, npi=good, **body)
        with pytest.raises(Conflict):
            service.create_physician(work, npi=good, **body)
        assert service.edit_physician(work, made.id, is_kp=True, organisation="Kaiser Permanente").version == 2
        with pytest.raises(Invalid):
            service.edit_physician(work, made.id, npi=NPIS[198])
        assert [row.id for row in service.search_physicians(work, text="oka kaiser", is_kp=True)["items"]] == [made.id]
        assert service.search_physicians(work, npi=NPIS[198])["items"] == []
    with work_as(scene.scheduler) as work, pytest.raises(Forbidden):
        service.create_physician(work, npi=NPIS[198], **body)
