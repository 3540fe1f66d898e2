#!/usr/bin/python3
"""gsstoken.py krb5|spnego SPN [SHA256-OF-CERTIFICATE]: prints in base64 the first token that MIT's GSSAPI creates from the ccache in
KRB5CCNAME. With a hash the token is bound to that certificate. The SPN includes its realm: HTTP/web.mit.test@MIT.TEST"""
import base64
import sys

import gssapi
from gssapi.raw import ChannelBindings

mechanism, service, digest = sys.argv[1], sys.argv[2], sys.argv[3:]
context = gssapi.SecurityContext(
    name=gssapi.Name(service, gssapi.NameType.kerberos_principal),
    mech=gssapi.MechType.kerberos if mechanism == "krb5" else gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
    usage="initiate",
    flags=gssapi.RequirementFlag.mutual_authentication,
    channel_bindings=ChannelBindings(application_data=b"tls-server-end-point:" + bytes.fromhex(digest[0])) if digest else None,
)
print(base64.b64encode(context.step()).decode())
