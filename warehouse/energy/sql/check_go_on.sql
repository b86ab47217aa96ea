UPDATE energy.check_run
SET after_meter = %(after_meter)s, checked = checked + %(checked)s, waiting = waiting + %(waiting)s,
    compared = compared + %(compared)s, undecided = undecided + %(undecided)s, differing = differing + %(differing)s,
    examples = CASE WHEN jsonb_array_length(examples) < %(most)s THEN examples || %(examples)s ELSE examples END,
    finished_at = CASE WHEN %(finished)s THEN now() END
WHERE check_id = %(check_id)s
