"""Feedback: cases that somebody answers for, comments one can search, praise that is passed on."""
