"""``python -m edge_agent`` is ``g60-edge``."""

from edge_agent.cli import main

main()
