namespace KcdDelegation.Kerberos.Messages;

/// <summary>The application tags of the KDC messages, which are also their message types (RFC 4120 §5.10).</summary>
internal enum KdcMessageType
{
    AsRequest = 10,
    AsReply = 11,
    TgsRequest = 12,
    TgsReply = 13,
}
