-- Comments that said less, or something else, than the jobs do.

COMMENT ON COLUMN energy.quarter.quality IS
  'measured: between readings at most 20 minutes apart; estimated: spread over a gap or a change, integrated from power, or resting on a doubtful reading; unknown';
COMMENT ON COLUMN indicator.due.cause IS
  'energy_accounts: quarter-hours of days within the period changed, or, of a panel compared with itself, of the same period a year before';
