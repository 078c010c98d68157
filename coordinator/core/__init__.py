"""Technology without a word of care: settings, database, transaction, audit, HTTP."""
