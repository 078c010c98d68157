"""Who is asking: users, roles, sessions, tokens, throttling."""
