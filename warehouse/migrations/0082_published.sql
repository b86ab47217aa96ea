-- Group figures for whoever may not see the members: a fixed list, each with a least number of members.

CREATE TABLE access.disclosure_rule (
  valid_from date PRIMARY KEY,
  min_members int NOT NULL CHECK (min_members >= 3),
  max_share numeric NOT NULL CHECK (max_share > 0 AND max_share <= 1),
  source text NOT NULL
);
COMMENT ON TABLE access.disclosure_rule IS
  'When a group figure may be published: from that day on, until the next row''s. The latest row that has begun counts for all figures';
COMMENT ON COLUMN access.disclosure_rule.valid_from IS 'First day';
COMMENT ON COLUMN access.disclosure_rule.min_members IS 'Fewest members of a figure';
COMMENT ON COLUMN access.disclosure_rule.max_share IS 'Largest share that one member may have of it';
COMMENT ON COLUMN access.disclosure_rule.source IS 'Who decided so, in which document';
INSERT INTO access.disclosure_rule VALUES
  ('2000-01-01', 3, 0.8, 'Default of the project: change it by a row with the document of the statistics office');

CREATE SCHEMA published;
COMMENT ON SCHEMA published IS
  'Group figures that every grantee sees (公开汇总), released only with enough members and without a dominant one';
GRANT USAGE ON SCHEMA published TO PUBLIC;

CREATE VIEW access.member_month AS
  SELECT
    h.uscc, h.areas, m.carrier, m.unit, d.month,
    sum(CASE WHEN d.feed_in THEN -d.energy ELSE d.energy END) AS energy,
    sum(d.unknown)::int8 AS unknown
  FROM energy.month AS d
  JOIN energy.holder AS h ON h.holder_id = d.holder_id
  JOIN access.consent_today AS c ON c.uscc = h.uscc AND c.purpose = 'statistics'
    AND c.days @> daterange(d.month, (d.month + interval '1 month')::date)
  JOIN access.placed AS p
    ON p.meter_id = d.meter_id AND p.uscc = h.uscc AND p.role = 'boundary'
      AND p.from_day < (d.month + interval '1 month')::date AND d.month <= p.last_day
      AND (d.month + interval '1 month')::date <= p.next_day
  JOIN registry.meter AS m ON m.meter_id = d.meter_id
  WHERE (d.month + interval '1 month')::date <= access.today()
  GROUP BY h.uscc, h.areas, m.carrier, m.unit, d.month;
COMMENT ON VIEW access.member_month IS
  'Energy of an enterprise in one set of areas, by whole month, while it consents to statistics';
COMMENT ON COLUMN access.member_month.uscc IS 'The enterprise';
COMMENT ON COLUMN access.member_month.areas IS 'Areas it was in';
COMMENT ON COLUMN access.member_month.carrier IS 'Carrier';
COMMENT ON COLUMN access.member_month.unit IS 'Unit of the energy';
COMMENT ON COLUMN access.member_month.month IS 'First day of the month';
COMMENT ON COLUMN access.member_month.energy IS 'Energy of its boundary meters, less what they fed in; null when unknown';
COMMENT ON COLUMN access.member_month.unknown IS 'Quarter-hours of meters that are unknown';

