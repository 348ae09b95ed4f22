"""Slack: messages as Block Kit, sent through the Web API."""
