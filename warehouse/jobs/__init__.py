"""Runs the warehouse's jobs, one after the other, for as long as it is left to."""
