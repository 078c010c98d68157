"""The search itself, compiled: integers in flat arrays, no Python objects, so that a port to another language stays
easy.

Three arrays go everywhere. `d` is the problem (read only), `s` the state of one plan (copied whole to remember or
take back a
plan), `x` scratch paper. The head of `d` holds the offset of every table in all three: `d[d[V_PLACE] + v]` is the
place of visit
`v`, `s[d[S_START] + v]` its start, `x[d[X_TIME] + i]` a trial start. Everything that the kernels read from outside
is in this
module, because numba's cache only notices changes of the file that holds the function.

Terms: a *route* is one slot's visits in order; *hard* limits are never broken by anything here; *worked* minutes run
from
leaving to returning, waiting included, breaks and time off excluded; a *pause* is a break or time off.

Sources: removal of adjacent strings and greedy insertion with blinks follow SISR (J. Christiaens, G. Vanden Berghe,
"Slack
Induction by String Removals for Vehicle Routing Problems", Transportation Science 54(2), 2020); related removal
follows P. Shaw,
"Using Constraint Programming and Local Search Methods to Solve Vehicle Routing Problems", CP 1998.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

INF = 1 << 40

# fmt: off
# ---- head of `d`: numbers first, then offsets ------------------------------------------------------------------------
(
    N_VISITS, N_SLOTS, N_DAYS, N_WEEKS, N_CLINICIANS, N_PLACES, N_LENGTH, N_NEIGHBOURS, N_PAUSES,
    W_WAITING, W_OVERTIME, W_FAIRNESS,
    TRAVEL, LEG,
    SLOT_CLINICIAN, SLOT_DAY, SLOT_WEEK, SLOT_FROM, SLOT_TO, SLOT_START, SLOT_END, SLOT_OVERTIME, SLOT_MAX,
    SLOT_MAX_VISITS,
    SLOT_PAUSES, SLOT_BREAKS, PAUSE_EARLY, PAUSE_LATE, PAUSE_MINUTES, PAUSE_SKIP, PAUSE_AFTER, PAUSE_NUMBER,
    CLIN_OVERTIME, CLIN_MAX, CLIN_FAIR, CLIN_ALREADY,
    V_PLACE, V_UNPLACED, V_LATE, V_EARLY, V_LOCKED, V_PATIENT, V_MATES, V_HARDNESS, V_TIME_COST, V_TIME_DAY,
    V_TIME_START,
    V_TIME_TOLERANCE, V_WINDOWS, WINDOW_LOW, WINDOW_HIGH, V_PREFERRED_LOW, V_PREFERRED_HIGH,
    V_CANDIDATES, CANDIDATE_SLOT, CANDIDATE_COST, CANDIDATE_MINUTES,
    P_VISITS, PV_VISIT, P_BUSY, BUSY_LOW, BUSY_HIGH,
    LINK_OTHER, LINK_LOW, LINK_HIGH, LINK_WHO,
    V_SPACINGS, VS_GROUP, SPACING_VISITS, SPACING_VISIT, SPACING_MIN, SPACING_IDEAL, SPACING_COST, SPACING_HELD,
    HELD_DAY,
    V_LIMITS, VL_GROUP, LIMIT_VISITS, LIMIT_VISIT, LIMIT_MAX, LIMIT_HELD,
    V_FACES, VF_GROUP, FACES_VISITS, FACES_VISIT, FACES_COST, FACES_FREE, FACES_HELD, HELD_FACE,
    V_CAPS, VC_GROUP, CAP_VISITS, CAP_VISIT, CAP_DAY, CAP_WEEK, CAP_USED_DAY, CAP_USED_WEEK,
    NEIGHBOUR,
    S_ROUTE, S_LENGTH, S_SLOT, S_START, S_MINUTES, S_STATIC, S_LOW, S_HIGH, S_COST, S_WORKED, S_OVERTIME, S_WAITING,
    S_RETURN,
    S_REST, S_WEEK_WORKED, S_WEEK_OVERTIME, S_EARLIEST, S_LATEST, S_TOTAL,
    X_SEQUENCE, X_TIME, X_KEPT_TIME, X_LATEST, X_FORWARD, X_FROM, X_TAKEN, X_ACTIVE, X_PLACE, X_REST, X_KEPT_REST,
    X_OUT,
    X_DAY_COST, X_DAY_LEFT, X_BEST, X_ABSENT, X_KEY, X_MARK, X_TRY, X_OFFER,
    HEAD,
) = range(138)
# fmt: on

# `X_OUT` and `X_BEST` hold several numbers each.
OUT_COST, OUT_WORKED, OUT_OVERTIME, OUT_WAITING, OUT_RETURN, OUT_STATUS = range(6)
BEST_SLOT, BEST_POSITION, BEST_STATIC, BEST_MINUTES = range(4)
# What `timed` answers.
OK, TOO_LATE, TOO_LONG = range(3)
ANYONE, DIFFERENT, SAME = range(3)
MAX_BREAKS = 4
OFFER_SIZE = 5
TRIES = 6
"""How many places of a linked visit are tried before its partner is placed."""


# ---- time of one visit -----------------------------------------------------------------------------------------------


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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

    pauses = 0
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
                if d[d[V_TIME_COST] + v] > 0 and d[d[V_TIME_DAY] + v] == day:
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
                if d[d[V_TIME_COST] + v] > 0 and d[d[V_TIME_DAY] + v] == day:
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
        x[d[X_OUT] + OUT_COST] = cost + waiting * d[W_WAITING] + overtime * d[W_OVERTIME]
        x[d[X_OUT] + OUT_WORKED] = worked
        x[d[X_OUT] + OUT_OVERTIME] = overtime
        x[d[X_OUT] + OUT_WAITING] = waiting
        x[d[X_OUT] + OUT_RETURN] = home
        if worked <= d[d[SLOT_MAX] + r]:
            status = OK
            break
    return status


@njit(cache=True)
def evaluate(d, s, x, r, n):
    """Time the sequence with the cheapest allowed choice of breaks: OK, TOO_LATE or TOO_LONG. Starts go to
    `X_KEPT_TIME`."""
    breaks = d[d[SLOT_BREAKS] + r]
    out = d[X_OUT]
    best = INF
    worst = TOO_LATE
    worked = overtime = waiting = home = 0
    for mask in range(1 << breaks):
        status = timed(d, s, x, r, n, mask)
        if status == TOO_LATE and mask == 0:
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
    return OK


@njit(cache=True)
def week_cost(d, c, w, worked, overtime):
    """Cents of clinician `c`'s week beyond what was already worked: overtime by the week, and more than the fair
    share."""
    already = d[d[CLIN_ALREADY] + c * d[N_WEEKS] + w]
    limit = d[d[CLIN_OVERTIME] + c]
    over = max(0, already + worked - overtime - limit) - max(0, already - limit)
    share = d[d[CLIN_FAIR] + c]
    unfair = max(0, already + worked - share) - max(0, already - share)
    return over * d[W_OVERTIME] + unfair * d[W_FAIRNESS]


@njit(cache=True)
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
    return week_cost(d, c, w, new_worked, new_overtime) - week_cost(d, c, w, old_worked, old_overtime)


@njit(cache=True)
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
    s[d[S_LENGTH] + r] = n
    row = d[S_ROUTE] + r * d[N_LENGTH]
    for i in range(n):
        v = x[d[X_SEQUENCE] + i]
        s[row + i] = v
        s[d[S_SLOT] + v] = r
        s[d[S_START] + v] = x[d[X_KEPT_TIME] + i]
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


@njit(cache=True)
def next_window(d, v, day, t):
    """The earliest minute at or after `t` within a hard window; INF if none."""
    row = d[V_WINDOWS] + v * d[N_DAYS] + day
    for k in range(d[row], d[row + 1]):
        if t <= d[d[WINDOW_HIGH] + k]:
            return max(t, d[d[WINDOW_LOW] + k])
    return INF


@njit(cache=True)
def previous_window(d, v, day, t):
    """The latest minute at or before `t` within a hard window; -INF if none."""
    row = d[V_WINDOWS] + v * d[N_DAYS] + day
    for k in range(d[row + 1] - 1, d[row] - 1, -1):
        if t >= d[d[WINDOW_LOW] + k]:
            return min(t, d[d[WINDOW_HIGH] + k])
    return -INF


# ---- ties between visits ---------------------------------------------------------------------------------------------


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def insertion(d, s, x, v, r, position):
    """Cents more for route and week with `v` at `position` of slot `r`, or INF; `OUT_STATUS` says what failed."""
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
    return x[d[X_OUT] + OUT_COST] - s[d[S_COST] + r] + week


@njit(cache=True)
def place(d, s, x, v, r, position, static, minutes):
    """Put `v` into slot `r`: True if it fits. Sums follow."""
    s[d[S_MINUTES] + v] = minutes
    if insertion(d, s, x, v, r, position) >= INF:
        return False
    day = d[d[SLOT_DAY] + r]
    s[d[S_TOTAL]] += static - d[d[V_UNPLACED] + v] + spacing_change(d, s, v, day)
    s[d[S_TOTAL]] += faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
    s[d[S_STATIC] + v] = static
    commit(d, s, x, r, s[d[S_LENGTH] + r] + 1)
    return True


@njit(cache=True)
def take_out(d, s, x, v):
    """Take `v` out of its route. False, and nothing changed, if the rest would not fit without it (travel need not
    be metric)."""
    r = s[d[S_SLOT] + v]
    n = s[d[S_LENGTH] + r]
    row = d[S_ROUTE] + r * d[N_LENGTH]
    m = 0
    for i in range(n):
        if s[row + i] != v:
            x[d[X_SEQUENCE] + m] = s[row + i]
            m += 1
    if m > 0:
        if evaluate(d, s, x, r, m) != OK:
            return False
        if week_change(d, s, r, x[d[X_OUT] + OUT_WORKED], x[d[X_OUT] + OUT_OVERTIME]) >= INF:
            return False
    s[d[S_SLOT] + v] = -1
    commit(d, s, x, r, m)
    day = d[d[SLOT_DAY] + r]
    s[d[S_TOTAL]] += d[d[V_UNPLACED] + v] - s[d[S_STATIC] + v] - spacing_change(d, s, v, day)
    s[d[S_TOTAL]] -= faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
    s[d[S_LOW] + v] = -INF
    s[d[S_HIGH] + v] = INF
    return True


@njit(cache=True)
def draw(rng, n):
    """A number from 0 to `n` - 1 (xorshift64*)."""
    z = rng[0]
    z ^= z >> np.uint64(12)
    z ^= z << np.uint64(25)
    z ^= z >> np.uint64(27)
    rng[0] = z
    return np.int64(((z * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(n))


@njit(cache=True)
def offer(d, s, x, rng, v, r, entry, fixed, blink, bound, count):
    """List every position of `v` in slot `r` that is not plainly impossible, with a lower bound of its price below
    `bound`.

    The bound is the exact way there and back, `fixed` for all that does not depend on the position, less all the
    waiting
    that the visit could fill. `blink` is how many of 1,000 positions are overlooked. The new length of the list.
    """
    n = s[d[S_LENGTH] + r]
    if n >= d[d[SLOT_MAX_VISITS] + r]:
        return count
    row = d[S_ROUTE] + r * d[N_LENGTH]
    bounds = r * d[N_LENGTH]
    places = d[N_PLACES]
    spot = d[d[V_PLACE] + v]
    day = d[d[SLOT_DAY] + r]
    minutes = d[d[CANDIDATE_MINUTES] + entry]
    relief = s[d[S_WAITING] + r] * d[W_WAITING]
    before = d[d[SLOT_FROM] + r]
    for position in range(n + 1):
        free = d[d[SLOT_START] + r]
        due = d[d[SLOT_END] + r]
        if position > 0:
            u = s[row + position - 1]
            if d[d[V_PLACE] + u] >= 0:
                before = d[d[V_PLACE] + u]
            free = s[d[S_EARLIEST] + bounds + position - 1]
        if blink > 0 and draw(rng, 1000) < blink:
            continue
        after = d[d[SLOT_TO] + r]
        for i in range(position, n):
            if d[d[V_PLACE] + s[row + i]] >= 0:
                after = d[d[V_PLACE] + s[row + i]]
                break
        if position < n:
            due = s[d[S_LATEST] + bounds + position]
            if d[d[V_PLACE] + s[row + position]] < 0:
                due = INF  # a remote visit next: where it is made depends on the order, leave it to the full test
        there = before if spot < 0 else spot
        way = d[d[LEG] + before * places + there] + d[d[LEG] + there * places + after]
        price = fixed + way - d[d[LEG] + before * places + after] - relief
        if price >= bound:
            continue
        begin = next_window(d, v, day, free + d[d[TRAVEL] + before * places + there])
        if begin >= INF or begin + minutes + d[d[TRAVEL] + there * places + after] > due:
            continue
        at = d[X_OFFER] + count * OFFER_SIZE
        x[at] = price
        x[at + 1] = r
        x[at + 2] = position
        x[at + 3] = fixed
        x[at + 4] = entry
        count += 1
    return count


@njit(cache=True)
def choose(d, s, x, v, count, bound):
    """The cheapest of the offers that is truly possible below `bound`: (its price, its number), (INF, -1) if none.

    The lowest bound is tried first, so that few need their day timed.
    """
    best = bound
    chosen = -1
    while True:
        low = best
        pick = -1
        for k in range(count):
            if x[d[X_OFFER] + k * OFFER_SIZE] < low:
                low = x[d[X_OFFER] + k * OFFER_SIZE]
                pick = k
        if pick < 0:
            break
        at = d[X_OFFER] + pick * OFFER_SIZE
        x[at] = INF
        s[d[S_MINUTES] + v] = d[d[CANDIDATE_MINUTES] + x[at + 4]]
        cost = insertion(d, s, x, v, x[at + 1], x[at + 2])
        if cost < INF and cost + x[at + 3] < best:
            best = cost + x[at + 3]
            chosen = pick
    return (best, chosen) if chosen >= 0 else (INF, -1)


@njit(cache=True)
def slot_insertion(d, s, x, rng, v, r, entry, blink, bound):
    """The cheapest position of `v` in slot `r` (its candidate `entry`) below `bound`, for route and week alone.

    (cents, position), (INF, -1) if none.
    """
    count = offer(d, s, x, rng, v, r, entry, 0, blink, bound, 0)
    cost, chosen = choose(d, s, x, v, count, bound)
    return cost, (x[d[X_OFFER] + chosen * OFFER_SIZE + 2] if chosen >= 0 else -1)


@njit(cache=True)
def may_hold(d, s, v, r, minutes):
    """Whether ties and the number of visits let `v` be in slot `r`; time is not asked."""
    if s[d[S_LENGTH] + r] >= d[d[SLOT_MAX_VISITS] + r]:
        return False
    day = d[d[SLOT_DAY] + r]
    if minutes_left(d, s, v, day, d[d[SLOT_WEEK] + r]) < minutes:
        return False
    return not (spacing_broken(d, s, v, day) or limit_broken(d, s, v, day))


@njit(cache=True)
def forget_days(d, x):
    """Clear what `day_cost` remembers, before another visit or another state is asked."""
    for day in range(d[N_DAYS]):
        x[d[X_DAY_COST] + day] = -1


@njit(cache=True)
def day_cost(d, s, x, v, r):
    """Spacing cost of `v` on the day of slot `r`, INF where a tie forbids it; remembered in `x` for the other slots
    of the day."""
    day = d[d[SLOT_DAY] + r]
    known = x[d[X_DAY_COST] + day]
    if known < 0:
        known = spacing_change(d, s, v, day)
        if spacing_broken(d, s, v, day) or limit_broken(d, s, v, day):
            known = INF
        x[d[X_DAY_COST] + day] = known
        x[d[X_DAY_LEFT] + day] = minutes_left(d, s, v, day, d[d[SLOT_WEEK] + r]) if known < INF else 0
    return known


@njit(cache=True)
def best_insertion(d, s, x, rng, v, blink, bound, who, other):
    """The cheapest place of `v` below `bound` cents: its cost, or INF; the place goes to `X_BEST`.

    `who` and `other` narrow the clinicians for a linked visit: DIFFERENT from or SAME as clinician `other`.
    """
    forget_days(d, x)
    count = 0
    for k in range(d[d[V_CANDIDATES] + v], d[d[V_CANDIDATES] + v + 1]):
        static = d[d[CANDIDATE_COST] + k]
        r = d[d[CANDIDATE_SLOT] + k]
        if static - s[d[S_WAITING] + r] * d[W_WAITING] >= bound:
            continue
        c = d[d[SLOT_CLINICIAN] + r]
        if (who == DIFFERENT and c == other) or (who == SAME and c != other):
            continue
        spacing = day_cost(d, s, x, v, r)
        if spacing >= INF or d[d[CANDIDATE_MINUTES] + k] > x[d[X_DAY_LEFT] + d[d[SLOT_DAY] + r]]:
            continue
        fixed = static + spacing
        if d[d[V_FACES] + v + 1] > d[d[V_FACES] + v]:
            fixed += faces_change(d, s, v, c, d[d[SLOT_WEEK] + r])
        count = offer(d, s, x, rng, v, r, k, fixed, blink, bound, count)
    best, chosen = choose(d, s, x, v, count, bound)
    if chosen >= 0:
        at = d[X_OFFER] + chosen * OFFER_SIZE
        x[d[X_BEST] + BEST_SLOT] = x[at + 1]
        x[d[X_BEST] + BEST_POSITION] = x[at + 2]
        x[d[X_BEST] + BEST_STATIC] = d[d[CANDIDATE_COST] + x[at + 4]]
        x[d[X_BEST] + BEST_MINUTES] = d[d[CANDIDATE_MINUTES] + x[at + 4]]
    return best


@njit(cache=True)
def put_best(d, s, x, v):
    """Carry out what `best_insertion` found."""
    b = d[X_BEST]
    return place(d, s, x, v, x[b + BEST_SLOT], x[b + BEST_POSITION], x[b + BEST_STATIC], x[b + BEST_MINUTES])


@njit(cache=True)
def insert_single(d, s, x, rng, v, blink):
    """Put `v` where it is cheapest, if that is cheaper than leaving it out. True if placed."""
    cost = best_insertion(d, s, x, rng, v, blink, d[d[V_UNPLACED] + v], ANYONE, -1)
    return cost < INF and put_best(d, s, x, v)


@njit(cache=True)
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
        return True
    s[d[S_LOW] + v] = -INF
    s[d[S_HIGH] + v] = INF
    return False


@njit(cache=True)
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
    commit(d, s, x, r, n)
    return True


@njit(cache=True)
def insert_pair(d, s, pair, x, rng, v, blink):
    """Place two linked visits, or none: the cheapest of some places of `v`, each with the best place of its partner.

    Both are bound to the start they are found with until one of them is taken out, so that every route can be timed
    alone.
    `pair` is room for two copies of the state.
    """
    u = d[d[LINK_OTHER] + v]
    size = s.size
    low = d[d[LINK_LOW] + v]  # start of u less start of v
    high = d[d[LINK_HIGH] + v]
    before = s[d[S_TOTAL]]
    bound = d[d[V_UNPLACED] + v] + d[d[V_UNPLACED] + u]
    tries = d[X_TRY]
    count = 0
    # The cheapest places of the first one, at most one in each slot.
    forget_days(d, x)
    for k in range(d[d[V_CANDIDATES] + v], d[d[V_CANDIDATES] + v + 1]):
        r = d[d[CANDIDATE_SLOT] + k]
        spacing = day_cost(d, s, x, v, r)
        minutes = d[d[CANDIDATE_MINUTES] + k]
        if spacing >= INF or minutes > x[d[X_DAY_LEFT] + d[d[SLOT_DAY] + r]]:
            continue
        fixed = d[d[CANDIDATE_COST] + k] + spacing
        fixed += faces_change(d, s, v, d[d[SLOT_CLINICIAN] + r], d[d[SLOT_WEEK] + r])
        limit = bound - fixed
        if count == TRIES:
            limit = min(limit, x[tries + (TRIES - 1) * 4] - fixed)
        s[d[S_MINUTES] + v] = minutes
        cost, position = slot_insertion(d, s, x, rng, v, r, k, blink, limit)
        if position < 0:
            continue
        cost += fixed
        i = min(count, TRIES - 1)
        while i > 0 and x[tries + (i - 1) * 4] > cost:
            for m in range(4):
                x[tries + i * 4 + m] = x[tries + (i - 1) * 4 + m]
            i -= 1
        x[tries + i * 4] = cost
        x[tries + i * 4 + 1] = r
        x[tries + i * 4 + 2] = position
        x[tries + i * 4 + 3] = k
        count = min(count + 1, TRIES)
    if count == 0:
        return False
    pair[:size] = s
    best = before
    for i in range(count):
        s[:] = pair[:size]
        r = x[tries + i * 4 + 1]
        position = x[tries + i * 4 + 2]
        k = x[tries + i * 4 + 3]
        if not place(d, s, x, v, r, position, d[d[CANDIDATE_COST] + k], d[d[CANDIDATE_MINUTES] + k]):
            continue
        # How late the first could start: its latest start with the rest of the route as it is.
        late = s[d[S_LATEST] + r * d[N_LENGTH] + position]
        early = s[d[S_EARLIEST] + r * d[N_LENGTH] + position] - s[d[S_MINUTES] + v]
        s[d[S_LOW] + u] = early + low
        s[d[S_HIGH] + u] = late + high
        cost = best_insertion(d, s, x, rng, u, blink, bound, d[d[LINK_WHO] + v], d[d[SLOT_CLINICIAN] + r])
        if cost >= INF or not put_best(d, s, x, u):
            continue
        theirs = s[d[S_START] + u]
        mine = min(max(s[d[S_START] + v], theirs - high), theirs - low)
        s[d[S_LOW] + u] = s[d[S_HIGH] + u] = theirs
        s[d[S_LOW] + v] = s[d[S_HIGH] + v] = mine
        if not retime(d, s, x, r):
            continue
        q = s[d[S_SLOT] + u]
        if q == r and s[d[S_START] + u] != theirs:
            continue
        if s[d[S_TOTAL]] < best:
            best = s[d[S_TOTAL]]
            pair[size:] = s
    if best < before:
        s[:] = pair[size:]
        return True
    s[:] = pair[:size]
    return False


@njit(cache=True)
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
                cost = best_insertion(d, s, x, rng, u, 0, INF, d[d[LINK_WHO] + v], other)
                if cost < INF and put_best(d, s, x, u):
                    s[d[S_LOW] + u] = s[d[S_HIGH] + u] = s[d[S_START] + u]
                    if s[d[S_TOTAL]] < best:
                        best = s[d[S_TOTAL]]
                        pair[size:] = s
                s[:] = pair[:size]
    s[:] = pair[:size]
    return best


@njit(cache=True)
def insert(d, s, pair, x, rng, v, blink):
    """Place `v`, with its partner where it has one. True if placed."""
    u = d[d[LINK_OTHER] + v]
    if u < 0 or d[d[V_LOCKED] + v]:
        return insert_single(d, s, x, rng, v, blink)
    if s[d[S_SLOT] + u] >= 0:
        return insert_partner(d, s, x, rng, v, blink)
    if d[d[V_LOCKED] + u]:
        return False  # the locked one comes first, or neither does
    return insert_pair(d, s, pair, x, rng, v, blink)


@njit(cache=True)
def remove(d, s, pair, x, v):
    """Take out `v`, and its partner unless that is locked. False, and nothing changed, if `v` is locked or needed in
    its route."""
    if s[d[S_SLOT] + v] < 0 or d[d[V_LOCKED] + v]:
        return False
    u = d[d[LINK_OTHER] + v]
    if u < 0 or s[d[S_SLOT] + u] < 0 or d[d[V_LOCKED] + u]:
        return take_out(d, s, x, v)
    pair[: s.size] = s
    if take_out(d, s, x, v) and take_out(d, s, x, u):
        return True
    s[:] = pair[: s.size]
    return False


# ---- destroy ---------------------------------------------------------------------------------------------------------


@njit(cache=True)
def any_placed(d, s, rng):
    """Some visit that is placed and free to move; -1 if none was found."""
    n = d[N_VISITS]
    k = draw(rng, n)
    for _ in range(n):
        if s[d[S_SLOT] + k] >= 0 and d[d[V_LOCKED] + k] == 0:
            return k
        k = k + 1 if k + 1 < n else 0
    return -1


@njit(cache=True)
def remove_strings(d, s, pair, x, rng, seed, average):
    """SISR: from several neighbouring routes one string of adjacent visits each; marks each touched route."""
    for r in range(d[N_SLOTS]):
        x[d[X_MARK] + r] = 0
    used = 0
    placed = 0
    for r in range(d[N_SLOTS]):
        if s[d[S_LENGTH] + r] > 0:
            used += 1
            placed += s[d[S_LENGTH] + r]
    if used == 0:
        return
    longest = min(8, max(1, placed // used))
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
        if r < 0 or x[d[X_MARK] + r]:
            continue
        x[d[X_MARK] + r] = 1
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
            x[d[X_KEY] + i] = s[row + first + i]
        for i in range(length + keep):
            if skip <= i < skip + keep:
                continue
            u = x[d[X_KEY] + i]
            if s[d[S_SLOT] + u] == r:
                remove(d, s, pair, x, u)
        done += 1


@njit(cache=True)
def remove_related(d, s, pair, x, rng, seed, count):
    """Shaw: the seed and visits near it, whatever their routes."""
    near = d[N_NEIGHBOURS]
    remove(d, s, pair, x, seed)
    for k in range(near):
        if count <= 0:
            break
        v = d[d[NEIGHBOUR] + seed * near + k]
        if v < 0:
            break
        if draw(rng, 10) < 7 and remove(d, s, pair, x, v):
            count -= 1


@njit(cache=True)
def remove_patients(d, s, pair, x, rng, seed, count):
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
            if remove(d, s, pair, x, d[d[PV_VISIT] + m]):
                count -= 1


@njit(cache=True)
def empty_slot(d, s, pair, x, r):
    """Take out every free visit of slot `r`; how many."""
    n = s[d[S_LENGTH] + r]
    row = d[S_ROUTE] + r * d[N_LENGTH]
    for i in range(n):
        x[d[X_KEY] + i] = s[row + i]
    count = 0
    for i in range(n):
        u = x[d[X_KEY] + i]
        if s[d[S_SLOT] + u] == r and remove(d, s, pair, x, u):
            count += 1
    return count


@njit(cache=True)
def remove_slots(d, s, pair, x, rng, seed, count):
    """Whole routes: the seed's, then others of its clinician or of its day."""
    r = s[d[S_SLOT] + seed]
    if r < 0:
        return
    by_clinician = draw(rng, 2) == 0
    count -= empty_slot(d, s, pair, x, r)
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
        count -= empty_slot(d, s, pair, x, q)


