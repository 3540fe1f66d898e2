using KcdDelegation.Kerberos.Recording;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>One request to one KDC, with its own nonce and authenticator, and the validation of its reply.</summary>
internal abstract class KdcRequest<TReply>
{
    /// <summary>Gets the DER encoding of the AS-REQ or TGS-REQ.</summary>
    public abstract ReadOnlyMemory<byte> Message { get; }

    /// <summary>Decodes a reply and validates it against this request.</summary>
    /// <exception cref="KerberosException">With a code: the KDC answered with KRB-ERROR. With
    /// <see cref="KerberosFailureReason.ReplyRejected"/>: the reply is malformed or does not answer this request. Any other reason ends
    /// the dispatch.</exception>
    public abstract TReply Check(ReadOnlyMemory<byte> reply);

    /// <summary>Gets the record to which a check adds what it decrypted; null if the exchange is not recorded.</summary>
    protected ReplyContents? Contents { get; private set; }

    /// <summary>Validates a reply and records the result.</summary>
    /// <param name="reply">The bytes of the reply.</param>
    /// <param name="recorded">The record of the exchange, or null if it is not recorded.</param>
    public TReply Check(ReadOnlyMemory<byte> reply, RecordedExchange? recorded)
    {
        if (recorded is null)
            return Check(reply);
        Contents = new ReplyContents();
        try
        {
            var result = Check(reply);
            recorded.Receive(reply, Contents, error: null);
            return result;
        }
        catch (KerberosException error)
        {
            recorded.Receive(reply, Contents, error);
            throw;
        }
    }
}

/// <summary>The distribution of a request over the KDCs of a realm.</summary>
internal enum KdcRequestMode
{
    /// <summary>While one KDC is slow, the next is asked as well. The first valid reply wins.</summary>
    Hedged,

    /// <summary>One KDC is asked at a time. A request that proves the account's key counts towards the account lockout at each KDC
    /// that receives it.</summary>
    OneAtATime,
}
