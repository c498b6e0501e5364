"""Statistics and reports: design-based estimates of satisfaction, with no web in sight."""

import os

# Our matrices are small: threads of the linear algebra cost twice the CPU here, seconds on a busy
# machine, and sums that depend on how many there are.  Takes effect when numpy is not loaded yet.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
