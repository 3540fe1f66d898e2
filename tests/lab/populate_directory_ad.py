#!/usr/bin/python3
"""populate_directory_ad.py SMB.CONF DOMAIN HOST: adds what the tests of the LDAP client read, through the domain's own sam.ldb.

Below OU=directory: contacts c0001 to c2000, c0001 with thumbnailPhoto (all 256 byte values), and the group everyone with all of them as
members. Contacts have no SID and no keys, so they are added much faster than users. Only domain admins may read the attributes of
OU=closed. The controller's account gets the SPN ldap/HOST.DOMAIN: Samba does not map ldap/ to HOST/.
"""
import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.param import LoadParm
from samba.samdb import SamDB

SMB_CONF, DOMAIN, HOST = sys.argv[1:]
CONTACTS = 2000

parameters = LoadParm()
parameters.load(SMB_CONF)
directory = SamDB(url=parameters.private_path("sam.ldb"), session_info=system_session(), lp=parameters)
base = str(directory.domain_dn())
unit = "OU=directory," + base


def contact(number):
    return "CN=c%04d,%s" % (number, unit)


directory.transaction_start()
try:
    controller = directory.search(base, expression="(sAMAccountName=%s$)" % HOST, attrs=["servicePrincipalName"])[0]
    name = "ldap/%s.%s" % (HOST, DOMAIN)
    if name not in [str(spn) for spn in controller.get("servicePrincipalName", [])]:
        message = ldb.Message(controller.dn)
        message["spn"] = ldb.MessageElement([name], ldb.FLAG_MOD_ADD, "servicePrincipalName")
        directory.modify(message)
    directory.add({"dn": unit, "objectClass": "organizationalUnit"})
    for number in range(1, CONTACTS + 1):
        directory.add({"dn": contact(number), "objectClass": "contact", **({"thumbnailPhoto": bytes(range(256))} if number == 1 else {})})
    directory.add({
        "dn": "CN=everyone," + unit, "objectClass": "group", "sAMAccountName": "everyone",
        "member": [contact(number) for number in range(1, CONTACTS + 1)],
    })
    admins_only = security.descriptor.from_sddl("O:DAD:P(A;;GA;;;SY)(A;;GA;;;DA)", security.dom_sid(directory.get_domain_sid()))
    directory.add({
        "dn": "OU=closed," + base, "objectClass": "organizationalUnit", "description": "closed",
        "nTSecurityDescriptor": ndr_pack(admins_only),
    })
except BaseException:
    directory.transaction_cancel()
    raise
directory.transaction_commit()
