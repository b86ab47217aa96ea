SELECT tariff, structure, valid_from, valid_to FROM registry.tariff_attribute
