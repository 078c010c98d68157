"""Payment periods and the notice of admission over HTTP, for the manager (PAY-01 to PAY-03)."""

from typing import Any

from marshmallow import fields

from coordinator.core.fields import Day, Id, Schema, Text, Whole
from coordinator.core.http import Blueprint, work
from coordinator.visits import payment

blp = Blueprint("payment", __name__, url_prefix="/api/v1", description="What is known of payment. Information only")


class PaymentPeriodSchema(Schema):
    number = Whole()
    first = Day()
    last = Day()
    made = Whole(metadata={"description": "Counted visits that were made"})
    planned = Whole(metadata={"description": "Counted visits that stand ahead"})
    units = Whole(metadata={"description": "Of fifteen minutes, of the visits made (PAY-03)"})
    threshold = Whole(allow_none=True, metadata={"description": "Null while the group is not known"})
    case_mix_group = Text(allow_none=True)
    finding = fields.Dict(allow_none=True, metadata={"description": "The forecast in words (PAY-01)"})


class PaymentOutlookSchema(Schema):
    episode_id = Id()
    soc_date = Day(allow_none=True)
    periods = fields.List(fields.Nested(PaymentPeriodSchema))
    notice_submitted_on = Day(allow_none=True)
    notice = fields.Dict(allow_none=True, metadata={"description": "What is to be said of the notice (PAY-02)"})


class PaymentPeriodEditSchema(Schema):
    case_mix_group = Text(required=True, max_length=10, metadata={"example": "1HB21"})
    threshold = Whole(required=True, high=31, metadata={"description": "Visits", "example": 4})


class AdmissionNoticeSchema(Schema):
    submitted_on = Day(required=True, metadata={"example": "2026-10-06"})


@blp.route("/episodes/<id:episode_id>/payment")
@blp.response(200, PaymentOutlookSchema)
def get_payment(episode_id: int) -> Any:
    """How payment periods stand

    Visits made and ahead beside the threshold, and the notice of admission. For information: nothing is planned by it.
    """
    return _shown(payment.outlook(work(), episode_id))


def _shown(found: payment.Outlook) -> dict[str, Any]:
    return {
        "episode_id": found.episode_id,
        "soc_date": found.soc_date,
        "notice_submitted_on": found.notice_submitted_on,
        "notice": None if found.notice is None else found.notice.as_dict(),
        "periods": [
            {
                "number": period.facts.number, "first": period.span.first, "last": period.span.last,
                "made": period.facts.made, "planned": period.facts.planned, "threshold": period.facts.threshold,
                "units": period.units, "case_mix_group": period.case_mix_group,
                "finding": None if period.finding is None else period.finding.as_dict(),
            }
            for period in found.periods
        ],
    }  # fmt: skip


@blp.route("/episodes/<id:episode_id>/payment/periods/<int:number>", methods=["PUT"])
@blp.arguments(PaymentPeriodEditSchema)
@blp.response(200, PaymentOutlookSchema)
def set_period(args: dict[str, Any], episode_id: int, number: int) -> Any:
    """Record a period's threshold

    The case-mix group and its threshold, from 2 to 6 visits, as the grouper gave them.
    """
    payment.set_period(work(), episode_id, number, **args)
    return _shown(payment.outlook(work(), episode_id))


@blp.route("/episodes/<id:episode_id>/payment/notice", methods=["POST"])
@blp.arguments(AdmissionNoticeSchema)
@blp.response(201, AdmissionNoticeSchema)
def submit_notice(args: dict[str, Any], episode_id: int) -> Any:
    """Record that the notice of admission went out

    Once; a late one says how many days are lost (PAY-02).
    """
    return payment.submit_notice(work(), episode_id, args["submitted_on"])
