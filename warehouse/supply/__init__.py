"""What the energy of supply contracts costs: periods of the tariff, demand, money."""
