"""The sink: Kafka into the database, each record once. Pure core, thin shell.

    record ─ intake ─→ messages, births, states, events, refusals        pure
    messages + births ─ readings ─→ columns by kind, rejected readings   pure
    columns ─ wire format ─→ binary COPY                                 pure
    store ─ everything of one write ─→ one transaction                   PostgreSQL
    confirmations ─ ledger ─→ cmd/stored                                 after the commit

`store.PostgresStore` implements :class:`stream.store.Store`; the tables are schema `ingest`.
"""
