"""Backup and restore of a warehouse on top of pg_dump and pg_restore, with figures that prove the restore."""
