"""The inner loops of the engine for days whose visits shape each other's times; numba, integers in flat arrays.

A route is a chain of operations (one for each visit). Its starts are the least ones that satisfy the way from the
operation before, the allowed starts and the gaps to linked operations of other routes. Putting an operation in raises
starts along the chains and the links until nothing moves; a trail remembers what was raised, and the raising stops as
soon as it costs more than a bound. Times are minutes of the horizon, money is in cents.

The search is ruin and recreate under simulated annealing: strings of neighbouring operations are taken out (Christiaens
and Vanden Berghe, 2020) and put back one by one at the cheapest place, the place with the lowest bound first.

Three arrays of 64-bit integers hold everything: `d` the problem, `s` one plan, `w` room to work in. The head of `d`
says where each table of the three begins. One array for each table would be easier to read and costs hundreds of
nanoseconds a call, for counting the references to them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

INF = 1 << 50
FORBIDDEN = 1 << 40
"""A price that says: never this clinician."""
FREE = -INF
"""A gap that ties nothing."""

# The head of `d`: sizes and prices as they are, then where the tables begin.
OPERATIONS, SLOTS, PLACES, GROUPS, NEAR_WIDTH, ROOM, STACK_SIZE, TRAIL_SIZE = range(8)
W_WORST, W_IDLE, W_BALANCE, W_WAITING, W_OVERTIME = range(8, 13)
"""Cents a minute of the worst lateness, the longest idle shift, an uneven load, waiting, overtime."""
TRAVEL, LEG = 13, 14
"""From place to place: minutes, cents."""
PLACE, LATE, GROUP, FAR = range(15, 19)
"""By operation: place, cents a minute late, group, minutes from where shifts begin."""
MINUTES, PRICE = 19, 20
"""By operation and slot: minutes of care, cents (FORBIDDEN: never)."""
CAND_AT, CAND = 21, 22
"""The slots that may make an operation."""
SEG_AT, SEG_LOW, SEG_HIGH, SEG_CLOSE = range(23, 27)
"""When an operation may start, in order; starting after `close` is late."""
LINK_AT, LINK_OTHER, LINK_LOW, LINK_BACK, LINK_WHO = range(27, 32)
"""By operation its partners: they start at least `low` after it, it starts at least `back` after them; who."""
GROUP_AT, GROUP_MEMBER, GROUP_PRICE = range(32, 35)
"""Operations that are made all or none, and cents for none."""
NEAR = 35
"""By operation the others, nearest first; -1 at the end."""
SLOT = 36
"""By slot what follows here."""
FROM, TO, START, END, OVERTIME, IDLE_END, IDLE_COUNTS = range(7)
MEAL_EARLY, MEAL_LATE, MEAL, SKIP, EMPTY_SKIP, LEAVES, MOST = range(7, 14)
SLOT_COLUMNS = 14
# Where the tables of `s` begin.
S_SLOT, S_NEXT, S_PREV, S_START, S_LATEST = range(37, 42)
"""By operation: its slot (-1: out), neighbours, earliest start, latest start that costs nothing more."""
S_FIRST, S_FINAL, S_MEAL, S_SIZE, S_DRIVE, S_CARE, S_LEGS, S_HOME, S_WAIT = range(42, 51)
"""By slot: first and last operation, before which one the meal is, operations, minutes, cents, return, waiting."""
# Where the tables of `w` begin.
R_TRAIL_AT, R_TRAIL_WAS, R_STACK, R_ITEMS, R_KEYS, R_TOUCHED, R_TAKEN = range(51, 58)
R_BOUND, R_WHERE_SLOT, R_WHERE_PREV, R_WHERE_MEAL, R_EXACT = range(58, 63)
LOCKED = 63
"""By operation: 1 if it stays where it is."""
CLINICIANS = 64
HEAD = 65

# Who may make linked operations.
ANYONE, DIFFERENT, SAME = range(3)
# Where a meal is: nowhere, after the last operation, else before the operation of that number.
NO_MEAL, MEAL_AT_END = -2, -1
# The head of `s`: minutes of the worst lateness, idle minutes aimed at in this round, cents, mean load, longest idle
# minutes, by how many minutes less idle a shift counts e times less, how far beyond the aim a shift pays in full.
WORST, AIM, COST, MEAN, LONGEST, SOFTNESS, STEEP = range(7)
S_HEAD = 7
# The head of `w`.
TRAIL, BEST_SLOT, BEST_PREV, BEST_MEAL = range(4)
R_HEAD = 4


@njit(cache=True, nogil=True)
def random_bits(rng):
    x = rng[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    rng[0] = x
    return x


@njit(cache=True, nogil=True)
def uniform(rng):
    """In [0, 1)."""
    return (random_bits(rng) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def below(rng, n):
    """In 0..n-1."""
    return int(uniform(rng) * n)


@njit(cache=True, nogil=True)
def late_of(d, i, t):
    """Minutes late when operation i starts at t."""
    k = d[d[SEG_AT] + i + 1] - 1
    while k > d[d[SEG_AT] + i] and d[d[SEG_LOW] + k] > t:
        k -= 1
    x = t - d[d[SEG_CLOSE] + k]
    return x if x > 0 else 0


@njit(cache=True, nogil=True)
def fit(d, i, t):
    """The first allowed start from t on; INF if there is none."""
    for k in range(d[d[SEG_AT] + i], d[d[SEG_AT] + i + 1]):
        if t <= d[d[SEG_HIGH] + k]:
            return t if t > d[d[SEG_LOW] + k] else d[d[SEG_LOW] + k]
    return INF


@njit(cache=True, nogil=True)
def eat(d, r, e, t, opening, closing):
    """Free at e, t minutes of way and a meal before the next thing: when it is reached; INF if there is no time."""
    early, late, minutes = (
        d[d[SLOT] + r * SLOT_COLUMNS + MEAL_EARLY],
        d[d[SLOT] + r * SLOT_COLUMNS + MEAL_LATE],
        d[d[SLOT] + r * SLOT_COLUMNS + MEAL],
    )
    if not closing:
        begin = e + t if e + t > early else early
        if begin <= late:
            return begin + minutes
    if not opening:
        begin = e if e > early else early
        if begin <= late:
            return begin + minutes + t
    return INF


@njit(cache=True, nogil=True)
def reach(d, s, r, p, n):
    """When operation n (-1: the end of the shift) is reached from p (-1: its start) as things are."""
    if p < 0:
        e = d[d[SLOT] + r * SLOT_COLUMNS + START]
        a = d[d[SLOT] + r * SLOT_COLUMNS + FROM]
    else:
        e = s[d[S_START] + p] + d[d[MINUTES] + p * d[SLOTS] + r]
        a = d[d[PLACE] + p]
    b = d[d[SLOT] + r * SLOT_COLUMNS + TO] if n < 0 else d[d[PLACE] + n]
    t = d[d[TRAVEL] + a * d[PLACES] + b]
    if s[d[S_MEAL] + r] == n:
        return eat(d, r, e, t, p < 0, n < 0)
    return e + t


@njit(cache=True, nogil=True)
def route_price(d, s, r, home, drive, care):
    """Cents of one route for returning late, idling beyond the aim and being away from the mean load."""
    cost = 0
    over = home - d[d[SLOT] + r * SLOT_COLUMNS + OVERTIME]
    if over > 0 and s[d[S_SIZE] + r] > 0:
        cost += over * d[W_OVERTIME]
    if d[W_IDLE] > 0:
        over = idle_of(d, s, r, home, drive, care) - s[AIM]
        if over > s[STEEP]:
            # From here on this shift alone is as good as the idlest.
            cost += d[W_IDLE] * (s[SOFTNESS] + over - s[STEEP])
        else:
            cost += int(d[W_IDLE] * s[SOFTNESS] * np.exp((over - s[STEEP]) / s[SOFTNESS]))
    if d[W_BALANCE] > 0:
        gap = drive + care - s[MEAN]
        cost += (gap if gap > 0 else -gap) * d[W_BALANCE]
    return cost


@njit(cache=True, nogil=True)
def idle_of(d, s, r, home, drive, care):
    """Minutes of a shift that are neither care nor driving nor a meal; none where nobody counts them."""
    if d[d[SLOT] + r * SLOT_COLUMNS + IDLE_COUNTS] == 0:
        return 0
    end = d[d[SLOT] + r * SLOT_COLUMNS + IDLE_END]
    idle = (home if home > end else end) - d[d[SLOT] + r * SLOT_COLUMNS + START] - drive - care
    if s[d[S_MEAL] + r] != NO_MEAL:
        idle -= d[d[SLOT] + r * SLOT_COLUMNS + MEAL]
    return idle


@njit(cache=True, nogil=True)
def settle(d, s, w, x, depth, cost, bound):
    """Raise starts from what is on the stack until nothing moves: the cost, or INF when it reaches the bound or fails.

    What was raised is on the trail. A second return to x by its own doing would never end: it fails.
    """
    n_ops = d[OPERATIONS]
    k_slots = d[SLOTS]
    again = 0
    left = 4 * n_ops + 64
    weigh_worst = d[W_WORST]
    while depth > 0:
        depth -= 1
        j = w[d[R_STACK] + depth]
        r = s[d[S_SLOT] + j]
        n = s[d[S_NEXT] + j]
        t = reach(d, s, r, j, n)
        if n < 0 and t != s[d[S_HOME] + r]:
            if t > d[d[SLOT] + r * SLOT_COLUMNS + END]:
                return INF
            old = s[d[S_HOME] + r]
            cost += route_price(d, s, r, t, s[d[S_DRIVE] + r], s[d[S_CARE] + r]) - route_price(
                d, s, r, old, s[d[S_DRIVE] + r], s[d[S_CARE] + r]
            )
            at = w[TRAIL]
            w[d[R_TRAIL_AT] + at] = n_ops + r
            w[d[R_TRAIL_WAS] + at] = old
            w[TRAIL] = at + 1
            s[d[S_HOME] + r] = t
            if cost >= bound:
                return INF
        e = -1
        last = d[d[LINK_AT] + j + 1] - d[d[LINK_AT] + j]
        while True:
            # First the one after it in its route, then its partners.
            if e < 0:
                o = n
                e = 0
                v = t
                if o < 0:
                    continue
            else:
                if e >= last:
                    break
                k = d[d[LINK_AT] + j] + e
                e += 1
                o = d[d[LINK_OTHER] + k]
                if s[d[S_SLOT] + o] < 0 or d[d[LINK_LOW] + k] == FREE:
                    continue
                v = s[d[S_START] + j] + d[d[LINK_LOW] + k]
            if v <= s[d[S_START] + o]:
                continue
            v = fit(d, o, v)
            if v >= INF:
                return INF
            if o == x:
                again += 1
                if again > 3:
                    return INF
            left -= 1
            if left < 0 or depth >= d[STACK_SIZE]:
                return INF
            was = s[d[S_START] + o]
            lateness = late_of(d, o, v)
            if lateness > 0 or d[d[SEG_AT] + o + 1] - d[d[SEG_AT] + o] > 1:
                cost += d[d[LATE] + o] * (lateness - late_of(d, o, was))
                if lateness > s[WORST]:
                    cost += weigh_worst * (lateness - s[WORST])
                    at = w[TRAIL]
                    w[d[R_TRAIL_AT] + at] = n_ops + 2 * k_slots
                    w[d[R_TRAIL_WAS] + at] = s[WORST]
                    w[TRAIL] = at + 1
                    s[WORST] = lateness
            at = w[TRAIL]
            if at + 4 >= d[TRAIL_SIZE]:
                return INF
            w[d[R_TRAIL_AT] + at] = o
            w[d[R_TRAIL_WAS] + at] = was
            w[TRAIL] = at + 1
            s[d[S_START] + o] = v
            if cost >= bound:
                return INF
            w[d[R_STACK] + depth] = o
            depth += 1
    return cost


@njit(cache=True, nogil=True)
def undo(d, s, w, mark):
    """Take back what was raised since the mark."""
    n_ops = d[OPERATIONS]
    k_slots = d[SLOTS]
    at = w[TRAIL]
    while at > mark:
        at -= 1
        i = w[d[R_TRAIL_AT] + at]
        if i < n_ops:
            s[d[S_START] + i] = w[d[R_TRAIL_WAS] + at]
        elif i < n_ops + k_slots:
            s[d[S_HOME] + i - n_ops] = w[d[R_TRAIL_WAS] + at]
        elif i < n_ops + 2 * k_slots:
            s[d[S_WAIT] + i - n_ops - k_slots] = w[d[R_TRAIL_WAS] + at]
        else:
            s[WORST] = w[d[R_TRAIL_WAS] + at]
    w[TRAIL] = mark


@njit(cache=True, nogil=True)
def free_until(d, s, i):
    """The latest start that costs no more than the one it has, by itself and by its partners of other routes."""
    t = s[d[S_START] + i]
    k = d[d[SEG_AT] + i + 1] - 1
    while k > d[d[SEG_AT] + i] and d[d[SEG_LOW] + k] > t:
        k -= 1
    u = d[d[SEG_CLOSE] + k]
    if d[d[SEG_HIGH] + k] < u:
        u = d[d[SEG_HIGH] + k]
    if u < t:
        return t
    for e in range(d[d[LINK_AT] + i], d[d[LINK_AT] + i + 1]):
        o = d[d[LINK_OTHER] + e]
        if s[d[S_SLOT] + o] >= 0 and d[d[LINK_LOW] + e] != FREE:
            v = (s[d[S_LATEST] + o] if s[d[S_LATEST] + o] > s[d[S_START] + o] else s[d[S_START] + o]) - d[
                d[LINK_LOW] + e
            ]
            if v < u:
                u = v
    return u if u > t else t


@njit(cache=True, nogil=True)
def route_wait(d, s, r):
    """Minutes of waiting on a route when its beginning is put off as far as nothing gets later by it."""
    i = s[d[S_FIRST] + r]
    if i < 0:
        return 0
    if d[d[SLOT] + r * SLOT_COLUMNS + LEAVES] > 0:
        f = s[d[S_FINAL] + r]
        rest = (
            s[d[S_START] + f]
            - d[d[SLOT] + r * SLOT_COLUMNS + START]
            - s[d[S_DRIVE] + r]
            - s[d[S_CARE] + r]
            + d[d[MINUTES] + f * d[SLOTS] + r]
        )
        rest += d[d[TRAVEL] + d[d[PLACE] + f] * d[PLACES] + d[d[SLOT] + r * SLOT_COLUMNS + TO]]
        return rest
    # The first start may be so much, by every operation after it.
    least = INF
    done = 0
    while True:
        n = s[d[S_NEXT] + i]
        u = s[d[S_START] + i] if n < 0 else free_until(d, s, i)
        if u - done < least:
            least = u - done
        if n < 0:
            return s[d[S_START] + i] - least - done + wait_for_meal(d, s, r)
        done += d[d[MINUTES] + i * d[SLOTS] + r]
        if s[d[S_MEAL] + r] == n:
            if d[d[SLOT] + r * SLOT_COLUMNS + MEAL_LATE] - done < least:
                least = d[d[SLOT] + r * SLOT_COLUMNS + MEAL_LATE] - done
            done += d[d[SLOT] + r * SLOT_COLUMNS + MEAL]
        done += d[d[TRAVEL] + d[d[PLACE] + i] * d[PLACES] + d[d[PLACE] + n]]
        i = n


@njit(cache=True, nogil=True)
def wait_for_meal(d, s, r):
    """Minutes from the end of the last operation to a meal after it."""
    if s[d[S_MEAL] + r] != MEAL_AT_END:
        return 0
    z = s[d[S_FINAL] + r]
    wait = d[d[SLOT] + r * SLOT_COLUMNS + MEAL_EARLY] - s[d[S_START] + z] - d[d[MINUTES] + z * d[SLOTS] + r]
    return wait if wait > 0 else 0


@njit(cache=True, nogil=True)
def note_wait(d, s, w, r):
    """Count the waiting of a route anew, on the trail; the minutes."""
    now = route_wait(d, s, r)
    at = w[TRAIL]
    w[d[R_TRAIL_AT] + at] = d[OPERATIONS] + d[SLOTS] + r
    w[d[R_TRAIL_WAS] + at] = s[d[S_WAIT] + r]
    w[TRAIL] = at + 1
    s[d[S_WAIT] + r] = now
    return now


@njit(cache=True, nogil=True)
def chain(d, s, x, r, p, meal):
    """Put x into route r after p (-1: first), the meal of that gap before x if asked; times are not touched."""
    n = s[d[S_FIRST] + r] if p < 0 else s[d[S_NEXT] + p]
    a = d[d[SLOT] + r * SLOT_COLUMNS + FROM] if p < 0 else d[d[PLACE] + p]
    b = d[d[SLOT] + r * SLOT_COLUMNS + TO] if n < 0 else d[d[PLACE] + n]
    c = d[d[PLACE] + x]
    s[d[S_SLOT] + x] = r
    s[d[S_PREV] + x] = p
    s[d[S_NEXT] + x] = n
    if p < 0:
        s[d[S_FIRST] + r] = x
    else:
        s[d[S_NEXT] + p] = x
    if n < 0:
        s[d[S_FINAL] + r] = x
    else:
        s[d[S_PREV] + n] = x
    if s[d[S_SIZE] + r] == 0:
        s[d[S_DRIVE] + r] = d[d[TRAVEL] + a * d[PLACES] + c] + d[d[TRAVEL] + c * d[PLACES] + b]
        legs = d[d[LEG] + a * d[PLACES] + c] + d[d[LEG] + c * d[PLACES] + b]
    else:
        s[d[S_DRIVE] + r] += (
            d[d[TRAVEL] + a * d[PLACES] + c] + d[d[TRAVEL] + c * d[PLACES] + b] - d[d[TRAVEL] + a * d[PLACES] + b]
        )
        legs = d[d[LEG] + a * d[PLACES] + c] + d[d[LEG] + c * d[PLACES] + b] - d[d[LEG] + a * d[PLACES] + b]
    s[d[S_LEGS] + r] += legs
    s[d[S_CARE] + r] += d[d[MINUTES] + x * d[SLOTS] + r]
    s[d[S_SIZE] + r] += 1
    if meal:
        s[d[S_MEAL] + r] = x
    return legs


@njit(cache=True, nogil=True)
def unchain(d, s, x):
    """Take x out of its route; times are not touched."""
    r, p, n = s[d[S_SLOT] + x], s[d[S_PREV] + x], s[d[S_NEXT] + x]
    a = d[d[SLOT] + r * SLOT_COLUMNS + FROM] if p < 0 else d[d[PLACE] + p]
    b = d[d[SLOT] + r * SLOT_COLUMNS + TO] if n < 0 else d[d[PLACE] + n]
    c = d[d[PLACE] + x]
    if s[d[S_MEAL] + r] == x:
        s[d[S_MEAL] + r] = n
    if p < 0:
        s[d[S_FIRST] + r] = n
    else:
        s[d[S_NEXT] + p] = n
    if n < 0:
        s[d[S_FINAL] + r] = p
    else:
        s[d[S_PREV] + n] = p
    s[d[S_SLOT] + x] = -1
    s[d[S_SIZE] + r] -= 1
    s[d[S_CARE] + r] -= d[d[MINUTES] + x * d[SLOTS] + r]
    if s[d[S_SIZE] + r] == 0:
        s[d[S_DRIVE] + r] = 0
        s[d[S_LEGS] + r] = 0
        s[d[S_MEAL] + r] = NO_MEAL
    else:
        s[d[S_DRIVE] + r] -= (
            d[d[TRAVEL] + a * d[PLACES] + c] + d[d[TRAVEL] + c * d[PLACES] + b] - d[d[TRAVEL] + a * d[PLACES] + b]
        )
        s[d[S_LEGS] + r] -= (
            d[d[LEG] + a * d[PLACES] + c] + d[d[LEG] + c * d[PLACES] + b] - d[d[LEG] + a * d[PLACES] + b]
        )


@njit(cache=True, nogil=True)
def attach(d, s, w, x, r, p, meal, bound):
    """Put x in and settle all times: what it costs, or INF; either way x is in, and `detach` takes all back."""
    cost = d[d[PRICE] + x * d[SLOTS] + r] - d[W_WAITING] * s[d[S_WAIT] + r]
    if s[d[S_SIZE] + r] == 0:
        cost += d[d[SLOT] + r * SLOT_COLUMNS + SKIP] - d[d[SLOT] + r * SLOT_COLUMNS + EMPTY_SKIP]
    cost -= route_price(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
    cost += chain(d, s, x, r, p, meal)
    cost += route_price(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
    v = reach(d, s, r, p, x)
    for e in range(d[d[LINK_AT] + x], d[d[LINK_AT] + x + 1]):
        o = d[d[LINK_OTHER] + e]
        if s[d[S_SLOT] + o] >= 0 and d[d[LINK_BACK] + e] != FREE and s[d[S_START] + o] + d[d[LINK_BACK] + e] > v:
            v = s[d[S_START] + o] + d[d[LINK_BACK] + e]
    v = fit(d, x, v)
    if v >= INF:
        s[d[S_START] + x] = INF
        return INF
    s[d[S_START] + x] = v
    s[d[S_LATEST] + x] = v
    lateness = late_of(d, x, v)
    cost += lateness * d[d[LATE] + x]
    if lateness > s[WORST]:
        cost += d[W_WORST] * (lateness - s[WORST])
        at = w[TRAIL]
        w[d[R_TRAIL_AT] + at] = d[OPERATIONS] + 2 * d[SLOTS]
        w[d[R_TRAIL_WAS] + at] = s[WORST]
        w[TRAIL] = at + 1
        s[WORST] = lateness
    if cost >= bound:
        return INF
    w[d[R_STACK] + 0] = x
    cost = settle(d, s, w, x, 1, cost, bound)
    if cost < INF and d[W_WAITING] > 0:
        cost += d[W_WAITING] * note_wait(d, s, w, r)
    return cost


@njit(cache=True, nogil=True)
def detach(d, s, w, x, mark):
    """Take back an `attach`, the last one first."""
    undo(d, s, w, mark)
    unchain(d, s, x)


@njit(cache=True, nogil=True)
def gather(d, s, w, rng, x, level, bound, blink, narrow):
    """List the places of x whose cost cannot be shown to reach the bound: how many.

    A place that delays nobody is priced exactly, and when `narrow` lowers the bound for those after it.
    """
    found = 0
    px = d[d[PLACE] + x]
    weigh_worst = d[W_WORST]
    worst = s[WORST]
    weigh_wait = d[W_WAITING]
    shaped = d[W_IDLE] > 0 or d[W_BALANCE] > 0
    plain = not shaped and weigh_wait == 0 and d[d[SEG_AT] + x + 1] - d[d[SEG_AT] + x] == 1
    least = -INF
    only = -1
    for e in range(d[d[LINK_AT] + x], d[d[LINK_AT] + x + 1]):
        o = d[d[LINK_OTHER] + e]
        if s[d[S_SLOT] + o] >= 0:
            if d[d[LINK_BACK] + e] != FREE and s[d[S_START] + o] + d[d[LINK_BACK] + e] > least:
                least = s[d[S_START] + o] + d[d[LINK_BACK] + e]
            if d[d[LINK_WHO] + e] == SAME:
                if only >= 0 and only != s[d[S_SLOT] + o]:
                    return 0  # two that it must be with are with two people
                only = s[d[S_SLOT] + o]
    for q in range(d[d[CAND_AT] + x], d[d[CAND_AT] + x + 1]):
        r = d[d[CAND] + q]
        if only >= 0 and r != only:
            continue
        if s[d[S_SIZE] + r] >= d[d[SLOT] + r * SLOT_COLUMNS + MOST]:
            continue
        apart = True
        for e in range(d[d[LINK_AT] + x], d[d[LINK_AT] + x + 1]):
            if d[d[LINK_WHO] + e] == DIFFERENT and s[d[S_SLOT] + d[d[LINK_OTHER] + e]] == r:
                apart = False
        if not apart:
            continue
        minutes = d[d[MINUTES] + x * d[SLOTS] + r]
        base = d[d[PRICE] + x * d[SLOTS] + r]
        if s[d[S_SIZE] + r] == 0:
            base += d[d[SLOT] + r * SLOT_COLUMNS + SKIP] - d[d[SLOT] + r * SLOT_COLUMNS + EMPTY_SKIP]
        if weigh_wait > 0:
            base -= weigh_wait * s[d[S_WAIT] + r]
        if base >= bound and not shaped:
            continue
        before = route_price(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
        p = -1
        end_p = d[d[SLOT] + r * SLOT_COLUMNS + START]
        a = d[d[SLOT] + r * SLOT_COLUMNS + FROM]
        n = s[d[S_FIRST] + r]
        while True:
            if plain and p >= 0:
                soonest = end_p if end_p > least else least
                lost = late_of(d, x, soonest) * d[d[LATE] + x]
                if base + lost >= bound or soonest > d[d[SEG_HIGH] + d[d[SEG_AT] + x]]:
                    break
            b = d[d[SLOT] + r * SLOT_COLUMNS + TO] if n < 0 else d[d[PLACE] + n]
            t_in = d[d[TRAVEL] + a * d[PLACES] + px]
            t_out = d[d[TRAVEL] + px * d[PLACES] + b]
            more = t_in + t_out
            cost = base + d[d[LEG] + a * d[PLACES] + px] + d[d[LEG] + px * d[PLACES] + b]
            if p >= 0 or n >= 0:
                more -= d[d[TRAVEL] + a * d[PLACES] + b]
                cost -= d[d[LEG] + a * d[PLACES] + b]
            if (cost < bound or shaped) and not (blink > 0.0 and uniform(rng) < blink):
                has_meal = s[d[S_MEAL] + r] == n
                for meal in range(2 if has_meal else 1):
                    v = eat(d, r, end_p, t_in, p < 0, False) if meal == 1 else end_p + t_in
                    if v < least:
                        v = least
                    v = fit(d, x, v)
                    if v >= INF:
                        continue
                    c = cost
                    lateness = late_of(d, x, v)
                    top = worst
                    if lateness > 0:
                        c += lateness * d[d[LATE] + x]
                        if lateness > top:
                            top = lateness
                    exact = weigh_wait == 0
                    eaten = has_meal and meal == 0
                    t = eat(d, r, v + minutes, t_out, False, n < 0) if eaten else v + minutes + t_out
                    if t >= INF:
                        continue
                    home = s[d[S_HOME] + r]
                    if n < 0:
                        home = t
                        if t > d[d[SLOT] + r * SLOT_COLUMNS + END]:
                            continue
                        if not shaped:
                            # With nothing else in the price the size of the route does not matter here.
                            over = t - d[d[SLOT] + r * SLOT_COLUMNS + OVERTIME]
                            if over > 0:
                                c += over * d[W_OVERTIME]
                            c -= before
                    elif t > s[d[S_START] + n]:
                        exact = False
                        t = fit(d, n, t)
                        if t >= INF:
                            continue
                        lateness = late_of(d, n, t)
                        c += (lateness - late_of(d, n, s[d[S_START] + n])) * d[d[LATE] + n]
                        if lateness > top:
                            top = lateness
                    if shaped:
                        s[d[S_SIZE] + r] += 1
                        c += route_price(d, s, r, home, s[d[S_DRIVE] + r] + more, s[d[S_CARE] + r] + minutes) - before
                        s[d[S_SIZE] + r] -= 1
                    c += weigh_worst * (top - worst)
                    if c >= bound:
                        continue
                    for e in range(d[d[LINK_AT] + x], d[d[LINK_AT] + x + 1]):
                        o = d[d[LINK_OTHER] + e]
                        if (
                            s[d[S_SLOT] + o] >= 0
                            and d[d[LINK_LOW] + e] != FREE
                            and v + d[d[LINK_LOW] + e] > s[d[S_START] + o]
                        ):
                            exact = False
                            lateness = late_of(d, o, v + d[d[LINK_LOW] + e])
                            if d[d[SEG_AT] + o + 1] - d[d[SEG_AT] + o] == 1:
                                c += (lateness - late_of(d, o, s[d[S_START] + o])) * d[d[LATE] + o]
                    if c >= bound:
                        continue
                    w[d[R_BOUND] + level * d[ROOM] + found] = c
                    w[d[R_WHERE_SLOT] + level * d[ROOM] + found] = r
                    w[d[R_WHERE_PREV] + level * d[ROOM] + found] = p
                    w[d[R_WHERE_MEAL] + level * d[ROOM] + found] = meal
                    w[d[R_EXACT] + level * d[ROOM] + found] = exact
                    found += 1
                    if exact and narrow:
                        bound = c
            if n < 0:
                break
            p = n
            end_p = s[d[S_START] + p] + d[d[MINUTES] + p * d[SLOTS] + r]
            a = d[d[PLACE] + p]
            n = s[d[S_NEXT] + p]
    return found


@njit(cache=True, nogil=True)
def best_place(d, s, w, rng, x, level, bound, blink):
    """The cheapest place of x below the bound, written to `count`; its cost, or INF."""
    found = gather(d, s, w, rng, x, level, bound, blink, True)
    best = INF
    limit = bound
    while found > 0:
        low = 0
        for k in range(1, found):
            if w[d[R_BOUND] + level * d[ROOM] + k] < w[d[R_BOUND] + level * d[ROOM] + low]:
                low = k
        c = w[d[R_BOUND] + level * d[ROOM] + low]
        if c >= limit:
            break
        r, p, meal = (
            w[d[R_WHERE_SLOT] + level * d[ROOM] + low],
            w[d[R_WHERE_PREV] + level * d[ROOM] + low],
            w[d[R_WHERE_MEAL] + level * d[ROOM] + low],
        )
        if not w[d[R_EXACT] + level * d[ROOM] + low]:
            mark = w[TRAIL]
            c = attach(d, s, w, x, r, p, meal == 1, limit)
            detach(d, s, w, x, mark)
        if c < limit:
            limit = c
            best = c
            w[BEST_SLOT] = r
            w[BEST_PREV] = p
            w[BEST_MEAL] = meal
        found -= 1
        w[d[R_BOUND] + level * d[ROOM] + low] = w[d[R_BOUND] + level * d[ROOM] + found]
        w[d[R_WHERE_SLOT] + level * d[ROOM] + low] = w[d[R_WHERE_SLOT] + level * d[ROOM] + found]
        w[d[R_WHERE_PREV] + level * d[ROOM] + low] = w[d[R_WHERE_PREV] + level * d[ROOM] + found]
        w[d[R_WHERE_MEAL] + level * d[ROOM] + low] = w[d[R_WHERE_MEAL] + level * d[ROOM] + found]
        w[d[R_EXACT] + level * d[ROOM] + low] = w[d[R_EXACT] + level * d[ROOM] + found]
    return best


@njit(cache=True, nogil=True)
def put_one(d, s, w, rng, x, bound, blink):
    """Put x in at its cheapest place below the bound; its cost, or INF when it stays out."""
    c = best_place(d, s, w, rng, x, 0, bound, blink)
    if c >= INF and blink > 0.0:
        c = best_place(d, s, w, rng, x, 0, bound, 0.0)
    if c >= INF:
        return INF
    mark = w[TRAIL]
    c = attach(d, s, w, x, w[BEST_SLOT], w[BEST_PREV], w[BEST_MEAL] == 1, INF)
    if c >= INF:
        detach(d, s, w, x, mark)
    return c


@njit(cache=True, nogil=True)
def put_two(d, s, w, rng, x, y, bound, blink, tries):
    """Put two linked operations in at their cheapest places together; the cost, or INF when they stay out."""
    found = gather(d, s, w, rng, x, 1, bound, blink, False)
    best = INF
    limit = bound
    x_slot, x_prev, x_meal, y_slot, y_prev, y_meal = -1, -1, 0, -1, -1, 0
    while found > 0 and tries > 0:
        low = 0
        for k in range(1, found):
            if w[d[R_BOUND] + 1 * d[ROOM] + k] < w[d[R_BOUND] + 1 * d[ROOM] + low]:
                low = k
        c = w[d[R_BOUND] + 1 * d[ROOM] + low]
        if c >= limit:
            break
        r, p, meal = (
            w[d[R_WHERE_SLOT] + 1 * d[ROOM] + low],
            w[d[R_WHERE_PREV] + 1 * d[ROOM] + low],
            w[d[R_WHERE_MEAL] + 1 * d[ROOM] + low],
        )
        mark = w[TRAIL]
        c = attach(d, s, w, x, r, p, meal == 1, limit)
        if c < limit:
            more = best_place(d, s, w, rng, y, 0, limit - c, blink)
            if more < INF and c + more < limit:
                best = limit = c + more
                x_slot, x_prev, x_meal = r, p, meal
                y_slot, y_prev, y_meal = w[BEST_SLOT], w[BEST_PREV], w[BEST_MEAL]
            tries -= 1
        detach(d, s, w, x, mark)
        found -= 1
        w[d[R_BOUND] + 1 * d[ROOM] + low] = w[d[R_BOUND] + 1 * d[ROOM] + found]
        w[d[R_WHERE_SLOT] + 1 * d[ROOM] + low] = w[d[R_WHERE_SLOT] + 1 * d[ROOM] + found]
        w[d[R_WHERE_PREV] + 1 * d[ROOM] + low] = w[d[R_WHERE_PREV] + 1 * d[ROOM] + found]
        w[d[R_WHERE_MEAL] + 1 * d[ROOM] + low] = w[d[R_WHERE_MEAL] + 1 * d[ROOM] + found]
        w[d[R_EXACT] + 1 * d[ROOM] + low] = w[d[R_EXACT] + 1 * d[ROOM] + found]
    if best >= INF:
        return INF
    mark = w[TRAIL]
    c = attach(d, s, w, x, x_slot, x_prev, x_meal == 1, INF)
    if c < INF:
        middle = w[TRAIL]
        more = attach(d, s, w, y, y_slot, y_prev, y_meal == 1, INF)
        if more < INF:
            return c + more
        detach(d, s, w, y, middle)
    detach(d, s, w, x, mark)
    return INF


@njit(cache=True, nogil=True)
def put_group(d, s, w, rng, g, blink, tries):
    """Put the missing operations of a group in; False when the whole group is out instead."""
    a, b = d[d[GROUP_AT] + g], d[d[GROUP_AT] + g + 1]
    missing = 0
    for k in range(a, b):
        i = d[d[GROUP_MEMBER] + k]
        if s[d[S_SLOT] + i] < 0:
            missing += 1
        for e in range(d[d[LINK_AT] + i], d[d[LINK_AT] + i + 1]):
            o = d[d[LINK_OTHER] + e]
            if d[d[LOCKED] + o] > 0 and s[d[S_SLOT] + o] < 0:
                # Its partner is held to a place where it cannot stand.
                return False
    if missing == 0:
        return True
    whole = missing == b - a
    bound = d[d[GROUP_PRICE] + g] if whole else INF
    paid = 0
    placed = 0
    # Which of two comes first is left to chance.
    turn = below(rng, b - a)
    first = -1
    second = -1
    ok = True
    if missing >= 2:
        for k in range(b - a):
            i = d[d[GROUP_MEMBER] + a + (k + turn) % (b - a)]
            if s[d[S_SLOT] + i] < 0:
                if first < 0:
                    first = i
                elif second < 0:
                    second = i
        c = put_two(d, s, w, rng, first, second, bound, blink, tries)
        if c >= INF and blink > 0.0:
            c = put_two(d, s, w, rng, second, first, bound, 0.0, 4 * tries)
        if c >= INF:
            ok = False
        else:
            paid += c
            placed = 2
    if ok:
        for k in range(b - a):
            i = d[d[GROUP_MEMBER] + a + (k + turn) % (b - a)]
            if s[d[S_SLOT] + i] < 0:
                c = put_one(d, s, w, rng, i, bound - paid if whole else INF, blink)
                if c >= INF:
                    ok = False
                    break
                paid += c
                placed += 1
    if ok:
        return True
    # Nothing in part: take out what is in; starts then are not the least ones until they are counted anew.
    for k in range(a, b):
        i = d[d[GROUP_MEMBER] + k]
        if s[d[S_SLOT] + i] >= 0:
            unchain(d, s, i)
    if placed > 0 or not whole:
        earliest(d, s, w)
    return False


@njit(cache=True, nogil=True)
def earliest(d, s, w):
    """Count all starts, returns and the worst lateness anew; False if that cannot be done."""
    n_ops = d[OPERATIONS]
    w[TRAIL] = 0
    for r in range(d[SLOTS]):
        p = -1
        n = s[d[S_FIRST] + r]
        while n >= 0:
            t = reach(d, s, r, p, n)
            t = fit(d, n, t) if t < INF else INF
            if t >= INF:
                return False
            s[d[S_START] + n] = t
            p = n
            n = s[d[S_NEXT] + n]
        if p < 0:
            s[d[S_HOME] + r] = d[d[SLOT] + r * SLOT_COLUMNS + START]
        else:
            t = reach(d, s, r, p, -1)
            if t > d[d[SLOT] + r * SLOT_COLUMNS + END]:
                return False
            s[d[S_HOME] + r] = t
    depth = 0
    for i in range(n_ops):
        if s[d[S_SLOT] + i] >= 0 and d[d[LINK_AT] + i + 1] > d[d[LINK_AT] + i]:
            w[d[R_STACK] + depth] = i
            depth += 1
    if settle(d, s, w, -1, depth, 0, INF) >= INF:
        w[TRAIL] = 0
        return False
    w[TRAIL] = 0
    worst = 0
    for i in range(n_ops):
        if s[d[S_SLOT] + i] >= 0:
            x = late_of(d, i, s[d[S_START] + i])
            if x > worst:
                worst = x
    s[WORST] = worst
    return True


@njit(cache=True, nogil=True)
def before(d, s, r, p, n, y):
    """The latest start of p so that n, the one after it, can start at y."""
    t = d[d[TRAVEL] + d[d[PLACE] + p] * d[PLACES] + d[d[PLACE] + n]]
    if s[d[S_MEAL] + r] == n:
        early, late, minutes = (
            d[d[SLOT] + r * SLOT_COLUMNS + MEAL_EARLY],
            d[d[SLOT] + r * SLOT_COLUMNS + MEAL_LATE],
            d[d[SLOT] + r * SLOT_COLUMNS + MEAL],
        )
        e = y - minutes - t
        if e >= early:
            if e > late:
                e = late
        elif y - minutes > late:
            e = late - t
        return e - d[d[MINUTES] + p * d[SLOTS] + r]
    return y - t - d[d[MINUTES] + p * d[SLOTS] + r]


@njit(cache=True, nogil=True)
def put_off(d, s, w):
    """Count the latest starts at which no visit costs more and no route ends later, and with them the waiting."""
    n_ops = d[OPERATIONS]
    depth = 0
    for r in range(d[SLOTS]):
        i = s[d[S_FINAL] + r]
        y = INF
        n = -1
        while i >= 0:
            t = s[d[S_START] + i]
            if n < 0:
                u = t
            else:
                k = d[d[SEG_AT] + i + 1] - 1
                while k > d[d[SEG_AT] + i] and d[d[SEG_LOW] + k] > t:
                    k -= 1
                u = min(d[d[SEG_CLOSE] + k], d[d[SEG_HIGH] + k])
                if u < t:
                    u = t
                y = before(d, s, r, i, n, s[d[S_LATEST] + n])
                if y < u:
                    u = y
            s[d[S_LATEST] + i] = u
            if d[d[LINK_AT] + i + 1] > d[d[LINK_AT] + i]:
                w[d[R_STACK] + depth] = i
                depth += 1
            n = i
            i = s[d[S_PREV] + i]
    # Now what linked ones ask of each other.
    top = depth
    for k in range(depth):
        j = w[d[R_STACK] + k]
        for e in range(d[d[LINK_AT] + j], d[d[LINK_AT] + j + 1]):
            o = d[d[LINK_OTHER] + e]
            if (
                s[d[S_SLOT] + o] >= 0
                and d[d[LINK_LOW] + e] != FREE
                and s[d[S_LATEST] + o] - d[d[LINK_LOW] + e] < s[d[S_LATEST] + j]
            ):
                s[d[S_LATEST] + j] = s[d[S_LATEST] + o] - d[d[LINK_LOW] + e]
    left = 50 * n_ops + 1000
    while top > 0 and left > 0:
        top -= 1
        left -= 1
        j = w[d[R_STACK] + top]
        p = s[d[S_PREV] + j]
        if p >= 0:
            y = before(d, s, s[d[S_SLOT] + j], p, j, s[d[S_LATEST] + j])
            if y < s[d[S_LATEST] + p]:
                s[d[S_LATEST] + p] = y
                w[d[R_STACK] + top] = p
                top += 1
        for e in range(d[d[LINK_AT] + j], d[d[LINK_AT] + j + 1]):
            o = d[d[LINK_OTHER] + e]
            # The other, o, is at most latest[j] - back.
            if (
                s[d[S_SLOT] + o] >= 0
                and d[d[LINK_BACK] + e] != FREE
                and s[d[S_LATEST] + j] - d[d[LINK_BACK] + e] < s[d[S_LATEST] + o]
            ):
                s[d[S_LATEST] + o] = s[d[S_LATEST] + j] - d[d[LINK_BACK] + e]
                w[d[R_STACK] + top] = o
                top += 1
    for r in range(d[SLOTS]):
        s[d[S_WAIT] + r] = 0
        f = s[d[S_FIRST] + r]
        if f >= 0:
            if d[d[SLOT] + r * SLOT_COLUMNS + LEAVES] > 0:
                s[d[S_WAIT] + r] = route_wait(d, s, r)
            else:
                z = s[d[S_FINAL] + r]
                done = s[d[S_CARE] + r] - d[d[MINUTES] + z * d[SLOTS] + r] + s[d[S_DRIVE] + r]
                done -= (
                    d[d[TRAVEL] + d[d[SLOT] + r * SLOT_COLUMNS + FROM] * d[PLACES] + d[d[PLACE] + f]]
                    + d[d[TRAVEL] + d[d[PLACE] + z] * d[PLACES] + d[d[SLOT] + r * SLOT_COLUMNS + TO]]
                )
                if s[d[S_MEAL] + r] >= 0 and s[d[S_MEAL] + r] != f:
                    done += d[d[SLOT] + r * SLOT_COLUMNS + MEAL]
                s[d[S_WAIT] + r] = s[d[S_LATEST] + z] - s[d[S_LATEST] + f] - done + wait_for_meal(d, s, r)


@njit(cache=True, nogil=True)
def measure(d, s, w):
    """The cost of the plan as it is timed; call `earliest` before."""
    cost = 0
    worst = 0
    for i in range(d[OPERATIONS]):
        r = s[d[S_SLOT] + i]
        if r >= 0:
            cost += d[d[PRICE] + i * d[SLOTS] + r]
            x = late_of(d, i, s[d[S_START] + i])
            if x > 0:
                cost += x * d[d[LATE] + i]
                if x > worst:
                    worst = x
    s[WORST] = worst
    cost += worst * d[W_WORST]
    for g in range(d[GROUPS]):
        if s[d[S_SLOT] + d[d[GROUP_MEMBER] + d[d[GROUP_AT] + g]]] < 0:
            cost += d[d[GROUP_PRICE] + g]
    if d[W_WAITING] > 0:
        put_off(d, s, w)
    longest = 0
    total = 0
    for r in range(d[SLOTS]):
        cost += s[d[S_LEGS] + r]
        if d[d[SLOT] + r * SLOT_COLUMNS + SKIP] >= 0 and s[d[S_MEAL] + r] == NO_MEAL:
            cost += (
                d[d[SLOT] + r * SLOT_COLUMNS + SKIP]
                if s[d[S_SIZE] + r] > 0
                else d[d[SLOT] + r * SLOT_COLUMNS + EMPTY_SKIP]
            )
        over = s[d[S_HOME] + r] - d[d[SLOT] + r * SLOT_COLUMNS + OVERTIME]
        if over > 0 and s[d[S_SIZE] + r] > 0:
            cost += over * d[W_OVERTIME]
        if d[W_WAITING] > 0:
            cost += s[d[S_WAIT] + r] * d[W_WAITING]
        x = idle_of(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
        if x > longest:
            longest = x
        total += s[d[S_DRIVE] + r] + s[d[S_CARE] + r]
    cost += longest * d[W_IDLE]
    if d[W_BALANCE] > 0:
        k = d[CLINICIANS]
        # Who has no shift has no load.
        for r in range(k):
            load = s[d[S_DRIVE] + r] + s[d[S_CARE] + r] if r < d[SLOTS] else 0
            gap = load * k - total
            gap = gap if gap > 0 else -gap
            cost += (gap + k - 1) // k * d[W_BALANCE]
    s[LONGEST] = longest
    s[MEAN] = total // d[CLINICIANS]
    s[COST] = cost
    return cost


@njit(cache=True, nogil=True)
def put_meal(d, s, w, r):
    """Give route r its meal where it costs least, if that is less than going without."""
    if d[d[SLOT] + r * SLOT_COLUMNS + SKIP] < 0 or s[d[S_MEAL] + r] != NO_MEAL or s[d[S_SIZE] + r] == 0:
        return
    best = d[d[SLOT] + r * SLOT_COLUMNS + SKIP]
    where = NO_MEAL
    p = -1
    n = s[d[S_FIRST] + r]
    while True:
        mark = w[TRAIL]
        c = try_meal(d, s, w, r, p, n, best)
        undo(d, s, w, mark)
        s[d[S_MEAL] + r] = NO_MEAL
        if c < best:
            best = c
            where = n
        if n < 0:
            break
        p = n
        n = s[d[S_NEXT] + n]
    if where != NO_MEAL:
        p = s[d[S_FINAL] + r] if where < 0 else s[d[S_PREV] + where]
        try_meal(d, s, w, r, p, where, INF)


@njit(cache=True, nogil=True)
def try_meal(d, s, w, r, p, n, bound):
    """Put the meal of route r between p and n: what it costs, or INF; it stays there."""
    cost = -d[W_WAITING] * s[d[S_WAIT] + r]
    cost -= route_price(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
    s[d[S_MEAL] + r] = n
    cost += route_price(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
    t = reach(d, s, r, p, n)
    if t >= INF:
        return INF
    if n < 0:
        w[d[R_STACK] + 0] = p
        cost = settle(d, s, w, -1, 1, cost, bound)
    elif t > s[d[S_START] + n]:
        if p >= 0:
            w[d[R_STACK] + 0] = p
            cost = settle(d, s, w, -1, 1, cost, bound)
        else:
            v = fit(d, n, t)
            if v >= INF:
                return INF
            was = s[d[S_START] + n]
            lateness = late_of(d, n, v)
            cost += d[d[LATE] + n] * (lateness - late_of(d, n, was))
            at = w[TRAIL]
            w[d[R_TRAIL_AT] + at] = n
            w[d[R_TRAIL_WAS] + at] = was
            w[TRAIL] = at + 1
            s[d[S_START] + n] = v
            if lateness > s[WORST]:
                cost += d[W_WORST] * (lateness - s[WORST])
                at = w[TRAIL]
                w[d[R_TRAIL_AT] + at] = d[OPERATIONS] + 2 * d[SLOTS]
                w[d[R_TRAIL_WAS] + at] = s[WORST]
                w[TRAIL] = at + 1
                s[WORST] = lateness
            w[d[R_STACK] + 0] = n
            cost = settle(d, s, w, -1, 1, cost, bound)
    if cost < INF and d[W_WAITING] > 0:
        cost += d[W_WAITING] * note_wait(d, s, w, r)
    return cost


@njit(cache=True, nogil=True)
def take(d, s, w, x, gone):
    """Take x out in the ruin; how many are out now."""
    if d[d[LOCKED] + x] > 0:
        return gone
    w[d[R_TOUCHED] + s[d[S_SLOT] + x]] = 1
    unchain(d, s, x)
    w[d[R_TAKEN] + gone] = x
    return gone + 1


@njit(cache=True, nogil=True)
def take_string(d, s, w, rng, x, length, gone):
    """Take a string of the route of x out that x is part of, at times with some spared in its middle."""
    r = s[d[S_SLOT] + x]
    spare = 0
    if length > 1 and uniform(rng) < 0.5:
        while length + spare < s[d[S_SIZE] + r] and uniform(rng) > 0.01 and spare < 1 + below(rng, 4):
            spare += 1
    span = length + spare
    back = below(rng, span)
    i = x
    while back > 0 and s[d[S_PREV] + i] >= 0:
        i = s[d[S_PREV] + i]
        back -= 1
    # Not beyond the end: begin earlier.
    ahead = 0
    j = i
    while j >= 0 and ahead < span:
        j = s[d[S_NEXT] + j]
        ahead += 1
    while ahead < span and s[d[S_PREV] + i] >= 0:
        i = s[d[S_PREV] + i]
        ahead += 1
    skip_from = 1 + below(rng, length) if spare > 0 else span
    k = 0
    while i >= 0 and k < span:
        n = s[d[S_NEXT] + i]
        if not (skip_from <= k < skip_from + spare):
            gone = take(d, s, w, i, gone)
        k += 1
        i = n
    return gone


@njit(cache=True, nogil=True)
def late_seed(d, s, rng):
    """An operation on the way to the worst lateness: it, one before it in its route, or one before its partner."""
    worst = 0
    x = -1
    for i in range(d[OPERATIONS]):
        if s[d[S_SLOT] + i] >= 0:
            late = late_of(d, i, s[d[S_START] + i])
            if late > worst:
                worst = late
                x = i
    if x < 0:
        return -1
    hops = below(rng, 6)
    while hops > 0:
        hops -= 1
        links = d[d[LINK_AT] + x + 1] - d[d[LINK_AT] + x]
        if links > 0 and uniform(rng) < 0.5:
            o = d[d[LINK_OTHER] + d[d[LINK_AT] + x] + below(rng, links)]
            if s[d[S_SLOT] + o] >= 0:
                x = o
        elif s[d[S_PREV] + x] >= 0:
            x = s[d[S_PREV] + x]
    return x


@njit(cache=True, nogil=True)
def idle_seed(d, s, rng):
    """An operation that the longest idle route could make, or one of its own."""
    worst = -1
    who = 0
    for r in range(d[SLOTS]):
        idle = idle_of(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
        if idle > worst:
            worst = idle
            who = r
    if s[d[S_FIRST] + who] >= 0 and uniform(rng) < 0.4:
        i = s[d[S_FIRST] + who]
        for _k in range(below(rng, s[d[S_SIZE] + who])):
            i = s[d[S_NEXT] + i]
        return i
    for _k in range(50):
        i = below(rng, d[OPERATIONS])
        if s[d[S_SLOT] + i] >= 0 and d[d[PRICE] + i * d[SLOTS] + who] < FORBIDDEN:
            return i
    return -1


@njit(cache=True, nogil=True)
def ruin(d, s, w, rng, average):
    """Take some operations out; how many."""
    n_ops = d[OPERATIONS]
    k_slots = d[SLOTS]
    for r in range(k_slots):
        w[d[R_TOUCHED] + r] = 0
    gone = 0
    placed = 0
    used = 0
    for r in range(k_slots):
        placed += s[d[S_SIZE] + r]
        if s[d[S_SIZE] + r] > 0:
            used += 1
    if placed == 0:
        return 0
    dice = uniform(rng)
    x = -1
    if dice < 0.12 and s[WORST] > 0:
        x = late_seed(d, s, rng)
    elif dice < 0.24 and d[W_IDLE] > 0:
        x = idle_seed(d, s, rng)
    elif dice < 0.34:
        # A near one of a group that is out.
        for _k in range(8):
            i = below(rng, n_ops)
            if s[d[S_SLOT] + i] < 0:
                x = i
                break
    while x < 0:
        i = below(rng, n_ops)
        if s[d[S_SLOT] + i] >= 0:
            x = i
    dice = uniform(rng)
    if dice < 0.03 and s[d[S_SLOT] + x] >= 0:
        # A whole route.
        i = s[d[S_FIRST] + s[d[S_SLOT] + x]]
        while i >= 0:
            n = s[d[S_NEXT] + i]
            gone = take(d, s, w, i, gone)
            i = n
        return gone
    if dice < 0.18:
        # Near ones, with their partners.
        want = 2 + below(rng, average + average // 2)
        k = -1
        while gone < want and k < d[NEAR_WIDTH]:
            i = x if k < 0 else d[d[NEAR] + x * d[NEAR_WIDTH] + k]
            k += 1
            if i < 0:
                break
            if s[d[S_SLOT] + i] >= 0 and uniform(rng) < 0.6:
                g = d[d[GROUP] + i]
                for e in range(d[d[GROUP_AT] + g], d[d[GROUP_AT] + g + 1]):
                    o = d[d[GROUP_MEMBER] + e]
                    if s[d[S_SLOT] + o] >= 0:
                        gone = take(d, s, w, o, gone)
        return gone
    partners = uniform(rng) < 0.5
    typical = placed / used
    longest = min(10.0, typical)
    strings = int(uniform(rng) * (4.0 * average / (1.0 + longest) - 1.0)) + 1
    k = -1
    while strings > 0 and k < d[NEAR_WIDTH]:
        i = x if k < 0 else d[d[NEAR] + x * d[NEAR_WIDTH] + k]
        k += 1
        if i < 0:
            break
        if s[d[S_SLOT] + i] < 0 or w[d[R_TOUCHED] + s[d[S_SLOT] + i]] > 0:
            continue
        most = min(longest, float(s[d[S_SIZE] + s[d[S_SLOT] + i]]))
        length = int(uniform(rng) * most) + 1
        if length > s[d[S_SIZE] + s[d[S_SLOT] + i]]:
            length = s[d[S_SIZE] + s[d[S_SLOT] + i]]
        gone = take_string(d, s, w, rng, i, length, gone)
        strings -= 1
    if partners:
        for k in range(gone):
            g = d[d[GROUP] + w[d[R_TAKEN] + k]]
            for e in range(d[d[GROUP_AT] + g], d[d[GROUP_AT] + g + 1]):
                o = d[d[GROUP_MEMBER] + e]
                if s[d[S_SLOT] + o] >= 0:
                    gone = take(d, s, w, o, gone)
    return gone


@njit(cache=True, nogil=True)
def line_up(d, s, w, rng):
    """List the groups that have something out, in an order drawn by lot; how many."""
    count = 0
    dice = uniform(rng)
    pairs_first = uniform(rng) < 0.5
    for g in range(d[GROUPS]):
        out = False
        size = d[d[GROUP_AT] + g + 1] - d[d[GROUP_AT] + g]
        x = d[d[GROUP_MEMBER] + d[d[GROUP_AT] + g]]
        for e in range(d[d[GROUP_AT] + g], d[d[GROUP_AT] + g + 1]):
            if s[d[S_SLOT] + d[d[GROUP_MEMBER] + e]] < 0:
                out = True
        if not out:
            continue
        key = below(rng, 1 << 20)
        if dice < 0.15:
            key += (d[d[CAND_AT] + x + 1] - d[d[CAND_AT] + x]) * (1 << 20)
        elif dice < 0.35:
            key -= d[d[FAR] + x] * (1 << 20)
        elif dice < 0.45:
            key += d[d[FAR] + x] * (1 << 20)
        elif dice < 0.6:
            key += min(d[d[SEG_CLOSE] + d[d[SEG_AT] + x]], 1 << 28) * (1 << 20)
        elif dice < 0.7:
            key -= (
                d[d[MINUTES] + x * d[SLOTS] + d[d[CAND] + d[d[CAND_AT] + x]]]
                if d[d[CAND_AT] + x + 1] > d[d[CAND_AT] + x]
                else 0
            ) * (1 << 20)
        if d[d[LOCKED] + x] > 0:
            key -= 1 << 52
        if pairs_first and size > 1:
            key -= 1 << 50
        # Insertion into the sorted list.
        k = count
        while k > 0 and w[d[R_KEYS] + k - 1] > key:
            w[d[R_KEYS] + k] = w[d[R_KEYS] + k - 1]
            w[d[R_ITEMS] + k] = w[d[R_ITEMS] + k - 1]
            k -= 1
        w[d[R_KEYS] + k] = key
        w[d[R_ITEMS] + k] = g
        count += 1
    return count


@njit(cache=True, nogil=True)
def recreate(d, s, w, rng, blink, tries):
    """Put everything back that is out and costs less in."""
    meals_first = uniform(rng) < 0.5
    if meals_first:
        for r in range(d[SLOTS]):
            if w[d[R_TOUCHED] + r] > 0:
                put_meal(d, s, w, r)
    count = line_up(d, s, w, rng)
    for k in range(count):
        put_group(d, s, w, rng, w[d[R_ITEMS] + k], blink, tries)
        w[TRAIL] = 0
    for r in range(d[SLOTS]):
        put_meal(d, s, w, r)
        w[TRAIL] = 0


@njit(cache=True, nogil=True)
def swap_routes(d, s, rng):
    """Let two clinicians change routes; False if they may not or there is nothing to change."""
    k = d[SLOTS]
    a = below(rng, k)
    b = below(rng, k)
    if a == b or (s[d[S_SIZE] + a] == 0 and s[d[S_SIZE] + b] == 0):
        return False
    for turn in range(2):
        one, other = (a, b) if turn == 0 else (b, a)
        if s[d[S_SIZE] + one] > d[d[SLOT] + other * SLOT_COLUMNS + MOST]:
            return False
        i = s[d[S_FIRST] + one]
        while i >= 0:
            if d[d[PRICE] + i * d[SLOTS] + other] >= FORBIDDEN:
                return False
            i = s[d[S_NEXT] + i]
    s[d[S_FIRST] + a], s[d[S_FIRST] + b] = s[d[S_FIRST] + b], s[d[S_FIRST] + a]
    s[d[S_FINAL] + a], s[d[S_FINAL] + b] = s[d[S_FINAL] + b], s[d[S_FINAL] + a]
    s[d[S_SIZE] + a], s[d[S_SIZE] + b] = s[d[S_SIZE] + b], s[d[S_SIZE] + a]
    s[d[S_MEAL] + a], s[d[S_MEAL] + b] = s[d[S_MEAL] + b], s[d[S_MEAL] + a]
    for turn in range(2):
        r = a if turn == 0 else b
        if d[d[SLOT] + r * SLOT_COLUMNS + SKIP] < 0:
            s[d[S_MEAL] + r] = NO_MEAL
        i = s[d[S_FIRST] + r]
        while i >= 0:
            s[d[S_SLOT] + i] = r
            i = s[d[S_NEXT] + i]
        recount(d, s, r)
    return True


@njit(cache=True, nogil=True)
def recount(d, s, r):
    """Count driving, care and legs of a route anew."""
    s[d[S_DRIVE] + r] = 0
    s[d[S_CARE] + r] = 0
    s[d[S_LEGS] + r] = 0
    i = s[d[S_FIRST] + r]
    if i < 0:
        return
    here = d[d[SLOT] + r * SLOT_COLUMNS + FROM]
    while i >= 0:
        s[d[S_DRIVE] + r] += d[d[TRAVEL] + here * d[PLACES] + d[d[PLACE] + i]]
        s[d[S_LEGS] + r] += d[d[LEG] + here * d[PLACES] + d[d[PLACE] + i]]
        s[d[S_CARE] + r] += d[d[MINUTES] + i * d[SLOTS] + r]
        here = d[d[PLACE] + i]
        i = s[d[S_NEXT] + i]
    s[d[S_DRIVE] + r] += d[d[TRAVEL] + here * d[PLACES] + d[d[SLOT] + r * SLOT_COLUMNS + TO]]
    s[d[S_LEGS] + r] += d[d[LEG] + here * d[PLACES] + d[d[SLOT] + r * SLOT_COLUMNS + TO]]


@njit(cache=True, nogil=True)
def draw_aim(rng):
    """How idle a shift may be for nothing while a plan is put back together, as a share of the idlest before.

    Below one, every shift is filled at a price that only the idlest has in truth; above one, travel may be saved where
    that makes the idlest shift idler.
    """
    dice = uniform(rng)
    if dice < 0.4:
        return 1.0
    if dice < 0.7:
        return 1.0 + 0.3 * uniform(rng)
    return 0.85 + 0.15 * uniform(rng)


@njit(cache=True, nogil=True)
def soften(d, s, aim, minutes):
    """Set what idling is priced by while a plan is changed; the cents by which the plan's true price falls short of it.

    The idlest shift is replaced by a soft maximum, the logarithm of a sum of exponentials. So all shifts that are
    nearly as idle as the idlest share its price, and travel is saved wherever that is worth a small part of it.
    """
    s[SOFTNESS] = max(1, minutes)
    crowd = 0.0
    for r in range(d[SLOTS]):
        idle = idle_of(d, s, r, s[d[S_HOME] + r], s[d[S_DRIVE] + r], s[d[S_CARE] + r])
        crowd += np.exp((idle - s[LONGEST]) / s[SOFTNESS])
    crowd = np.log(max(1.0, crowd))
    s[STEEP] = int(s[SOFTNESS] * crowd)
    s[AIM] = int(aim * s[LONGEST])
    return d[W_IDLE] * s[SOFTNESS] * crowd


@njit(cache=True, nogil=True)
def search(d, s, best, saved, w, rng, rounds, hot, cold, spread, done, total, counted, average, blink, tries):
    """That many rounds from where `s` is; `best` and `saved` hold the best so far and the last accepted.

    The temperature falls from hot to cold: by the rounds done of the total when they are `counted`, else it stays
    where `done` of the total says. Shifts that are less idle than the idlest by about `spread` minutes share its price;
    the spread shrinks with the temperature.
    """
    for this in range(rounds):
        share = (done + this) / total if counted else done / total
        temperature = hot * (cold / hot) ** share
        minutes = 0
        soft = 0.0
        if d[W_IDLE] > 0:
            minutes = int(spread * (0.03 + 0.97 * (1.0 - share)))
            soft = soften(d, s, draw_aim(rng), minutes)
        changed = True
        if uniform(rng) < 0.02:
            changed = swap_routes(d, s, rng)
            if changed:
                changed = earliest(d, s, w)
        else:
            ruin(d, s, w, rng, average)
            for r in range(d[SLOTS]):
                if w[d[R_TOUCHED] + r] > 0 and s[d[S_MEAL] + r] != NO_MEAL and uniform(rng) < 0.6:
                    s[d[S_MEAL] + r] = NO_MEAL
            changed = earliest(d, s, w)
            if changed:
                if d[W_WAITING] > 0:
                    put_off(d, s, w)
                recreate(d, s, w, rng, blink, tries)
                changed = earliest(d, s, w)
        if changed:
            cost = measure(d, s, w)
            if d[W_IDLE] > 0:
                soft -= soften(d, s, 1.0, minutes)
            if cost < saved[COST] + soft - temperature * np.log(uniform(rng) + 1e-300):
                saved[:] = s
                if cost < best[COST]:
                    best[:] = s
                continue
        s[:] = saved


@njit(cache=True, nogil=True)
def begin(d, s, w, rng):
    """Time the plan as it is and put in what is out; False if what is in cannot be timed."""
    if not earliest(d, s, w):
        return False
    measure(d, s, w)
    soften(d, s, 1.0, s[LONGEST] // 10)
    for r in range(d[SLOTS]):
        w[d[R_TOUCHED] + r] = 1
    recreate(d, s, w, rng, 0.0, 20)
    if not earliest(d, s, w):
        return False
    measure(d, s, w)
    return True
