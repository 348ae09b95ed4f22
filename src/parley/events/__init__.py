"""What AWS said: events, their envelopes and signatures, routing, formatters. Pure."""
