using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>What one TGS exchange asks (RFC 4120 §3.3), and what its reply must be. The same query may be sent several times, each
/// time as a new request with its own nonce, subkey and authenticator.</summary>
/// <typeparam name="T">What an accepted reply becomes.</typeparam>
internal sealed record TgsQuery<T>
{
    /// <summary>Presented in the PA-TGS-REQ.</summary>
    public required IssuedTicket Tgt { get; init; }

    public required PrincipalName Service { get; init; }
    public required KdcOptionFlags Options { get; init; }
    public IReadOnlyList<Ticket> AdditionalTickets { get; init; } = [];

    /// <summary>Padata behind the PA-TGS-REQ, made anew for each request.</summary>
    public Func<TgsRequestKeys, IEnumerable<PaData>> PaData { get; init; } = static _ => [];

    /// <summary>Checks what is particular to this query; whatever it throws makes the reply a rejected one.</summary>
    public required Func<TgsReply, T> Accept { get; init; }
}

/// <summary>The keys and the nonce of one request.</summary>
/// <param name="SessionKey">Of the TGT.</param>
/// <param name="Subkey">Of this request's authenticator.</param>
/// <param name="Nonce">Of this request's body.</param>
internal sealed record TgsRequestKeys(KerberosKey SessionKey, KerberosKey Subkey, uint Nonce);

/// <summary>A reply that passed the checks common to all.</summary>
internal sealed record TgsReply(KdcReplyMessage Message, EncKdcReplyPart Part, TgsRequestKeys Keys)
{
    /// <param name="client">The reply's client where he is known already, checked: the same name then takes no memory twice.</param>
    public IssuedTicket ToTicket(PrincipalName? client = null) => ReplyChecks.ToTicket(client is null ? Message : Message with { Client = client }, Part);
}
