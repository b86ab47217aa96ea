"""Energy accounts: from what registers show to the energy of quarter-hours (domain rules D6)."""
