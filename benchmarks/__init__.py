"""Where the README's figures come from: every one is a ratio seen in one run on one machine."""
