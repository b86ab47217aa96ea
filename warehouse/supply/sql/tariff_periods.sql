SELECT tariff, first_month, last_month, days, start_minute, end_minute, period, valid_from, valid_to
FROM registry.tariff_period
