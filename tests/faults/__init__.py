"""The fault suite: every process killed, every link cut, a disk filled, under load; judged against the meters.

    plan      which faults in which round; a function of the seed                      pure
    load      gateways and meters that keep every link busy                            pure
    stage     the whole system, genuine, with a proxy in every link
    gauges    what is unacknowledged at each link now
    deeds     does a fault and says what it hit
    run       rounds, recovery, drain
    verdict   readings, energy and ledger against the meters' own journals
    mutants/  programs with one guarantee switched off, which the judge must find

Start: `make faults ARGS="--rounds 5 --report f.json"`.
"""
