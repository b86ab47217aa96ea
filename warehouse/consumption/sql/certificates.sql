-- Certificates of an enterprise whose electricity was generated in a period and is used for its year.
SELECT number, mwh, cross_province, own_site
FROM registry.certificate_as_of(%(as_of)s)
WHERE uscc = %(uscc)s AND used_year = %(year)s AND (%(whole_year)s OR generated_month BETWEEN %(start)s AND %(last)s)
ORDER BY number
