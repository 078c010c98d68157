"""The search itself, compiled: integers in flat arrays, no Python objects, so that a port to another language stays
easy.

Three arrays go everywhere. `d` is the problem (read only), `s` the state of one plan, `x` scratch paper: what is being
tried, a log of what to put back, and notes of prices found. The head of `d` holds the offset of every table in all
three: `d[d[V_PLACE] + v]` is the place of visit `v`, `s[d[S_START] + v]` its start, `x[d[X_TIME] + i]` a trial start.
Everything that the kernels read from outside is in this module, because numba's cache only notices changes of the file
that holds the function.

Terms: a *route* is one slot's visits in order; *hard* limits are never broken by anything here; *worked* minutes run
from leaving to returning, waiting included, breaks and time off excluded; a *pause* is a break or time off; a *plain*
day is one of which hard windows and driving are all there is to know.

Sources: removal of adjacent strings and greedy insertion with blinks follow SISR (J. Christiaens, G. Vanden Berghe,
"Slack Induction by String Removals for Vehicle Routing Problems", Transportation Science 54(2), 2020); related removal
follows P. Shaw, "Using Constraint Programming and Local Search Methods to Solve Vehicle Routing Problems", CP 1998.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

INF = 1 << 40

compiled = njit(cache=True, nogil=True, error_model="numpy")
"""Without the interpreter's lock, so that several searches run at once in the threads of one process."""

# fmt: off
# ---- head of `d`: numbers first, then offsets ------------------------------------------------------------------------
(
    N_VISITS, N_SLOTS, N_DAYS, N_WEEKS, N_CLINICIANS, N_PLACES, N_LENGTH, N_NEIGHBOURS, N_PAUSES,
    W_WAITING, W_OVERTIME, W_FAIRNESS, W_DOUBLETIME, W_WAITS, W_IDLE, IDLE_FREE, W_LONGEST, N_FOLLOWED,
    W_PATIENT, W_TOLD_PATIENT, W_TOLD_DAY, MAX_PATIENTS,
    TRAVEL, LEG,
    SLOT_CLINICIAN, SLOT_DAY, SLOT_WEEK, SLOT_FROM, SLOT_TO, SLOT_START, SLOT_END, SLOT_OVERTIME, SLOT_MAX,
    SLOT_MAX_VISITS, SLOT_PLAIN, SLOT_DOUBLETIME, SLOT_TOLD,
    SLOT_SEVENTH, SEVENTH_OTHERS, SEVENTH_SLOT, SEVENTH_LAST, SEVENTH_COST, SEVENTH_DOUBLE_AFTER, SEVENTH_DOUBLE_COST,
    V_FOLLOWED, V_NOW_SLOT, V_NOW_START, V_NOW_TOLERANCE, V_NOW_TOLD, V_NOW_DAY, V_TOUCH,
    V_REGULAR, VR_GROUP, REGULAR_VISITS, REGULAR_VISIT, REGULAR_FREE, REGULAR_COST, REGULAR_LOW, REGULAR_HIGH,
    DAY_START,
    SLOT_PAUSES, SLOT_BREAKS, PAUSE_EARLY, PAUSE_LATE, PAUSE_MINUTES, PAUSE_SKIP, PAUSE_AFTER, PAUSE_NUMBER,
    CLIN_OVERTIME, CLIN_MAX, CLIN_FAIR, CLIN_ALREADY,
    V_PLACE, V_UNPLACED, V_LATE, V_EARLY, V_LOCKED, V_PATIENT, V_MATES, V_HARDNESS, V_TIME_COST, V_TIME_DAY,
    V_TIME_START,
    V_TIME_TOLERANCE, V_PLAIN, V_LOOSE, V_WINDOWS, WINDOW_LOW, WINDOW_HIGH, V_PREFERRED_LOW, V_PREFERRED_HIGH,
    V_CANDIDATES, CANDIDATE_SLOT, CANDIDATE_COST, CANDIDATE_MINUTES,
    P_VISITS, PV_VISIT, P_BUSY, BUSY_LOW, BUSY_HIGH,
    LINK_OTHER, LINK_LOW, LINK_HIGH, LINK_WHO,
    V_SPACINGS, VS_GROUP, SPACING_VISITS, SPACING_VISIT, SPACING_MIN, SPACING_IDEAL, SPACING_COST, SPACING_HELD,
    HELD_DAY,
    V_LIMITS, VL_GROUP, LIMIT_VISITS, LIMIT_VISIT, LIMIT_MAX, LIMIT_HELD,
    V_PATTERNS, VP_GROUP, VP_AT, PATTERN_VISITS, PATTERN_VISIT, PATTERN_AT, PATTERN_WORDS, PATTERN_BITS,
    V_FACES, VF_GROUP, FACES_VISITS, FACES_VISIT, FACES_COST, FACES_FREE, FACES_HELD, HELD_FACE,
    V_CAPS, VC_GROUP, CAP_VISITS, CAP_VISIT, CAP_DAY, CAP_WEEK, CAP_USED_DAY, CAP_USED_WEEK,
    NEIGHBOUR,
    S_ROUTE, S_LENGTH, S_SLOT, S_START, S_MINUTES, S_STATIC, S_LOW, S_HIGH, S_COST, S_WORKED, S_OVERTIME, S_WAITING,
    S_RETURN,
    S_REST, S_WEEK_WORKED, S_WEEK_OVERTIME, S_EARLIEST, S_LATEST, S_TOTAL, S_STAMP, S_ABSENT, S_ABSENT_AT, S_COUNT,
    S_CHANGED, S_NEWCOMER, S_TOUCHED, S_TOUCHED_TOLD, S_DAY_TOUCHED, S_STRAY, S_LONGEST, S_WORST,
    X_SEQUENCE, X_TIME, X_KEPT_TIME, X_LATEST, X_FORWARD, X_FROM, X_TAKEN, X_ACTIVE, X_PLACE, X_WAY, X_REST,
    X_KEPT_REST, X_OUT,
    X_DAY_COST, X_DAY_LEFT, X_DAY_SALT, X_BEST, X_ABSENT, X_KEY, X_MARK, X_TRY, X_OFFER, X_BOUND,
    X_NOTE, X_CONTROL, X_LOG, X_REMOVED, X_DIRTY, X_IS_DIRTY, X_FROZEN, X_SHUT, X_MEMBER,
    HEAD,
) = range(208)
# fmt: on

# `X_OUT` and `X_BEST` hold several numbers each.
OUT_COST, OUT_WORKED, OUT_OVERTIME, OUT_WAITING, OUT_RETURN, OUT_LONGEST, OUT_STATUS = range(7)
BEST_SLOT, BEST_POSITION, BEST_STATIC, BEST_MINUTES = range(4)
# What `timed` answers.
OK, TOO_LATE, TOO_LONG = range(3)
ANYONE, DIFFERENT, SAME = range(3)
DIAL_REMOVED, DIAL_LONGEST, DIAL_BLINK, DIAL_BLINK_MORE, DIAL_STRINGS, DIAL_PATIENTS, DIAL_RELATED, DIAL_SLOTS = range(
    8
)
"""What `search` is told in `dials`: visits taken out in a round on average; the longest string; slots of 1,000 that are
overlooked in one half of the rounds and in the other; of 100 rounds, how many take out strings, patients, related
visits and whole days (the rest: any visits)."""
TOO_MANY = 1 << 36
"""What `rank` adds for each patient touched beyond the budget."""
MAX_BREAKS = 4
COUNT_ABSENT, COUNT_USED, COUNT_PLACED, COUNT_TOUCHED = range(4)
"""In `S_COUNT`: visits that are out, slots that have visits, visits that are placed, patients touched by changes."""
CONTROL_DEPTH, CONTROL_LENGTH, CONTROL_ROOM, CONTROL_NOTES, CONTROL_MEMBERS, CONTROL_REMOVED, CONTROL_DIRTY = range(7)
CONTROL_LISTED = 7
"""In `X_CONTROL`: how many ask for the log, its length and its room; whether prices are noted; how many entries
`X_MEMBER` (0: every visit), `X_REMOVED`, `X_DIRTY` and, while visits to take out are chosen, `X_ABSENT` have."""
ZERO = np.int64(0)
"""Nought as any number: with a bare 0 numba compiles one more copy of the function that is called, and of all that
that calls. The same holds for variables that begin with a bare number."""
EMPTY_STAMP = 1469598103934665603
LOG_FIXED = 18
LOG_SPARE = 200
"""No more visits are taken out when the log has room for fewer changes than this: they must go in again."""
OFFER_SIZE = 4
NOTE_SIZE = 4
HOURS = 20
"""Bits that worked minutes, overtime minutes and the longest wait each have in the one number of a note."""
MORE = 12
"""How many visits that were out before are tried in a round, at most."""
TRIES = 6
"""How many places of a linked visit are tried before its partner is placed."""


# ---- time of one visit -----------------------------------------------------------------------------------------------


@compiled
def after_clash(d, s, v, r, t, minutes):
    """`t`, or the end of something the patient is busy with if the visit would run into it at `t`."""
    p = d[d[V_PATIENT] + v]
    if d[d[V_LOCKED] + v] == 0:
        for k in range(d[d[P_BUSY] + p], d[d[P_BUSY] + p + 1]):
            if t < d[d[BUSY_HIGH] + k] and t + minutes > d[d[BUSY_LOW] + k]:
                return d[d[BUSY_HIGH] + k]
    partner = d[d[LINK_OTHER] + v]
    for k in range(d[d[P_VISITS] + p], d[d[P_VISITS] + p + 1]):
        u = d[d[PV_VISIT] + k]
        if u in (v, partner):
            continue
        q = s[d[S_SLOT] + u]
        if q < 0 or q == r:
            continue
        begin = s[d[S_START] + u]
        end = begin + s[d[S_MINUTES] + u]
        if t < end and t + minutes > begin:
            return end
    return t


@compiled
def before_clash(d, s, v, r, t, minutes):
    """`t`, or the latest start that ends before something the patient is busy with if the visit would run into it at
    `t`."""
    p = d[d[V_PATIENT] + v]
    if d[d[V_LOCKED] + v] == 0:
        for k in range(d[d[P_BUSY] + p], d[d[P_BUSY] + p + 1]):
            if t < d[d[BUSY_HIGH] + k] and t + minutes > d[d[BUSY_LOW] + k]:
                return d[d[BUSY_LOW] + k] - minutes
    partner = d[d[LINK_OTHER] + v]
    for k in range(d[d[P_VISITS] + p], d[d[P_VISITS] + p + 1]):
        u = d[d[PV_VISIT] + k]
        if u in (v, partner):
            continue
        q = s[d[S_SLOT] + u]
        if q < 0 or q == r:
            continue
        begin = s[d[S_START] + u]
        if t < begin + s[d[S_MINUTES] + u] and t + minutes > begin:
            return begin - minutes
    return t


@compiled
def next_start(d, s, v, r, t):
    """The earliest allowed start of `v` in slot `r` at or after `t`; INF if there is none."""
    low = s[d[S_LOW] + v]
    high = s[d[S_HIGH] + v]
    if t < low:
        t = low
    row = d[V_WINDOWS] + v * d[N_DAYS] + d[d[SLOT_DAY] + r]
    k = d[row]
    end = d[row + 1]
    mates = d[d[V_MATES] + v]
    minutes = s[d[S_MINUTES] + v]
    while k < end:
        if t > d[d[WINDOW_HIGH] + k]:
            k += 1
            continue
        if t < d[d[WINDOW_LOW] + k]:
            t = d[d[WINDOW_LOW] + k]
        if t > high:
            return INF
        if mates:
            moved = after_clash(d, s, v, r, t, minutes)
            if moved > t:
                t = moved
                continue
        return t
    return INF


@compiled
def previous_start(d, s, v, r, t):
    """The latest allowed start of `v` in slot `r` at or before `t`; -INF if there is none."""
    low = s[d[S_LOW] + v]
    high = s[d[S_HIGH] + v]
    if t > high:
        t = high
    row = d[V_WINDOWS] + v * d[N_DAYS] + d[d[SLOT_DAY] + r]
    begin = d[row]
    k = d[row + 1] - 1
    mates = d[d[V_MATES] + v]
    minutes = s[d[S_MINUTES] + v]
    while k >= begin:
        if t < d[d[WINDOW_LOW] + k]:
            k -= 1
            continue
        if t > d[d[WINDOW_HIGH] + k]:
            t = d[d[WINDOW_HIGH] + k]
        if t < low:
            return -INF
        if mates:
            moved = before_clash(d, s, v, r, t, minutes)
            if moved < t:
                t = moved
                continue
        return t
    return -INF


# ---- time of one route -----------------------------------------------------------------------------------------------


@compiled
def through(d, x, free, way, first, last):
    """Arrival after `way` minutes of driving and the active pauses `first` to `last` - 1, free from minute `free` on.

    A pause may split the driving: what is driven while waiting for the pause to begin is driven.
    """
    for k in range(first, last):
        p = x[d[X_ACTIVE] + k]
        begin = d[d[PAUSE_EARLY] + p]
        if begin < free:
            begin = free
        if begin > d[d[PAUSE_LATE] + p]:
            return INF
        way = max(0, way - (begin - free))
        free = begin + d[d[PAUSE_MINUTES] + p]
    return free + way


@compiled
def back_through(d, x, arrive, way, first, last):
    """The latest minute to be free so as to arrive by `arrive`; the reverse of `through`."""
    for k in range(last - 1, first - 1, -1):
        p = x[d[X_ACTIVE] + k]
        begin = arrive - d[d[PAUSE_MINUTES] + p]
        if begin > d[d[PAUSE_LATE] + p]:
            way = max(0, way - (begin - d[d[PAUSE_LATE] + p]))
            begin = d[d[PAUSE_LATE] + p]
        if begin < d[d[PAUSE_EARLY] + p]:
            return -INF
        arrive = begin
    return arrive - way


@compiled
def first_arrival(d, x, r, way, pauses):
    """Earliest arrival at the first stop when the first `pauses` active pauses are over before leaving."""
    free = d[d[SLOT_START] + r]
    for k in range(pauses):
        p = x[d[X_ACTIVE] + k]
        if d[d[PAUSE_EARLY] + p] > free:
            free = d[d[PAUSE_EARLY] + p]
        if free > d[d[PAUSE_LATE] + p]:
            return INF
        free += d[d[PAUSE_MINUTES] + p]
    return free + way


