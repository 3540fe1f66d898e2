#!/usr/bin/python3
"""add_users_ad.py SMB.CONF FIRST LAST: adds the users uFIRST to uLAST (five digits) to a domain through its own sam.ldb.

The users have no password. Entries that are added in one transaction are much faster than `samba-tool user create`.
"""
import sys

from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

NORMAL, NO_PASSWORD, NO_EXPIRY = 0x200, 0x20, 0x10000     # userAccountControl (MS-ADTS 2.2.16)

parameters = LoadParm()
parameters.load(sys.argv[1])
directory = SamDB(url=parameters.private_path("sam.ldb"), session_info=system_session(), lp=parameters)
base = str(directory.domain_dn())

directory.transaction_start()
try:
    for number in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
        name = "u%05d" % number
        directory.add({
            "dn": "CN=%s,CN=Users,%s" % (name, base), "objectClass": "user", "sAMAccountName": name,
            "userAccountControl": str(NORMAL | NO_PASSWORD | NO_EXPIRY),
        })
except BaseException:
    directory.transaction_cancel()
    raise
directory.transaction_commit()
