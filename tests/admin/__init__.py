"""The administrators' pages, one file for each page or two; `tests.admin_site` is their site."""
