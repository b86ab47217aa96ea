"""How long readings are kept: what is compressed, what may be dropped, and who said that a period is final."""
