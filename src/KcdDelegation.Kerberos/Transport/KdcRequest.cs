namespace KcdDelegation.Kerberos.Transport;

/// <summary>One attempt: a message with a nonce and an authenticator of its own, and what a reply to it must be.</summary>
internal abstract class KdcRequest<TReply>
{
    /// <summary>DER of the AS-REQ or TGS-REQ.</summary>
    public abstract ReadOnlyMemory<byte> Message { get; }

    /// <summary>Decodes a reply and checks it against this request.</summary>
    /// <exception cref="KerberosException">With a code: the KDC answered KRB-ERROR. With <see cref="KerberosFailureReason.ReplyRejected"/>:
    /// malformed, or not the answer to this request. Anything else ends the dispatch.</exception>
    public abstract TReply Check(ReadOnlyMemory<byte> reply);
}

/// <summary>How KDCs are asked.</summary>
internal enum KdcRequestMode
{
    /// <summary>While one KDC is slow the next is asked as well; the first checked reply wins.</summary>
    Hedged,

    /// <summary>The next KDC is asked only when the one before has failed: a request that proves knowledge of the account's key counts
    /// towards the account's lock-out at every KDC that sees it.</summary>
    OneAtATime,
}
