"""Care plans, goals and orders: from draft to signature, and what each order week allows."""
