-- What each variable allows.
SELECT
  variable, kind, string_to_array(units, ' '), string_to_array(scopes, ' '), string_to_array(price_bases, ' '), subjects
FROM stats.variable
