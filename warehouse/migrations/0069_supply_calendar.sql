-- Days that wait for a calendar of holidays that knows their year.

CREATE INDEX tariff_day_calendar ON energy.tariff_day (day) WHERE reason = 'calendar';
COMMENT ON INDEX energy.tariff_day_calendar IS
  'Finds the days that the calendar of holidays did not know, so that they are computed once it does';
