"""The outbox: the agent's buffer on disk, from a recorded poll to the warehouse's confirmation.

Two stages in one SQLite file (WAL, ``synchronous=FULL``): *pending* polls, committed before the device is asked
again, and *messages*, which have a number and bytes that never change. What leaves the file leaves it by a
confirmation of the warehouse or by the overflow policy, and the latter is reported in a later message.

    outbox.py      the file: lock, integrity check, setting aside, epochs
    database.py    one connection: statements, transactions, errors
    intake.py      polls in, messages composed (the recorder's thread)
    writer.py      the recorder's thread: group commits, and when messages are composed
    outflow.py     messages out, sent marks, confirmations (the publisher's thread)
    waiting.py     what waits to become messages, checked against its checksums
    renewal.py     a new epoch, when somebody else may go on with the old one's numbers
    troubles.py    events about overflow and a full disk (pure)
    events.py      events that wait for the broker
    overflow.py    what is given up when the file is full
    life.py        the epoch and what is known of it as a whole
    batches.py     readings to message bytes (pure)
    inspection.py  numbers for people
"""
