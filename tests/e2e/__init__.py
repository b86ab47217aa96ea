"""The whole system at once."""
