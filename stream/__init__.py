"""Everything that knows Kafka: the MQTT bridge and the consumer loop."""
