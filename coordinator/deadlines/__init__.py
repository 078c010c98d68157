"""Every dated obligation as one row: opened by events and the clock, owned by a role, closed by what fulfils it."""
