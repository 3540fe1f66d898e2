#!/usr/bin/python3
"""populate_ad.py SMB.CONF DOMAIN KIND KEYTABS: fills a domain through its own sam.ldb and writes keytabs.

KIND is `ad` for the full set of accounts or `partner` for those that the trust needs. All accounts have the same password.
"""
import sys

import ldb
from samba import dsdb, enable_net_export_keytab
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB

SMB_CONF, DOMAIN, KIND, KEYTABS = sys.argv[1:]
PASSWORD = "Passw0rd!"

# userAccountControl (MS-ADTS 2.2.16)
DISABLED, NORMAL, WORKSTATION, NO_EXPIRY = 0x2, 0x200, 0x1000, 0x10000
NOT_DELEGATED, TRUSTED_TO_AUTH = 0x100000, 0x1000000
# msDS-SupportedEncryptionTypes (MS-KILE 2.2.7)
RC4, AES128, AES256 = 4, 8, 16
ALL_TYPES = RC4 | AES128 | AES256

TARGETS = ["HTTP/web." + DOMAIN, "HTTP/web"] + ["http/web-%s.%s" % (name, DOMAIN) for name in ("aes128", "aes256", "rc4", "default")]

parameters = LoadParm()
parameters.load(SMB_CONF)
directory = SamDB(url=parameters.private_path("sam.ldb"), session_info=system_session(), lp=parameters)
base = str(directory.domain_dn())


def find(account):
    return directory.search(base, scope=ldb.SCOPE_SUBTREE, expression="(sAMAccountName=%s)" % account, attrs=["objectSid"])[0]


def sid_of(account):
    return str(ndr_unpack(security.dom_sid, find(account)["objectSid"][0]))


def modify(account, attributes):
    message = ldb.Message(find(account).dn)
    for name, value in attributes.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    directory.modify(message)


def user(account, upn=None, spns=None, control=0, types=None, delegates_to=None, **more):
    directory.newuser(account, PASSWORD)
    attributes = {"userPrincipalName": upn or "%s@%s" % (account, DOMAIN), "userAccountControl": str(NORMAL | NO_EXPIRY | control)}
    if spns:
        attributes["servicePrincipalName"] = spns
    if types is not None:
        attributes["msDS-SupportedEncryptionTypes"] = str(types)
    if delegates_to:
        attributes["msDS-AllowedToDelegateTo"] = delegates_to
    attributes.update(more)
    modify(account, attributes)


def service(name, *spns, **more):
    """Adds the account svc-NAME with the SPN HTTP/NAME.DOMAIN."""
    more.setdefault("types", ALL_TYPES)
    user("svc-" + name, spns=["HTTP/%s.%s" % (name, DOMAIN), *spns], **more)


def computer(name, control=0, delegates_to=None):
    host = "%s.%s" % (name, DOMAIN)
    directory.add({
        "dn": "CN=%s,CN=Computers,%s" % (name, base),
        "objectClass": "computer",
        "sAMAccountName": name + "$",
        "userAccountControl": str(WORKSTATION | control),
        "servicePrincipalName": ["HTTP/" + host, "HOST/" + host],
        "dNSHostName": host,
        "msDS-SupportedEncryptionTypes": str(ALL_TYPES),
        "msDS-AllowedToDelegateTo": delegates_to or [],
        "unicodePwd": ('"%s"' % PASSWORD).encode("utf-16-le"),
    })


def let_act_on(target, *accounts):
    """Sets msDS-AllowedToActOnBehalfOfOtherIdentity: the accounts that may delegate to the target."""
    sddl = "O:BAD:" + "".join("(A;;CR;;;%s)" % sid_of(account) for account in accounts)
    descriptor = security.descriptor.from_sddl(sddl, security.dom_sid(directory.get_domain_sid()))
    modify(target, {"msDS-AllowedToActOnBehalfOfOtherIdentity": ndr_pack(descriptor)})


def rename(account, new_name):
    """Renames the account after its password was set. The keys keep the salt of the old name until the next change of the password."""
    modify(account, {"sAMAccountName": new_name, "userPrincipalName": "%s@%s" % (new_name, DOMAIN)})


def drop_aes_keys(account):
    """Leaves only the NT hash, which is the RC4 key, as if the password were older than the domain's AES support.
    msDS-SupportedEncryptionTypes is not sufficient: a controller accepts AES from a client that has AES keys."""
    message = ldb.Message(find(account).dn)
    message["keys"] = ldb.MessageElement([], ldb.FLAG_MOD_DELETE, "supplementalCredentials")
    directory.modify(message, controls=["local_oid:%s:0" % dsdb.DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID])


def small_domain():
    user("alice")
    user("bob")
    service("web", "HTTP/web")
    service("other")
    service("rbcd")
    service("connector", control=TRUSTED_TO_AUTH, delegates_to=TARGETS)
    service("rbcdonly")                                     # has no list; may delegate only by resource-based delegation
    let_act_on("svc-rbcd", "svc-connector", "svc-rbcdonly")


def full_domain():
    suffixes = ldb.Message(ldb.Dn(directory, "CN=Partitions," + str(directory.get_config_basedn())))
    suffixes["uPNSuffixes"] = ldb.MessageElement(["contoso.local"], ldb.FLAG_MOD_REPLACE, "uPNSuffixes")
    directory.modify(suffixes)

    user("jd1001", upn="joed@contoso.local")
    user("carol01", upn="carol.smith@" + DOMAIN)
    user("jürgen")
    user("加藤")
    user("sensitive", control=NOT_DELEGATED)
    user("disabled", control=DISABLED)
    user("expired", accountExpires="132223104000000000")    # 2020-01-01
    user("pwexpired")
    modify("pwexpired", {"userAccountControl": str(NORMAL), "pwdLastSet": "0"})
    user("protected")
    directory.add_remove_group_members("Protected Users", ["protected"])

    for name, types in (("aes128", AES128), ("aes256", AES256), ("rc4", RC4), ("default", None)):
        service("web-" + name, types=types)
    user("svc-notrans", spns=["HTTP/connector-notrans." + DOMAIN], types=ALL_TYPES, delegates_to=TARGETS)
    service("connector-rc4", types=RC4, control=TRUSTED_TO_AUTH, delegates_to=TARGETS)
    drop_aes_keys("svc-connector-rc4")
    service("before", control=TRUSTED_TO_AUTH, delegates_to=TARGETS)
    rename("svc-before", "svc-renamed")
    computer("conncomp", control=TRUSTED_TO_AUTH, delegates_to=TARGETS)


def export(keytab, *principals):
    for principal in principals:
        Net(None, parameters).export_keytab(keytab="%s/%s.keytab" % (KEYTABS, keytab), principal=principal)


def spns(*names):
    return ["HTTP/%s.%s" % (name, DOMAIN) for name in names]


small_domain()
if KIND == "ad":
    full_domain()
enable_net_export_keytab()
export("connector", "svc-connector", *spns("connector"))
export("rbcdonly", "svc-rbcdonly")
export("krbtgt", "krbtgt")
export("web", "HTTP/web", *spns("web", "other", "rbcd"))
if KIND == "ad":
    export("web", *spns("web-aes128", "web-aes256", "web-rc4", "web-default"))
    export("connector-notrans", "svc-notrans")
    export("connector-rc4", "svc-connector-rc4")
    export("renamed", "svc-renamed")
    export("conncomp", "conncomp$")