@compiled
def pass_on(d, s, x, r, n, pauses, soft, most, keep):
    """Pass what is beyond `most` minutes of a wait on to the wait after it: the visit between starts earlier, as far as
    it may. The first and the last visit stay. `X_WAY` must be set.

    Minutes of waits beyond the free ones, with the longest wait in `OUT_LONGEST`; starts are changed if `keep`.
    """
    time = d[X_TIME]
    taken = d[X_TAKEN]
    day = d[d[SLOT_DAY] + r]
    begin = x[time]
    beyond = 0
    longest = 0
    for i in range(1, n):
        v = x[d[X_SEQUENCE] + i]
        way = x[d[X_WAY] + i]
        free = begin + s[d[S_MINUTES] + x[d[X_SEQUENCE] + i - 1]]
        ready = free + way
        if pauses > 0:
            ready = through(d, x, free, way, x[taken + i - 1], x[taken + i])
            for k in range(x[taken + i - 1], x[taken + i]):
                free += d[d[PAUSE_MINUTES] + x[d[X_ACTIVE] + k]]
        free += way
        begin = x[time + i]
        if begin - free > most and i < n - 1:
            wished = max(ready, free + most)
            if soft:
                if d[d[V_EARLY] + v] > 0:
                    wished = max(wished, d[d[V_PREFERRED_LOW] + v * d[N_DAYS] + day])
                if d[d[V_TIME_DAY] + v] == day:
                    wished = max(wished, d[d[V_TIME_START] + v])
            if wished < begin:
                begin = min(begin, next_start(d, s, v, r, wished))
                if keep:
                    x[time + i] = begin
        longest = max(longest, begin - free)
        beyond += max(0, begin - free - d[IDLE_FREE])
    x[d[X_OUT] + OUT_LONGEST] = longest
    return beyond


@compiled
def spread(d, s, x, r, n, pauses, soft):
    """Cents of long waits in the `n` visits as timed, once they are shared out; the longest goes to `OUT_LONGEST`.

    Where long waits are priced none is longer than is free if another can take the rest; where only the longest of all
    is, that is as short as it can be. The day stays as long as it is.
    """
    most = d[IDLE_FREE]
    if d[W_IDLE] == 0:
        pass_on(d, s, x, r, n, pauses, soft, most, ZERO)
        most = x[d[X_OUT] + OUT_LONGEST]
        least = ZERO
        while least < most:
            middle = (least + most) // 2
            pass_on(d, s, x, r, n, pauses, soft, middle, ZERO)
            if x[d[X_OUT] + OUT_LONGEST] <= middle:
                most = middle
            else:
                least = middle + 1
    return pass_on(d, s, x, r, n, pauses, soft, most, ZERO + 1) * d[W_IDLE]


@compiled
def timed_freely(d, s, x, r, n):
    """`timed` for a day without breaks and time off: the same starts and sums, found in fewer steps."""
    places = d[N_PLACES]
    travel = d[TRAVEL]
    leg = d[LEG]
    sequence = d[X_SEQUENCE]
    time = d[X_TIME]
    ways = d[X_WAY]
    day = d[d[SLOT_DAY] + r]
    shift_end = d[d[SLOT_END] + r]
    minutes_of = d[S_MINUTES]
    here = d[d[SLOT_FROM] + r]
    legs = 0
    driving = 0
    care = 0
    wishes = False
    soft_late = False
    t = d[d[SLOT_START] + r]
    for i in range(n):
        v = x[sequence + i]
        there = d[d[V_PLACE] + v]
        if there < 0:
            there = here
        cell = here * places + there
        here = there
        way = d[travel + cell]
        x[ways + i] = way
        driving += way
        legs += d[leg + cell]
        t = next_start(d, s, v, r, t + way)
        if t >= INF:
            return TOO_LATE
        x[time + i] = t
        minutes = s[minutes_of + v]
        care += minutes
        t += minutes
        if d[d[V_PLAIN] + v] == 0:
            soft_late = soft_late or d[d[V_LATE] + v] > 0
            wishes = wishes or d[d[V_EARLY] + v] > 0
            wishes = wishes or (d[d[V_TIME_DAY] + v] == day)
    cell = here * places + d[d[SLOT_TO] + r]
    way = d[travel + cell]
    x[ways + n] = way
    driving += way
    legs += d[leg + cell]
    if t + way > shift_end:
        return TOO_LATE
    for k in range(MAX_BREAKS):
        x[d[X_REST] + k] = -1
    if wishes:
        latest = d[X_LATEST]
        bound = shift_end
        for i in range(n - 1, -1, -1):
            v = x[sequence + i]
            bound = previous_start(d, s, v, r, bound - x[ways + i + 1] - s[minutes_of + v])
            x[latest + i] = bound
    status = TOO_LONG
    for soft in range(1, -1, -1):
        if wishes:
            # As soon as possible, but not before the wished time.
            t = d[d[SLOT_START] + r]
            for i in range(n):
                v = x[sequence + i]
                wished = t + x[ways + i]
                if soft:
                    if d[d[V_EARLY] + v] > 0:
                        wished = max(wished, d[d[V_PREFERRED_LOW] + v * d[N_DAYS] + day])
                    if d[d[V_TIME_DAY] + v] == day:
                        wished = max(wished, d[d[V_TIME_START] + v])
                t = min(next_start(d, s, v, r, wished), x[d[X_LATEST] + i])
                x[time + i] = t
                t += s[minutes_of + v]
        # To the right, where that only takes waiting away.
        for i in range(n - 2, -1, -1):
            v = x[sequence + i]
            bound = x[time + i + 1] - x[ways + i + 1] - s[minutes_of + v]
            begin = x[time + i]
            if bound <= begin:
                continue
            if soft:
                if d[d[V_LATE] + v] > 0:
                    bound = min(bound, max(begin, d[d[V_PREFERRED_HIGH] + v * d[N_DAYS] + day]))
                if d[d[V_TIME_DAY] + v] == day:
                    told = d[d[V_TIME_START] + v]
                    if begin <= told:
                        bound = min(bound, told)
                    elif begin <= told + d[d[V_TIME_TOLERANCE] + v]:
                        bound = begin
            if bound > begin:
                x[time + i] = max(begin, previous_start(d, s, v, r, bound))
        cost = legs
        if d[W_WAITS]:
            cost += spread(d, s, x, r, n, ZERO, soft)
        if wishes or soft_late:
            for i in range(n):
                v = x[sequence + i]
                begin = x[time + i]
                late = begin - d[d[V_PREFERRED_HIGH] + v * d[N_DAYS] + day]
                if late > 0:
                    cost += late * d[d[V_LATE] + v]
                early = d[d[V_PREFERRED_LOW] + v * d[N_DAYS] + day] - begin
                if early > 0:
                    cost += early * d[d[V_EARLY] + v]
                if d[d[V_TIME_DAY] + v] == day:
                    away = abs(begin - d[d[V_TIME_START] + v])
                    if away > d[d[V_TIME_TOLERANCE] + v]:
                        cost += d[d[V_TIME_COST] + v]
        home = x[time + n - 1] + s[minutes_of + x[sequence + n - 1]] + x[ways + n]
        worked = home - (x[time] - x[ways])
        waiting = worked - driving - care
        overtime = max(0, worked - d[d[SLOT_OVERTIME] + r])
        cost += max(0, worked - d[d[SLOT_DOUBLETIME] + r]) * d[W_DOUBLETIME]
        x[d[X_OUT] + OUT_COST] = cost + waiting * d[W_WAITING] + overtime * d[W_OVERTIME]
        x[d[X_OUT] + OUT_WORKED] = worked
        x[d[X_OUT] + OUT_OVERTIME] = overtime
        x[d[X_OUT] + OUT_WAITING] = waiting
        x[d[X_OUT] + OUT_RETURN] = home
        if worked <= d[d[SLOT_MAX] + r]:
            status = OK
            break
        if not (wishes or soft_late):
            break
    return status


@compiled
def timed(d, s, x, r, n, mask):
    """Time the `n` visits in `X_SEQUENCE` in slot `r`, taking the breaks in `mask`: OK, TOO_LATE or TOO_LONG.

    Earliest starts decide what is possible and between which visits each pause falls (the earliest return wins);
    then each
    visit starts as soon as it can but not before its wished time, and at last everything moves right as far as that
    delays nobody and costs nothing, which takes waiting out of the day. Starts go to `X_TIME`, sums to `X_OUT`.
    """
    places = d[N_PLACES]
    sequence = d[X_SEQUENCE]
    time = d[X_TIME]
    latest = d[X_LATEST]
    width = d[N_PAUSES] + 1
    forward = d[X_FORWARD]
    came = d[X_FROM]
    taken = d[X_TAKEN]
    stop = d[X_PLACE]
    day = d[d[SLOT_DAY] + r]

    # A remote visit is made from wherever the stop before it is.
    here = d[d[SLOT_FROM] + r]
    x[stop] = here
    for i in range(n):
        place = d[d[V_PLACE] + x[sequence + i]]
        if place >= 0:
            here = place
        x[stop + 1 + i] = here
    x[stop + 1 + n] = d[d[SLOT_TO] + r]

    pauses = ZERO
    for p in range(d[d[SLOT_PAUSES] + r], d[d[SLOT_PAUSES] + r + 1]):
        number = d[d[PAUSE_NUMBER] + p]
        if number < 0 or (mask >> number) & 1:
            x[d[X_ACTIVE] + pauses] = p
            pauses += 1

    # Earliest starts, for each number of pauses already over.
    way = d[d[TRAVEL] + x[stop] * places + x[stop + 1]]
    alive = False
    for j in range(pauses + 1):
        arrive = first_arrival(d, x, r, way, j)
        begin = INF
        if arrive < INF:
            begin = next_start(d, s, x[sequence], r, arrive)
            alive = alive or begin < INF
        x[forward + j] = begin
        x[came + j] = 0
    if not alive:
        return TOO_LATE
    for i in range(1, n):
        way = d[d[TRAVEL] + x[stop + i] * places + x[stop + i + 1]]
        minutes = s[d[S_MINUTES] + x[sequence + i - 1]]
        v = x[sequence + i]
        row = forward + i * width
        for j in range(pauses + 1):
            x[row + j] = INF
        alive = False
        for j in range(pauses + 1):
            begin = x[row - width + j]
            if begin >= INF:
                continue
            for k in range(j, pauses + 1):
                arrive = through(d, x, begin + minutes, way, j, k)
                if arrive >= INF:
                    break
                begin_next = next_start(d, s, v, r, arrive)
                if begin_next < x[row + k]:
                    x[row + k] = begin_next
                    x[came + i * width + k] = j
                    alive = True
        if not alive:
            return TOO_LATE

    # Home again: pauses may fall on the way, or in free time after returning.
    way = d[d[TRAVEL] + x[stop + n] * places + x[stop + n + 1]]
    minutes = s[d[S_MINUTES] + x[sequence + n - 1]]
    earliest_return = INF
    for j in range(pauses + 1):
        begin = x[forward + (n - 1) * width + j]
        if begin >= INF:
            continue
        for k in range(j, pauses + 1):
            arrive = through(d, x, begin + minutes, way, j, k)
            if arrive >= INF:
                break
            if arrive > d[d[SLOT_END] + r]:
                continue
            # The way of no minutes: only the rest that is left.
            if arrive < earliest_return and through(d, x, arrive, 0, k, pauses) < INF:
                earliest_return = arrive
                x[taken + n] = k
                x[taken + n - 1] = j
    if earliest_return >= INF:
        return TOO_LATE
    for i in range(n - 1, 0, -1):
        x[taken + i - 1] = x[came + i * width + x[taken + i]]

    # Latest starts with the pauses where they are now.
    arrive = min(d[d[SLOT_END] + r], back_through(d, x, INF, 0, x[taken + n], pauses))
    for i in range(n - 1, -1, -1):
        way = d[d[TRAVEL] + x[stop + i + 1] * places + x[stop + i + 2]]
        free = back_through(d, x, arrive, way, x[taken + i], x[taken + i + 1])
        v = x[sequence + i]
        arrive = previous_start(d, s, v, r, free - s[d[S_MINUTES] + v])
        x[latest + i] = arrive

    status = TOO_LONG
    for soft in range(1, -1, -1):
        # As soon as possible, but not before the wished time.
        way = d[d[TRAVEL] + x[stop] * places + x[stop + 1]]
        arrive = first_arrival(d, x, r, way, x[taken])
        for i in range(n):
            v = x[sequence + i]
            if i > 0:
                way = d[d[TRAVEL] + x[stop + i] * places + x[stop + i + 1]]
                u = x[sequence + i - 1]
                arrive = through(d, x, x[time + i - 1] + s[d[S_MINUTES] + u], way, x[taken + i - 1], x[taken + i])
            wished = arrive
            if soft:
                if d[d[V_EARLY] + v] > 0:
                    wished = max(wished, d[d[V_PREFERRED_LOW] + v * d[N_DAYS] + day])
                if d[d[V_TIME_DAY] + v] == day:
                    wished = max(wished, d[d[V_TIME_START] + v])
            begin = next_start(d, s, v, r, wished)
            x[time + i] = min(begin, x[latest + i])

        # To the right, where that only takes waiting away.
        for i in range(n - 2, -1, -1):
            v = x[sequence + i]
            way = d[d[TRAVEL] + x[stop + i + 1] * places + x[stop + i + 2]]
            free = back_through(d, x, x[time + i + 1], way, x[taken + i], x[taken + i + 1])
            bound = free - s[d[S_MINUTES] + v]
            begin = x[time + i]
            if soft:
                if d[d[V_LATE] + v] > 0:
                    bound = min(bound, max(begin, d[d[V_PREFERRED_HIGH] + v * d[N_DAYS] + day]))
                if d[d[V_TIME_DAY] + v] == day:
                    told = d[d[V_TIME_START] + v]
                    if begin <= told:
                        bound = min(bound, told)
                    elif begin <= told + d[d[V_TIME_TOLERANCE] + v]:
                        bound = begin
            if bound > begin:
                moved = previous_start(d, s, v, r, bound)
                if moved > begin:
                    x[time + i] = moved

        # What it comes to.
        cost = 0
        if d[W_WAITS]:
            for i in range(n + 1):
                x[d[X_WAY] + i] = d[d[TRAVEL] + x[stop + i] * places + x[stop + i + 1]]
            cost = spread(d, s, x, r, n, pauses, soft)
        driving = 0
        care = 0
        rested = 0
        for k in range(MAX_BREAKS):
            x[d[X_REST] + k] = -1
        free = d[d[SLOT_START] + r]
        for k in range(x[taken]):
            p = x[d[X_ACTIVE] + k]
            free = max(free, d[d[PAUSE_EARLY] + p])
            if d[d[PAUSE_NUMBER] + p] >= 0:
                x[d[X_REST] + d[d[PAUSE_NUMBER] + p]] = free
            free += d[d[PAUSE_MINUTES] + p]
        home = 0
        for i in range(n + 1):
            leg = x[stop + i] * places + x[stop + i + 1]
            way = d[d[TRAVEL] + leg]
            driving += way
            cost += d[d[LEG] + leg]
            if i > 0:
                u = x[sequence + i - 1]
                free = x[time + i - 1] + s[d[S_MINUTES] + u]
                home = through(d, x, free, way, x[taken + i - 1], x[taken + i])
                for k in range(x[taken + i - 1], x[taken + i]):
                    p = x[d[X_ACTIVE] + k]
                    free = max(free, d[d[PAUSE_EARLY] + p])
                    if d[d[PAUSE_NUMBER] + p] >= 0:
                        x[d[X_REST] + d[d[PAUSE_NUMBER] + p]] = free
                    free += d[d[PAUSE_MINUTES] + p]
                    rested += d[d[PAUSE_MINUTES] + p]
            if i < n:
                v = x[sequence + i]
                begin = x[time + i]
                care += s[d[S_MINUTES] + v]
                late = begin - d[d[V_PREFERRED_HIGH] + v * d[N_DAYS] + day]
                if late > 0:
                    cost += late * d[d[V_LATE] + v]
                early = d[d[V_PREFERRED_LOW] + v * d[N_DAYS] + day] - begin
                if early > 0:
                    cost += early * d[d[V_EARLY] + v]
                if d[d[V_TIME_DAY] + v] == day:
                    away = abs(begin - d[d[V_TIME_START] + v])
                    if away > d[d[V_TIME_TOLERANCE] + v]:
                        cost += d[d[V_TIME_COST] + v]
        free = home
        for k in range(x[taken + n], pauses):
            p = x[d[X_ACTIVE] + k]
            free = max(free, d[d[PAUSE_EARLY] + p])
            if d[d[PAUSE_NUMBER] + p] >= 0:
                x[d[X_REST] + d[d[PAUSE_NUMBER] + p]] = free
            free += d[d[PAUSE_MINUTES] + p]
        worked = home - (x[time] - d[d[TRAVEL] + x[stop] * places + x[stop + 1]]) - rested
        waiting = worked - driving - care
        overtime = max(0, worked - d[d[SLOT_OVERTIME] + r])
        cost += max(0, worked - d[d[SLOT_DOUBLETIME] + r]) * d[W_DOUBLETIME]
        x[d[X_OUT] + OUT_COST] = cost + waiting * d[W_WAITING] + overtime * d[W_OVERTIME]
        x[d[X_OUT] + OUT_WORKED] = worked
        x[d[X_OUT] + OUT_OVERTIME] = overtime
        x[d[X_OUT] + OUT_WAITING] = waiting
        x[d[X_OUT] + OUT_RETURN] = home
        if worked <= d[d[SLOT_MAX] + r]:
            status = OK
            break
    return status


