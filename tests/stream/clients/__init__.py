"""The border to kafka-python."""
