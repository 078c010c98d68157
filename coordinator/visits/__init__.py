"""The visit, from wanted to done or missed; the ledger of what each order week still owes; the roster."""
