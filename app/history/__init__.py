"""History: tables that are derived from the log, and the questions that people ask of them.

A second follower of the log beside the projector writes them (`follower`); nothing here is a
source of truth, all of it can be dropped and built anew (`rebuild`). Telephone numbers are whole
here; whoever shows them to people masks them.
"""
