"""What was refused: listing it, showing one, and storing it after all once its cause is gone."""
