"""Orders and missed visits in the reader's language: plain lines, what differs, and the coded reasons.

In English an order's line is the one of the orders room, word for word; what is signed is that room's text.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext

from coordinator.core.i18n import language
from coordinator.domain.frequency import Frequency, Segment, Unit, parse
from coordinator.domain.vocabulary import MissedDecision, MissedReason, OrderDeclineReason
from coordinator.orders.cards import Change, plain_frequency, plain_line
from coordinator.orders.facts import frequency_of
from coordinator.orders.model import Order
from coordinator.web.shell import day

#: Marks words for the catalogue; they are spoken below.
_ = str
DECLINE: dict[OrderDeclineReason, str] = {
    OrderDeclineReason.GOAL_NOT_MEASURABLE: _("Goal not measurable"),
    OrderDeclineReason.FREQUENCY_TOO_HIGH: _("Frequency too high"),
    OrderDeclineReason.FREQUENCY_TOO_LOW: _("Frequency too low"),
    OrderDeclineReason.WRONG_DISCIPLINE: _("Wrong discipline"),
    OrderDeclineReason.TREATMENT_NOT_INDICATED: _("Treatment not indicated"),
    OrderDeclineReason.NOT_MY_PATIENT: _("Not my patient"),
    OrderDeclineReason.DUPLICATE: _("Duplicate"),
    OrderDeclineReason.NEEDS_DISCUSSION: _("Needs discussion"),
    OrderDeclineReason.OTHER: _("Another reason"),
}
MISSED: dict[MissedReason, str] = {
    MissedReason.PATIENT_REFUSED: _("the patient refused"),
    MissedReason.PATIENT_CANCELLED: _("the patient cancelled"),
    MissedReason.NOT_HOME_NOT_FOUND: _("nobody at home"),
    MissedReason.MD_APPOINTMENT: _("a doctor's appointment"),
    MissedReason.INPATIENT_ER: _("in hospital or in the emergency room"),
    MissedReason.FAMILY_REQUEST: _("the family asked"),
    MissedReason.UNSAFE_CONDITIONS: _("unsafe conditions"),
    MissedReason.WEATHER_DISASTER: _("weather or disaster"),
    MissedReason.STAFF_ILLNESS: _("the clinician was ill"),
    MissedReason.NO_STAFF_AVAILABLE: _("no clinician was free"),
    MissedReason.INTERPRETER_UNAVAILABLE: _("no interpreter"),
    MissedReason.AGENCY_ERROR: _("an error of the agency"),
    MissedReason.DECEASED: _("the patient has died"),
    MissedReason.ON_HOLD: _("care was on hold"),
    MissedReason.WEEK_CLOSED: _("the week ended without it"),
}
DECIDED: dict[MissedDecision, str] = {
    MissedDecision.SKIP: _("It is skipped."),
    MissedDecision.MAKE_UP: _("It is made up."),
    MissedDecision.OTHER: _("What you wrote is done instead."),
}
METHODS: dict[str, str] = {
    "password": _("password"),
    "password+totp": _("password and code"),
    "passkey": _("passkey"),
    "demo": _("demo"),
}
_FIELDS: dict[str, str] = {
    "frequency": _("Frequency"),
    "evaluate_and_treat": _("Evaluate and treat"),
    "effective_from": _("From"),
    "effective_to": _("To"),
    "visit_minutes": _("Minutes a visit"),
    "visits_per_day": _("Visits a day"),
    "two_person": _("Two people"),
    "treatments": _("Treatments"),
    "required_skills": _("Skills"),
    "goals_text": _("Goals"),
    "prn_limit": _("As-needed visits at most"),
    "prn_signs": _("As-needed signs"),
    "taper_plan": _("Taper plan"),
    "daily_nursing_ends_on": _("Daily nursing ends"),
    "daily_insulin": _("Daily insulin"),
}
#: (unit, every single one) -> count and length in the reader's language; English has its own line.
_RHYTHMS: dict[tuple[Unit, bool], str] = {
    (Unit.DAY, True): _("%(count)s a day for %(length)s days"),
    (Unit.WEEK, True): _("%(count)s a week for %(length)s weeks"),
    (Unit.MONTH, True): _("%(count)s a month for %(length)s months"),
    (Unit.DAY, False): _("%(count)s every %(every)s days for %(length)s days"),
    (Unit.WEEK, False): _("%(count)s every %(every)s weeks for %(length)s weeks"),
    (Unit.MONTH, False): _("%(count)s every %(every)s months for %(length)s months"),
}


def plain(order: Order) -> str:
    """`PT 2 visits a week for 4 weeks, from 24 Nov`."""
    if language() == "en":
        return plain_line(order)
    frequency = frequency_of(order)
    if order.evaluate_and_treat:
        what = gettext("one evaluation visit")
    elif frequency is None:
        what = gettext("no frequency yet")
    else:
        what = _rhythm(frequency)
    begins = gettext("from %(day)s", day=day(order.effective_from, "M月d日"))
    return str(gettext("%(discipline)s %(what)s, %(begins)s", discipline=order.discipline, what=what, begins=begins))


def _rhythm(frequency: Frequency) -> str:
    if language() == "en":
        return plain_frequency(frequency)
    scheduled = gettext(", then ").join(_segment(one) for one in frequency.segments)
    needed = gettext(", ").join(
        gettext("up to %(limit)s as needed for %(reason)s", limit=line.limit, reason=line.reason)
        for line in frequency.prn
    )
    return str(gettext(", and ")).join(part for part in (scheduled, needed) if part)


def _segment(one: Segment) -> str:
    few = str(one.minimum)
    count = few if one.minimum == one.maximum else gettext("%(few)s to %(many)s", few=few, many=one.maximum)
    return str(gettext(_RHYTHMS[one.unit, one.every == 1], count=count, every=one.every, length=one.duration))


def changed(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """What differs from the last signed order: the field, before, after."""
    return [(gettext(_FIELDS[one.field]), value(one.field, one.before), value(one.field, one.after)) for one in changes]


def value(field: str, given: Any) -> str:
    """A field of an order as it is read."""
    if given is None or given == "" or given == []:
        return str(gettext("none"))
    if field == "frequency":
        return _rhythm(parse(str(given)))
    if isinstance(given, bool):
        return str(gettext("yes") if given else gettext("no"))
    if isinstance(given, date):
        return day(given)
    if isinstance(given, list):
        return str(gettext("; ")).join(str(item) for item in given)
    return str(given)
