-- Plans with all their documents, two more states of a result, and the city as an area that statistics are of.

ALTER TABLE indicator.plan ADD COLUMN documents jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN indicator.plan.documents IS
  'The documents that make the plan (规划文件): number, title, when issued, whether its text was seen, what it is to the plan';

ALTER TABLE indicator.result DROP CONSTRAINT result_status_check;
ALTER TABLE indicator.result ADD CONSTRAINT result_status_check CHECK (status IN
  ('met', 'not_met', 'achieved', 'at_target_now', 'on_track', 'slightly_behind', 'behind',
   'insufficient_data', 'target_missing', 'baseline_missing', 'no_target', 'open', 'withheld'));
COMMENT ON COLUMN indicator.result.status IS
  'Where the indicator stands; insufficient_data has no value; open: a milestone not reached yet; withheld: part of a year, not set against a yearly target';

ALTER TABLE registry.area DROP CONSTRAINT area_kind_check;
ALTER TABLE registry.area ADD CONSTRAINT area_kind_check
  CHECK (kind IN ('city', 'district', 'belt', 'town', 'statistical_area', 'zone', 'park'));
COMMENT ON COLUMN registry.area.kind IS
  'city (市: statistics of Shanghai as a whole); district; belt (三片); town (街道, 镇); statistical_area (统计用区划); zone (一廊九区); park (产业园区)';
