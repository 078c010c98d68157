"""Programme profiles (rule book 0.5): which rules hold under which, read from files whose mistakes are told by line."""

import copy
import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from coordinator.domain.vocabulary import Discipline, Payer, PractitionerType, Programme
from coordinator.rules import aides, certification, evv, orders, qualifying
from coordinator.rules.case import is_medicare
from coordinator.rules.facts import CertifierFacts, EvvFacts, SupervisionFacts
from coordinator.rules.profile_files import ProfileError, lines_of, programmes_from
from coordinator.rules.profiles import EvvUse, UnknownProgramme
from tests.rules.cases import POLICY, POLICY_FILE, make_activation, make_case, make_episode, rules_of

NP = PractitionerType.NP
FOLDER = POLICY_FILE.parent / "programmes"
SHIPPED = [(path.name, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
DAY = date(2026, 11, 10)


def row(key: str, value: str, since: str = "2026-01-01") -> str:
    return f'[{key}]\nvalue = {value}\nsource = "A test"\neffective_from = {since}\nverification = "D"\n'


def switched(since: str = "2026-12-01"):
    """The policy of an agency that turned the switch of open question C-1 in a file of its own."""
    own = 'code = "KP_HBPC"\n' + row("allowed_practitioners", "true", since)
    return replace(POLICY, programmes=programmes_from(SHIPPED, [("own.toml", own)]))


# ------------------------------------------------------------------------------------ the table of 0.5


@pytest.mark.parametrize(
    ("code", "homebound", "skilled", "medicaid"),
    [
        ("KP_HBPC", True, True, EvvUse.SUBMIT),
        ("MEDICARE_HH", True, True, EvvUse.SUBMIT),
        ("MA_HH", True, True, EvvUse.SUBMIT),
        ("MEDI_CAL_HH", False, False, EvvUse.SUBMIT),
        ("MEDI_CAL_PC", False, False, EvvUse.SUBMIT),
        ("HOSPICE", False, False, EvvUse.EXEMPT),
    ],
)
def test_the_table_of_the_rule_book(code, homebound, skilled, medicaid):
    profile = POLICY.profile(Programme(code), DAY)
    assert (profile.homebound_required, profile.skilled_need_required) == (homebound, skilled)
    assert profile.verification(Payer.MEDI_CAL) is medicaid
    assert profile.verification(Payer.MEDICARE) is (EvvUse.EXEMPT if code == "HOSPICE" else EvvUse.RECORD)


def test_every_value_says_where_it_comes_from():
    assert len(POLICY.programmes) == 7
    for code in POLICY.programmes:
        for noted in POLICY.profile(code).notes.values():
            assert noted.source.strip()
            assert noted.verification in "VPKD"


def test_medicares_conditions_follow_the_programme_and_the_payer():
    assert is_medicare(Programme.MA_HH, Payer.OTHER, POLICY)
    assert is_medicare(Programme.KP_HBPC, Payer.MEDICARE_ADVANTAGE, POLICY)
    assert not is_medicare(Programme.KP_HBPC, Payer.KP, POLICY)
    assert not is_medicare(Programme.MEDI_CAL_HH, Payer.MEDI_CAL, POLICY)


# ------------------------------------------------------------------------------------ who may, by programme and by day


def certifier(programme: Programme, kind: PractitionerType, on: date = DAY) -> CertifierFacts:
    return CertifierFacts(programme, Payer.MEDICARE, kind, certified_on=on)


@pytest.mark.example("HB-03", 1)
def test_hb_03_a_nurse_practitioner_may_not_certify_under_the_strict_page_and_may_once_the_switch_is_on():
    asked = certifier(Programme.KP_HBPC, NP, date(2026, 12, 1))
    assert rules_of(certification.ask_certifier(asked, POLICY)) == [("HB-03", "BLOCK")]
    assert certification.ask_certifier(asked, switched()) is None
    assert certification.ask_certifier(replace(asked, certified_on=date(2026, 11, 30)), switched()) is not None


@pytest.mark.example("HB-03", 2)
def test_hb_03_a_nurse_practitioner_certifies_under_medicare():
    assert certification.ask_certifier(certifier(Programme.MEDICARE_HH, NP), POLICY) is None
    assert certification.ask_certifier(certifier(Programme.MA_HH, NP), POLICY) is None


def test_hb_03_before_the_cares_act_physicians_alone_certified():
    before, after = date(2020, 2, 29), date(2020, 3, 1)
    assert certification.ask_certifier(certifier(Programme.MEDICARE_HH, NP, before), POLICY) is not None
    assert certification.ask_certifier(certifier(Programme.MEDICARE_HH, NP, after), POLICY) is None


def test_the_switch_lets_allowed_practitioners_order_every_discipline_and_refer():
    facts = make_activation(programme=Programme.KP_HBPC, orderer_type=NP, effective_from=date(2026, 12, 1))
    for discipline in (Discipline.PT, Discipline.SN):
        asked = replace(facts, discipline=discipline)
        assert rules_of(orders.ask_orderer(asked, POLICY)) == [("ORD-04", "BLOCK")]
        assert orders.ask_orderer(asked, switched()) is None
    assert NP in switched().profile(Programme.KP_HBPC).referrers()
    dentist = replace(facts, orderer_type=PractitionerType.OTHER)
    assert rules_of(orders.ask_orderer(dentist, switched())) == [("ORD-04", "BLOCK")]


def test_the_switch_does_not_bind_programmes_that_do_not_ask():
    own = 'code = "MEDI_CAL_HH"\n' + row("allowed_practitioners", "true")
    programmes = programmes_from(SHIPPED, [("own.toml", own)])
    assert programmes.of(Programme.MEDI_CAL_HH).certifiers() == frozenset()


def test_need_for_a_skilled_service_is_asked_by_programme():
    aide = frozenset({Discipline.HHA})
    asked = qualifying.ask_qualifying_service
    assert asked(aide, Programme.MEDICARE_HH, Payer.MEDICARE, POLICY) is not None
    assert asked(aide, Programme.MEDI_CAL_HH, Payer.MEDI_CAL, POLICY) is None


def test_hospice_supervises_aides_every_fourteen_days_whatever_else_goes_on():
    alone = SupervisionFacts(last_on=date(2026, 10, 20), first_aide_visit_on=date(2026, 10, 1), skilled_service=False)
    case = make_case(Discipline.HHA, supervision=alone)
    hospice = replace(case, episode=make_episode(programme=Programme.HOSPICE))
    assert aides.ask_supervised(case, POLICY) is None
    late = aides.ask_supervised(hospice, POLICY)
    assert rules_of(late) == [("SUP-01", "WARN")]
    assert late.due == date(2026, 11, 3)


# ------------------------------------------------------------------------------------ EVV-02, EVV-03


def visit(**changes) -> EvvFacts:
    facts = EvvFacts(Payer.MEDI_CAL, Programme.MEDI_CAL_HH, service="G0156", day=DAY)
    return replace(facts, **changes)


@pytest.mark.parametrize(
    ("programme", "payer", "required"),
    [
        ("MEDI_CAL_HH", Payer.MEDI_CAL, True),
        ("MEDI_CAL_PC", Payer.MEDI_CAL, True),
        ("KP_HBPC", Payer.KP, False),
        ("MEDICARE_HH", Payer.MEDICARE, False),
        ("MA_HH", Payer.MEDICARE_ADVANTAGE, False),
        ("HOSPICE", Payer.MEDI_CAL, False),
    ],
)
def test_evv_03_by_programme_and_payer(programme, payer, required):
    assert evv.is_required(visit(programme=Programme(programme), payer=payer), POLICY) == required


@pytest.mark.parametrize(
    ("day", "personal_care", "required"),
    [
        ("2021-12-31", True, False),
        ("2022-01-01", True, True),
        ("2022-12-31", False, False),
        ("2023-01-01", False, True),
    ],
)
@pytest.mark.example("EVV-02", 1)
def test_evv_02_california_began_with_personal_care(day, personal_care, required):
    assert evv.is_required(visit(day=date.fromisoformat(day), personal_care=personal_care), POLICY) == required


# ------------------------------------------------------------------------------------ files


def mistakes(*own: str) -> list[tuple[str, int, str]]:
    texts = [(f"{number}.toml", text) for number, text in enumerate(own)]
    with pytest.raises(ProfileError) as refused:
        programmes_from(SHIPPED, texts)
    assert str(refused.value).count("\n") == len(refused.value.problems) - 1
    return [(one.file, one.line, one.key) for one in refused.value.problems]


#: Two rows of one setting from the same day on.
TWICE = row("payers", '["KP"]').replace("[payers]", "[[payers]]") * 2
MEDICARE_ROW = 'code = "BRIDGE"\nbased_on = "MEDICARE_HH"\n\n'


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('code = "BRIDGE"\nbased_on = "MEDICARE_HH"\n[payers\n', 3, ""),
        ('name = "no code"\nbased_on = "HOSPICE"\n', 1, "code"),
        ('code = "bridge"\nbased_on = "HOSPICE"\n', 1, "code"),
        ('code = "BRIDGE"\nname = 7\nbased_on = "HOSPICE"\n', 2, "name"),
        ('code = "BRIDGE"\nbased_on = "NOBODY"\n', 2, "based_on"),
        ('# changes\ncode = "KP_HBPC"\nbased_on = "HOSPICE"\n', 3, "based_on"),
        (MEDICARE_ROW + row("payors", "[]"), 4, "payors"),
        (MEDICARE_ROW + row("payers", "[]"), 5, "payers.value"),
        (MEDICARE_ROW + row("payers", '"KP"'), 5, "payers.value"),
        (MEDICARE_ROW + row("payers", '[\n  "KP",\n  # a comment\n  "MEDICAID",\n]'), 8, "payers.value[1]"),
        (MEDICARE_ROW + row("payers", '["KP"]', "2026"), 7, "payers.effective_from"),
        (MEDICARE_ROW + row("payers", '["KP"]').replace('"D"', '"X"'), 8, "payers.verification"),
        (MEDICARE_ROW + row("payers", '["KP"]').replace('"A test"', '" "'), 6, "payers.source"),
        (MEDICARE_ROW + row("payers", '["KP"]').replace("source", "sauce"), 6, "payers.sauce"),
        (MEDICARE_ROW + row("homebound_required", '"yes"'), 5, "homebound_required.value"),
        (MEDICARE_ROW + row("idt_interval_days", "true"), 5, "idt_interval_days.value"),
        (MEDICARE_ROW + row("idt_interval_days", "-1"), 5, "idt_interval_days.value"),
        (MEDICARE_ROW + row("criteria", '["ELG-1", "ELG-9"]'), 5, "criteria.value[1]"),
        (MEDICARE_ROW + row("criteria", '["ELG-1", "ELG-1"]'), 5, "criteria.value"),
        (MEDICARE_ROW + row("orderer_types", '{ PT = ["MD"] }'), 5, "orderer_types.value"),
        (MEDICARE_ROW + row("orderer_types", '{ default = ["MD"], XX = ["MD"] }'), 5, "orderer_types.value.XX"),
        (MEDICARE_ROW + row("evv", '{ default = "record", KP = "sumbit" }'), 5, "evv.value.KP"),
        (MEDICARE_ROW + row("aide_supervision", '"never"'), 5, "aide_supervision.value"),
        (MEDICARE_ROW + "evv = 3\n", 4, "evv"),
        (MEDICARE_ROW + TWICE, 12, "payers[1].effective_from"),
        (
            MEDICARE_ROW
            + row(
                "excludes",
                '[\n  { programme = "NOBODY", payers = ["KP"], terminal_condition_only = true, from_age = 0 },\n]',
            ),
            6,
            "excludes.value[0].programme",
        ),
        (MEDICARE_ROW + row("excludes", '[{ programme = "HOSPICE" }]'), 5, "excludes.value[0]"),
    ],
)
def test_a_mistake_is_told_with_its_file_its_line_and_its_key(text, line, key):
    assert ("0.toml", line, key) in mistakes(text)