@compiled
def owed_breaks(d, s, x, r, n):
    """The breaks that driving and care alone make due and that may not be skipped, as a mask."""
    places = d[N_PLACES]
    here = d[d[SLOT_FROM] + r]
    worked = 0
    for i in range(n):
        v = x[d[X_SEQUENCE] + i]
        there = d[d[V_PLACE] + v]
        if there < 0:
            there = here
        worked += d[d[TRAVEL] + here * places + there] + s[d[S_MINUTES] + v]
        here = there
    worked += d[d[TRAVEL] + here * places + d[d[SLOT_TO] + r]]
    owed = 0
    for p in range(d[d[SLOT_PAUSES] + r], d[d[SLOT_PAUSES] + r + 1]):
        number = d[d[PAUSE_NUMBER] + p]
        if number >= 0 and d[d[PAUSE_SKIP] + p] < 0 and worked > d[d[PAUSE_AFTER] + p]:
            owed |= 1 << number
    return owed


@compiled
def evaluate(d, s, x, r, n):
    """Time the sequence with the cheapest allowed choice of breaks: OK, TOO_LATE or TOO_LONG. Starts go to
    `X_KEPT_TIME`."""
    breaks = d[d[SLOT_BREAKS] + r]
    out = d[X_OUT]
    if d[d[SLOT_PAUSES] + r] == d[d[SLOT_PAUSES] + r + 1]:
        status = timed_freely(d, s, x, r, n)
        if status == OK:
            for i in range(n):
                x[d[X_KEPT_TIME] + i] = x[d[X_TIME] + i]
            for k in range(MAX_BREAKS):
                x[d[X_KEPT_REST] + k] = -1
        return status
    owed = owed_breaks(d, s, x, r, n) if breaks else 0
    best = INF
    worst = TOO_LATE
    worked = overtime = waiting = home = longest = 0
    for mask in range(1 << breaks):
        if mask & owed != owed:
            continue
        status = timed(d, s, x, r, n, mask)
        if status == TOO_LATE and mask == owed:
            return TOO_LATE  # a break makes nothing earlier
        if status != OK:
            worst = max(worst, status)
            continue
        cost = x[out + OUT_COST]
        skipped = 0
        allowed = True
        for p in range(d[d[SLOT_PAUSES] + r], d[d[SLOT_PAUSES] + r + 1]):
            number = d[d[PAUSE_NUMBER] + p]
            if number < 0 or (mask >> number) & 1 or x[out + OUT_WORKED] <= d[d[PAUSE_AFTER] + p]:
                continue
            if d[d[PAUSE_SKIP] + p] < 0:
                allowed = False
                break
            skipped += d[d[PAUSE_SKIP] + p]
        if not allowed or cost + skipped >= best:
            continue
        best = cost + skipped
        worked = x[out + OUT_WORKED]
        overtime = x[out + OUT_OVERTIME]
        waiting = x[out + OUT_WAITING]
        home = x[out + OUT_RETURN]
        longest = x[out + OUT_LONGEST]
        for i in range(n):
            x[d[X_KEPT_TIME] + i] = x[d[X_TIME] + i]
        for k in range(MAX_BREAKS):
            x[d[X_KEPT_REST] + k] = x[d[X_REST] + k]
        if mask == 0 and skipped == 0:
            break
    if best >= INF:
        return worst
    x[out + OUT_COST] = best
    x[out + OUT_WORKED] = worked
    x[out + OUT_OVERTIME] = overtime
    x[out + OUT_WAITING] = waiting
    x[out + OUT_RETURN] = home
    x[out + OUT_LONGEST] = longest
    return OK


@compiled
def week_cost(d, c, w, worked, overtime):
    """Cents of clinician `c`'s week beyond what was already worked: overtime by the week, and more than the fair
    share."""
    already = d[d[CLIN_ALREADY] + c * d[N_WEEKS] + w]
    limit = d[d[CLIN_OVERTIME] + c]
    over = max(0, already + worked - overtime - limit) - max(0, already - limit)
    share = d[d[CLIN_FAIR] + c]
    unfair = max(0, already + worked - share) - max(0, already - share)
    return over * d[W_OVERTIME] + unfair * d[W_FAIRNESS]


@compiled
def seventh_price(d, s, g, r, worked, overtime):
    """Cents of the seventh day `g` were slot `r` of its week at `worked` minutes; 0 unless all its days are worked."""
    last = d[d[SEVENTH_LAST] + g]
    mine = worked if last == r else s[d[S_WORKED] + last]
    if mine == 0:
        return 0
    for k in range(d[d[SEVENTH_OTHERS] + g], d[d[SEVENTH_OTHERS] + g + 1]):
        q = d[d[SEVENTH_SLOT] + k]
        if (worked if q == r else s[d[S_WORKED] + q]) == 0:
            return 0
    c = d[d[SLOT_CLINICIAN] + r]
    k = c * d[N_WEEKS] + d[d[SLOT_WEEK] + r]
    straight = mine - (overtime if last == r else s[d[S_OVERTIME] + last])
    week = s[d[S_WEEK_WORKED] + k] - s[d[S_WORKED] + r] + worked
    week -= s[d[S_WEEK_OVERTIME] + k] - s[d[S_OVERTIME] + r] + overtime
    others = d[d[CLIN_ALREADY] + k] + week - straight
    limit = d[d[CLIN_OVERTIME] + c]
    beyond = max(0, others + straight - limit) - max(0, others - limit)
    double = max(0, mine - d[d[SEVENTH_DOUBLE_AFTER] + g]) - max(0, mine - d[d[SLOT_DOUBLETIME] + last])
    return (straight - beyond) * d[d[SEVENTH_COST] + g] + max(0, double) * d[d[SEVENTH_DOUBLE_COST] + g]


@compiled
def week_change(d, s, r, worked, overtime):
    """What the week costs more when slot `r` comes to `worked` minutes; INF where the week's hard limit breaks."""
    c = d[d[SLOT_CLINICIAN] + r]
    w = d[d[SLOT_WEEK] + r]
    k = c * d[N_WEEKS] + w
    old_worked = s[d[S_WEEK_WORKED] + k]
    old_overtime = s[d[S_WEEK_OVERTIME] + k]
    new_worked = old_worked + worked - s[d[S_WORKED] + r]
    new_overtime = old_overtime + overtime - s[d[S_OVERTIME] + r]
    if d[d[CLIN_ALREADY] + k] + new_worked > d[d[CLIN_MAX] + c] and new_worked > old_worked:
        return INF
    change = week_cost(d, c, w, new_worked, new_overtime) - week_cost(d, c, w, old_worked, old_overtime)
    g = d[d[SLOT_SEVENTH] + r]
    if g >= 0:
        change += seventh_price(d, s, g, r, worked, overtime)
        change -= seventh_price(d, s, g, r, s[d[S_WORKED] + r], s[d[S_OVERTIME] + r])
    return change


@compiled
def others_longest(d, s, r):
    """The longest single wait of all slots but `r`."""
    if s[d[S_LONGEST] + r] < s[d[S_WORST]]:
        return s[d[S_WORST]]
    longest = 0
    for q in range(d[N_SLOTS]):
        if q != r:
            longest = max(longest, s[d[S_LONGEST] + q])
    return longest


@compiled
def longest_relief(d, s, r):
    """Cents that the longest single wait would save were there no wait in slot `r`."""
    if d[W_LONGEST] == 0 or s[d[S_LONGEST] + r] < s[d[S_WORST]]:
        return 0
    return (s[d[S_WORST]] - others_longest(d, s, r)) * d[W_LONGEST]


@compiled
def longest_price(d, s, r, longest):
    """Cents of a wait of `longest` minutes in slot `r` beyond those of the other slots; `longest_relief` is apart."""
    if d[W_LONGEST] == 0:
        return 0
    return max(0, longest - others_longest(d, s, r)) * d[W_LONGEST]


@compiled
def count_out(d, s, v):
    """Enter `v` among those that are out."""
    if s[d[S_ABSENT_AT] + v] < 0:
        count = s[d[S_COUNT] + COUNT_ABSENT]
        s[d[S_ABSENT] + count] = v
        s[d[S_ABSENT_AT] + v] = count
        s[d[S_COUNT] + COUNT_ABSENT] = count + 1


@compiled
def count_in(d, s, v):
    """Strike `v` from those that are out."""
    at = s[d[S_ABSENT_AT] + v]
    if at >= 0:
        count = s[d[S_COUNT] + COUNT_ABSENT] - 1
        last = s[d[S_ABSENT] + count]
        s[d[S_ABSENT] + at] = last
        s[d[S_ABSENT_AT] + last] = at
        s[d[S_ABSENT_AT] + v] = -1
        s[d[S_COUNT] + COUNT_ABSENT] = count


@compiled
def touched_price(d, s, p):
    """Cents for what is changed for patient `p`."""
    if s[d[S_TOUCHED] + p] == 0:
        return 0
    return d[W_TOLD_PATIENT] if s[d[S_TOUCHED_TOLD] + p] > 0 else d[W_PATIENT]


@compiled
def step_day(d, s, day, step):
    """Count one more or one less that is changed about a clinician's day of which something had been told."""
    before = s[d[S_DAY_TOUCHED] + day]
    s[d[S_DAY_TOUCHED] + day] = before + step
    s[d[S_TOTAL]] += ((1 if before + step > 0 else 0) - (1 if before > 0 else 0)) * d[W_TOLD_DAY]


@compiled
def stray_price(d, s, g):
    """Cents for how far the starts of a group's visits lie apart by the time of the day."""
    first = d[d[REGULAR_LOW] + g]
    last = d[d[REGULAR_HIGH] + g]
    held = max(0, last - first - d[d[REGULAR_FREE] + g])
    for k in range(d[d[REGULAR_VISITS] + g], d[d[REGULAR_VISITS] + g + 1]):
        v = d[d[REGULAR_VISIT] + k]
        r = s[d[S_SLOT] + v]
        if r >= 0:
            t = s[d[S_START] + v] - d[d[DAY_START] + d[d[SLOT_DAY] + r]]
            first = min(first, t)
            last = max(last, t)
    return (max(0, last - first - d[d[REGULAR_FREE] + g]) - held) * d[d[REGULAR_COST] + g]


