#!/usr/bin/python3
"""pac.py CCACHE KEYTAB SPN: decrypts the tickets for that service and prints their contents, including the buffers of the PAC.

Needs python3-impacket. The SPN has no realm: HTTP/web.mit.test
"""
import sys

from impacket.krb5.asn1 import AD_IF_RELEVANT, EncTicketPart, Ticket
from impacket.krb5.ccache import CCache
from impacket.krb5.crypto import Key, _enctype_table
from impacket.krb5.keytab import Keytab
from impacket.krb5.pac import PAC_INFO_BUFFER, PACTYPE, UPN_DNS_INFO, VALIDATION_INFO
from pyasn1.codec.der import decoder

AD_TYPE_IF_RELEVANT, AD_TYPE_WIN2K_PAC = 1, 128             # RFC 4120 section 7.5.4
KEY_USAGE_TICKET = 2                                        # RFC 4120 section 7.5.1

# MS-PAC 2.4
LOGON_INFO, CLIENT_INFO, UPN_DNS = 1, 10, 12
NAMES = {
    1: "LOGON_INFO", 2: "CREDENTIALS", 6: "SERVER_CKSUM", 7: "KDC_CKSUM", 10: "CLIENT_INFO", 11: "DELEGATION_INFO", 12: "UPN_DNS_INFO",
    13: "CLIENT_CLAIMS", 14: "DEVICE_INFO", 15: "DEVICE_CLAIMS", 16: "TICKET_CKSUM", 17: "ATTRIBUTES_INFO", 18: "REQUESTOR_SID",
    19: "FULL_CKSUM",
}


def find_key(keytab, service, enctype):
    for entry in keytab.entries:
        block = entry.main_part
        name = b"/".join(component["data"] for component in block["principal"].components).decode()
        if name == service and int(block["keyblock"]["keytype"]) == enctype:
            value = block["keyblock"]["keyvalue"]
            return Key(enctype, value if isinstance(value, (bytes, bytearray)) else value["data"])
    return None


def detail(kind, data):
    if kind == LOGON_INFO:
        info = VALIDATION_INFO()
        info.fromString(data)
        info.fromStringReferents(data[len(info.getData()):])
        return "user=%s domain=%s" % (info["Data"]["EffectiveName"], info["Data"]["LogonDomainName"])
    if kind == CLIENT_INFO:
        return data[10:].decode("utf-16-le")
    if kind == UPN_DNS:
        info = UPN_DNS_INFO(data)
        return data[info["UpnOffset"]:info["UpnOffset"] + info["UpnLength"]].decode("utf-16-le")
    return ""


def print_pac(data):
    pac = PACTYPE(data)
    rest = pac["Buffers"]
    for _ in range(pac["cBuffers"]):
        header = PAC_INFO_BUFFER(rest)
        rest = rest[len(header):]
        kind, size = header["ulType"], header["cbBufferSize"]
        print("   PAC", kind, NAMES.get(kind, "?"), size, detail(kind, data[header["Offset"]:header["Offset"] + size]))


def print_ticket(credential, service, keytab):
    ticket = decoder.decode(credential.ticket["data"], asn1Spec=Ticket())[0]
    enctype = int(ticket["enc-part"]["etype"])
    key = find_key(keytab, service, enctype)
    if key is None:
        print("no key of type", enctype)
        return
    plain = _enctype_table[enctype].decrypt(key, KEY_USAGE_TICKET, ticket["enc-part"]["cipher"].asOctets())
    part = decoder.decode(plain, asn1Spec=EncTicketPart())[0]
    print("ticket etype", enctype, "session etype", int(part["key"]["keytype"]),
          "cname", "/".join(str(x) for x in part["cname"]["name-string"]), "name-type", int(part["cname"]["name-type"]),
          "crealm", str(part["crealm"]))
    for data in part["authorization-data"] if part["authorization-data"].hasValue() else ():
        if int(data["ad-type"]) != AD_TYPE_IF_RELEVANT:
            print("  ad-type", int(data["ad-type"]))
            continue
        for inner in decoder.decode(data["ad-data"].asOctets(), asn1Spec=AD_IF_RELEVANT())[0]:
            if int(inner["ad-type"]) == AD_TYPE_WIN2K_PAC:
                print_pac(inner["ad-data"].asOctets())
            else:
                print("  ad-type, if relevant", int(inner["ad-type"]))


ccache, keytab, service = CCache.loadFile(sys.argv[1]), Keytab.loadFile(sys.argv[2]), sys.argv[3]
for entry in ccache.credentials:
    if entry["server"].prettyPrint().decode().startswith(service + "@"):
        print_ticket(entry, service, keytab)
