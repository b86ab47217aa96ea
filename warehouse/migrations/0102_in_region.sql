-- Where an enterprise is counted, said once for every indicator that asks.

CREATE FUNCTION indicator.in_region(registered_region text, statistical_region text, of_region text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN num_nonnulls(registered_region, statistical_region) > 0
    THEN starts_with(coalesce(registered_region, ''), of_region)
      OR starts_with(coalesce(statistical_region, ''), of_region)
  END;
COMMENT ON FUNCTION indicator.in_region IS
  'True for an enterprise of a region (属于该区域): by its registered address (注册地) or the place statistics count it in (统计地), either suffices; null when neither is known, which is not outside';
