INSERT INTO energy.check_run
  (part, from_day, to_day, meters, started_at, finished_at, after_meter, checked, waiting, compared, undecided,
   differing, examples)
VALUES
  ('asked', %(from_day)s, %(to_day)s, %(serials)s, %(started_at)s, clock_timestamp(), %(after_meter)s, %(checked)s,
   %(waiting)s, %(compared)s, %(undecided)s, %(differing)s, %(examples)s)
