"""How fast the system is on this machine: ``make bench``, or ``python -m tests.benchmarks``.

Everything is real: the servers, the services as processes of their own, passwords and rights. Only the gateways are a
load generator (:mod:`.generator`), whose share of the machine is measured and said apart. What is measured and how
stands in docs/performance.md.

    stage.py        servers, databases, services         cpu.py       whose time it was
    fleet.py        gateways and their messages          prefill.py   messages straight into Kafka
    sink.py         Kafka → rows, against bare COPY      bridge.py    MQTT → Kafka
    end_to_end.py   MQTT → rows                          district.py  10 000 gateways, and their return
    growth.py       the sink with more of everything     report.py    goals, table, JSON
"""
