using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>The ticket that a service of the KDC decided to issue.</summary>
internal sealed record TicketOrder
{
    /// <summary>The client in the ticket and in the reply.</summary>
    public required ClientName Client { get; init; }

    public required PrincipalName Service { get; init; }
    public required KeyHistory ServiceKeys { get; init; }
    public required PacIdentity? Pac { get; init; }
    public required DateTimeOffset AuthTime { get; init; }

    /// <summary>The flags other than forwardable and renewable.</summary>
    public TicketFlags Flags { get; init; }

    public required bool Forwardable { get; init; }

    /// <summary>The end of the tickets that this one is based on.</summary>
    public DateTimeOffset NotAfter { get; init; } = DateTimeOffset.MaxValue;

    public required KerberosKey ReplyKey { get; init; }
    public required KeyUsage ReplyUsage { get; init; }
    public uint? ReplyKeyVersion { get; init; }
    public IReadOnlyList<PaData> EncryptedPaData { get; init; } = [];
}

/// <summary>RFC 4120 §3.1.3, §3.3.3: session key, times and flags of a ticket, and the reply around it.</summary>
internal sealed class TicketMaker(RealmState realm)
{
    private static readonly TimeSpan MaxRenewableLife = TimeSpan.FromDays(7);

    public ReplyDraft Make(KdcCall call, TicketOrder order)
    {
        var sessionType = order.ServiceKeys.Choose(call.Body.EncryptionTypes)
            ?? throw new KdcRefusalException(KerberosErrorCode.EncryptionTypeNotSupported);
        // RFC 4120 §3.1.3: the encryption type of the ticket is chosen for the service, not for the client.
        var ticketType = order.ServiceKeys.Choose(order.ServiceKeys.Types)!.Value;
        var sessionKey = KerberosKey.CreateRandom(sessionType);
        // Whole seconds: KerberosTime has no fraction, and the start must not be in the future.
        var start = new DateTimeOffset(call.Now.Ticks - (call.Now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        var end = Earliest(start + realm.TicketLife, Requested(call.Body.Till), order.NotAfter);
        if (end <= start)
            throw new KdcRefusalException(KerberosErrorCode.TicketExpired);
        var renewTill = call.Asks(KdcOptionFlags.Renewable)
            ? Earliest(start + MaxRenewableLife, Requested(call.Body.RenewTill))
            : (DateTimeOffset?)null;
        var flags = order.Flags;
        if (order.Forwardable && call.Asks(KdcOptionFlags.Forwardable))
            flags |= TicketFlags.Forwardable;
        if (renewTill is not null)
            flags |= TicketFlags.Renewable;

        var type = call.Request.Type == KdcMessageType.AsRequest ? KdcMessageType.AsReply : KdcMessageType.TgsReply;
        return new ReplyDraft
        {
            Type = type,
            PartType = realm.Kind == KdcKind.Mit ? KdcMessageType.TgsReply : type,
            Client = order.Client,
            Ticket = new TicketDraft
            {
                Realm = realm.Name,
                Service = order.Service,
                Pac = order.Pac,
                PacSize = realm.PacSize,
                Key = order.ServiceKeys.Current.GetKey(ticketType),
                KeyVersion = order.ServiceKeys.Current.Number,
                KdcKey = realm.TicketGranting.Current.GetKey(realm.TicketGranting.Types[0]),
                Part = new EncTicketPart
                {
                    Flags = (uint)flags, Key = sessionKey, ClientRealm = order.Client.Realm, Client = order.Client.Name,
                    AuthTime = order.AuthTime, StartTime = start, EndTime = end, RenewTill = renewTill,
                },
            },
            Part = new EncKdcReplyPart
            {
                Key = sessionKey, Nonce = call.Body.Nonce, Flags = (uint)flags, AuthTime = order.AuthTime, StartTime = start, EndTime = end,
                RenewTill = renewTill, ServiceRealm = realm.Name, Service = order.Service, EncryptedPaData = order.EncryptedPaData,
            },
            ReplyKey = order.ReplyKey,
            ReplyUsage = order.ReplyUsage,
            ReplyKeyVersion = order.ReplyKeyVersion,
        };
    }

    // RFC 4120 §5.4.1: the epoch requests the longest life that policy allows.
    private static DateTimeOffset Requested(DateTimeOffset? till) =>
        till is null || till == DateTimeOffset.UnixEpoch ? DateTimeOffset.MaxValue : till.Value;

    private static DateTimeOffset Earliest(params ReadOnlySpan<DateTimeOffset> times)
    {
        var earliest = times[0];
        foreach (var time in times[1..])
            earliest = time < earliest ? time : earliest;
        return earliest;
    }
}
