"""The planner: a problem in, a plan out, with a score that can be read and reasons that are true. Pure."""
