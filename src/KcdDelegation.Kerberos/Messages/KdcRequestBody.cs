using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The body of an AS-REQ or TGS-REQ (RFC 4120 §5.4.1).</summary>
/// <remarks>KDC-REQ-BODY ::= SEQUENCE { kdc-options [0], cname [1] OPTIONAL, realm [2], sname [3] OPTIONAL, from [4] OPTIONAL, till [5],
/// rtime [6] OPTIONAL, nonce [7], etype [8], addresses [9] OPTIONAL, enc-authorization-data [10] OPTIONAL, additional-tickets [11]
/// OPTIONAL }.</remarks>
internal sealed record KdcRequestBody
{
    public required KdcOptionFlags Options { get; init; }

    /// <summary>The client, in an AS-REQ only.</summary>
    public PrincipalName? Client { get; init; }

    /// <summary>The realm of the service and, in an AS-REQ, of the client.</summary>
    public required string Realm { get; init; }

    public required PrincipalName Service { get; init; }
    public required DateTimeOffset Till { get; init; }
    public DateTimeOffset? RenewTill { get; init; }

    /// <summary>A nonce of 31 bits, because some peers decode it as a signed integer.</summary>
    public required uint Nonce { get; init; }

    public required IReadOnlyList<EncryptionType> EncryptionTypes { get; init; }
    public IReadOnlyList<Ticket> AdditionalTickets { get; init; } = [];

    public static KdcRequestBody Read(AsnReader reader)
    {
        var fields = reader.ReadSequence();
        var options = (KdcOptionFlags)fields.ReadField(0).ReadFlags();
        var client = fields.ReadOptionalField(1) is { } name ? PrincipalName.Read(name) : null;
        var realm = fields.ReadField(2).ReadRealm();
        var service = PrincipalName.Read(fields.ReadField(3));
        _ = fields.ReadOptionalField(4);
        var till = fields.ReadField(5).ReadKerberosTime();
        var renewTill = fields.ReadOptionalField(6)?.ReadKerberosTime();
        var nonce = fields.ReadField(7).ReadUInt32();
        var types = fields.ReadField(8).ReadList(static r => (EncryptionType)r.ReadInt32());
        _ = fields.ReadOptionalField(9);
        _ = fields.ReadOptionalField(10);
        return new KdcRequestBody
        {
            Options = options, Client = client, Realm = realm, Service = service, Till = till, RenewTill = renewTill, Nonce = nonce,
            EncryptionTypes = types, AdditionalTickets = fields.ReadOptionalField(11)?.ReadList(Ticket.Read) ?? [],
        };
    }

    public static KdcRequestBody Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("KDC-REQ-BODY", bytes, Read);

    /// <summary>Encodes the body. The checksum in the authenticator covers exactly these bytes (RFC 4120 §5.5.1).</summary>
    public byte[] Encode() => MessageFormat.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteFlags(0, (uint)Options);
            if (Client is { } client)
                writer.WriteField(1, client.Write);
            writer.WriteText(2, Realm);
            writer.WriteField(3, Service.Write);
            writer.WriteTime(5, Till);
            if (RenewTill is { } renew)
                writer.WriteTime(6, renew);
            writer.WriteInteger(7, Nonce);
            writer.WriteField(8, field => field.WriteList(EncryptionTypes, static (w, type) => w.WriteInteger((int)type)));
            if (AdditionalTickets.Count > 0)
                writer.WriteField(11, field => field.WriteList(AdditionalTickets, static (w, ticket) => ticket.Write(w)));
        }
    });
}
