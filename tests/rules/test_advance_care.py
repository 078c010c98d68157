"""Documents that speak for the patient (ACP-01)."""

from dataclasses import replace
from datetime import date

import pytest

from coordinator.domain.care import (
    CodeStatus,
    DirectiveKind,
    DirectiveSigner,
    DirectiveStatus,
    Resuscitation,
    WitnessBar,
)
from coordinator.domain.vocabulary import PractitionerType
from coordinator.rules import advance_care
from coordinator.rules.advance_care import DirectiveFacts, Standing, WitnessFacts
from tests.rules.cases import POLICY

DAY = date(2026, 11, 1)
POLST = DirectiveFacts(
    DirectiveKind.POLST, DAY, DirectiveSigner.PATIENT, DAY, PractitionerType.MD, DAY,
    resuscitation=Resuscitation.DO_NOT_ATTEMPT,
)  # fmt: skip
AHCD = DirectiveFacts(
    DirectiveKind.AHCD, DAY, DirectiveSigner.PATIENT, DAY, witnesses=(WitnessFacts(), WitnessFacts(related=True))
)


def lacks(document: DirectiveFacts) -> list[str]:
    return [str(one.facts["missing"]) for one in advance_care.ask_directive(document, POLICY)]


@pytest.mark.example("ACP-01", 1)
def test_a_directive_with_one_witness_and_no_notary_does_not_hold():
    assert lacks(replace(AHCD, witnesses=(WitnessFacts(),))) == ["witnesses"]
    assert lacks(AHCD) == []
    assert lacks(replace(AHCD, witnesses=(), notarised=True)) == []


@pytest.mark.example("ACP-01", 2)
def test_a_polst_that_the_patient_alone_signed_does_not_hold():
    assert lacks(replace(POLST, practitioner_type=None, practitioner_signed_on=None)) == ["practitioner_signature"]
    assert lacks(POLST) == []


@pytest.mark.parametrize("kind", [PractitionerType.DO, PractitionerType.NP, PractitionerType.PA])
def test_who_may_sign_a_polst(kind: PractitionerType) -> None:
    assert lacks(replace(POLST, practitioner_type=kind)) == []
    assert lacks(replace(POLST, practitioner_type=PractitionerType.DPM)) == ["practitioner_signature"]


def test_a_decision_maker_signs_a_polst_and_not_a_directive():
    assert lacks(replace(POLST, signed_by=DirectiveSigner.DECISION_MAKER)) == []
    assert lacks(replace(AHCD, signed_by=DirectiveSigner.DECISION_MAKER)) == ["patient_signature"]
    assert lacks(replace(AHCD, signed_by=DirectiveSigner.AT_DIRECTION)) == []
    assert lacks(replace(POLST, signed_by=DirectiveSigner.AT_DIRECTION)) == ["patient_signature"]


def test_everything_that_is_missing_is_said_at_once():
    assert lacks(DirectiveFacts(DirectiveKind.POLST)) == ["patient_signature", "practitioner_signature"]
    assert lacks(DirectiveFacts(DirectiveKind.AHCD)) == ["date", "patient_signature", "witnesses"]


@pytest.mark.parametrize("bar", list(WitnessBar))
def test_who_may_not_witness(bar: WitnessBar) -> None:
    barred = replace(AHCD, witnesses=(WitnessFacts(), WitnessFacts(frozenset({bar}))))
    assert lacks(barred) == ["witness_barred", "witnesses"]
    assert lacks(replace(barred, witnesses=(*barred.witnesses, WitnessFacts()))) == ["witness_barred"]


def test_one_witness_is_neither_kin_nor_heir():
    assert lacks(replace(AHCD, witnesses=(WitnessFacts(related=True), WitnessFacts(beneficiary=True)))) == [
        "unrelated_witness"
    ]


def test_a_courts_order_is_on_file():
    order = DirectiveFacts(DirectiveKind.CONSERVATORSHIP, DAY)
    assert lacks(order) == ["order_on_file"]
    assert lacks(replace(order, on_file=True)) == []


# ------------------------------------------------------------------------------------ what they say together


def standing(number: int, day: int, says: Resuscitation, kind: DirectiveKind = DirectiveKind.POLST,
             status: DirectiveStatus = DirectiveStatus.VALID, settled: bool = False) -> Standing:  # fmt: skip
    return Standing(number, kind, status, date(2026, 11, day), says, settled)


DNR, FULL, SILENT = Resuscitation.DO_NOT_ATTEMPT, Resuscitation.ATTEMPT, Resuscitation.UNSTATED


def test_the_latest_controls_where_documents_differ_and_a_physician_settles_it_today():
    documents = [standing(1, 1, DNR), standing(2, 5, FULL, DirectiveKind.AHCD)]
    assert advance_care.code_status(documents) is CodeStatus.FULL_CODE_DISPUTED
    finding = advance_care.ask_conflict(documents, DAY)
    assert finding is not None
    assert (finding.severity, finding.due, finding.owner) == ("TASK", DAY, "managing_physician")
    assert (finding.facts["controls"], finding.facts["differ"]) == (2, [1])
    settled = [documents[0], replace(documents[1], settled=True)]
    assert advance_care.code_status(settled) is CodeStatus.FULL_CODE
    assert advance_care.ask_conflict(settled, DAY) is None
    # A later document opens the question again.
    again = [*settled, standing(3, 6, DNR)]
    assert advance_care.code_status(again) is CodeStatus.DNR_DISPUTED


@pytest.mark.parametrize(
    ("documents", "status"),
    [
        ([], CodeStatus.NOT_RECORDED),
        ([standing(1, 1, DNR)], CodeStatus.DNR),
        ([standing(1, 1, DNR), standing(2, 5, SILENT, DirectiveKind.AHCD)], CodeStatus.DNR),
        ([standing(1, 1, DNR), standing(2, 5, FULL, status=DirectiveStatus.INVALID)], CodeStatus.DNR),
        ([standing(1, 1, DNR, status=DirectiveStatus.REVOKED)], CodeStatus.NOT_RECORDED),
        ([standing(1, 1, FULL), standing(2, 1, FULL, DirectiveKind.AHCD)], CodeStatus.FULL_CODE),
        ([standing(1, 5, DNR), standing(2, 5, FULL, DirectiveKind.AHCD)], CodeStatus.FULL_CODE_DISPUTED),
    ],
)
def test_code_status(documents: list[Standing], status: CodeStatus) -> None:
    assert advance_care.code_status(documents) is status


def test_rights_are_told_at_the_start_of_care():
    finding = advance_care.ask_rights(DAY, told=False)
    assert finding is not None
    assert (finding.severity, finding.due) == ("TASK", DAY)
    assert advance_care.ask_rights(DAY, told=True) is None
