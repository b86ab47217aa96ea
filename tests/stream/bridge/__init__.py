"""The bridge between MQTT and Kafka."""