CREATE VIEW published.park_month WITH (security_barrier) AS
  WITH rule AS (
    SELECT r.min_members, r.max_share FROM access.disclosure_rule AS r
    WHERE r.valid_from <= access.today() ORDER BY r.valid_from DESC LIMIT 1
  ),
  grouped AS (
    -- Every member is in the district; and in its parks, or in the rest, which is no figure of its own.
    SELECT
      g.area, s.carrier, s.unit, s.month, s.uscc, sum(s.energy) AS energy, sum(s.unknown) AS unknown,
      bool_or(g.parks > 1) AS shared
    FROM access.member_month AS s
    CROSS JOIN LATERAL (
      SELECT ARRAY(SELECT a.area FROM registry.area AS a WHERE a.kind = 'park' AND a.area = ANY (s.areas)) AS parks
    ) AS i
    CROSS JOIN LATERAL (
      SELECT unnest(i.parks || 'district'::text || CASE WHEN i.parks = '{}' THEN 'rest' END) AS area,
             cardinality(i.parks) AS parks
    ) AS g
    WHERE g.area IS NOT NULL
    GROUP BY g.area, s.carrier, s.unit, s.month, s.uscc
  ),
  cell AS (
    SELECT
      m.area, m.carrier, m.unit, m.month, sum(m.energy) AS energy, sum(m.unknown)::int8 AS unknown,
      count(*) AS members, bool_or(m.shared) AS shared, r.max_share,
      coalesce(sum(abs(m.energy)), 0) AS size, coalesce(max(abs(m.energy)), 0) AS largest,
      count(m.energy) < r.min_members OR max(abs(m.energy)) > r.max_share * sum(abs(m.energy)) AS small
    FROM grouped AS m CROSS JOIN rule AS r
    GROUP BY m.area, m.carrier, m.unit, m.month, r.min_members, r.max_share
  ),
  judged AS (
    -- The district less the parks that are shown tells what is left. So where a cell is small, another is kept back
    -- that is large enough to hide its largest member: the rest if that will do, else the smallest park that will.
    SELECT
      c.*,
      bool_or(c.small AND c.area <> 'district') OVER month AS any_small,
      bool_or(c.shared OR c.small) FILTER (WHERE c.area = 'district') OVER month AS no_whole,
      NOT c.small AND c.area <> 'district'
        AND c.max_share * c.size >= (1 - c.max_share)
          * max(c.largest) FILTER (WHERE c.small AND c.area <> 'district') OVER month AS hides
    FROM cell AS c
    WINDOW month AS (PARTITION BY c.carrier, c.unit, c.month)
  ),
  placed AS (
    SELECT
      j.*, coalesce(bool_or(j.hides) OVER (PARTITION BY j.carrier, j.unit, j.month), false) AS any_hides,
      row_number() OVER (
        PARTITION BY j.carrier, j.unit, j.month, coalesce(j.hides, false)
        ORDER BY j.area <> 'rest', j.size, j.area) AS place
    FROM judged AS j
  ),
  decided AS (
    SELECT
      p.*,
      CASE
        WHEN p.small THEN 'too_few'
        WHEN p.area = 'district' AND (p.shared OR p.any_small AND NOT p.any_hides) THEN 'would_tell_another'
        WHEN p.any_small AND p.hides AND p.place = 1 AND NOT p.no_whole THEN 'would_tell_another'
      END AS withheld
    FROM placed AS p
  )
  SELECT
    d.area, d.carrier, d.unit, d.month,
    CASE WHEN d.withheld IS NULL THEN d.energy END AS energy,
    CASE WHEN d.withheld IS NULL THEN d.unknown END AS unknown,
    CASE WHEN d.withheld IS NULL THEN d.members END AS members,
    d.withheld
  FROM decided AS d
  WHERE d.area <> 'rest' AND EXISTS (SELECT FROM access.scope());
COMMENT ON VIEW published.park_month IS
  'Energy of parks and of the district by whole month, from enterprises that consent to statistics: never grossed up, withheld where members are few or one dominates (access.disclosure_rule), or where it would tell another that is withheld';
COMMENT ON COLUMN published.park_month.area IS 'The park, or district';
COMMENT ON COLUMN published.park_month.carrier IS 'Carrier';
COMMENT ON COLUMN published.park_month.unit IS 'Unit of the energy';
COMMENT ON COLUMN published.park_month.month IS 'First day of the month';
COMMENT ON COLUMN published.park_month.energy IS 'Energy of boundary meters, less what was fed in; null when withheld or unknown';
COMMENT ON COLUMN published.park_month.unknown IS 'Quarter-hours of meters that are unknown; null when withheld';
COMMENT ON COLUMN published.park_month.members IS 'Enterprises in it; null when withheld';
COMMENT ON COLUMN published.park_month.withheld IS
  'too_few: few members or a dominant one; would_tell_another: the sum would tell a figure that is withheld; null when shown';

GRANT SELECT ON ALL TABLES IN SCHEMA published TO PUBLIC;
