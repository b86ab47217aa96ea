"""Tables and views as Parquet files, by month, and back: exact, checked, and continued where a run ended."""
