-- The first day of which the calendar did not say what kind it is.
SELECT min(day) FROM energy.tariff_day WHERE reason = 'calendar'
