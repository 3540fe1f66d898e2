#!/usr/bin/python3
"""pyacceptor.py PORT KEYTAB CERTIFICATE KEY: an https server that checks Negotiate tokens with MIT's GSSAPI.

/       no channel bindings
/cb     tls-server-end-point (RFC 5929): a token bound to another certificate is refused, a token without bindings is accepted
/cbreq  as /cb, but a token without bindings is refused too (Windows: Extended Protection "required")
"""
import base64
import hashlib
import http.server
import ssl
import sys

import gssapi
from gssapi.raw import ChannelBindings

PORT, KEYTAB, CERTIFICATE, KEY = int(sys.argv[1]), *sys.argv[2:]
CHANNEL_BOUND = 0x800                                       # GSS_C_CHANNEL_BOUND_FLAG, MIT 1.19 and later
gssapi.SecurityContext.__DEFER_STEP_ERRORS__ = False        # otherwise the next call raises the error

with open(CERTIFICATE, encoding="ascii") as pem:
    DIGEST = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).digest()
BINDINGS = ChannelBindings(application_data=b"tls-server-end-point:" + DIGEST)


def check(path, token):
    """Returns the status, the text and the acceptor's reply token."""
    credentials = gssapi.Credentials(usage="accept", store={"keytab": KEYTAB, "rcache": "none:"})
    bindings = BINDINGS if path.startswith("/cb") else None
    context = gssapi.SecurityContext(creds=credentials, usage="accept", channel_bindings=bindings)
    try:
        reply = context.step(token)
    except gssapi.exceptions.GSSError as error:
        return 401, "ERR " + str(error).replace("\n", " "), None
    bound = bool(int(context.actual_flags) & CHANNEL_BOUND)
    if path.startswith("/cbreq") and not bound:
        return 401, "ERR the token is not bound to this TLS channel", None
    return 200, "REMOTE_USER=%s bound=%s" % (context.initiator_name, bound), reply


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        header = self.headers.get("Authorization", "")
        status, text, reply = 401, "no token", None
        if header.startswith("Negotiate "):
            status, text, reply = check(self.path, base64.b64decode(header[len("Negotiate "):]))
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("WWW-Authenticate", "Negotiate" + (" " + base64.b64encode(reply).decode() if reply else ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