@compiled
def follow(d, s, v):
    """Keep right what depends on where exactly `v` is: patients and days touched, times that stray."""
    q = s[d[S_SLOT] + v]
    now = d[d[V_NOW_SLOT] + v]
    changed = 0
    if now > -2 and (q < 0 or q != now or abs(s[d[S_START] + v] - d[d[V_NOW_START] + v]) > d[d[V_NOW_TOLERANCE] + v]):
        changed = 1
    step = changed - s[d[S_CHANGED] + v]
    if step != 0:
        s[d[S_CHANGED] + v] = changed
        p = d[d[V_TOUCH] + v]
        if p >= 0:
            s[d[S_TOTAL]] -= touched_price(d, s, p)
            before = s[d[S_TOUCHED] + p]
            s[d[S_TOUCHED] + p] = before + step
            s[d[S_TOUCHED_TOLD] + p] += step * d[d[V_NOW_TOLD] + v]
            s[d[S_COUNT] + COUNT_TOUCHED] += (1 if before + step > 0 else 0) - (1 if before > 0 else 0)
            s[d[S_TOTAL]] += touched_price(d, s, p)
        if d[d[V_NOW_DAY] + v] >= 0:
            step_day(d, s, d[d[V_NOW_DAY] + v], step)
    day = d[d[SLOT_TOLD] + q] if q >= 0 and q != now else -1
    if day != s[d[S_NEWCOMER] + v]:
        if s[d[S_NEWCOMER] + v] >= 0:
            step_day(d, s, s[d[S_NEWCOMER] + v], -1)
        if day >= 0:
            step_day(d, s, day, 1)
        s[d[S_NEWCOMER] + v] = day
    for k in range(d[d[V_REGULAR] + v], d[d[V_REGULAR] + v + 1]):
        g = d[d[VR_GROUP] + k]
        price = stray_price(d, s, g)
        s[d[S_TOTAL]] += price - s[d[S_STRAY] + g]
        s[d[S_STRAY] + g] = price


@compiled
def touch_bias(d, s, v, r):
    """Cents that `v`, which is out, costs more in slot `r` than where it was published, by being changed there."""
    now = d[d[V_NOW_SLOT] + v]
    if r == now:
        return 0
    bias = 0
    p = d[d[V_TOUCH] + v]
    if p >= 0 and now > -2 and s[d[S_TOUCHED] + p] == 1:
        bias = touched_price(d, s, p)
    day = d[d[SLOT_TOLD] + r]
    if day >= 0 and s[d[S_DAY_TOUCHED] + day] == 0:
        bias += d[W_TOLD_DAY]
    return bias


@compiled
def rank(d, s):
    """What plans are compared by: cents, and far more for each patient touched beyond the budget."""
    return s[d[S_TOTAL]] + TOO_MANY * max(0, s[d[S_COUNT] + COUNT_TOUCHED] - d[MAX_PATIENTS])


@compiled
def mixed(h, value):
    """The hash `h` with one more number in it."""
    h = (h ^ value) * 1099511628211
    return h ^ (h >> 29)


@compiled
def restamp(d, s, r):
    """Note what slot `r` holds as one number: its visits in order, what binds them, where the patients' other visits
    of the day are.

    The same content has the same stamp in every state, so that a price that was found for it stays true. The last
    bit says that the day is *plain*: its hard windows and driving are all there is to know of it.
    """
    n = s[d[S_LENGTH] + r]
    row = d[S_ROUTE] + r * d[N_LENGTH]
    h = EMPTY_STAMP
    plain = d[d[SLOT_PLAIN] + r]
    day = d[d[SLOT_DAY] + r]
    for i in range(n):
        v = s[row + i]
        h = mixed(h, v + 1)
        if s[d[S_LOW] + v] > -INF or s[d[S_HIGH] + v] < INF:
            h = mixed(mixed(h, s[d[S_LOW] + v]), s[d[S_HIGH] + v])
            plain = 0
        if d[d[V_PLAIN] + v] == 0:
            plain = 0
        if d[d[V_MATES] + v]:
            salt = mates_salt(d, s, v, day, r)
            if salt != 0:
                h = mixed(h, salt)
                plain = 0
    s[d[S_STAMP] + r] = (h << 1) | plain


@compiled
def mates_salt(d, s, v, day, r):
    """Where the patient's other visits of the day are, as one number, those in slot `r` apart; 0 if there are none.

    Times at which the patient is busy are always the same, but they count as company."""
    p = d[d[V_PATIENT] + v]
    h = 0
    if d[d[P_BUSY] + p + 1] > d[d[P_BUSY] + p]:
        h = 7
    for k in range(d[d[P_VISITS] + p], d[d[P_VISITS] + p + 1]):
        u = d[d[PV_VISIT] + k]
        q = s[d[S_SLOT] + u]
        if u != v and q >= 0 and q != r and d[d[SLOT_DAY] + q] == day:
            h = mixed(h, (u + 1) * 100_003 + s[d[S_START] + u] * 7 + s[d[S_MINUTES] + u])
    return h


@compiled
def restamp_mates(d, s, x, v, r):
    """Stamp anew the other slots that hold visits of the same patient on the day of slot `r`."""
    if d[d[V_MATES] + v] == 0:
        return
    p = d[d[V_PATIENT] + v]
    day = d[d[SLOT_DAY] + r]
    for k in range(d[d[P_VISITS] + p], d[d[P_VISITS] + p + 1]):
        q = s[d[S_SLOT] + d[d[PV_VISIT] + k]]
        if q >= 0 and q != r and d[d[SLOT_DAY] + q] == day:
            log_stamp(d, s, x, q)
            restamp(d, s, q)


# ---- the log: what to put back ---------------------------------------------------------------------------------------


@compiled
def start_log(d, x):
    """Write down from now on what changes; the place in the log to go back to with `undo`."""
    control = d[X_CONTROL]
    x[control + CONTROL_DEPTH] += 1
    return x[control + CONTROL_LENGTH]


@compiled
def end_log(d, x):
    """The reverse of `start_log`; what is written down is forgotten when nobody needs it any more."""
    control = d[X_CONTROL]
    x[control + CONTROL_DEPTH] -= 1
    if x[control + CONTROL_DEPTH] == 0:
        x[control + CONTROL_LENGTH] = 0


@compiled
def log_has_room(d, x, records):
    """Whether so many more changes can be written down, or none need be."""
    control = d[X_CONTROL]
    if x[control + CONTROL_DEPTH] == 0:
        return True
    return x[control + CONTROL_LENGTH] + records * (LOG_FIXED + 8 * d[N_LENGTH]) <= x[control + CONTROL_ROOM]


@compiled
def log_slot(d, s, x, r):
    """Write down slot `r` and its visits as they are."""
    control = d[X_CONTROL]
    if x[control + CONTROL_DEPTH] == 0:
        return
    begin = x[control + CONTROL_LENGTH]
    at = d[X_LOG] + begin
    n = s[d[S_LENGTH] + r]
    week = d[d[SLOT_CLINICIAN] + r] * d[N_WEEKS] + d[d[SLOT_WEEK] + r]
    x[at] = s[d[S_TOTAL]]
    x[at + 1] = s[d[S_WEEK_WORKED] + week]
    x[at + 2] = s[d[S_WEEK_OVERTIME] + week]
    x[at + 3] = s[d[S_COST] + r]
    x[at + 4] = s[d[S_WORKED] + r]
    x[at + 5] = s[d[S_OVERTIME] + r]
    x[at + 6] = s[d[S_WAITING] + r]
    x[at + 7] = s[d[S_RETURN] + r]
    x[at + 8] = s[d[S_STAMP] + r]
    for k in range(MAX_BREAKS):
        x[at + 9 + k] = s[d[S_REST] + r * MAX_BREAKS + k]
    x[at + 13] = n
    x[at + 14] = s[d[S_LONGEST] + r]
    x[at + 15] = s[d[S_WORST]]
    at += 16
    row = r * d[N_LENGTH]
    for i in range(n):
        v = s[d[S_ROUTE] + row + i]
        x[at] = v
        x[at + 1] = s[d[S_START] + v]
        x[at + 2] = s[d[S_MINUTES] + v]
        x[at + 3] = s[d[S_STATIC] + v]
        x[at + 4] = s[d[S_LOW] + v]
        x[at + 5] = s[d[S_HIGH] + v]
        x[at + 6] = s[d[S_EARLIEST] + row + i]
        x[at + 7] = s[d[S_LATEST] + row + i]
        at += 8
    x[at] = r
    x[at + 1] = begin
    x[control + CONTROL_LENGTH] = at + 2 - d[X_LOG]


@compiled
def log_stamp(d, s, x, r):
    """Write down the stamp of slot `r` alone."""
    control = d[X_CONTROL]
    if x[control + CONTROL_DEPTH] == 0:
        return
    begin = x[control + CONTROL_LENGTH]
    at = d[X_LOG] + begin
    x[at] = s[d[S_STAMP] + r]
    x[at + 1] = -1 - r
    x[at + 2] = begin
    x[control + CONTROL_LENGTH] = begin + 3


@compiled
def undo(d, s, x, mark):
    """Take everything back that was done since the log was as long as `mark`, the last first."""
    control = d[X_CONTROL]
    log = d[X_LOG]
    end = x[control + CONTROL_LENGTH]
    while end > mark:
        r = x[log + end - 2]
        begin = x[log + end - 1]
        at = log + begin
        end = begin
        if r < 0:
            s[d[S_STAMP] - 1 - r] = x[at]
            continue
        week = d[d[SLOT_CLINICIAN] + r] * d[N_WEEKS] + d[d[SLOT_WEEK] + r]
        total = x[at]
        s[d[S_WEEK_WORKED] + week] = x[at + 1]
        s[d[S_WEEK_OVERTIME] + week] = x[at + 2]
        s[d[S_COST] + r] = x[at + 3]
        s[d[S_WORKED] + r] = x[at + 4]
        s[d[S_OVERTIME] + r] = x[at + 5]
        s[d[S_WAITING] + r] = x[at + 6]
        s[d[S_RETURN] + r] = x[at + 7]
        s[d[S_STAMP] + r] = x[at + 8]
        for k in range(MAX_BREAKS):
            s[d[S_REST] + r * MAX_BREAKS + k] = x[at + 9 + k]
        n = x[at + 13]
        s[d[S_LONGEST] + r] = x[at + 14]
        s[d[S_WORST]] = x[at + 15]
        at += 16
        row = r * d[N_LENGTH]
        now = s[d[S_LENGTH] + r]
        s[d[S_COUNT] + COUNT_PLACED] += n - now
        s[d[S_COUNT] + COUNT_USED] += (1 if n > 0 else 0) - (1 if now > 0 else 0)
        for i in range(now):
            v = s[d[S_ROUTE] + row + i]
            s[d[S_SLOT] + v] = -1
            s[d[S_LOW] + v] = -INF
            s[d[S_HIGH] + v] = INF
            count_out(d, s, v)
            if d[d[V_FOLLOWED] + v]:
                follow(d, s, v)
        s[d[S_LENGTH] + r] = n
        for i in range(n):
            v = x[at]
            s[d[S_ROUTE] + row + i] = v
            s[d[S_SLOT] + v] = r
            s[d[S_START] + v] = x[at + 1]
            s[d[S_MINUTES] + v] = x[at + 2]
            s[d[S_STATIC] + v] = x[at + 3]
            s[d[S_LOW] + v] = x[at + 4]
            s[d[S_HIGH] + v] = x[at + 5]
            s[d[S_EARLIEST] + row + i] = x[at + 6]
            s[d[S_LATEST] + row + i] = x[at + 7]
            count_in(d, s, v)
            if d[d[V_FOLLOWED] + v]:
                follow(d, s, v)
            at += 8
        s[d[S_TOTAL]] = total
    x[control + CONTROL_LENGTH] = mark


@compiled
def copy_slot(d, s, t, r):
    """Make slot `r` of state `t` what it is in `s`; the total and the longest wait of all are left to the caller.

    Whoever copies all slots that differ, in any order, has copied the state.
    """
    week = d[d[SLOT_CLINICIAN] + r] * d[N_WEEKS] + d[d[SLOT_WEEK] + r]
    row = r * d[N_LENGTH]
    before = t[d[S_LENGTH] + r]
    for i in range(before):
        v = t[d[S_ROUTE] + row + i]
        if t[d[S_SLOT] + v] == r:
            t[d[S_SLOT] + v] = -1
            t[d[S_LOW] + v] = -INF
            t[d[S_HIGH] + v] = INF
            count_out(d, t, v)
            if d[d[V_FOLLOWED] + v]:
                follow(d, t, v)
    n = s[d[S_LENGTH] + r]
    t[d[S_COUNT] + COUNT_PLACED] += n - before
    t[d[S_COUNT] + COUNT_USED] += (1 if n > 0 else 0) - (1 if before > 0 else 0)
    t[d[S_LENGTH] + r] = n
    t[d[S_WEEK_WORKED] + week] = s[d[S_WEEK_WORKED] + week]
    t[d[S_WEEK_OVERTIME] + week] = s[d[S_WEEK_OVERTIME] + week]
    t[d[S_COST] + r] = s[d[S_COST] + r]
    t[d[S_WORKED] + r] = s[d[S_WORKED] + r]
    t[d[S_OVERTIME] + r] = s[d[S_OVERTIME] + r]
    t[d[S_WAITING] + r] = s[d[S_WAITING] + r]
    t[d[S_RETURN] + r] = s[d[S_RETURN] + r]
    t[d[S_LONGEST] + r] = s[d[S_LONGEST] + r]
    t[d[S_STAMP] + r] = s[d[S_STAMP] + r]
    for k in range(MAX_BREAKS):
        t[d[S_REST] + r * MAX_BREAKS + k] = s[d[S_REST] + r * MAX_BREAKS + k]
    for i in range(n):
        v = s[d[S_ROUTE] + row + i]
        t[d[S_ROUTE] + row + i] = v
        t[d[S_EARLIEST] + row + i] = s[d[S_EARLIEST] + row + i]
        t[d[S_LATEST] + row + i] = s[d[S_LATEST] + row + i]
        t[d[S_SLOT] + v] = r
        t[d[S_START] + v] = s[d[S_START] + v]
        t[d[S_MINUTES] + v] = s[d[S_MINUTES] + v]
        t[d[S_STATIC] + v] = s[d[S_STATIC] + v]
        t[d[S_LOW] + v] = s[d[S_LOW] + v]
        t[d[S_HIGH] + v] = s[d[S_HIGH] + v]
        count_in(d, t, v)
        if d[d[V_FOLLOWED] + v]:
            follow(d, t, v)


