using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>A reply before encryption. A fault may change any part of it.</summary>
internal sealed class ReplyDraft
{
    public required KdcMessageType Type { get; init; }
    public List<PaData> PaData { get; init; } = [];

    /// <summary>The client in the unencrypted part.</summary>
    public required ClientName Client { get; set; }

    public required TicketDraft Ticket { get; set; }
    public required EncKdcReplyPart Part { get; set; }
    public required KerberosKey ReplyKey { get; set; }
    public required KeyUsage ReplyUsage { get; set; }
    public uint? ReplyKeyVersion { get; set; }

    /// <summary>The tag of the encrypted part. MIT's KDC uses that of EncTGSRepPart in AS replies too.</summary>
    public KdcMessageType PartType { get; set; }

    /// <summary>The outcome in the transcript.</summary>
    public string Outcome { get; set; } = "ok";

    public byte[] Encode() => new KdcReplyMessage(Type, PaData, Client.Realm, Client.Name, Ticket.Encrypt(),
        EncryptedData.Encrypt(ReplyKey, ReplyUsage, Part.Encode(PartType), ReplyKeyVersion)).Encode();
}

/// <summary>A ticket before encryption.</summary>
internal sealed record TicketDraft
{
    /// <summary>The realm that issues it.</summary>
    public required string Realm { get; init; }

    public required PrincipalName Service { get; init; }
    public required EncTicketPart Part { get; init; }

    /// <summary>Null: a ticket without a PAC.</summary>
    public required PacIdentity? Pac { get; init; }

    public required int PacSize { get; init; }
    public required KerberosKey Key { get; init; }
    public required uint KeyVersion { get; init; }
    public required KerberosKey KdcKey { get; init; }

    public Ticket Encrypt()
    {
        var part = Pac is null ? Part : Part with { AuthorizationData = [PrivilegeCertificate.Create(Pac, Key, KdcKey, PacSize)] };
        return Ticket.Create(Realm, Service, EncryptedData.Encrypt(Key, KeyUsage.Ticket, part.Encode(), KeyVersion));
    }
}
