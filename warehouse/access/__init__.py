"""Access: which role of the database server may see what, and the views that show it."""