@njit(cache=True)
def ruin(d, s, pair, x, rng, average):
    """Take some visits out, in one of several ways."""
    seed = -1
    if draw(rng, 4) == 0:
        # Make room around a visit that is out.
        n = d[N_VISITS]
        k = draw(rng, n)
        for _ in range(n):
            if s[d[S_SLOT] + k] < 0:
                seed = k
                break
            k = k + 1 if k + 1 < n else 0
    if seed < 0:
        seed = any_placed(d, s, rng)
    if seed < 0:
        return
    count = 1 + draw(rng, 2 * average - 1)
    way = draw(rng, 100)
    if way < 60:
        remove_strings(d, s, pair, x, rng, seed, average)
    elif way < 72:
        remove_patients(d, s, pair, x, rng, seed, count)
    elif way < 82:
        remove_related(d, s, pair, x, rng, seed, count)
    elif way < 90:
        remove_slots(d, s, pair, x, rng, seed, count)
    else:
        for _ in range(count):
            v = any_placed(d, s, rng)
            if v < 0:
                break
            remove(d, s, pair, x, v)


# ---- repair ----------------------------------------------------------------------------------------------------------


@njit(cache=True)
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


@njit(cache=True)
def has_candidates(d, v):
    """Whether any slot at all may take `v`."""
    return d[d[V_CANDIDATES] + v + 1] > d[d[V_CANDIDATES] + v]


