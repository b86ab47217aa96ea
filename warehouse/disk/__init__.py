"""How much disk a fleet needs: bytes a row that were measured, times rows."""
