"""Accounts of the API and the built-in page: people, keys, sessions, and the log of who saw what."""
