"""The publisher: sends what the outbox holds, and lets go of it only when the warehouse has confirmed it.

The outbox is the session: every connection is a fresh MQTT client with ``clean_start``, one *generation*, and what an
old one left unacknowledged is sent again by the next.

    window.py        how many may be unacknowledged, and the pause after a refusal (pure)
    lanes.py         live before backlog, 4:1, and the backlog's rate (pure)
    confirmation.py  what the warehouse said, and what is to be sent again (pure)
    backoff.py       jittered waits (pure)
    announce.py      births, state and events
    identity.py      whose id it is, and how another agent under it is told (pure)
    company.py       who else speaks under our id, and a new epoch because of it
    sending.py       which messages go next, in which lane, and which go again
    session.py       one generation: what to say next, and what an answer means
    mqtt.py          the only module that knows paho
    courier.py       the thread: connect, talk, wait, again
    report.py        the small status file that `g60-edge status` shows
"""
