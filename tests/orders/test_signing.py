"""The physician's queue, reading before signing, batches, refusals, and the text that nobody changes afterwards."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coordinator.access.proof import Proof
from coordinator.core.errors import Conflict, Forbidden, NotFound, StaleVersion
from coordinator.domain.events import OrderActivated, OrderDeclined, OrderEnded, OrderSigned
from coordinator.domain.vocabulary import Discipline, OrderDeclineReason, OrderStatus, PractitionerType
from coordinator.orders import service, signing
from coordinator.orders.cards import content_hash, plain_line, signed_text
from coordinator.orders.model import Order, Signature
from coordinator.orders.signing import SignItem
from coordinator.patients.model import Episode
from tests import builders
from tests.conftest import NOW, WorkAs, actor_with
from tests.orders.conftest import CERTIFICATION_END, Draft, Scene, Sign, get, listen

WRONG = OrderDeclineReason.FREQUENCY_TOO_HIGH


# ------------------------------------------------------------------------------------ the queue


def test_the_queue_is_ones_own_and_most_urgent_first(
    sent: Draft, verbal: Draft, draft: Draft, scene: Scene, work_as: WorkAs
) -> None:
    later = sent(Discipline.PT, effective_from=date(2026, 11, 24))
    spoken = verbal(Discipline.SN)
    soon = sent(Discipline.OT)
    draft(Discipline.MSW)
    sent(Discipline.SLP, physician_id=scene.other_physician)
    with work_as(scene.actor("physician")) as work:
        found = signing.queue(work)
    assert [card.order.id for card in found] == [soon, later, spoken]
    assert [card.holds_visits for card in found] == [True, True, False]
    assert [card.reviewed for card in found] == [False, False, False]
    assert found[1].plain == "PT 2 visits a week for 4 weeks, from 24 Nov"
    assert found[1].asked_by == scene.users["nurse"].display_name
    assert found[2].received_by is not None
    assert found[2].received_by.startswith("Ana Reyes")
    with work_as(scene.actor("colleague")) as work:
        assert len(signing.queue(work)) == 1


def test_a_card_says_what_changed_since_the_last_signed_order(
    signed: Draft, sent: Draft, scene: Scene, work_as: WorkAs
) -> None:
    first = signed(Discipline.PT, "3w4", treatments=["gait"])
    second = sent(Discipline.PT, "2w4", treatments=["gait", "stairs"], effective_from=date(2026, 11, 24))
    with work_as(scene.actor("physician")) as work:
        (card,) = signing.queue(work)
    assert card.order.id == second
    assert (card.previous_id, card.previous) == (first, "PT 3 visits a week for 4 weeks, from 9 Nov")
    assert {change.field: (change.before, change.after) for change in card.changes} == {
        "frequency": ("3w4", "2w4"),
        "effective_from": (date(2026, 11, 9), date(2026, 11, 24)),
        "treatments": (["gait"], ["gait", "stairs"]),
    }


# ------------------------------------------------------------------------------------ signing


def test_signing_makes_an_order_live(sent: Draft, sign: Sign, scene: Scene, work_as: WorkAs, app, database) -> None:
    number = sent(Discipline.SN, "2w2")
    with work_as(scene.actor("physician")) as work:
        heard = listen(work)
        order = work.session.get(Order, number)
        text, digest, version = signed_text(order), content_hash(order), order.version
        signing.mark_reviewed(work, number, version)
        (result,) = signing.sign_batch(
            work, app.extensions["doorman"], [SignItem(number, version, digest)], Proof(builders.PASSWORD)
        )
        assert result.signed
        assert heard.events == [
            OrderActivated(order_id=number, verbal=False),
            OrderSigned(order_id=number, was_live=False),
        ]
    order = get(database, number)
    assert (order.status, order.signed_at) == (OrderStatus.ACTIVE_SIGNED, NOW)
    assert [week.maximum for week in order.weeks] == [2, 2]
    with database.transaction(write=False) as session:
        signature = session.execute(sa.select(Signature)).scalar_one()
        assert (signature.order_id, signature.order_version, signature.text) == (number, version, text)
        assert (signature.content_hash, signature.method) == (digest, "password")
        assert (signature.physician_id, signature.user_id) == (scene.physician, scene.users["physician"].id)
    assert content_hash(get(database, number)) == digest  # what was signed can be proved for ever


def test_signing_a_verbal_order_leaves_its_weeks(verbal: Draft, sign: Sign, database) -> None:
    number = verbal(Discipline.SN, "2w2")
    before = [week.id for week in get(database, number).weeks]
    assert [result.code for result in sign(number)] == ["signed"]
    order = get(database, number)
    assert order.status is OrderStatus.ACTIVE_SIGNED
    assert [week.id for week in order.weeks] == before


def test_what_changed_drops_out_of_the_batch_and_the_rest_is_signed(
    sent: Draft, scene: Scene, work_as: WorkAs, app, database
) -> None:
    kept, changed, unread = sent(Discipline.SN), sent(Discipline.PT), sent(Discipline.OT)
    foreign = sent(Discipline.SLP, physician_id=scene.other_physician)
    with work_as(scene.actor("physician")) as work:
        items = []
        for number in (kept, changed, unread, foreign):
            order = work.session.get(Order, number)
            items.append(SignItem(number, order.version, content_hash(order)))
        for number in (kept, changed):
            signing.mark_reviewed(work, number, work.session.get(Order, number).version)
    with work_as(scene.actor("nurse")) as work:
        listen(work)
        service.recall(work, changed)
        service.edit_draft(work, changed, version=3, frequency_text="5w4")
        service.send(work, changed)
    with work_as(scene.actor("physician")) as work:
        heard = listen(work)
        results = signing.sign_batch(
            work, app.extensions["doorman"], [*items, SignItem(99_999, 1, "0" * 64)], Proof(builders.PASSWORD)
        )
        assert [event.order_id for event in heard.of(OrderSigned)] == [kept]
        denied = [(line.subject, line.facts["code"]) for line in work.trail if line.outcome == "deny"]
    assert [(result.id, result.code, result.status) for result in results] == [
        (kept, "signed", 200),
        (changed, "stale-version", 412),
        (unread, "not-reviewed", 409),
        (foreign, "not-found", 404),
        (99_999, "not-found", 404),
    ]
    assert "changed since you reviewed it" in results[1].detail
    assert results[3].detail == results[4].detail.replace("99999", str(foreign))
    assert denied[0] == (f"order:{changed}", "stale-version")
    assert [get(database, number).status for number in (kept, changed, unread)] == [
        OrderStatus.ACTIVE_SIGNED, OrderStatus.SENT_FOR_SIGNATURE, OrderStatus.SENT_FOR_SIGNATURE,
    ]  # fmt: skip


def test_a_hash_of_another_text_is_not_signed(sent: Draft, scene: Scene, work_as: WorkAs, app) -> None:
    number = sent()
    with work_as(scene.actor("physician")) as work:
        signing.mark_reviewed(work, number, 2)
        (result,) = signing.sign_batch(
            work, app.extensions["doorman"], [SignItem(number, 2, "0" * 64)], Proof(builders.PASSWORD)
        )
    assert result.code == "stale-version"


def test_reading_is_no_edit_and_a_later_version_is_unread(sent: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = sent()
    with work_as(scene.actor("physician")) as work:
        assert signing.mark_reviewed(work, number, 2).version == 2
    assert (get(database, number).version, get(database, number).reviewed_version) == (2, 2)
    with pytest.raises(StaleVersion), work_as(scene.actor("physician")) as work:
        signing.mark_reviewed(work, number, 1)
    with pytest.raises(NotFound), work_as(scene.actor("colleague")) as work:
        signing.mark_reviewed(work, number, 2)


def test_an_item_that_a_handler_refuses_leaves_nothing_behind(
    sent: Draft, scene: Scene, work_as: WorkAs, app, database
) -> None:
    good, bad = sent(Discipline.SN), sent(Discipline.PT)

    def refuse(_work, event: OrderActivated) -> None:
        if event.order_id == bad:
            raise Conflict("no", code="refused-by-a-room")

    with work_as(scene.actor("physician")) as work:
        work.handlers = {OrderActivated: (refuse,)}
        items = []
        for number in (bad, good):
            signing.mark_reviewed(work, number, 2)
            items.append(SignItem(number, 2, content_hash(work.session.get(Order, number))))
        results = signing.sign_batch(work, app.extensions["doorman"], items, Proof(builders.PASSWORD))
        lines = [line.subject for line in work.trail if line.action == "order.signed"]
    assert [result.code for result in results] == ["refused-by-a-room", "signed"]
    assert lines == [f"order:{good}"]
    order = get(database, bad)
    assert (order.status, order.signed_at, order.weeks) == (OrderStatus.SENT_FOR_SIGNATURE, None, [])
    with database.transaction(write=False) as session:
        assert session.execute(sa.select(Signature.order_id)).scalars().all() == [good]


def test_the_rules_are_asked_again_at_the_signature(sent: Draft, sign: Sign, scene: Scene, database) -> None:
    number = sent(Discipline.HHA, "2w4", treatments=["bathing"])
    with database.transaction() as session:
        session.get(Episode, scene.episode).eligibility = "ineligible"
    (result,) = sign(number)
    assert (result.code, result.status) == ("rule-broken", 422)
    found = [(finding["rule"], finding["severity"]) for finding in result.findings]
    assert found == [("INT-03", "BLOCK"), ("INT-03", "WARN")]


def test_a_signed_order_is_not_signed_again(signed: Draft, scene: Scene, work_as: WorkAs, app) -> None:
    number = signed()
    with work_as(scene.actor("physician")) as work:
        order = work.session.get(Order, number)
        (result,) = signing.sign_batch(
            work,
            app.extensions["doorman"],
            [SignItem(number, order.version, content_hash(order))],
            Proof(builders.PASSWORD),
        )
    assert result.code == "not-signable"


def test_whoever_is_no_practitioner_signs_nothing(sent: Draft, scene: Scene, work_as: WorkAs, app) -> None:
    number = sent()
    for name in ("nurse", "manager", "scheduler"):
        with pytest.raises(Forbidden), work_as(scene.actor(name)) as work:
            signing.sign_batch(
                work, app.extensions["doorman"], [SignItem(number, 2, "0" * 64)], Proof(builders.PASSWORD)
            )


@pytest.mark.parametrize(
    "change", ["frequency = '9w9'", "goals_text = 'x'", "taper_plan = 'x'", "effective_to = '2027-01-01'"]
)
def test_the_database_refuses_to_change_what_was_signed(signed: Draft, database, change: str) -> None:
    number = signed()
    with pytest.raises(sa.exc.IntegrityError, match="signed_text_is_immutable"), database.transaction() as session:
        session.execute(sa.text(f"UPDATE care_order SET {change} WHERE id = {number}"))
    for statement in ("UPDATE signature SET text = 'x'", "DELETE FROM signature", "DELETE FROM care_order"):
        with pytest.raises(sa.exc.IntegrityError), database.transaction() as session:
            session.execute(sa.text(statement))


def test_the_signed_text_cannot_be_forged_by_a_value() -> None:
    def order(**given) -> Order:
        values = {
            "id": 1, "patient_id": 2, "episode_id": 3, "certification_number": 1, "physician_id": 4,
            "discipline": Discipline.PT, "evaluate_and_treat": False, "effective_from": builders.MONDAY,
            "effective_to": CERTIFICATION_END, "visit_minutes": 45, "visits_per_day": 1, "two_person": False,
            "treatments": [], "required_skills": [], "prn_limit": 0, "daily_insulin": False, "frequency": "2w4",
        } | given  # fmt: skip
        return Order(**values)

    plain = order(goals_text="walks")
    forged = order(goals_text="walks\nprn_limit:\n  = 9")
    assert signed_text(plain).count("prn_limit:\n  = ") == 1
    assert "\nprn_limit:\n  = 9" not in signed_text(forged)
    assert content_hash(order(treatments=["a", "b"])) != content_hash(order(treatments=["a\nb"]))
    assert content_hash(order(goals_text=None)) != content_hash(order(goals_text="-"))
    assert content_hash(order()) == content_hash(order())


# ------------------------------------------------------------------------------------ declining


def test_a_declined_order_has_a_linked_draft_with_the_same_content(
    sent: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    number = sent(Discipline.PT, "5w4 + 1 PRN for falls", required_skills=["vestibular"])
    with work_as(scene.actor("physician")) as work:
        heard = listen(work)
        order, replacement = signing.decline(work, number, version=2, reason=WRONG, note="three is enough")
        assert heard.events == [OrderDeclined(order_id=number, replacement_id=replacement.id)]
    order, replacement = get(database, number), get(database, replacement.id)
    assert (order.status, order.decline_reason, order.decline_note) == (OrderStatus.DECLINED, WRONG, "three is enough")
    assert (replacement.status, replacement.replaces_id) == (OrderStatus.DRAFT, number)
    assert plain_line(replacement) == plain_line(order)
    assert (replacement.treatments, replacement.required_skills) == (["assessment"], ["vestibular"])
    assert (replacement.drafted_by_id, replacement.physician_id) == (scene.users["nurse"].id, scene.physician)
    with work_as(scene.actor("nurse")) as work:
        listen(work)
        service.edit_draft(work, replacement.id, version=1, frequency_text="3w4")
        service.send(work, replacement.id)


def test_a_live_order_that_is_declined_ends_at_once(verbal: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = verbal(Discipline.SN, "2w2")
    version = get(database, number).version
    with work_as(scene.actor("physician"), now=NOW + timedelta(days=2)) as work:
        heard = listen(work)
        signing.decline(work, number, version=version, reason=WRONG)
        assert [type(event) for event in heard.events] == [OrderEnded, OrderDeclined]
        assert heard.of(OrderEnded) == [OrderEnded(order_id=number, status="declined", from_day=date(2026, 11, 11))]
    order = get(database, number)
    assert (order.status, order.ended_on) == (OrderStatus.DECLINED, date(2026, 11, 11))
    assert [(week.ends_on, week.minimum) for week in order.weeks] == [(date(2026, 11, 11), 0), (date(2026, 11, 21), 0)]
    assert [week.number for week in service.weeks_of(order)] == [1]


def test_a_decline_is_ones_own_and_at_the_version_read(sent: Draft, scene: Scene, work_as: WorkAs, database) -> None:
    number = sent()
    with pytest.raises(StaleVersion), work_as(scene.actor("physician")) as work:
        signing.decline(work, number, version=1, reason=WRONG)
    with pytest.raises(NotFound), work_as(scene.actor("colleague")) as work:
        signing.decline(work, number, version=2, reason=WRONG)
    assert get(database, number).status is OrderStatus.SENT_FOR_SIGNATURE


# ------------------------------------------------------------------------------------ the demonstration


def test_only_orders_of_the_demonstration_are_signed_for_their_practitioner(
    sent: Draft, scene: Scene, work_as: WorkAs, database
) -> None:
    real, shown = sent(Discipline.SN), sent(Discipline.PT, demo=True)
    anybody = actor_with("physician")
    with pytest.raises(Forbidden), work_as(anybody) as work:
        signing.sign_demo(work, real)
    with work_as(anybody) as work:
        listen(work)
        signature = signing.sign_demo(work, shown)
        assert (signature.method, signature.user_id) == ("demo", scene.users["physician"].id)
    assert get(database, shown).status is OrderStatus.ACTIVE_SIGNED
    with pytest.raises(Conflict), work_as(anybody) as work:
        signing.sign_demo(work, shown)


def test_a_rule_that_forbids_the_signer_is_named(sent: Draft, sign: Sign, scene: Scene, database) -> None:
    number = sent(Discipline.PT)
    with database.transaction() as session:
        session.get(builders.Physician, scene.physician).practitioner_type = PractitionerType.NP
    (result,) = sign(number)
    assert result.code == "rule-broken"
    assert {finding["rule"] for finding in result.findings} == {"ORD-04"}
