"""The message contract, version 1: what a gateway and the district's system say to each other.

Pure: no network, no disk, no clock. `docs/contract.md` tells it in prose; `docs/contract/` holds the JSON Schemas
generated from these models, `tests/contract/vectors/` the golden messages that bind agent, bridge and sink.
"""
