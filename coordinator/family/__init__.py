"""Patient and family: who may see the plan of visits, what they were told, and what they ask for."""
