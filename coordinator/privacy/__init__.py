"""What is owed to patients about their records: access, disclosures, breaches, retention."""