@compiled
def copy_slots(d, s, t, slots, total):
    """`copy_slot` for each of `slots`; then `t` costs `total`. For problems that leave the longest wait unpriced."""
    for k in range(slots.size):
        copy_slot(d, s, t, slots[k])
    t[d[S_TOTAL]] = total


@compiled
def note_dirty(d, x):
    """Remember the slots that the log names as different from the best plan."""
    control = d[X_CONTROL]
    end = x[control + CONTROL_LENGTH]
    while end > 0:
        r = x[d[X_LOG] + end - 2]
        end = x[d[X_LOG] + end - 1]
        if r < 0:
            r = -1 - r
        if x[d[X_IS_DIRTY] + r] == 0:
            x[d[X_IS_DIRTY] + r] = 1
            x[d[X_DIRTY] + x[control + CONTROL_DIRTY]] = r
            x[control + CONTROL_DIRTY] += 1


@compiled
def keep_best(d, s, best, x):
    """Bring `best` up to `s` in the slots that differ."""
    control = d[X_CONTROL]
    for k in range(x[control + CONTROL_DIRTY]):
        r = x[d[X_DIRTY] + k]
        copy_slot(d, s, best, r)
        x[d[X_IS_DIRTY] + r] = 0
    x[control + CONTROL_DIRTY] = 0
    best[d[S_TOTAL]] = s[d[S_TOTAL]]
    best[d[S_WORST]] = s[d[S_WORST]]


@compiled
def commit(d, s, x, r, n):
    """Make the evaluated sequence the route of slot `r` and keep every sum right."""
    out = d[X_OUT]
    if n == 0:
        for k in range(OUT_STATUS):
            x[out + k] = 0
        for k in range(MAX_BREAKS):
            x[d[X_KEPT_REST] + k] = -1
    worked = x[out + OUT_WORKED]
    overtime = x[out + OUT_OVERTIME]
    s[d[S_TOTAL]] += x[out + OUT_COST] - s[d[S_COST] + r] + week_change(d, s, r, worked, overtime)
    k = d[d[SLOT_CLINICIAN] + r] * d[N_WEEKS] + d[d[SLOT_WEEK] + r]
    s[d[S_WEEK_WORKED] + k] += worked - s[d[S_WORKED] + r]
    s[d[S_WEEK_OVERTIME] + k] += overtime - s[d[S_OVERTIME] + r]
    s[d[S_COST] + r] = x[out + OUT_COST]
    s[d[S_WORKED] + r] = worked
    s[d[S_OVERTIME] + r] = overtime
    s[d[S_WAITING] + r] = x[out + OUT_WAITING]
    s[d[S_RETURN] + r] = x[out + OUT_RETURN]
    if d[W_LONGEST]:
        worst = max(others_longest(d, s, r), x[out + OUT_LONGEST])
        s[d[S_TOTAL]] += (worst - s[d[S_WORST]]) * d[W_LONGEST]
        s[d[S_WORST]] = worst
        s[d[S_LONGEST] + r] = x[out + OUT_LONGEST]
    before = s[d[S_LENGTH] + r]
    s[d[S_COUNT] + COUNT_PLACED] += n - before
    s[d[S_COUNT] + COUNT_USED] += (1 if n > 0 else 0) - (1 if before > 0 else 0)
    s[d[S_LENGTH] + r] = n
    row = d[S_ROUTE] + r * d[N_LENGTH]
    for i in range(n):
        v = x[d[X_SEQUENCE] + i]
        s[row + i] = v
        if s[d[S_SLOT] + v] != r or s[d[S_ABSENT_AT] + v] >= 0:
            s[d[S_SLOT] + v] = r
            count_in(d, s, v)
        s[d[S_START] + v] = x[d[X_KEPT_TIME] + i]
    if d[N_FOLLOWED]:
        for i in range(n):
            if d[d[V_FOLLOWED] + s[row + i]]:
                follow(d, s, s[row + i])
    for k in range(MAX_BREAKS):
        s[d[S_REST] + r * MAX_BREAKS + k] = x[d[X_KEPT_REST] + k]
    # Earliest ends and latest starts by hard windows alone, without pauses or other visits of the patient: what
    # fails against
    # these fails in truth, so that most positions are refused in a few steps.
    day = d[d[SLOT_DAY] + r]
    places = d[N_PLACES]
    here = d[d[SLOT_FROM] + r]
    t = d[d[SLOT_START] + r]
    for i in range(n):
        v = s[row + i]
        place = d[d[V_PLACE] + v]
        if place >= 0:
            t += d[d[TRAVEL] + here * places + place]
            here = place
        t = next_window(d, v, day, t) + s[d[S_MINUTES] + v]
        s[d[S_EARLIEST] + r * d[N_LENGTH] + i] = t
    there = d[d[SLOT_TO] + r]
    t = d[d[SLOT_END] + r]
    for i in range(n - 1, -1, -1):
        v = s[row + i]
        place = d[d[V_PLACE] + v]
        if place >= 0:
            t -= d[d[TRAVEL] + place * places + there]
            there = place
        t = previous_window(d, v, day, t - s[d[S_MINUTES] + v])
        s[d[S_LATEST] + r * d[N_LENGTH] + i] = t
    restamp(d, s, r)
    for i in range(n):
        restamp_mates(d, s, x, s[row + i], r)


@compiled
def next_window(d, v, day, t):
    """The earliest minute at or after `t` within a hard window; INF if none."""
    row = d[V_WINDOWS] + v * d[N_DAYS] + day
    for k in range(d[row], d[row + 1]):
        if t <= d[d[WINDOW_HIGH] + k]:
            return max(t, d[d[WINDOW_LOW] + k])
    return INF


@compiled
def previous_window(d, v, day, t):
    """The latest minute at or before `t` within a hard window; -INF if none."""
    row = d[V_WINDOWS] + v * d[N_DAYS] + day
    for k in range(d[row + 1] - 1, d[row] - 1, -1):
        if t >= d[d[WINDOW_LOW] + k]:
            return min(t, d[d[WINDOW_HIGH] + k])
    return -INF


# ---- ties between visits ---------------------------------------------------------------------------------------------


@compiled
def spacing_change(d, s, v, day):
    """Cents that `v` adds by standing closer than ideal to its neighbours in time."""
    total = 0
    for k in range(d[d[V_SPACINGS] + v], d[d[V_SPACINGS] + v + 1]):
        g = d[d[VS_GROUP] + k]
        if d[d[SPACING_COST] + g] == 0:
            continue
        before = -INF
        after = INF
        for m in range(d[d[SPACING_VISITS] + g], d[d[SPACING_VISITS] + g + 1]):
            u = d[d[SPACING_VISIT] + m]
            q = s[d[S_SLOT] + u]
            if u == v or q < 0:
                continue
            other = d[d[SLOT_DAY] + q]
            if other <= day:
                before = max(before, other)
            else:
                after = min(after, other)
        for m in range(d[d[SPACING_HELD] + g], d[d[SPACING_HELD] + g + 1]):
            other = d[d[HELD_DAY] + m]
            if other <= day:
                before = max(before, other)
            else:
                after = min(after, other)
        ideal = d[d[SPACING_IDEAL] + g]
        short = max(0, ideal - (day - before)) + max(0, ideal - (after - day)) - max(0, ideal - (after - before))
        total += short * d[d[SPACING_COST] + g]
    return total


@compiled
def spacing_broken(d, s, v, day):
    """Whether `v` on `day` stands closer to another visit of its order than the hard minimum.

    Here as in the other ties, what is locked is a fact: a locked visit is refused only on account of one that is not.
    """
    held = d[d[V_LOCKED] + v]
    for k in range(d[d[V_SPACINGS] + v], d[d[V_SPACINGS] + v + 1]):
        g = d[d[VS_GROUP] + k]
        least = d[d[SPACING_MIN] + g]
        for m in range(d[d[SPACING_VISITS] + g], d[d[SPACING_VISITS] + g + 1]):
            u = d[d[SPACING_VISIT] + m]
            q = s[d[S_SLOT] + u]
            if u == v or q < 0 or (held and d[d[V_LOCKED] + u]):
                continue
            if abs(d[d[SLOT_DAY] + q] - day) < least:
                return True
        if held:
            continue
        for m in range(d[d[SPACING_HELD] + g], d[d[SPACING_HELD] + g + 1]):
            if abs(d[d[HELD_DAY] + m] - day) < least:
                return True
    return False


@compiled
def limit_broken(d, s, v, day):
    """Whether one more visit on `day` breaks a daily limit."""
    for k in range(d[d[V_LIMITS] + v], d[d[V_LIMITS] + v + 1]):
        g = d[d[VL_GROUP] + k]
        count = d[d[LIMIT_HELD] + g * d[N_DAYS] + day] + 1
        movable = d[d[V_LOCKED] + v] == 0
        for m in range(d[d[LIMIT_VISITS] + g], d[d[LIMIT_VISITS] + g + 1]):
            u = d[d[LIMIT_VISIT] + m]
            q = s[d[S_SLOT] + u]
            if u != v and q >= 0 and d[d[SLOT_DAY] + q] == day:
                count += 1
                movable = movable or d[d[V_LOCKED] + u] == 0
        if movable and count > d[d[LIMIT_MAX] + g]:
            return True
    return False


@compiled
def pattern_broken(d, s, v, day):
    """Whether `v` on `day` and the other visits of its order that are made follow none of its patterns of days."""
    for k in range(d[d[V_PATTERNS] + v], d[d[V_PATTERNS] + v + 1]):
        g = d[d[VP_GROUP] + k]
        words = d[d[PATTERN_WORDS] + g]
        movable = d[d[V_LOCKED] + v] == 0
        follows = False
        for w in range(words):
            left = d[d[PATTERN_BITS] + d[d[VP_AT] + k] + day * words + w]
            for m in range(d[d[PATTERN_VISITS] + g], d[d[PATTERN_VISITS] + g + 1]):
                u = d[d[PATTERN_VISIT] + m]
                q = s[d[S_SLOT] + u]
                if u != v and q >= 0:
                    left &= d[d[PATTERN_BITS] + d[d[PATTERN_AT] + m] + d[d[SLOT_DAY] + q] * words + w]
                    movable = movable or d[d[V_LOCKED] + u] == 0
            follows = follows or left != 0
        if movable and not follows:
            return True
    return False


@compiled
def tie_broken(d, s, v, day):
    """Whether spacing, a daily limit or a pattern of days keeps `v` from `day`."""
    return spacing_broken(d, s, v, day) or limit_broken(d, s, v, day) or pattern_broken(d, s, v, day)


@compiled
def minutes_left(d, s, v, day, week):
    """How long `v` may be on `day` before a cap of its groups breaks."""
    left = INF
    for k in range(d[d[V_CAPS] + v], d[d[V_CAPS] + v + 1]):
        g = d[d[VC_GROUP] + k]
        on_day = d[d[CAP_DAY] + g] - d[d[CAP_USED_DAY] + g * d[N_DAYS] + day]
        in_week = d[d[CAP_WEEK] + g] - d[d[CAP_USED_WEEK] + g * d[N_WEEKS] + week]
        day_counts = week_counts = d[d[V_LOCKED] + v] == 0
        for m in range(d[d[CAP_VISITS] + g], d[d[CAP_VISITS] + g + 1]):
            u = d[d[CAP_VISIT] + m]
            q = s[d[S_SLOT] + u]
            if u == v or q < 0:
                continue
            if d[d[SLOT_DAY] + q] == day:
                on_day -= s[d[S_MINUTES] + u]
                day_counts = day_counts or d[d[V_LOCKED] + u] == 0
            if d[d[SLOT_WEEK] + q] == week:
                in_week -= s[d[S_MINUTES] + u]
                week_counts = week_counts or d[d[V_LOCKED] + u] == 0
        if day_counts:
            left = min(left, on_day)
        if week_counts:
            left = min(left, in_week)
    return left


@compiled
def faces_change(d, s, v, c, week):
    """Cents that `v` adds when clinician `c` is one more face for the patient in `week`."""
    total = 0
    for k in range(d[d[V_FACES] + v], d[d[V_FACES] + v + 1]):
        g = d[d[VF_GROUP] + k]
        seen = 0
        known = False
        begin = d[d[FACES_HELD] + g]
        end = d[d[FACES_HELD] + g + 1]
        for m in range(begin, end):
            if d[d[HELD_FACE] + m] // d[N_CLINICIANS] == week:
                seen += 1
                if d[d[HELD_FACE] + m] % d[N_CLINICIANS] == c:
                    known = True
        first = d[d[FACES_VISITS] + g]
        for m in range(first, d[d[FACES_VISITS] + g + 1]):
            u = d[d[FACES_VISIT] + m]
            q = s[d[S_SLOT] + u]
            if u == v or q < 0 or d[d[SLOT_WEEK] + q] != week:
                continue
            face = d[d[SLOT_CLINICIAN] + q]
            if face == c:
                known = True
            fresh = True
            for h in range(begin, end):
                if d[d[HELD_FACE] + h] == week * d[N_CLINICIANS] + face:
                    fresh = False
            for h in range(first, m):
                if not fresh:
                    break
                w = d[d[FACES_VISIT] + h]
                p = s[d[S_SLOT] + w]
                if w != v and p >= 0 and d[d[SLOT_WEEK] + p] == week and d[d[SLOT_CLINICIAN] + p] == face:
                    fresh = False
            if fresh:
                seen += 1
        if not known and seen >= d[d[FACES_FREE] + g]:
            total += d[d[FACES_COST] + g]
    return total


# ---- moves -----------------------------------------------------------------------------------------------------------


