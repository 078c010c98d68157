"""Home-visit scheduling and care-team coordination for home health and home palliative care."""
