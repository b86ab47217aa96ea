"""Indicators in the warehouse: the catalogue as it was last used, results, and their evidence."""
