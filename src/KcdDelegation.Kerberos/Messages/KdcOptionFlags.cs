namespace KcdDelegation.Kerberos.Messages;

/// <summary>The KDC options of RFC 4120 §5.4.1, RFC 6806 §4 (canonicalize) and MS-SFU §2.2.3 (cname-in-addl-tkt).</summary>
[Flags]
internal enum KdcOptionFlags : uint
{
    None = 0,
    Forwardable = 0x40000000,
    Renewable = 0x00800000,
    ConstrainedDelegation = 0x00020000,
    Canonicalize = 0x00010000,
    RenewableOk = 0x00000010,
}
