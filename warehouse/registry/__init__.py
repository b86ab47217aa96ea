"""Registry: dated reference data, and the loader that takes it from folders of CSV files."""
