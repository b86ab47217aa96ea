"""The whole system on one machine, without containers: servers, services, and what keeps them running."""
