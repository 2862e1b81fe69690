"""Secrets and site of the application come with the configuration."""

site = "example.org"
environment = {
    "MARK": "staging",
    "SITE_URL": "https://%s/?a=b" % site,
}

raw_env = ["%s=%s" % pair for pair in sorted(environment.items())]
pythonpath = ",".join(["lib", "vendor"])
umask = 0o007
tmp_upload_dir = None
user = None
group = None
limit_request_line = 8190
limit_request_fields = 200
limit_request_field_size = 0
