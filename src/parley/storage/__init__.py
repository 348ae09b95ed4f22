"""Tables on SQLite or PostgreSQL: one module per port over one `Database`."""