def test_all_mistakes_of_all_files_are_told_at_once():
    first = MEDICARE_ROW + row("payers", '["MEDICAID"]') + row("homebound_required", "1")
    second = 'code = "HOSPICE"\n' + row("idt_interval_days", "15.0")
    assert mistakes(first, second) == [
        ("0.toml", 5, "payers.value[0]"),
        ("0.toml", 10, "homebound_required.value"),
        ("1.toml", 3, "idt_interval_days.value"),
    ]


def test_a_new_programme_that_builds_upon_none_is_complete():
    lacking = {key for _, _, key in mistakes('code = "BRIDGE"\n' + row("payers", '["KP"]'))}
    assert {"criteria", "evv", "excludes"} <= lacking
    assert "payers" not in lacking


def test_one_code_stands_in_one_file():
    assert mistakes(MEDICARE_ROW, MEDICARE_ROW) == [("1.toml", 1, "code")]


def test_a_change_holds_from_its_first_day_and_what_was_shipped_before_it():
    own = 'code = "HOSPICE"\n' + row("idt_interval_days", "14", "2026-12-01")
    programmes = programmes_from(SHIPPED, [("own.toml", own)])
    days = [programmes.of(Programme.HOSPICE, day).idt_interval_days for day in (DAY, date(2026, 12, 1))]
    assert days == [15, 14]
    assert programmes.of(Programme.HOSPICE).name == "Hospice"


