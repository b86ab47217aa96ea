INSERT INTO indicator.catalogue AS c
  (indicator, plan, section, name_zh, name_en, unit, kind, nature, entry, digest, legal_basis)
VALUES (%(indicator)s, %(plan)s, %(section)s, %(name_zh)s, %(name_en)s, %(unit)s, %(kind)s, %(nature)s, %(entry)s,
        %(digest)s, 'published')
ON CONFLICT (indicator) DO UPDATE
  SET plan = excluded.plan, section = excluded.section, name_zh = excluded.name_zh, name_en = excluded.name_en,
      unit = excluded.unit, kind = excluded.kind, nature = excluded.nature, entry = excluded.entry,
      digest = excluded.digest, synced_at = now()
  WHERE c.digest <> excluded.digest
