-- What bears this name: a meter's number, a contract.
SELECT (SELECT meter_id FROM registry.meter WHERE serial = %(name)s),
       (SELECT contract FROM registry.supply_contract WHERE contract = %(name)s)