@njit(cache=True)
def recreate(d, s, saved, pair, x, rng, blink):
    """Put back what was taken out, and try a few of those that were out before."""
    n = d[N_VISITS]
    count = 0
    more = 12
    k = draw(rng, n)
    for _ in range(n):
        if s[d[S_SLOT] + k] < 0 and has_candidates(d, k):
            fresh = saved[d[S_SLOT] + k] >= 0
            if fresh or more > 0:
                x[d[X_ABSENT] + count] = k
                count += 1
                if not fresh:
                    more -= 1
        k = k + 1 if k + 1 < n else 0
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
            insert(d, s, pair, x, rng, v, blink)


@njit(cache=True)
def fill(d, s, pair, x, rng):
    """Place everything that can be placed, hardest first, overlooking nothing; again until nothing more goes in."""
    placed = True
    while placed:
        placed = False
        count = 0
        for v in range(d[N_VISITS]):
            if s[d[S_SLOT] + v] < 0 and has_candidates(d, v):
                x[d[X_ABSENT] + count] = v
                count += 1
        # Locked visits stand before all others; their single candidate and huge price put them first in both orders.
        order_absent(d, x, rng, count, 1)
        for turn in range(2):
            for i in range(count):
                v = x[d[X_ABSENT] + i]
                if s[d[S_SLOT] + v] < 0 and (turn == 1 or d[d[V_LOCKED] + v]) and insert(d, s, pair, x, rng, v, 0):
                    placed = True


