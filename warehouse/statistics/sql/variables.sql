-- Every variable.
SELECT variable, name_zh, name_en, kind, units, scopes, price_bases, subjects, note
FROM stats.variable
ORDER BY variable
