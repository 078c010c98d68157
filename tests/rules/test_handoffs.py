"""A card is due when somebody else comes next, and never two for one receiver."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.domain.handoffs import HandoffCause, HandoffStatus
from coordinator.rules.handoffs import Coming, Entrusted, LiveCard, Seen, Wanted, cards_wanted, settle

TUESDAY = datetime(2026, 11, 10, 18, tzinfo=UTC)
ANA, BEN, CAI = 1, 2, 3
BY_ANA = Seen(10, ANA)
BY_BEN = Coming(11, BEN, TUESDAY)
PRIMARY = Entrusted(CAI, ANA, HandoffCause.PRIMARY_CHANGED, TUESDAY - timedelta(hours=10))


def test_a_card_is_due_when_somebody_else_comes_next() -> None:
    assert cards_wanted(BY_ANA, BY_BEN) == {BEN: Wanted(BEN, ANA, HandoffCause.NEXT_VISIT, TUESDAY, 11)}
    assert cards_wanted(BY_ANA, replace(BY_BEN, clinician_id=ANA)) == {}
    assert cards_wanted(None, BY_BEN) == {}, "nobody has been there: there is nothing to tell"
    assert cards_wanted(BY_ANA, None) == {}


def test_a_new_primary_has_a_card_before_any_visit_and_one_card_with_it() -> None:
    assert cards_wanted(BY_ANA, None, [PRIMARY])[CAI].due_at == PRIMARY.due_at
    assert set(cards_wanted(BY_ANA, BY_BEN, [PRIMARY])) == {BEN, CAI}
    (one,) = cards_wanted(BY_ANA, replace(BY_BEN, clinician_id=CAI), [PRIMARY]).values()
    assert (one.cause, one.visit_id, one.due_at) == (HandoffCause.PRIMARY_CHANGED, 11, TUESDAY)
    assert cards_wanted(Seen(10, CAI), None, [PRIMARY]) == {}, "who was there last knows already"


def card(number: int, to: int, status: HandoffStatus = HandoffStatus.DRAFT) -> LiveCard:
    return LiveCard(number, to, HandoffCause.NEXT_VISIT, status, TUESDAY, 11)


def test_an_unread_card_goes_to_whoever_comes_instead_and_a_read_one_is_withdrawn() -> None:
    wanted = cards_wanted(BY_ANA, BY_BEN)
    assert settle([], wanted).opened == (wanted[BEN],)
    assert settle([card(5, BEN)], wanted) == settle([], {}), "asked twice, nothing changes"
    later = cards_wanted(BY_ANA, replace(BY_BEN, starts_at=TUESDAY + timedelta(hours=1)))
    assert settle([card(5, BEN)], later).moved == ((5, later[BEN]),)
    other = cards_wanted(BY_ANA, replace(BY_BEN, clinician_id=CAI))
    assert settle([card(5, BEN)], other).readdressed == ((5, other[CAI]),)
    read = settle([card(5, BEN, HandoffStatus.ACKNOWLEDGED)], other)
    assert (read.withdrawn, read.opened, read.readdressed) == ((5,), (other[CAI],), ())
    assert settle([card(5, BEN)], {}).withdrawn == (5,)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(1, 5), st.sampled_from([HandoffStatus.DRAFT, HandoffStatus.ACKNOWLEDGED])),
    st.sets(st.integers(1, 5)),
)
def test_whatever_changes_each_wanted_receiver_has_exactly_one_card(
    there: dict[int, HandoffStatus], receivers: set[int]
) -> None:
    live = [card(100 + to, to, status) for to, status in there.items()]
    wanted = {to: Wanted(to, 9, HandoffCause.NEXT_VISIT, TUESDAY, 11) for to in receivers}
    steps = settle(live, wanted)
    after = {one.id: one.to_clinician_id for one in live if one.id not in steps.withdrawn}
    after |= {number: wish.to_clinician_id for number, wish in steps.readdressed}
    held = [*after.values(), *(wish.to_clinician_id for wish in steps.opened)]
    assert sorted(held) == sorted(receivers)
