"""The sheet: exactly what is signed, and proof of who signs; what became of each; and what was signed before."""

import json
from typing import Any

from flask import render_template, request
from flask_babel import ngettext

from coordinator.access import cookies
from coordinator.access.proof import NOTHING, Proof, asked_of_me
from coordinator.agency.service import zone_of
from coordinator.core.errors import Forbidden, Refusal, TooMany
from coordinator.core.http import no_rehearsal, work
from coordinator.core.i18n import language
from coordinator.core.work import Work
from coordinator.episodes import signing as certifying
from coordinator.orders import history, signing
from coordinator.orders.queries import names
from coordinator.patients.model import Patient
from coordinator.patients.names import names_of
from coordinator.rules.catalogue import RULES
from coordinator.web.order_words import METHODS, plain
from coordinator.web.shell import done, explained
from coordinator.web.signing_queue import Item, blueprint, items, tabs

#: Signatures on one page of the history.
_PAGE = 30
#: Characters of a passkey's answer.
_LONGEST_ANSWER = 20_000


@blueprint.get("/sign")
def sheet() -> Any:
    """What was reviewed, line by line, before the factor."""
    return _sheet(items(work()))


def _sheet(
    found: list[Item], *, refusal: Refusal | None = None, failed: list[dict[str, Any]] | None = None, signed: int = 0
) -> Any:  # fmt: skip
    w = work()
    ready = [item for item in found if item.reviewed]
    answer = render_template(
        "screens/signing_sheet.html", ready=ready, unread=[item for item in found if not item.reviewed],
        asked=asked_of_me(w, cookies.doorman()), now=w.now, failed=failed or [], signed=signed,
        said=explained(refusal) if refusal is not None else None, tabs=tabs(w, found),
        needs_factor=refusal is not None and refusal.problem_code == "second-factor-missing",
    )  # fmt: skip
    return answer, refusal.status if refusal is not None else 200


@blueprint.post("/sign")
@no_rehearsal
def sign() -> Any:
    """Sign what the sheet said, item by item, at the versions and texts that it showed."""
    w = work()
    chosen = [_item(text) for text in request.form.getlist("item")[: signing.LARGEST_BATCH]]
    orders = [signing.SignItem(*one[1:]) for one in chosen if one is not None and one[0] == "order"]
    statements = [certifying.SignItem(*one[1:]) for one in chosen if one is not None and one[0] == "certification"]
    lines = {(item.kind, item.id): item for item in items(w)}
    proof = Proof(password=_typed("password"), code=_typed("code"), passkey=_passkey())
    results: list[tuple[str, Any]] = []
    try:
        if orders:
            results += [("order", one) for one in signing.sign_batch(w, cookies.doorman(), orders, proof)]
        if statements:
            # Whoever has just proved who they are is not asked twice for one sheet; a code is good once.
            again = NOTHING if results and asked_of_me(w, cookies.doorman()).nothing_until else proof
            results += [
                ("certification", one)
                for one in certifying.sign_certifications(w, cookies.doorman(), statements, again)
            ]
    except (Forbidden, TooMany) as refusal:
        # Answered here and not raised, so that the count of wrong proofs is kept, and what was signed before it.
        w.record("order.not-signed", w.actor.name, outcome="deny", code=refusal.problem_code)
        return _sheet(items(w), refusal=refusal, signed=sum(one.code == "signed" for _, one in results))
    signed = sum(one.code == "signed" for _, one in results)
    failed = [_failed(lines.get((kind, one.id)), one) for kind, one in results if one.code != "signed"]
    if failed or not results:
        return _sheet(items(w), failed=failed, signed=signed)
    return done("signing_screen.show", ngettext("%(num)d signed.", "%(num)d signed.", signed))


def _item(text: str) -> tuple[str, int, int, str] | None:
    """`order-12:3:<hash>`, as the sheet's form has it."""
    key, _, rest = text.partition(":")
    kind, _, number = key.partition("-")
    version, _, digest = rest.partition(":")
    sound = number.isdecimal() and version.isdecimal() and len(number) < 16 and len(version) < 10 and len(digest) == 64
    return (kind, int(number), int(version), digest) if sound else None


def _typed(name: str) -> str | None:
    text = request.form.get(name, "")
    if name == "code":
        text = "".join(text.split())
    return text[:200] or None if text.isprintable() else None


def _passkey() -> dict[str, Any] | None:
    """What the browser's passkey answered, as the sheet's script wrote it into the form."""
    text = request.form.get("passkey", "")
    try:
        given = json.loads(text) if 0 < len(text) <= _LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None


def _failed(item: Item | None, result: Any) -> dict[str, Any]:
    """Why an item was not signed, with every finding and its way out."""
    chinese = language() == "zh-Hant"
    found = [
        {
            "rule": one["rule"],
            "says": RULES[one["rule"]].sentence_zh if chinese and one["rule"] in RULES else None,
            "sentence": one["sentence"],
            "cure": one.get("cure"),
            "citation": one.get("citation", ""),
            "refuses": True,
        }
        for one in getattr(result, "findings", ())
    ]
    return {"item": item, "detail": result.detail, "found": found}


# ------------------------------------------------------------------------------------ what was signed


@blueprint.get("/signed")
def signed() -> Any:
    """My signatures, newest first."""
    w = work()
    before = request.args.get("before", "")
    last = int(before) if before.isdecimal() and len(before) < 16 else None
    found = history.my_signatures(w, before=last, most=_PAGE)
    about = {order.patient_id for _, order in found}
    patients = names(w, Patient, about)
    return render_template(
        "screens/signing_history.html",
        lines=[
            {"signature": one, "order": order, "plain": plain(order), "zone": _zone(w, patients, order.patient_id)}
            for one, order in found
        ],
        names=names_of(w, about), methods=METHODS, older=found[-1][0].id if len(found) == _PAGE else None,
        tabs=tabs(w),
    )  # fmt: skip


@blueprint.get("/signed/<id:number>")
def signed_text(number: int) -> Any:
    """Exactly what one signature covers."""
    w = work()
    signature, order = history.my_signature(w, number)
    patients = names(w, Patient, [order.patient_id])
    return render_template(
        "screens/signing_signed.html", signature=signature, order=order, plain=plain(order),
        name=names_of(w, [order.patient_id]).get(order.patient_id), methods=METHODS,
        zone=_zone(w, patients, order.patient_id), tabs=tabs(w),
    )  # fmt: skip


def _zone(w: Work, patients: dict[int, Patient], patient_id: int) -> Any:
    return zone_of(w, patients[patient_id].branch_id)
