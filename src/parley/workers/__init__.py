"""What works in the background: delivery, live pages, queues."""
