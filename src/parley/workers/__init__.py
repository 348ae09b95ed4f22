"""What works in the background: queues, delivery, timers, live pages."""
