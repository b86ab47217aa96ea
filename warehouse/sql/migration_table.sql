CREATE SCHEMA IF NOT EXISTS warehouse;
COMMENT ON SCHEMA warehouse IS 'Which version of the schema this database has';
CREATE TABLE IF NOT EXISTS warehouse.migration (
  number int4 PRIMARY KEY,
  name text NOT NULL,
  flavour text NOT NULL CHECK (flavour IN ('plain', 'timescale')),
  sha256 text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE warehouse.migration IS
  'Migrations that this database has, in order; written by g60 warehouse migrate only';
COMMENT ON COLUMN warehouse.migration.number IS 'Number of the file';
COMMENT ON COLUMN warehouse.migration.name IS 'Name of the file, without number and flavour';
COMMENT ON COLUMN warehouse.migration.flavour IS 'Flavour of the database: plain or timescale; the same in every row';
COMMENT ON COLUMN warehouse.migration.sha256 IS 'Checksum of the file as it was applied';
COMMENT ON COLUMN warehouse.migration.applied_at IS 'When';
