"""From a referral to an admission: intake, the 48-hour clock, the criteria, accept or decline."""
