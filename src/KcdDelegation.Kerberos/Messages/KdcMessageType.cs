namespace KcdDelegation.Kerberos.Messages;

/// <summary>RFC 4120 §5.10: application tags, which are the message types too.</summary>
internal enum KdcMessageType
{
    AsRequest = 10,
    AsReply = 11,
    TgsRequest = 12,
    TgsReply = 13,
}
