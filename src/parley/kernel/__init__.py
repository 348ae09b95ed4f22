"""The vocabulary of Parley: messages, incoming chat, ports and errors. No I/O, no clock."""
