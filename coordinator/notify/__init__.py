"""Who is told what: notices for people and roles inside the product."""
