"""Community resources and other palliative providers, in English and Traditional Chinese."""
