-- Whoever waits for this lock has everybody behind it wait too; the next round tries again.
SET LOCAL lock_timeout = '5s'