@compiled
def insertion(d, s, x, v, r, position):
    """Cents more for route, week and longest wait with `v` at `position` of slot `r`, or INF; `OUT_STATUS` says what
    failed. `longest_relief` is apart."""
    n = s[d[S_LENGTH] + r]
    row = d[S_ROUTE] + r * d[N_LENGTH]
    for i in range(position):
        x[d[X_SEQUENCE] + i] = s[row + i]
    x[d[X_SEQUENCE] + position] = v
    for i in range(position, n):
        x[d[X_SEQUENCE] + i + 1] = s[row + i]
    status = evaluate(d, s, x, r, n + 1)
    x[d[X_OUT] + OUT_STATUS] = status
    if status != OK:
        return INF
    week = week_change(d, s, r, x[d[X_OUT] + OUT_WORKED], x[d[X_OUT] + OUT_OVERTIME])
    if week >= INF:
        x[d[X_OUT] + OUT_STATUS] = TOO_LONG
        return INF
    return x[d[X_OUT] + OUT_COST] - s[d[S_COST] + r] + week + longest_price(d, s, r, x[d[X_OUT] + OUT_LONGEST])


@compiled
def place(d, s, x, v, r, position, static, minutes):
    """Put `v` into slot `r`: True if it fits. Sums follow."""
    s[d[S_MINUTES] + v] = minutes
    if not log_has_room(d, x, 4) or insertion(d, s, x, v, r, position) >= INF:
        return False
    log_slot(d, s, x, r)
    day = d[d[SLOT_DAY] + r]
    s[d[S_TOTAL]] += static - d[d[V_UNPLACED] + v] + spacing_change(d, s, v, day)
    s[d[S_TOTAL]] += faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
    s[d[S_STATIC] + v] = static
    commit(d, s, x, r, s[d[S_LENGTH] + r] + 1)
    return True


@compiled
def take_out(d, s, x, v):
    """Take `v` out of its route. False, and nothing changed, if the rest would not fit without it (travel need not
    be metric)."""
    r = s[d[S_SLOT] + v]
    n = s[d[S_LENGTH] + r]
    row = d[S_ROUTE] + r * d[N_LENGTH]
    m = ZERO
    for i in range(n):
        if s[row + i] != v:
            x[d[X_SEQUENCE] + m] = s[row + i]
            m += 1
    if m > 0:
        if evaluate(d, s, x, r, m) != OK:
            return False
        if week_change(d, s, r, x[d[X_OUT] + OUT_WORKED], x[d[X_OUT] + OUT_OVERTIME]) >= INF:
            return False
    log_slot(d, s, x, r)
    s[d[S_SLOT] + v] = -1
    count_out(d, s, v)
    commit(d, s, x, r, m)
    if d[d[V_FOLLOWED] + v]:
        follow(d, s, v)
    restamp_mates(d, s, x, v, r)
    day = d[d[SLOT_DAY] + r]
    s[d[S_TOTAL]] += d[d[V_UNPLACED] + v] - s[d[S_STATIC] + v] - spacing_change(d, s, v, day)
    s[d[S_TOTAL]] -= faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
    s[d[S_LOW] + v] = -INF
    s[d[S_HIGH] + v] = INF
    return True


