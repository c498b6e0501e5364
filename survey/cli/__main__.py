"""``python -m survey.cli``: the command without its installed script."""

from survey.cli import main

main(prog_name="sipas")
