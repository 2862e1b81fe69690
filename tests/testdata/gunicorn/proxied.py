"""Behind two load balancers, that are told apart from clients."""

balancers = ["10.1.0.4", "10.1.0.5"]

bind = "[::]:8000"
forwarded_allow_ips = ",".join(balancers + ["127.0.0.1"])
proxy_allow_ips = "127.0.0.1,10.1.0.0/16"
proxy_protocol = False
secure_scheme_headers = {
    "X-FORWARDED-PROTOCOL": "ssl",
    "X-FORWARDED-PROTO": "https",
    "X-FORWARDED-SSL": "on",
}
forwarder_headers = "SCRIPT_NAME,PATH_INFO"
header_map = "drop"
strip_header_spaces = False
permit_obsolete_folding = False
casefold_http_method = False
accesslog = "-"
access_log_format = "%({x-forwarded-for}i)s|%(h)s|%(m)s %(U)s|%(q)s|%(s)s|%(B)s|%(D)s|%(p)s"
