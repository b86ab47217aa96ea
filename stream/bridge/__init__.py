"""The bridge between MQTT and Kafka: readings up, confirmations and commands down.

Up: a message is acknowledged to the MQTT broker only after Kafka has it on all in-sync replicas, and only on the
connection it came on. So whatever dies, the broker still has what Kafka has not, and delivers it again: at least
once, in each gateway's order as long as nothing dies.

Down: the commands topic is followed from the offset up to which the MQTT broker acknowledged them.

One thread owns the MQTT connection (:mod:`.bridge`); Kafka's producer tells it outcomes through a queue and a wake-up
(:mod:`.uplink`), a second thread reads commands for it (:mod:`.downlink`). What is decided without I/O stands in
:mod:`.routing`, :mod:`.window` and :mod:`.progress`.
"""
