"""The verbs on care teams: members and primaries, posts, covers, and participants from outside."""

from coordinator.teams.covers import (
    acts_for,
    arrange,
    cover_for_change,
    covering_physicians,
    covers_between,
    get_cover,
    search_covers,
    who_covers,
    withdraw,
)
from coordinator.teams.members import (
    add_to_team,
    edit_member,
    leave_team,
    member_for_change,
    member_of,
    name_primary,
    read_team,
    team_of,
)
from coordinator.teams.outside import (
    add_participant,
    edit_participant,
    give_consent,
    participant_for_change,
    participants,
    shareable,
    withdraw_consent,
)
from coordinator.teams.posts import (
    held_for_change,
    name_coordinator,
    name_managing_physician,
    on_managing_physician_changed,
    post_held,
    release_coordinator,
)
from coordinator.teams.whole import CareTeam, Holder, care_team, holders, primary_on, team_history

__all__ = [
    "CareTeam", "Holder", "acts_for", "add_participant", "add_to_team", "arrange", "care_team", "cover_for_change",
    "covering_physicians", "covers_between", "edit_member", "edit_participant", "get_cover", "give_consent",
    "held_for_change", "holders", "leave_team", "member_for_change", "member_of", "name_coordinator",
    "name_managing_physician", "name_primary", "on_managing_physician_changed", "participant_for_change",
    "participants", "post_held", "primary_on", "read_team", "release_coordinator", "search_covers", "shareable",
    "team_history", "team_of", "who_covers", "withdraw", "withdraw_consent",
]  # fmt: skip
