-- Months of Asia/Shanghai, rows in each, and what decides the types of columns.
SELECT {month} AS month, count(*){figures}
FROM {relation} AS r
WHERE {where}
GROUP BY 1
ORDER BY 1 NULLS LAST
