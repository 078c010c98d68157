"""Who is told what: once, in codes, and only who it is for."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.core.work import Work
from coordinator.deadlines.words import SAID
from coordinator.domain import events
from coordinator.domain.vocabulary import (
    Criterion,
    MissedDecision,
    MissedReason,
    OrderDeclineReason,
    OrderStatus,
    VisitStatus,
)
from coordinator.notify.model import Notice
from coordinator.notify.service import tell_role, tell_user
from coordinator.notify.words import KINDS, NOT_TRANSLATED, obligation, sentence
from coordinator.orders.model import Order
from coordinator.visits.model import Visit
from tests.builders import (
    make_branch,
    make_care_plan,
    make_clinician,
    make_episode,
    make_order,
    make_patient,
    make_physician,
    make_user,
    make_visit,
)
from tests.conftest import NOW, WorkAs
from tests.people import at, browser


@dataclass
class Case:
    branch_id: int = 0
    other_branch_id: int = 0
    patient_id: int = 0
    order_id: int = 0
    visit_id: int = 0
    clinician_id: int = 0
    other_clinician_id: int = 0
    physician_id: int = 0
    users: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def case(database: Database) -> Case:
    case = Case()
    with database.transaction() as session:
        branch, other = make_branch(session), make_branch(session)
        patient = make_patient(session, branch)
        physician = make_physician(session)
        nurse, second = make_clinician(session, branch), make_clinician(session, branch)
        author = make_user(session, "none", "clinician")
        episode = make_episode(session, patient)
        plan = make_care_plan(session, episode, physician)
        order = make_order(session, episode, plan, status=OrderStatus.ACTIVE_SIGNED, drafted_by_id=author.id)
        visit = make_visit(
            session, patient, episode, order_id=order.id, clinician_id=nurse.id, status=VisitStatus.BOOKED,
            starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=1, hours=1), published_at=NOW,
        )  # fmt: skip
        case.branch_id, case.other_branch_id, case.patient_id = branch.id, other.id, patient.id
        case.order_id, case.visit_id = order.id, visit.id
        case.clinician_id, case.other_clinician_id, case.physician_id = nurse.id, second.id, physician.id
        case.users = {
            "author": author.id,
            "nurse": make_user(session, "none", "clinician", clinician_id=nurse.id).id,
            "second": make_user(session, "none", "clinician", clinician_id=second.id).id,
            "doctor": make_user(session, "none", "physician", physician_id=physician.id).id,
            "gone": make_user(session, "none", "physician", physician_id=physician.id, active=False).id,
        }
    return case


def _told(work: Work) -> set[tuple[Any, str]]:
    work.session.flush()
    rows = work.session.execute(sa.select(Notice.role, Notice.user_id, Notice.kind)).all()
    return {(row.role or row.user_id, row.kind) for row in rows}


def test_a_signature_is_told_to_the_office_and_the_author_at_once(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        for _ in range(2):  # heard twice, told once
            work.publish(events.OrderSigned(case.order_id, was_live=False))
        assert _told(work) == {
            ("scheduler", "order.signed"),
            ("clinical_manager", "order.signed"),
            (case.users["author"], "order.signed"),
        }
        assert work.session.execute(sa.select(sa.func.count()).select_from(Notice)).scalar_one() == 3


def test_a_refusal_is_told_to_the_author_and_the_manager(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        order = work.session.get_one(Order, case.order_id)
        order.status, order.decline_reason = OrderStatus.DECLINED, "needs_discussion"
        order.decline_note = "Please call me about Mei"
        work.session.flush()
        work.publish(events.OrderDeclined(case.order_id, case.order_id))
        told = _told(work)
        assert {("clinical_manager", "order.declined"), (case.users["author"], "order.declined")} <= told
        notice = work.session.query(Notice).filter_by(kind="order.declined", role="clinical_manager").one()
        assert notice.facts["reason"] == "needs_discussion"
        assert "Mei" not in str(notice.facts)


def test_a_sent_order_is_told_to_its_practitioner_and_to_no_closed_account(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        work.publish(events.OrderSent(case.order_id))
        assert _told(work) == {(case.users["doctor"], "order.sent")}
    with work_as(now=NOW + timedelta(days=1)) as work:  # recalled, and sent again
        work.publish(events.OrderSent(case.order_id))
        rows = work.session.query(Notice).filter_by(kind="order.sent").order_by(Notice.id).all()
        assert [row.read_at is None for row in rows] == [False, True]


@pytest.mark.parametrize(("impact", "kind"), [(None, "visit.decide"), (True, "visit.decide"), (False, "visit.missed")])
def test_a_missed_visit_is_told_and_the_practitioner_asked_where_it_may_matter(
    work_as: WorkAs, case: Case, impact: bool | None, kind: str
) -> None:
    with work_as() as work:
        visit = work.session.get_one(Visit, case.visit_id)
        visit.status, visit.missed_reason, visit.missed_at = VisitStatus.MISSED, MissedReason.NO_STAFF_AVAILABLE, NOW
        visit.clinical_impact = impact
        work.session.flush()
        work.publish(events.VisitMissed(visit.id, "no_staff_available"))
        assert _told(work) == {("scheduler", "visit.missed"), (case.users["doctor"], kind)}
        work.publish(events.MissedVisitDecided(visit.id, "make_up"))
        assert ("scheduler", "visit.decided") in _told(work)


def test_clinicians_hear_of_changes_to_what_was_published(work_as: WorkAs, case: Case) -> None:
    nurse, second = case.users["nurse"], case.users["second"]
    with work_as() as work:
        work.publish(events.VisitMoved(case.visit_id, case.clinician_id, case.clinician_id))
        assert _told(work) == {(nurse, "visit.moved")}
        work.publish(events.VisitMoved(case.visit_id, case.clinician_id, case.other_clinician_id))
        work.publish(events.VisitCancelled(case.visit_id, case.other_clinician_id))
        assert _told(work) == {
            (nurse, "visit.moved"), (nurse, "visit.taken"), (second, "visit.given"), (second, "visit.cancelled"),
        }  # fmt: skip


def test_two_moves_of_one_visit_are_two_notices(work_as: WorkAs, case: Case) -> None:
    for hours in (1, 2):
        with work_as() as work:
            visit = work.session.get_one(Visit, case.visit_id)
            visit.starts_at = NOW + timedelta(days=1, minutes=-hours)
            work.publish(events.VisitMoved(visit.id, case.clinician_id, case.clinician_id))
    with work_as() as work:
        assert work.session.query(Notice).filter_by(kind="visit.moved").count() == 2


def test_nobody_hears_of_what_was_never_published(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        work.session.get_one(Visit, case.visit_id).published_at = None
        work.publish(events.VisitMoved(case.visit_id, case.clinician_id, case.other_clinician_id))
        work.publish(events.VisitCancelled(case.visit_id, case.clinician_id))
        assert _told(work) == set()


def test_a_published_roster_is_told_to_each_of_its_clinicians(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        work.publish(events.RosterPublished(7, (case.clinician_id, case.other_clinician_id)))
        assert _told(work) == {
            (case.users["nurse"], "roster.published"), (case.users["second"], "roster.published"),
        }  # fmt: skip


def test_every_kind_is_a_sentence_of_codes() -> None:
    facts = dict.fromkeys(
        ("referral", "patient", "due", "order", "discipline", "reason", "replacement", "visit", "decision", "day",
         "run", "repair", "rule", "about", "due_on", "task", "notice", "language", "stage", "note", "minutes"), "7",
    )  # fmt: skip
    for kind in KINDS:
        assert "…" not in sentence(kind, facts)
    assert sentence("order.signed", {}) == "Order … (…) was signed."
    assert sentence("not.known", {}) == "not.known"


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        (
            "visit.missed", {"visit": 7, "discipline": "SN", "patient": 3, "reason": "not_home_not_found"},
            "Visit 7 (SN) of patient 3 was missed: nobody was at home.",
        ),
        (
            "visit.decided", {"visit": 7, "decision": "make_up"},
            "The practitioner decided about missed visit 7: make it up.",
        ),
        (
            "order.declined", {"order": 4, "discipline": "PT", "reason": "frequency_too_high", "replacement": 5},
            "Order 4 (PT) was declined: too many visits. Its new draft is order 5.",
        ),
        (
            "deadline.overdue",
            {"task": "comprehensive-assessment", "rule": "ASM-01", "about": "episode:33", "due_on": "2026-11-08"},
            "Complete the comprehensive assessment. It is overdue since 2026-11-08 (ASM-01, episode 33).",
        ),
        (
            "deadline.reminder",
            {"task": "complete-referral", "missing": ["setting", "birth_date"], "rule": "REF-01",
             "about": "referral:7", "due_on": "2026-11-08"},
            ("Ask the referring practitioner for what the referral lacks: setting, birth date. It is due on 2026-11-08 "
            "(REF-01, referral 7)."),
        ),
        (
            "deadline.warning",
            {"task": "criterion-lost", "criterion": "ELG-3", "rule": "ELG-00", "about": "referral:7:ELG-3",
             "due_on": "2026-11-08"},
            ("Criterion ELG-3 (willing) is no longer met: decide what follows. Visits stand until then. "
            "It is due soon, on 2026-11-08 (ELG-00, referral 7)."),
        ),
    ],
)  # fmt: skip
def test_codes_are_said_in_words(kind: str, facts: dict[str, Any], said: str) -> None:
    assert sentence(kind, facts) == said


def test_notices_are_said_in_chinese_and_what_is_not_translated_says_so() -> None:
    missed = {"visit": 7, "discipline": "SN", "patient": 3, "reason": "not_home_not_found"}
    assert sentence("visit.missed", missed, "zh-Hant") == "病人 3 的家訪 7（護士）未能進行：無人在家。"
    facts = {"task": "comprehensive-assessment", "rule": "ASM-01", "about": "episode:33", "due_on": "2026-11-08"}
    assert sentence("deadline.overdue", facts, "zh-Hant") == (
        "請完成綜合評估。已於 2026-11-08 逾期（ASM-01，照護期 33）。"
    )
    reason = {"task": "decide-missed", "reason": "not_home_not_found"}
    assert obligation(reason, "zh-Hant") == "請將未能進行的家訪告知醫生（無人在家），由醫生決定如何處理。"
    assert obligation({"task": "not-known"}, "zh-Hant") == f"{NOT_TRANSLATED} See to it."
    accepted = {"referral": 1, "patient": 2, "due": " by 2026-11-10T12:00-08:00"}
    assert sentence("referral.accepted", accepted, "zh-Hant").endswith("首次家訪（2026-11-10T12:00-08:00 前）。")
    assert sentence("not.known", {}, "zh-Hant") == f"{NOT_TRANSLATED} not.known"


def test_every_reason_and_decision_has_words() -> None:
    assert set(MissedReason) | set(OrderDeclineReason) <= SAID["reason"].keys()
    assert SAID["decision"].keys() == set(MissedDecision)
    assert SAID["criterion"].keys() == set(Criterion)
    for words in SAID.values():
        assert all("_" not in one for one in words.values())


def _waiting(work: Work) -> list[str]:
    """Kinds of notices that nobody has read yet, to whoever."""
    work.session.flush()
    return list(work.session.scalars(sa.select(Notice.kind).where(Notice.read_at.is_(None)).order_by(Notice.id)))


@pytest.mark.parametrize("how", ["signed", "declined", "void", "ended"])
def test_an_order_that_waits_no_more_is_off_its_practitioners_list(work_as: WorkAs, case: Case, how: str) -> None:
    with work_as() as work:
        order = work.session.get_one(Order, case.order_id)
        order.status, order.signed_at = OrderStatus.SENT_FOR_SIGNATURE, None
        work.session.flush()
        work.publish(events.OrderSent(order.id))
        work.publish(events.RosterPublished(1, (case.clinician_id,)))
        assert _waiting(work) == ["order.sent", "roster.published"]
    with work_as(now=NOW + timedelta(hours=1)) as work:
        order = work.session.get_one(Order, case.order_id)
        if how == "signed":
            order.status, order.signed_at = OrderStatus.ACTIVE_SIGNED, work.now
            work.publish(events.OrderSigned(order.id, was_live=False))
        elif how == "declined":
            order.status, order.decline_reason = OrderStatus.DECLINED, "needs_discussion"
            work.publish(events.OrderDeclined(order.id, order.id))
        else:
            order.status = OrderStatus.VOID if how == "void" else OrderStatus.EXPIRED
            work.publish(events.OrderEnded(order.id, order.status.value, NOW.date()))
        waiting = _waiting(work)
        assert "order.sent" not in waiting
        assert "roster.published" in waiting
        notice = work.session.query(Notice).filter_by(kind="order.sent").one()
        assert (notice.read_at, notice.read_by_id) == (work.now, None)


def test_an_ended_verbal_order_under_which_care_was_given_still_waits(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        order = work.session.get_one(Order, case.order_id)
        order.status, order.signed_at, order.responsible_signed_at = OrderStatus.EXPIRED, None, NOW
        work.session.flush()
        work.publish(events.OrderSent(order.id))
        work.publish(events.OrderEnded(order.id, "expired", NOW.date()))
        assert "order.sent" in _waiting(work)


def test_who_has_decided_is_asked_no_more(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        visit = work.session.get_one(Visit, case.visit_id)
        visit.status, visit.missed_reason, visit.missed_at = VisitStatus.MISSED, MissedReason.NO_STAFF_AVAILABLE, NOW
        work.session.flush()
        work.publish(events.VisitMissed(visit.id, "no_staff_available"))
        assert _waiting(work) == ["visit.missed", "visit.decide"]
        work.publish(events.MissedVisitDecided(visit.id, "skip"))
        assert _waiting(work) == ["visit.missed", "visit.decided"]


# ------------------------------------------------------------------------------------ over HTTP


@pytest.fixture
def rows(work_as: WorkAs, case: Case) -> None:
    with work_as() as work:
        for branch_id in (case.branch_id, case.other_branch_id):
            tell_role(
                work, role="scheduler", branch_id=branch_id, kind="visit.missed", subject="visit:1", key="one", visit=1
            )
        tell_user(work, user_id=case.users["nurse"], kind="roster.published", subject="run:1", key="two", run=1)


def test_one_reads_ones_own_and_those_of_ones_role_and_branch(
    app: Coordinator, database: Database, case: Case, rows: None
) -> None:
    here = browser(app, database, "scheduler", branch_ids=[case.branch_id])
    colleague = browser(app, database, "scheduler", branch_ids=[case.branch_id])
    there = browser(app, database, "scheduler", branch_ids=[case.other_branch_id])
    manager = browser(app, database, "clinical_manager", branch_ids=[case.branch_id])
    with at():
        (mine,) = here.get("/notices").json["items"]
        assert (mine["role"], mine["branch_id"]) == ("scheduler", case.branch_id)
        assert mine["sentence"] == "Visit 1 (…) of patient … was missed: …."
        chinese = here.client.get(
            "/api/v1/notices", headers={"Authorization": f"Bearer {here.token}", "Accept-Language": "zh-TW,en;q=0.5"}
        )
        assert chinese.json["items"][0]["sentence"] == "病人 … 的家訪 1（…）未能進行：…。"
        assert manager.get("/notices").json["items"] == []
        assert there.post(f"/notices/{mine['id']}/read").status_code == 404
        assert manager.post(f"/notices/{mine['id']}/read").status_code == 404
        read = here.post(f"/notices/{mine['id']}/read")
        assert (read.status_code, read.json["read_at"]) == (200, "2026-11-09T16:00:00Z")
        # Read for everybody in the role, by whom, and it stays so.
        assert colleague.get("/notices").json["items"] == []
        (seen,) = colleague.get("/notices?unread=false").json["items"]
        assert seen["read_by_id"] == read.json["read_by_id"]
        assert colleague.post(f"/notices/{mine['id']}/read").json["read_by_id"] == read.json["read_by_id"]
        assert len(there.get("/notices").json["items"]) == 1
        assert here.get("/notices?kind=order.signed&unread=false").json["items"] == []
        assert here.post("/notices/99999/read").status_code == 404
        assert here.get("/notices?limit=0").status_code == 422


def test_nobody_reads_anothers_notice(app: Coordinator, database: Database, case: Case, rows: None) -> None:
    other = browser(app, database, "clinician", clinician_id=case.clinician_id)
    with at():
        # The notice is to a user, not to whoever is the same clinician.
        assert other.get("/notices").json["items"] == []


def test_notices_are_paged_newest_first_and_new_ones_move_nothing(
    app: Coordinator, database: Database, work_as: WorkAs, case: Case
) -> None:
    for number in range(5):
        with work_as(now=NOW + timedelta(minutes=number)) as work:
            tell_role(
                work, role="scheduler", branch_id=case.branch_id, kind="visit.missed", subject=f"visit:{number}",
                key=f"k{number}", visit=number,
            )  # fmt: skip
    here = browser(app, database, "scheduler", branch_ids=[case.branch_id])
    with at(NOW + timedelta(hours=1)):
        first = here.get("/notices?limit=3").json
        with work_as() as work:
            tell_role(
                work, role="scheduler", branch_id=case.branch_id, kind="visit.missed", subject="visit:5", key="k5",
                visit=5,
            )  # fmt: skip
        second = here.get(f"/notices?limit=3&cursor={first['next']}").json
        newest = here.get("/notices?limit=1").json["items"]
        assert here.get("/notices?cursor=nonsense").status_code == 422
    assert [row["facts"]["visit"] for row in newest] == [5]
    assert [row["facts"]["visit"] for row in first["items"] + second["items"]] == [4, 3, 2, 1, 0]
    assert second["next"] is None
