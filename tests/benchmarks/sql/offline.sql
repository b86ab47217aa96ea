SELECT count(*) AS gateways FROM ingest.gateway_state WHERE NOT online