@compiled
def draw(rng, n):
    """A number from 0 to `n` - 1 (xorshift64*)."""
    z = rng[0]
    z ^= z >> np.uint64(12)
    z ^= z << np.uint64(25)
    z ^= z >> np.uint64(27)
    rng[0] = z
    return np.int64(((z * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(n))


@compiled
def list_positions(d, s, x, v, r, entry):
    """Write to `X_BOUND`, for each position of `v` in slot `r`, a lower bound of what it adds to the route, INF where
    it is plainly impossible; the lowest.

    The bound is the exact way there and back and the minutes that `v` itself must be late, less the waiting that
    the visit could fill and what long waits cost. On a plain day it is the price itself.
    """
    n = s[d[S_LENGTH] + r]
    length = d[N_LENGTH]
    row = d[S_ROUTE] + r * length
    earliest = d[S_EARLIEST] + r * length
    latest = d[S_LATEST] + r * length
    places = d[N_PLACES]
    travel = d[TRAVEL]
    leg = d[LEG]
    place_of = d[V_PLACE]
    spot = d[place_of + v]
    day = d[d[SLOT_DAY] + r]
    minutes = d[d[CANDIDATE_MINUTES] + entry]
    late = d[d[V_LATE] + v]
    wished = d[d[V_PREFERRED_HIGH] + v * d[N_DAYS] + day]
    waited = s[d[S_WAITING] + r]
    spared = max(0, waited - d[IDLE_FREE]) * d[W_IDLE]
    windows = d[V_WINDOWS] + v * d[N_DAYS] + day
    window = d[windows]
    many = d[windows + 1] - window > 1
    opens = d[d[WINDOW_LOW] + window]
    closes = d[d[WINDOW_HIGH] + window]
    low = s[d[S_LOW] + v]
    high = s[d[S_HIGH] + v]
    before = d[d[SLOT_FROM] + r]
    free = d[d[SLOT_START] + r]
    lowest = INF
    for position in range(n + 1):
        if position > 0:
            place = d[place_of + s[row + position - 1]]
            if place >= 0:
                before = place
            free = s[earliest + position - 1]
        x[d[X_BOUND] + position] = INF
        due = d[d[SLOT_END] + r]
        after = d[d[SLOT_TO] + r]
        if position < n:
            due = s[latest + position]
            place = d[place_of + s[row + position]]
            if place >= 0:
                after = place
            else:
                due = INF  # a remote visit next: where it is made depends on the order, leave it to the full test
                for i in range(position + 1, n):
                    if d[place_of + s[row + i]] >= 0:
                        after = d[place_of + s[row + i]]
                        break
        there = before if spot < 0 else spot
        to = before * places + there
        on = there * places + after
        begin = max(low, free + d[travel + to])
        if many:
            begin = next_window(d, v, day, begin)
        elif begin > closes:
            begin = INF
        elif begin < opens:
            begin = opens
        if begin > high or begin >= INF or begin + minutes + d[travel + on] > due:
            continue
        price = d[leg + to] + d[leg + on] - d[leg + before * places + after]
        if waited > 0:
            more = minutes + d[travel + to] + d[travel + on] - d[travel + before * places + after]
            price -= min(waited, max(0, more)) * d[W_WAITING] + spared
        if late > 0 and begin > wished:
            price += late * (begin - wished)
        x[d[X_BOUND] + position] = price
        lowest = min(lowest, price)
    return lowest


@compiled
def first_at(d, x, n, price):
    """The first of `n` positions in `X_BOUND` with this bound."""
    for position in range(n):
        if x[d[X_BOUND] + position] == price:
            return position
    return -1


@compiled
def slot_insertion(d, s, x, rng, v, r, entry, blink, bound):
    """The cheapest position of `v` in slot `r` (its candidate `entry`) below `bound`, for route and week alone.

    (cents, position), (INF, -1) if none. `blink` is how many of 1,000 positions are overlooked.
    """
    if s[d[S_LENGTH] + r] >= d[d[SLOT_MAX_VISITS] + r]:
        return INF, -1
    s[d[S_MINUTES] + v] = d[d[CANDIDATE_MINUTES] + entry]
    n = s[d[S_LENGTH] + r] + 1
    list_positions(d, s, x, v, r, entry)
    best = bound
    chosen = -1
    while True:
        low = best
        pick = -1
        for position in range(n):
            if x[d[X_BOUND] + position] < low:
                low = x[d[X_BOUND] + position]
                pick = position
        if pick < 0:
            break
        x[d[X_BOUND] + pick] = INF
        if blink > 0 and draw(rng, 1000) < blink:
            continue
        cost = insertion(d, s, x, v, r, pick)
        if cost < best:
            best = cost
            chosen = pick
    return (best, chosen) if chosen >= 0 else (INF, -1)


@compiled
def look(d, s, x, v, r, entry, salt, at):
    """Bring the note at `at` on the price of `v` in slot `r` up to date; `salt` is its `mates_salt`.

    A note is the stamp it holds for, a price, the position of that price (-1: it is only a lower bound), and the day's
    longest wait, worked and overtime minutes then (-1: they do not matter). The price is that of the route alone.
    """
    stamp = s[d[S_STAMP] + r]
    key = stamp ^ salt
    if x[at] == key:
        return
    x[at] = key
    lowest = list_positions(d, s, x, v, r, entry)
    x[at + 1] = lowest
    x[at + 2] = -1
    x[at + 3] = -1
    if lowest >= INF:
        x[at + 2] = 0
    elif stamp & 1 and salt == 0 and d[d[V_PLAIN] + v] and s[d[S_LOW] + v] <= -INF and s[d[S_HIGH] + v] >= INF:
        x[at + 2] = first_at(d, x, s[d[S_LENGTH] + r] + 1, lowest)


@compiled
def look_closer(d, s, x, v, r, entry, at, limit):
    """Make the note at `at` exact if its price is below `limit`, else raise its bound to that.

    Found is always the same for the same content of the slot, whatever was asked before.
    """
    n = s[d[S_LENGTH] + r] + 1
    row = d[S_ROUTE] + r * d[N_LENGTH]
    sequence = d[X_SEQUENCE]
    s[d[S_MINUTES] + v] = d[d[CANDIDATE_MINUTES] + entry]
    list_positions(d, s, x, v, r, entry)
    best = limit
    chosen = -1
    possible = False
    while True:
        low = INF
        pick = -1
        for position in range(n):
            if x[d[X_BOUND] + position] < low:
                low = x[d[X_BOUND] + position]
                pick = position
        if pick < 0:
            break
        if low >= best:
            possible = True
            break
        x[d[X_BOUND] + pick] = INF
        for i in range(pick):
            x[sequence + i] = s[row + i]
        x[sequence + pick] = v
        for i in range(pick, n - 1):
            x[sequence + i + 1] = s[row + i]
        if evaluate(d, s, x, r, n) != OK:
            continue
        possible = True
        cost = max(low, x[d[X_OUT] + OUT_COST] - s[d[S_COST] + r])
        if cost < best:
            best = cost
            chosen = pick
            hours = (x[d[X_OUT] + OUT_LONGEST] << HOURS) + x[d[X_OUT] + OUT_WORKED]
            x[at + 3] = (hours << HOURS) + x[d[X_OUT] + OUT_OVERTIME]
    if chosen >= 0:
        x[at + 1] = best
        x[at + 2] = chosen
    elif possible:
        x[at + 1] = max(x[at + 1], limit)
    else:
        x[at + 1] = INF
        x[at + 2] = 0


@compiled
def hours_change(d, s, r, hours):
    """`week_change` for the hours of a note, 0 where they do not matter or would come cheaper, and `longest_price`."""
    if hours < 0:
        return 0
    mask = (1 << HOURS) - 1
    change = max(0, week_change(d, s, r, (hours >> HOURS) & mask, hours & mask))
    return change + longest_price(d, s, r, hours >> (2 * HOURS))


@compiled
def may_hold(d, s, v, r, minutes):
    """Whether ties and the number of visits let `v` be in slot `r`; time is not asked."""
    if s[d[S_LENGTH] + r] >= d[d[SLOT_MAX_VISITS] + r]:
        return False
    day = d[d[SLOT_DAY] + r]
    if minutes_left(d, s, v, day, d[d[SLOT_WEEK] + r]) < minutes:
        return False
    return not tie_broken(d, s, v, day)


@compiled
def forget_days(d, x):
    """Clear what `day_cost` remembers, before another visit or another state is asked."""
    for day in range(d[N_DAYS]):
        x[d[X_DAY_COST] + day] = -1


@compiled
def day_cost(d, s, x, v, r):
    """Spacing cost of `v` on the day of slot `r`, INF where a tie forbids it; remembered in `x` for the other slots
    of the day, with the minutes left and the patient's other visits."""
    day = d[d[SLOT_DAY] + r]
    known = x[d[X_DAY_COST] + day]
    if known < 0:
        known = spacing_change(d, s, v, day)
        if tie_broken(d, s, v, day):
            known = INF
        x[d[X_DAY_COST] + day] = known
        x[d[X_DAY_LEFT] + day] = minutes_left(d, s, v, day, d[d[SLOT_WEEK] + r]) if known < INF else 0
        x[d[X_DAY_SALT] + day] = mates_salt(d, s, v, day, ZERO - 1) if d[d[V_MATES] + v] else 0
    return known


@compiled
def next_blink(rng, blink):
    """How many slots are looked at before the next one is overlooked, `blink` of 1,000."""
    if blink <= 0:
        return INF
    luck = (draw(rng, 1 << 30) + 1) / (1 << 30)
    return np.int64(math.log(luck) / math.log(1.0 - blink / 1000.0))


@compiled
def note_of(d, x, entry, tied):
    """Where the note of a candidate is: its own if prices are noted and the visit is free, else one for the moment."""
    if x[d[X_CONTROL] + CONTROL_NOTES] and not tied:
        return d[X_NOTE] + (entry + 1) * NOTE_SIZE
    x[d[X_NOTE]] = 0
    return d[X_NOTE]


@compiled
def best_insertion(d, s, x, rng, v, blink, bound, who, other):
    """The cheapest place of `v` below `bound` cents: its cost, or INF; the place goes to `X_BEST`.

    `who` and `other` narrow the clinicians for a linked visit: DIFFERENT from or SAME as clinician `other`. `blink` is
    how many of 1,000 slots are overlooked. Slots with a lower bound are looked at closer in the order of their bounds;
    of equal places the first candidate is taken.
    """
    low = s[d[S_LOW] + v]
    high = s[d[S_HIGH] + v]
    tied = low > -INF or high < INF
    loose = d[d[V_LOOSE] + v]
    if not loose:
        forget_days(d, x)
    touching = d[N_FOLLOWED]
    stop = d[d[V_CANDIDATES] + v + 1]
    slot_of = d[CANDIDATE_SLOT]
    cost_of = d[CANDIDATE_COST]
    shut = d[X_SHUT]
    length_of = d[S_LENGTH]
    most = d[SLOT_MAX_VISITS]
    waiting = d[S_WAITING]
    wait_price = d[W_WAITING] + d[W_IDLE]
    longest = d[W_LONGEST]
    stamp_of = d[S_STAMP]
    noting = x[d[X_CONTROL] + CONTROL_NOTES] != 0 and not tied
    notes = d[X_NOTE]
    faced = d[d[V_FACES] + v + 1] > d[d[V_FACES] + v]
    count = 0
    best = bound
    chosen = -1
    where = -1
    gap = next_blink(rng, blink)
    salt = 0
    for k in range(d[d[V_CANDIDATES] + v], stop):
        if gap == 0:
            gap = next_blink(rng, blink)
            continue
        gap -= 1
        r = d[slot_of + k]
        if x[shut + r] or s[length_of + r] >= d[most + r]:
            continue
        fixed = d[cost_of + k]
        if longest:
            fixed -= longest_relief(d, s, r)
        if fixed - (s[waiting + r] * wait_price if wait_price else 0) >= best:
            continue
        if who != ANYONE:
            c = d[d[SLOT_CLINICIAN] + r]
            if (who == DIFFERENT and c == other) or (who == SAME and c != other):
                continue
        if tied and (high < d[d[SLOT_START] + r] or low > d[d[SLOT_END] + r]):
            continue
        if not loose:
            spacing = day_cost(d, s, x, v, r)
            day = d[d[SLOT_DAY] + r]
            if spacing >= INF or d[d[CANDIDATE_MINUTES] + k] > x[d[X_DAY_LEFT] + day]:
                continue
            fixed += spacing
            salt = x[d[X_DAY_SALT] + day]
        if touching:
            fixed += touch_bias(d, s, v, r)
        if noting:
            at = notes + (k + 1) * NOTE_SIZE
            if x[at] != s[stamp_of + r] ^ salt:
                look(d, s, x, v, r, k, salt, at)
        else:
            at = note_of(d, x, k, tied)
            look(d, s, x, v, r, k, salt, at)
        price = x[at + 1]
        if price >= INF or fixed + price >= best:
            continue
        if faced:
            fixed += faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
        week = 0
        if x[at + 2] >= 0:
            week = hours_change(d, s, r, x[at + 3])
            if week < INF:
                if fixed + price + week < best:
                    best = fixed + price + week
                    chosen = k
                    where = x[at + 2]
                continue
        if fixed + price >= best:
            continue
        offer = d[X_OFFER] + count * OFFER_SIZE
        x[offer] = fixed + price
        x[offer + 1] = k
        x[offer + 2] = fixed
        x[offer + 3] = 1 if week >= INF else 0
        count += 1
    while True:
        low = min(best + 1, INF)
        pick = -1
        for i in range(count):
            if x[d[X_OFFER] + i * OFFER_SIZE] < low:
                low = x[d[X_OFFER] + i * OFFER_SIZE]
                pick = i
        if pick < 0:
            break
        offer = d[X_OFFER] + pick * OFFER_SIZE
        x[offer] = INF
        k = x[offer + 1]
        if low == best and k > chosen:
            continue
        r = d[d[CANDIDATE_SLOT] + k]
        fixed = x[offer + 2]
        # One cent more than is needed: of equal places the first candidate is to win.
        limit = best - fixed + (1 if k < chosen else 0)
        price = INF
        position = -1
        if x[offer + 3] == 0:
            at = note_of(d, x, k, tied)
            if at == d[X_NOTE]:
                x[at + 1] = -INF
                x[at + 2] = -1
                x[at + 3] = -1
            look_closer(d, s, x, v, r, k, at, limit)
            price = x[at + 1]
            position = x[at + 2]
            if price >= limit or position < 0:
                continue
            week = hours_change(d, s, r, x[at + 3])
            price = INF if week >= INF else price + week
        if price >= INF:
            # The cheapest position makes the week too long: perhaps another one does not.
            price, position = slot_insertion(d, s, x, rng, v, r, k, 0, limit)
        if position >= 0 and price < limit:
            best = fixed + price
            chosen = k
            where = position
    if chosen < 0:
        return INF
    x[d[X_BEST] + BEST_SLOT] = d[d[CANDIDATE_SLOT] + chosen]
    x[d[X_BEST] + BEST_POSITION] = where
    x[d[X_BEST] + BEST_STATIC] = d[d[CANDIDATE_COST] + chosen]
    x[d[X_BEST] + BEST_MINUTES] = d[d[CANDIDATE_MINUTES] + chosen]
    return best


@compiled
def put_best(d, s, x, v):
    """Carry out what `best_insertion` found."""
    b = d[X_BEST]
    return place(d, s, x, v, x[b + BEST_SLOT], x[b + BEST_POSITION], x[b + BEST_STATIC], x[b + BEST_MINUTES])


@compiled
def insert_single(d, s, x, rng, v, blink):
    """Put `v` where it is cheapest, if that is cheaper than leaving it out. True if placed."""
    cost = best_insertion(d, s, x, rng, v, blink, d[d[V_UNPLACED] + v], ZERO + ANYONE, ZERO - 1)
    return cost < INF and put_best(d, s, x, v)


@compiled
def insert_partner(d, s, x, rng, v, blink):
    """Put `v` within its link's reach of a partner that stands where it may not be moved. True if placed."""
    u = d[d[LINK_OTHER] + v]
    begin = s[d[S_START] + u]
    s[d[S_LOW] + v] = begin - d[d[LINK_HIGH] + v]
    s[d[S_HIGH] + v] = begin - d[d[LINK_LOW] + v]
    c = d[d[SLOT_CLINICIAN] + s[d[S_SLOT] + u]]
    cost = best_insertion(d, s, x, rng, v, blink, d[d[V_UNPLACED] + v], d[d[LINK_WHO] + v], c)
    if cost < INF and put_best(d, s, x, v):
        s[d[S_LOW] + v] = s[d[S_HIGH] + v] = s[d[S_START] + v]
        restamp(d, s, s[d[S_SLOT] + v])
        return True
    s[d[S_LOW] + v] = -INF
    s[d[S_HIGH] + v] = INF
    return False


@compiled
def retime(d, s, x, r):
    """Time slot `r` again as its visits are now bound. True if it fits; sums follow."""
    n = s[d[S_LENGTH] + r]
    if n == 0:
        return True
    for i in range(n):
        x[d[X_SEQUENCE] + i] = s[d[S_ROUTE] + r * d[N_LENGTH] + i]
    if evaluate(d, s, x, r, n) != OK:
        return False
    if week_change(d, s, r, x[d[X_OUT] + OUT_WORKED], x[d[X_OUT] + OUT_OVERTIME]) >= INF:
        return False
    if not log_has_room(d, x, 4):
        return False
    log_slot(d, s, x, r)
    commit(d, s, x, r, n)
    return True


@compiled
def insert_pair(d, s, x, rng, v, blink):
    """Place two linked visits, or none: the cheapest of some places of `v`, each with the best place of its partner.

    Both are bound to the start they are found with until one of them is taken out, so that every route can be timed
    alone.
    """
    u = d[d[LINK_OTHER] + v]
    before = s[d[S_TOTAL]]
    bound = d[d[V_UNPLACED] + v] + d[d[V_UNPLACED] + u]
    tries = d[X_TRY]
    count = 0
    # The cheapest places of the first one, at most one in each slot.
    forget_days(d, x)
    gap = next_blink(rng, blink)
    for k in range(d[d[V_CANDIDATES] + v], d[d[V_CANDIDATES] + v + 1]):
        if gap == 0:
            gap = next_blink(rng, blink)
            continue
        gap -= 1
        r = d[d[CANDIDATE_SLOT] + k]
        if x[d[X_SHUT] + r] or s[d[S_LENGTH] + r] >= d[d[SLOT_MAX_VISITS] + r]:
            continue
        spacing = day_cost(d, s, x, v, r)
        minutes = d[d[CANDIDATE_MINUTES] + k]
        day = d[d[SLOT_DAY] + r]
        if spacing >= INF or minutes > x[d[X_DAY_LEFT] + day]:
            continue
        fixed = d[d[CANDIDATE_COST] + k] + spacing - longest_relief(d, s, r)
        limit = bound - fixed
        if count == TRIES:
            limit = min(limit, x[tries + (TRIES - 1) * 4] - fixed)
        at = note_of(d, x, k, False)
        look(d, s, x, v, r, k, x[d[X_DAY_SALT] + day], at)
        if x[at + 1] >= limit:
            continue
        faces = faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
        fixed += faces
        limit -= faces
        if x[at + 2] < 0:
            look_closer(d, s, x, v, r, k, at, limit)
        cost = x[at + 1]
        position = x[at + 2]
        if position < 0 or cost >= limit:
            continue
        week = hours_change(d, s, r, x[at + 3])
        if week >= INF:
            cost, position = slot_insertion(d, s, x, rng, v, r, k, 0, limit)
            week = 0
        cost += week
        if position < 0 or cost >= limit:
            continue
        cost += fixed
        i = min(count, TRIES - 1)
        while i > 0 and x[tries + (i - 1) * 4] > cost:
            for m in range(4):
                x[tries + i * 4 + m] = x[tries + (i - 1) * 4 + m]
            i -= 1
        x[tries + i * 4] = cost
        x[tries + i * 4 + 1] = k
        x[tries + i * 4 + 2] = position
        count = min(count + 1, TRIES)
    best = before
    chosen = -1
    mark = start_log(d, x)
    for i in range(count):
        k = x[tries + i * 4 + 1]
        x[tries + i * 4 + 3] = rng[0]
        if place_pair(d, s, x, rng, v, k, x[tries + i * 4 + 2], blink, bound) and s[d[S_TOTAL]] < best:
            best = s[d[S_TOTAL]]
            chosen = i
            if i == count - 1:
                end_log(d, x)
                return True
        undo(d, s, x, mark)
    placed = False
    if chosen >= 0:
        # Once more, with the luck it had.
        rng[0] = x[tries + chosen * 4 + 3]
        k = x[tries + chosen * 4 + 1]
        placed = place_pair(d, s, x, rng, v, k, x[tries + chosen * 4 + 2], blink, bound)
        if not placed:
            undo(d, s, x, mark)
    end_log(d, x)
    return placed


@compiled
def place_pair(d, s, x, rng, v, k, position, blink, bound):
    """Put `v` at `position` of its candidate `k` and its partner where that is cheapest. False if either does not fit;
    the caller then goes back."""
    u = d[d[LINK_OTHER] + v]
    low = d[d[LINK_LOW] + v]  # start of u less start of v
    high = d[d[LINK_HIGH] + v]
    r = d[d[CANDIDATE_SLOT] + k]
    if not place(d, s, x, v, r, position, d[d[CANDIDATE_COST] + k], d[d[CANDIDATE_MINUTES] + k]):
        return False
    # How late the first could start: its latest start with the rest of the route as it is.
    late = s[d[S_LATEST] + r * d[N_LENGTH] + position]
    early = s[d[S_EARLIEST] + r * d[N_LENGTH] + position] - s[d[S_MINUTES] + v]
    s[d[S_LOW] + u] = early + low
    s[d[S_HIGH] + u] = late + high
    cost = best_insertion(d, s, x, rng, u, blink, bound, d[d[LINK_WHO] + v], d[d[SLOT_CLINICIAN] + r])
    if cost >= INF or not put_best(d, s, x, u):
        s[d[S_LOW] + u] = -INF
        s[d[S_HIGH] + u] = INF
        return False
    theirs = s[d[S_START] + u]
    mine = min(max(s[d[S_START] + v], theirs - high), theirs - low)
    s[d[S_LOW] + u] = s[d[S_HIGH] + u] = theirs
    s[d[S_LOW] + v] = s[d[S_HIGH] + v] = mine
    if not retime(d, s, x, r):
        return False
    q = s[d[S_SLOT] + u]
    if q != r:
        restamp(d, s, q)
    return q != r or s[d[S_START] + u] == theirs


@compiled
def pair_in_slot(d, s, pair, x, rng, v, r, k):
    """Try every start of `v` in slot `r` (its candidate `k`), each with the best place of its partner.

    The cheapest total cost found, INF if none; that plan is left in the second half of `pair`, `s` is as before.
    """
    u = d[d[LINK_OTHER] + v]
    size = s.size
    best = INF
    minutes = d[d[CANDIDATE_MINUTES] + k]
    if not may_hold(d, s, v, r, minutes):
        return best
    pair[:size] = s
    row = d[V_WINDOWS] + v * d[N_DAYS] + d[d[SLOT_DAY] + r]
    for w in range(d[row], d[row + 1]):
        first = max(d[d[WINDOW_LOW] + w], d[d[SLOT_START] + r])
        last = min(d[d[WINDOW_HIGH] + w], d[d[SLOT_END] + r] - minutes)
        for t in range(first, last + 1):
            s[d[S_LOW] + v] = s[d[S_HIGH] + v] = t
            s[d[S_MINUTES] + v] = minutes
            _, position = slot_insertion(d, s, x, rng, v, r, k, 0, INF)
            if position >= 0 and place(d, s, x, v, r, position, d[d[CANDIDATE_COST] + k], minutes):
                s[d[S_LOW] + u] = t + d[d[LINK_LOW] + v]
                s[d[S_HIGH] + u] = t + d[d[LINK_HIGH] + v]
                other = d[d[SLOT_CLINICIAN] + r]
                cost = best_insertion(d, s, x, rng, u, ZERO, INF, d[d[LINK_WHO] + v], other)
                if cost < INF and put_best(d, s, x, u):
                    s[d[S_LOW] + u] = s[d[S_HIGH] + u] = s[d[S_START] + u]
                    if s[d[S_TOTAL]] < best:
                        best = s[d[S_TOTAL]]
                        pair[size:] = s
                s[:] = pair[:size]
    s[:] = pair[:size]
    return best


@compiled
def insert(d, s, x, rng, v, blink):
    """Place `v`, with its partner where it has one. True if placed; never touches more patients than the budget has."""
    u = d[d[LINK_OTHER] + v]
    tight = d[MAX_PATIENTS] < INF
    mark = 0
    before = 0
    if tight:
        mark = start_log(d, x)
        before = max(d[MAX_PATIENTS], s[d[S_COUNT] + COUNT_TOUCHED])
    if u < 0 or d[d[V_LOCKED] + v]:
        placed = insert_single(d, s, x, rng, v, blink)
    elif s[d[S_SLOT] + u] >= 0:
        placed = insert_partner(d, s, x, rng, v, blink)
    elif d[d[V_LOCKED] + u]:
        placed = False  # the locked one comes first, or neither does
    else:
        placed = insert_pair(d, s, x, rng, v, blink)
    if tight:
        if s[d[S_COUNT] + COUNT_TOUCHED] > before:
            undo(d, s, x, mark)
            placed = False
        end_log(d, x)
    return placed


@compiled
def remove(d, s, x, v):
    """Take out `v`, and its partner unless that is locked. False, and nothing changed, if `v` is locked or needed in
    its route."""
    if s[d[S_SLOT] + v] < 0 or d[d[V_LOCKED] + v] or x[d[X_FROZEN] + v] or not log_has_room(d, x, LOG_SPARE):
        return False
    u = d[d[LINK_OTHER] + v]
    if u < 0 or s[d[S_SLOT] + u] < 0 or d[d[V_LOCKED] + u]:
        if not take_out(d, s, x, v):
            return False
        u = -1
    else:
        mark = start_log(d, x)
        both = take_out(d, s, x, v) and take_out(d, s, x, u)
        if not both:
            undo(d, s, x, mark)
        end_log(d, x)
        if not both:
            return False
    control = d[X_CONTROL]
    for w in (v, u):
        if w >= 0:
            x[d[X_REMOVED] + x[control + CONTROL_REMOVED]] = w
            x[control + CONTROL_REMOVED] += 1
    return True


# ---- destroy ---------------------------------------------------------------------------------------------------------


@compiled
def choose(d, s, x, v):
    """Enter `v` among those to be taken out. False if it is already there, out, locked or frozen."""
    if s[d[S_SLOT] + v] < 0 or d[d[V_LOCKED] + v] or x[d[X_FROZEN] + v]:
        return False
    listed = x[d[X_CONTROL] + CONTROL_LISTED]
    for i in range(listed):
        if x[d[X_ABSENT] + i] == v:
            return False
    x[d[X_ABSENT] + listed] = v
    x[d[X_CONTROL] + CONTROL_LISTED] = listed + 1
    return True


@compiled
def any_placed(d, s, x, rng):
    """Some visit that is placed and free to move; -1 if none was found."""
    members = x[d[X_CONTROL] + CONTROL_MEMBERS]
    n = members if members > 0 else d[N_VISITS]
    k = draw(rng, n)
    for _ in range(n):
        v = x[d[X_MEMBER] + k] if members > 0 else k
        if s[d[S_SLOT] + v] >= 0 and d[d[V_LOCKED] + v] == 0:
            return v
        k = k + 1 if k + 1 < n else 0
    return -1


@compiled
def choose_strings(d, s, x, rng, seed, average, most):
    """SISR: from several neighbouring routes one string of adjacent visits each."""
    used = s[d[S_COUNT] + COUNT_USED]
    if used == 0:
        return
    longest = min(most, max(1, s[d[S_COUNT] + COUNT_PLACED] // used))
    strings = max(1, (4 * average) // (1 + longest) - 1)
    strings = 1 + draw(rng, strings)
    done = 0
    near = d[N_NEIGHBOURS]
    for k in range(-1, near):
        if done >= strings:
            break
        v = seed if k < 0 else d[d[NEIGHBOUR] + seed * near + k]
        if v < 0:
            break
        r = s[d[S_SLOT] + v]
        if r < 0:
            continue
        known = False
        for i in range(done):
            known = known or x[d[X_MARK] + i] == r
        if known:
            continue
        x[d[X_MARK] + done] = r
        n = s[d[S_LENGTH] + r]
        row = d[S_ROUTE] + r * d[N_LENGTH]
        length = 1 + draw(rng, min(n, longest))
        at = 0
        while s[row + at] != v:
            at += 1
        first = max(0, at - length + 1)
        first += draw(rng, min(at, n - length) - first + 1)
        # Half of the time some in the middle of a longer string stay (SISR's split string).
        keep = 0
        if length < n and draw(rng, 2) == 0:
            keep = 1
            while length + keep < n and draw(rng, 100) < 50:
                keep += 1
            first = max(0, min(first, n - length - keep))
        skip = draw(rng, length) if keep else -1
        for i in range(length + keep):
            if not skip <= i < skip + keep:
                choose(d, s, x, s[row + first + i])
        done += 1


@compiled
def choose_related(d, s, x, rng, seed, count):
    """Shaw: the seed and visits near it, whatever their routes."""
    near = d[N_NEIGHBOURS]
    choose(d, s, x, seed)
    for k in range(near):
        if count <= 0:
            break
        v = d[d[NEIGHBOUR] + seed * near + k]
        if v < 0:
            break
        if draw(rng, 10) < 7 and choose(d, s, x, v):
            count -= 1


@compiled
def choose_patients(d, s, x, rng, seed, count):
    """Every visit of the seed's patient, then of patients near it: the way to another pattern of days or another
    nurse."""
    near = d[N_NEIGHBOURS]
    for k in range(-1, near):
        if count <= 0:
            break
        v = seed if k < 0 else d[d[NEIGHBOUR] + seed * near + k]
        if v < 0:
            break
        if k >= 0 and draw(rng, 2) == 0:
            continue
        p = d[d[V_PATIENT] + v]
        for m in range(d[d[P_VISITS] + p], d[d[P_VISITS] + p + 1]):
            if choose(d, s, x, d[d[PV_VISIT] + m]):
                count -= 1


@compiled
def choose_slot(d, s, x, r):
    """Every free visit of slot `r`; how many."""
    row = d[S_ROUTE] + r * d[N_LENGTH]
    count = 0
    for i in range(s[d[S_LENGTH] + r]):
        if choose(d, s, x, s[row + i]):
            count += 1
    return count


@compiled
def choose_slots(d, s, x, rng, seed, count):
    """Whole routes: the seed's, then others of its clinician or of its day."""
    r = s[d[S_SLOT] + seed]
    if r < 0:
        return
    by_clinician = draw(rng, 2) == 0
    count -= choose_slot(d, s, x, r)
    slots = d[N_SLOTS]
    q = draw(rng, slots)
    for _ in range(slots):
        if count <= 0:
            break
        q = q + 1 if q + 1 < slots else 0
        if s[d[S_LENGTH] + q] == 0:
            continue
        if by_clinician:
            if d[d[SLOT_CLINICIAN] + q] != d[d[SLOT_CLINICIAN] + r]:
                continue
        elif d[d[SLOT_DAY] + q] != d[d[SLOT_DAY] + r]:
            continue
        count -= choose_slot(d, s, x, q)


@compiled
def ruin(d, s, x, rng, dials):
    """Take some visits out, chosen in one of several ways.

    First all are chosen, then all are taken out: so only this function holds a copy of all that timing a day takes.
    """
    control = d[X_CONTROL]
    x[control + CONTROL_LISTED] = 0
    seed = -1
    if draw(rng, 4) == 0:
        # Make room around a visit that is out.
        n = s[d[S_COUNT] + COUNT_ABSENT]
        if n > 0:
            seed = s[d[S_ABSENT] + draw(rng, n)]
            if x[d[X_FROZEN] + seed]:
                seed = -1
    if seed < 0:
        seed = any_placed(d, s, x, rng)
    if seed < 0:
        return
    average = dials[DIAL_REMOVED]
    count = 1 + draw(rng, 2 * average - 1)
    strings = dials[DIAL_STRINGS]
    patients = strings + dials[DIAL_PATIENTS]
    related = patients + dials[DIAL_RELATED]
    way = draw(rng, 100)
    if way < strings:
        choose_strings(d, s, x, rng, seed, average, dials[DIAL_LONGEST])
    elif way < patients:
        choose_patients(d, s, x, rng, seed, count)
    elif way < related:
        choose_related(d, s, x, rng, seed, count)
    elif way < related + dials[DIAL_SLOTS]:
        choose_slots(d, s, x, rng, seed, count)
    else:
        for _ in range(count):
            v = any_placed(d, s, x, rng)
            if v < 0:
                break
            choose(d, s, x, v)
    for i in range(x[control + CONTROL_LISTED]):
        remove(d, s, x, x[d[X_ABSENT] + i])


# ---- repair ----------------------------------------------------------------------------------------------------------


@compiled
def order_absent(d, x, rng, count, way):
    """Sort the first `count` of `X_ABSENT` in one of several ways."""
    for i in range(count):
        v = x[d[X_ABSENT] + i]
        key = draw(rng, 1 << 20)
        if way == 1:  # fewest places to go first
            key += d[d[V_HARDNESS] + v] << 20
        elif way == 2:  # dearest to leave out first
            key -= d[d[V_UNPLACED] + v] << 20
        elif way == 3:  # longest first
            key -= d[d[CANDIDATE_MINUTES] + d[d[V_CANDIDATES] + v]] << 20
        elif way == 4:  # earliest window first
            row = d[V_WINDOWS] + v * d[N_DAYS]
            key += d[d[WINDOW_LOW] + d[row]] << 20
        x[d[X_KEY] + i] = key
    for i in range(1, count):
        key = x[d[X_KEY] + i]
        v = x[d[X_ABSENT] + i]
        j = i
        while j > 0 and x[d[X_KEY] + j - 1] > key:
            x[d[X_KEY] + j] = x[d[X_KEY] + j - 1]
            x[d[X_ABSENT] + j] = x[d[X_ABSENT] + j - 1]
            j -= 1
        x[d[X_KEY] + j] = key
        x[d[X_ABSENT] + j] = v


@compiled
def has_candidates(d, v):
    """Whether any slot at all may take `v`."""
    return d[d[V_CANDIDATES] + v + 1] > d[d[V_CANDIDATES] + v]


@compiled
def recreate(d, s, x, rng, blink):
    """Put back what was taken out, and try a few of those that were out before."""
    control = d[X_CONTROL]
    removed = x[control + CONTROL_REMOVED]
    count = ZERO
    for i in range(removed):
        v = x[d[X_REMOVED] + i]
        x[d[X_ABSENT] + count] = v
        count += 1
    out = s[d[S_COUNT] + COUNT_ABSENT]
    if out > removed:
        k = draw(rng, out)
        for _ in range(min(out, removed + MORE)):
            v = s[d[S_ABSENT] + k]
            k = k + 1 if k + 1 < out else 0
            fresh = x[d[X_FROZEN] + v] == 0 and has_candidates(d, v)
            for i in range(removed):
                fresh = fresh and x[d[X_REMOVED] + i] != v
            if fresh and count < removed + MORE:
                x[d[X_ABSENT] + count] = v
                count += 1
    lot = draw(rng, 10)
    way = 0
    if lot >= 4:
        way = 1
    if lot >= 6:
        way = 2
    if lot >= 8:
        way = 3
    if lot >= 9:
        way = 4
    order_absent(d, x, rng, count, way)
    for i in range(count):
        v = x[d[X_ABSENT] + i]
        if s[d[S_SLOT] + v] < 0:
            insert(d, s, x, rng, v, blink)


@compiled
def fill(d, s, x, rng):
    """Place everything that can be placed, hardest first, overlooking nothing; again until nothing more goes in."""
    placed = True
    while placed:
        placed = False
        count = ZERO
        for v in range(d[N_VISITS]):
            if s[d[S_SLOT] + v] < 0 and x[d[X_FROZEN] + v] == 0 and has_candidates(d, v):
                x[d[X_ABSENT] + count] = v
                count += 1
        # Locked visits stand before all others; their single candidate and huge price put them first in both orders.
        order_absent(d, x, rng, count, ZERO + 1)
        for turn in range(2):
            for i in range(count):
                v = x[d[X_ABSENT] + i]
                if s[d[S_SLOT] + v] < 0 and (turn == 1 or d[d[V_LOCKED] + v]) and insert(d, s, x, rng, v, ZERO):
                    placed = True


@compiled
def load_route(d, s, x, r, n):
    """Make the `n` visits in `X_SEQUENCE` the route of the empty slot `r`. `S_MINUTES` and `S_STATIC` must be set.

    False if they do not fit: the state is then half changed, and the caller goes back to its copy.
    """
    if n > d[d[SLOT_MAX_VISITS] + r]:
        return False
    day = d[d[SLOT_DAY] + r]
    week = d[d[SLOT_WEEK] + r]
    for i in range(n):
        v = x[d[X_SEQUENCE] + i]
        if not may_hold(d, s, v, r, s[d[S_MINUTES] + v]):
            return False
        s[d[S_TOTAL]] += s[d[S_STATIC] + v] - d[d[V_UNPLACED] + v] + spacing_change(d, s, v, day)
        s[d[S_TOTAL]] += faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], week)
        s[d[S_SLOT] + v] = r
        count_in(d, s, v)
    if evaluate(d, s, x, r, n) != OK:
        return False
    if week_change(d, s, r, x[d[X_OUT] + OUT_WORKED], x[d[X_OUT] + OUT_OVERTIME]) >= INF:
        return False
    commit(d, s, x, r, n)
    return True


@compiled
def search(d, s, best, x, rng, iterations, first, total, hot, cold, share, dials):
    """Run `iterations` rounds of ruin and recreate with simulated annealing; `best` holds the best state seen.

    `s` holds the current state on entry and on return. With `total` rounds known the temperature falls by round,
    otherwise it stands at `share` (0 to 1000) of the way from `hot` to `cold`.
    """
    control = d[X_CONTROL]
    x[control + CONTROL_DEPTH] = 0
    x[control + CONTROL_LENGTH] = 0
    start_log(d, x)
    for i in range(iterations):
        done = (first + i) / total if total > 0 else share / 1000.0
        heat = hot * (cold / hot) ** min(1.0, done)
        before = rank(d, s)
        x[control + CONTROL_REMOVED] = 0
        ruin(d, s, x, rng, dials)
        recreate(d, s, x, rng, dials[DIAL_BLINK] if draw(rng, 2) == 0 else dials[DIAL_BLINK_MORE])
        now = rank(d, s)
        luck = (draw(rng, 1 << 30) + 1) / (1 << 30)
        if now < before - heat * math.log(luck):
            note_dirty(d, x)
            x[control + CONTROL_LENGTH] = 0
            if now < rank(d, best):
                keep_best(d, s, best, x)
        else:
            undo(d, s, x, ZERO)
    x[control + CONTROL_DEPTH] = 0
