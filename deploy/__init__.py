"""How the system is put on machines: one machine first (deploy.local)."""
