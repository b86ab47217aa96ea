"""The edge agent: reads meters and PLCs on a factory gateway and publishes what they said, losing nothing."""

__version__ = "0.1.0"
