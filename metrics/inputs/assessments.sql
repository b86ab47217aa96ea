SELECT ''
WHERE NOT EXISTS (
  SELECT FROM registry.questionnaire_result_as_of(%(as_of)s) AS q WHERE q.assessed_on < %(period_end)s
)
