#!/usr/bin/python3
"""set_attribute_ad.py SMB.CONF ACCOUNT ATTRIBUTE BASE64: sets an attribute of an account to bytes, on the controller itself."""
import base64
import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

CONFIG, ACCOUNT, ATTRIBUTE, VALUE = sys.argv[1:]
lp = LoadParm()
lp.load(CONFIG)
sam = SamDB(url=lp.private_path("sam.ldb"), session_info=system_session(), lp=lp)
entry = sam.search(expression="(sAMAccountName=%s)" % ldb.binary_encode(ACCOUNT), attrs=["dn"])[0]
change = ldb.Message(entry.dn)
change[ATTRIBUTE] = ldb.MessageElement(base64.b64decode(VALUE), ldb.FLAG_MOD_REPLACE, ATTRIBUTE)
sam.modify(change)
