"""What waits for a physician's name, one card at a time: read, change, reject, ask; and on to the sheet."""

from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext

from coordinator.agency.service import zone_of
from coordinator.care.assessments import last_scores
from coordinator.core.errors import Conflict, Invalid, Refusal, RuleBroken, StaleVersion
from coordinator.core.fields import MAX_ID
from coordinator.core.http import work
from coordinator.core.work import Work
from coordinator.domain.vocabulary import OrderDeclineReason, OrderStatus
from coordinator.episodes import signing as certifying
from coordinator.episodes.model import Certification
from coordinator.orders import amending, history, signing
from coordinator.orders.cards import Card, signed_text
from coordinator.orders.queries import names
from coordinator.patients.model import Patient
from coordinator.patients.names import names_of
from coordinator.staff.model import Physician
from coordinator.teamwork import order_questions
from coordinator.visits import missed
from coordinator.visits.ledger import ledger
from coordinator.web.order_words import DECLINE, changed, plain
from coordinator.web.shell import Screens, attempt, done, explained

blueprint = Screens("signing_screen", __name__, url_prefix="/orders-to-sign")

#: Longest words of a form here; a question and a reason are a few lines.
LONGEST = 2000
#: Refusals that are said beside the form; others are a page of their own, and on the trail.
SAID_HERE = (Invalid, Conflict, RuleBroken, StaleVersion)


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the queue: an order's card, or a certification."""

    kind: str
    id: int
    version: int
    content_hash: str
    plain: str
    patient: str
    reviewed: bool
    #: The physician for whom the reader stands in today, by name.
    covering: str | None
    card: Card | None = None
    certification: Certification | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.id}"

    @property
    def address(self) -> str:
        return url_for("signing_screen.show_item", kind=self.kind, number=self.id)


# ------------------------------------------------------------------------------------ the list


def items(w: Work) -> list[Item]:
    """Everything that waits for the actor's name: orders by the day they are needed, then certifications."""
    cards, statements = signing.queue(w), certifying.certification_queue(w)
    mine = w.actor.physician_id
    others = {card.covering_for for card in cards} | {row.physician_id for row in statements} - {mine}
    doctors = {
        number: f"{row.given_name} {row.family_name}" for number, row in names(w, Physician, others).items()
    }  # fmt: skip
    patients = names_of(w, {row.patient_id for row in statements} - {card.patient.id for card in cards})
    patients |= {card.patient.id: f"{card.patient.given_name} {card.patient.family_name}" for card in cards}
    nobody = gettext("a patient")
    return [
        Item(
            "order", card.order.id, card.version, card.content_hash, plain(card.order), patients[card.patient.id],
            card.reviewed, doctors.get(card.covering_for or 0), card=card,
        )
        for card in cards
    ] + [
        Item(
            "certification", row.id, row.version, certifying.content_hash(row), _certifies(row),
            patients.get(row.patient_id, nobody), row.reviewed_version == row.version,
            doctors.get(row.physician_id) if row.physician_id != mine else None, certification=row,
        )
        for row in statements
    ]  # fmt: skip


def _certifies(row: Certification) -> str:
    if row.number == 1:
        return str(gettext("Certification of the first period"))
    return str(gettext("Recertification for period %(number)s", number=row.number))


def tabs(w: Work, waiting: list[Item] | None = None) -> dict[str, Any]:
    """The places within the queue, with how much waits in each; `here` is the endpoint that is shown."""
    return {
        "to_sign": None if waiting is None else len(waiting),
        "to_decide": missed.decisions_waiting(w),
        "here": (request.endpoint or "").partition(".")[2],
    }


@blueprint.get("/")
def show() -> Any:
    """The list; a desk shows the first card beside it."""
    return _page(None)


@blueprint.get("/<any(order, certification):kind>/<id:number>")
def show_item(kind: str, number: int) -> Any:
    """One card."""
    return _page((kind, number))


def _page(
    wanted: tuple[str, int] | None, *, refusal: Refusal | None = None, opened: str | None = None
) -> Any:  # fmt: skip
    w = work()
    found = items(w)
    place = next((at for at, item in enumerate(found) if (item.kind, item.id) == wanted), None)
    if wanted is not None and place is None:
        if refusal is not None:
            raise refusal
        return done("signing_screen.show", gettext("This waits for you no longer."))
    shown = found[place or 0] if found else None
    answer = render_template(
        "screens/signing.html", items=found, shown=shown, chosen=wanted is not None, place=place or 0,
        before=found[place - 1] if place else None,
        after=found[(place or 0) + 1] if (place or 0) + 1 < len(found) else None,
        reviewed=sum(item.reviewed for item in found), tabs=tabs(w, found),
        said=explained(refusal) if refusal is not None else None, opened=opened, typed=request.form,
        **(_about(w, shown) if shown is not None else {}),
    )  # fmt: skip
    return answer, refusal.status if refusal is not None else 200


