"""The menu: each screen once, with the permission that makes it somebody's."""

from dataclasses import dataclass

from coordinator.core.work import Actor

#: Marks words for the catalogue of translations; they are spoken where the menu is drawn.
_ = str


@dataclass(frozen=True, slots=True)
class Place:
    """A screen in the menu. `home_of` names the roles whose first screen it is."""

    endpoint: str
    label: str
    permission: str
    home_of: frozenset[str] = frozenset()
    #: Roles to whose work it belongs; empty: everybody who has the permission.
    roles: frozenset[str] = frozenset()


#: In the order of the menu.
PLACES: tuple[Place, ...] = (
    Place(
        "roster_screen.show",
        _("My day"),
        "visit:perform",
        home_of=frozenset({"clinician"}),
        roles=frozenset({"clinician"}),
    ),
    Place("signing_screen.show", _("To sign"), "order:sign", home_of=frozenset({"physician"})),
    Place("board_screen.show", _("Board"), "visit:assign", frozenset({"scheduler"})),
    Place("plans_screen.show", _("Plans"), "run:start"),
    Place("inbox_screen.show", _("Inbox"), "self:read"),
)


def places_of(actor: Actor) -> list[Place]:
    """What stands in this person's menu."""
    return [
        place for place in PLACES if actor.may(place.permission) and (not place.roles or actor.has_role(*place.roles))
    ]


def home_of(actor: Actor) -> str:
    """The first screen after signing in: the one made for the person's role, else the first of their menu."""
    mine = places_of(actor)
    for place in mine:
        if actor.has_role(*place.home_of):
            return place.endpoint
    return mine[0].endpoint if mine else "pages.front_page"
