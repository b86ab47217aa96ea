-- Who uses each of these certificates already, and for which year.
SELECT number, uscc, used_year
FROM registry.certificate
WHERE number = ANY (%(numbers)s)
