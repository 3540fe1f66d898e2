#!/usr/bin/python3
"""evidence.py USER-CCACHE KEYTAB ACCOUNT ACCOUNT-SPN TARGET: constrained delegation without protocol transition.

The evidence is the user's own AP-REQ to the delegating account; S4U2Self is not used. All names include their realms. The environment
provides KRB5_CONFIG.
"""
import sys
import tempfile

import gssapi

user_ccache, keytab, account, account_spn, target = sys.argv[1:]


def kerberos_name(text):
    return gssapi.Name(text, gssapi.NameType.kerberos_principal)


user = gssapi.Credentials(usage="initiate", store={"ccache": user_ccache})
initiator = gssapi.SecurityContext(name=kerberos_name(account_spn), creds=user, usage="initiate", mech=gssapi.MechType.kerberos, flags=0)

with tempfile.TemporaryDirectory() as folder:
    store = {"keytab": keytab, "client_keytab": keytab, "ccache": "FILE:%s/ccache" % folder}
    acceptor = gssapi.SecurityContext(creds=gssapi.Credentials(usage="both", name=kerberos_name(account), store=store), usage="accept")
    acceptor.step(initiator.step())
    print("accepted", acceptor.initiator_name, "delegated credentials:", acceptor.delegated_creds is not None)
    proxy = gssapi.SecurityContext(name=kerberos_name(target), creds=acceptor.delegated_creds, usage="initiate",
                                   mech=gssapi.MechType.kerberos)
    print("S4U2Proxy token of", len(proxy.step()), "bytes")