def _about(w: Work, item: Item) -> dict[str, Any]:
    """What the card shows beside the order itself: who went, the last scores, questions, what waits."""
    card, row = item.card, item.certification
    if card is None:
        assert row is not None
        branch_id = names(w, Patient, [row.patient_id])[row.patient_id].branch_id
        return {
            "zone": zone_of(w, branch_id), "scores": last_scores(w, [row.patient_id]).get(row.patient_id, ()),
            "text": certifying.signed_text(row),
        }  # fmt: skip
    order = card.order
    weeks = history.weeks_ahead(w, order.id) if card.holds_visits else ()
    before = ledger(w, order_id=card.previous_id) if card.previous_id is not None else ()
    return {
        "zone": zone_of(w, card.patient.branch_id),
        "changes": changed(card.changes),
        "previous": plain(card.previous_order) if card.previous_order is not None else None,
        "scores": last_scores(w, [order.patient_id]).get(order.patient_id, ()),
        "questions": order_questions.questions_about(w, [order.id]).get(order.id, ()),
        "first_week": weeks[0] if weeks else None,
        "done": sum(line.done for line in before),
        "ordered": sum(line.ordered for line in before),
        "missed": sum(line.missed for line in before),
        "text": signed_text(order),
        "live": order.status is not OrderStatus.SENT_FOR_SIGNATURE,
        "reasons": [(reason.value, gettext(words)) for reason, words in DECLINE.items()],
    }


# ------------------------------------------------------------------------------------ one card


@blueprint.post("/<any(order, certification):kind>/<id:number>/reviewed")
def review(kind: str, number: int) -> Any:
    """I have read this; on to the next that I have not."""
    try:
        version = _version()
        with attempt(work()):
            if kind == "order":
                signing.mark_reviewed(work(), number, version)
            else:
                certifying.review_certification(work(), number, version)
    except SAID_HERE as refusal:
        return _page((kind, number), refusal=refusal)
    return _onwards(kind, number, gettext("Marked as reviewed."))


@blueprint.post("/order/<id:number>/reject")
def reject(number: int) -> Any:
    """I do not sign it; its author has a draft to mend."""
    try:
        try:
            reason = OrderDeclineReason(request.form.get("reason", ""))
        except ValueError:
            raise Invalid(gettext("Choose a reason."), pointer="/reason") from None
        note = words_of("note")
        with attempt(work()):
            signing.decline(work(), number, version=_version(), reason=reason, note=note)
    except SAID_HERE as refusal:
        return _page(("order", number), refusal=refusal, opened="reject")
    return _onwards("order", number, gettext("Rejected. Its author has a draft to mend."))


@blueprint.post("/order/<id:number>/ask")
def ask(number: int) -> Any:
    """A question to whoever wrote it; the order stays."""
    try:
        question = words_of("question")
        if question is None:
            raise Invalid(gettext("Write your question."), pointer="/question")
        with attempt(work()):
            order_questions.ask_about_order(work(), number, question)
    except SAID_HERE as refusal:
        return _page(("order", number), refusal=refusal, opened="ask")
    return done(
        "signing_screen.show_item", gettext("Asked. The answer comes back to this card."), kind="order", number=number
    )


@blueprint.post("/order/<id:number>/change")
def change(number: int) -> Any:
    """Say something else: a new version, to be read again."""
    try:
        given: dict[str, Any] = {"frequency_text": words_of("frequency"), "goals_text": words_of("goals")}
        treatments = words_of("treatments")
        given["treatments"] = [line.strip() for line in (treatments or "").splitlines() if line.strip()]
        if given["frequency_text"] is None:
            del given["frequency_text"]  # evaluate and treat has none
        with attempt(work()):
            amending.amend(work(), number, version=_version(), **given)
    except SAID_HERE as refusal:
        return _page(("order", number), refusal=refusal, opened="change")
    return done(
        "signing_screen.show_item", gettext("Changed. Its author is told; read it once more before you sign."),
        kind="order", number=number,
    )  # fmt: skip


def words_of(name: str) -> str | None:
    """What was typed into a field, without the empty lines around it; None if it is empty."""
    text = request.form.get(name, "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST or "\x00" in text:
        raise Invalid(gettext("Write at most %(most)s characters.", most=LONGEST), pointer=f"/{name}")
    return text or None


def _version() -> int:
    text = request.form.get("_version", "")
    if not text.isdecimal() or len(text) > len(str(MAX_ID)):
        raise Invalid(gettext("Open the card again."), pointer="/_version")
    return int(text)


def _onwards(kind: str, number: int, said: str) -> Response:
    """To the next item that was not reviewed, after this one or from the top; to the sheet when all are."""
    w = work()
    found = items(w)
    at = next((place for place, item in enumerate(found) if (item.kind, item.id) == (kind, number)), -1)
    unread = [item for item in (*found[at + 1 :], *found[: at + 1]) if not item.reviewed]
    if unread:
        return done("signing_screen.show_item", said, kind=unread[0].kind, number=unread[0].id)
    return done("signing_screen.sheet" if found else "signing_screen.show", said)
