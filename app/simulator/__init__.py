"""A plausible PBX with its people: pushes webhooks and serves the PBX's own API over HTTP.

It speaks the PBX's dialect and knows nothing of the application it is pointed at.
"""
