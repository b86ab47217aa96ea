SELECT p.gateway, count(*) FROM ingest.parked_message AS p
WHERE p.gateway = ANY (%(gateways)s::text[]) GROUP BY p.gateway
