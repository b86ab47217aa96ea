"""What became of every message and reading, counted: holes of the ledger as they are seen, completeness by day."""
