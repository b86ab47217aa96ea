"""Clocks of gateways: how wrong they are, which readings wait for a right time, and giving it to them in bulk."""
