"""Statistics and reports: design-based estimates of satisfaction, with no web in sight."""

import os

# Our matrices are small: threads of the linear algebra wait in busy loops and cost twice the CPU,
# and seconds on a busy machine.  Takes effect only when numpy is not loaded yet.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
