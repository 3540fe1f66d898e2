using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A query to a ticket-granting service (RFC 4120 §3.3) and the checks of its reply. It may be sent several times; each attempt is
/// a new request with its own nonce, subkey and authenticator.</summary>
/// <typeparam name="T">The result of an accepted reply.</typeparam>
internal abstract class TgsQuery<T>(IssuedTicket tgt, PrincipalName service, KdcOptionFlags options)
{
    /// <summary>Gets the ticket in the PA-TGS-REQ.</summary>
    public IssuedTicket Tgt => tgt;

    public PrincipalName Service => service;

    public KdcOptionFlags Options => options;

    public virtual IReadOnlyList<Ticket> AdditionalTickets => [];

    /// <summary>Creates the padata after the PA-TGS-REQ. Called for each attempt.</summary>
    public virtual IEnumerable<PaData> CreatePaData(TgsRequestKeys keys) => [];

    /// <summary>Performs the checks that are specific to this query. An exception rejects the reply.</summary>
    public abstract T Accept(TgsReply reply);
}

/// <summary>The keys and the nonce of one request.</summary>
/// <param name="SessionKey">The session key of the TGT.</param>
/// <param name="Subkey">The subkey of this request's authenticator.</param>
/// <param name="Nonce">The nonce of this request's body.</param>
internal sealed record TgsRequestKeys(KerberosKey SessionKey, KerberosKey Subkey, uint Nonce);

/// <summary>A reply that passed the checks common to all queries.</summary>
/// <param name="Message">The reply as received.</param>
/// <param name="Part">Its encrypted part.</param>
/// <param name="Keys">The keys and the nonce of the request.</param>
internal sealed record TgsReply(KdcReplyMessage Message, EncKdcReplyPart Part, TgsRequestKeys Keys)
{
    /// <summary>Gets the key that decrypted the reply: the subkey or the session key.</summary>
    public KerberosKey ReplyKey { get; init; } = Keys.Subkey;

    /// <summary>Gets the record to which a check adds what it decrypted; null if the exchange is not recorded.</summary>
    public ReplyContents? Contents { get; init; }

    /// <param name="client">The reply's client, if it was checked against a known name. The ticket then shares that name's memory.</param>
    public IssuedTicket ToTicket(PrincipalName? client = null) =>
        ReplyChecks.ToTicket(client is null ? Message : Message with { Client = client }, Part);
}
