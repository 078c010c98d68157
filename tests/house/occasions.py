"""To which occasion a door belongs: by its room, or by its own name where a room has several."""

from coordinator.rules.terms import Occasion
from tests.house.calls import Door

#: Longest beginning of the dotted name (after `coordinator.`) goes first.
BY_NAME = {
    "referrals": Occasion.REFERRAL,
    "planning": Occasion.PLANNING,
    "planning.promise": Occasion.PROMISE,
    "planning.publication": Occasion.PUBLICATION,
    "planning.offers": Occasion.PUBLICATION,
    "planning.repairs.approval": Occasion.PUBLICATION,
    "planning.promise_api": Occasion.PROMISE,
    "planning.asking": Occasion.QUESTION,
    "planning.asking_api": Occasion.QUESTION,
    "visits": Occasion.VISIT,
    "visits.publishing": Occasion.PUBLICATION,
    "visits.doing": Occasion.AFTERWARDS,
    "visits.doing.start": Occasion.CHECK_IN,
    "visits.doing.en_route": Occasion.CHECK_IN,
    "visits.missed": Occasion.AFTERWARDS,
    "visits.supervision": Occasion.AFTERWARDS,
    "visits.holds": Occasion.PROMISE,
    "visits.doing_api": Occasion.AFTERWARDS,
    "visits.queries": Occasion.QUESTION,
    "visits.ledger": Occasion.QUESTION,
    "visits.roster": Occasion.QUESTION,
    "visits.service.ask_about": Occasion.QUESTION,
    "orders": Occasion.ORDER,
    "patients": Occasion.RECORD,
    "patients.episodes": Occasion.EPISODE,
    "episodes": Occasion.EPISODE,
    "staff": Occasion.STAFF,
    "care": Occasion.CARE,
    "family": Occasion.CARE,
    "access": Occasion.ACCESS,
    "privacy": Occasion.ACCESS,
    "labour": Occasion.STAFF,
    "workday": Occasion.STAFF,
    "agency": Occasion.RECORD,
    "directory": Occasion.RECORD,
    "teamwork": Occasion.CARE,
    "teamwork.resource_clock.on_referral_closed": Occasion.REFERRAL,
    "fhir": Occasion.RECORD,
    "notify": Occasion.QUESTION,
    "compliance": Occasion.QUESTION,
    "web": Occasion.QUESTION,
    "deadlines": Occasion.CLOCK,
    "jobs": Occasion.CLOCK,
}
#: Handlers of the book of deadlines speak for the room whose event they answer.
CLOCKS = {
    "deadlines.referral_clock": Occasion.REFERRAL,
    "deadlines.order_clock": Occasion.ORDER,
    "deadlines.visit_clock": Occasion.AFTERWARDS,
    "deadlines.authorisation_clock": Occasion.RECORD,
    "deadlines.staff_clock": Occasion.STAFF,
}


def occasion_of(door: Door) -> Occasion:
    """The occasion of a door; a room that stands in no line is a KeyError that names it."""
    words = door.node.removeprefix("coordinator.").split(".")
    if door.kind == "job" and words[0] != "planning":
        return Occasion.CLOCK
    for many in range(len(words), 0, -1):
        name = ".".join(words[:many])
        if door.kind == "handler" and name in CLOCKS:
            return CLOCKS[name]
        if name in BY_NAME:
            return BY_NAME[name]
    raise KeyError(f"{door.node}: say in tests/house/occasions.py on which occasion it is opened")
