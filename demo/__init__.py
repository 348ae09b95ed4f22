"""The demo: Parley beside an AWS emulator, and what happens in one seen in the other.

It stands outside the package: it may use an emulator and boto3 as it likes, and the product cannot
come to depend on it.
"""
