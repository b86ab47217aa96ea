INSERT INTO indicator.plan AS p (plan, name_zh, name_en, base_date, end_date, document, documents, legal_basis)
VALUES (%(plan)s, %(name_zh)s, %(name_en)s, %(base_date)s, %(end_date)s, %(document)s, %(documents)s, 'published')
ON CONFLICT (plan) DO UPDATE
  SET name_zh = excluded.name_zh, name_en = excluded.name_en, base_date = excluded.base_date,
      end_date = excluded.end_date, document = excluded.document, documents = excluded.documents
  WHERE p IS DISTINCT FROM excluded
