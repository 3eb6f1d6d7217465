"""What nova_functional.py is made of: Nova's own functional tests, with our driver in the place of Nova's fake one.

Nothing of Nova's tests is changed. nova_functional.toml says of each of them whether it passes, and of those that
cannot why.
"""
