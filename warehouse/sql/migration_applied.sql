SELECT m.number, m.name, m.flavour, m.sha256 FROM warehouse.migration AS m ORDER BY m.number