@njit(cache=True)
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
    if evaluate(d, s, x, r, n) != OK:
        return False
    if week_change(d, s, r, x[d[X_OUT] + OUT_WORKED], x[d[X_OUT] + OUT_OVERTIME]) >= INF:
        return False
    commit(d, s, x, r, n)
    return True


@njit(cache=True)
def search(d, s, best, saved, pair, x, rng, iterations, first, total, hot, cold, share, average):
    """Run `iterations` rounds of ruin and recreate with simulated annealing; `best` holds the best state seen.

    `s` and `saved` hold the current state on entry and on return. With `total` rounds known the temperature falls by
    round,
    otherwise it stands at `share` (0 to 1000) of the way from `hot` to `cold`.
    """
    for i in range(iterations):
        done = (first + i) / total if total > 0 else share / 1000.0
        heat = hot * (cold / hot) ** min(1.0, done)
        ruin(d, s, pair, x, rng, average)
        recreate(d, s, saved, pair, x, rng, 10 if draw(rng, 2) == 0 else 80)
        now = s[d[S_TOTAL]]
        luck = (draw(rng, 1 << 30) + 1) / (1 << 30)
        if now < saved[d[S_TOTAL]] - heat * math.log(luck):
            saved[:] = s
            if now < best[d[S_TOTAL]]:
                best[:] = s
        else:
            s[:] = saved