def test_a_programme_of_the_agency_takes_over_what_it_does_not_say():
    programmes = programmes_from(SHIPPED, [("own.toml", MEDICARE_ROW + row("payers", '["COMMERCIAL"]'))])
    bridge = programmes.of(Programme("BRIDGE"), DAY)
    assert bridge.payers == {Payer.COMMERCIAL}
    assert bridge.certifiers() == programmes.of(Programme.MEDICARE_HH, DAY).certifiers()
    assert Programme("BRIDGE") not in POLICY.programmes


def test_before_its_first_row_a_setting_is_as_it_was_first():
    assert POLICY.profile(Programme.HOSPICE, date(1999, 1, 1)).idt_interval_days == 15


def test_lines_of_dotted_and_quoted_keys():
    lines = lines_of('a.b = 1\n"c d" = { e = [\n 1,\n 2] }\n[[f.g]]\nh = 2\n[[f.g]]\n')
    assert lines[("a", "b")] == 1
    assert lines[("c d", "e", 1)] == 4
    assert lines[("f", "g", 0, "h")] == 6
    assert lines[("f", "g", 1)] == 7


# ------------------------------------------------------------------------------------ codes


def test_one_code_is_one_object():
    assert Programme("KP_HBPC") is Programme.KP_HBPC
    assert pickle.loads(pickle.dumps(Programme.HOSPICE)) is Programme.HOSPICE
    assert copy.deepcopy(Programme.HOSPICE) is Programme.HOSPICE
    assert f"{Programme.HOSPICE}" == Programme.HOSPICE.value == "HOSPICE"


@pytest.mark.parametrize("code", ["", "a", "A", "KP HBPC", "KP_HBPC\n", "Ä_BC", "A" * 41])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError, match="no code"):
        Programme(code)


def test_an_unknown_programme_names_those_there_are():
    with pytest.raises(UnknownProgramme, match="programme: there is no profile 'NOBODY'; there are HOSPICE, KP_HBPC"):
        POLICY.profile(Programme("NOBODY"))


def test_every_setting_is_in_the_manual():
    manual = (Path(__file__).parents[2] / "docs" / "programmes.md").read_text(encoding="utf-8")
    for key in POLICY.profile(Programme.HOSPICE).notes:
        assert f"`{key}`" in manual
