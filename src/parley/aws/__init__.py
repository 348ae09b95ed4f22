"""What talks to AWS. Only here are its libraries imported."""
