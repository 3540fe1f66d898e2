using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The encrypted part of a ticket (RFC 4120 §5.3).</summary>
/// <remarks>EncTicketPart ::= [APPLICATION 3] SEQUENCE { flags [0], key [1], crealm [2], cname [3], transited [4], authtime [5], starttime
/// [6] OPTIONAL, endtime [7], renew-till [8] OPTIONAL, caddr [9] OPTIONAL, authorization-data [10] OPTIONAL }.</remarks>
internal sealed record EncTicketPart
{
    public required uint Flags { get; init; }
    public required KerberosKey Key { get; init; }
    public required string ClientRealm { get; init; }
    public required PrincipalName Client { get; init; }
    public required DateTimeOffset AuthTime { get; init; }
    public DateTimeOffset? StartTime { get; init; }
    public required DateTimeOffset EndTime { get; init; }
    public DateTimeOffset? RenewTill { get; init; }
    public IReadOnlyList<AuthorizationDataEntry> AuthorizationData { get; init; } = [];

    public static EncTicketPart Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("EncTicketPart", bytes, reader =>
    {
        var fields = reader.ReadApplication(3);
        var flags = fields.ReadField(0).ReadFlags();
        var key = EncryptionKeyField.Read(fields.ReadField(1));
        var realm = fields.ReadField(2).ReadRealm();
        var client = PrincipalName.Read(fields.ReadField(3));
        _ = fields.ReadField(4); // transited: the KDC checks it (RFC 4120 §2.7)
        var authTime = fields.ReadField(5).ReadKerberosTime();
        var startTime = fields.ReadOptionalField(6)?.ReadKerberosTime();
        var endTime = fields.ReadField(7).ReadKerberosTime();
        var renewTill = fields.ReadOptionalField(8)?.ReadKerberosTime();
        _ = fields.ReadOptionalField(9);
        return new EncTicketPart
        {
            Flags = flags, Key = key, ClientRealm = realm, Client = client, AuthTime = authTime, StartTime = startTime, EndTime = endTime,
            RenewTill = renewTill, AuthorizationData = fields.ReadOptionalField(10)?.ReadList(AuthorizationDataEntry.Read) ?? [],
        };
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(3, fields =>
    {
        fields.WriteFlags(0, Flags);
        fields.WriteField(1, field => EncryptionKeyField.Write(field, Key));
        fields.WriteText(2, ClientRealm);
        fields.WriteField(3, Client.Write);
        fields.WriteField(4, field =>
        {
            using (field.PushSequence())
            {
                field.WriteInteger(0, 1); // DOMAIN-X500-COMPRESS (RFC 4120 §7.5.8), empty: no realm in transit
                field.WriteOctets(1, default);
            }
        });
        fields.WriteTime(5, AuthTime);
        if (StartTime is { } start)
            fields.WriteTime(6, start);
        fields.WriteTime(7, EndTime);
        if (RenewTill is { } renew)
            fields.WriteTime(8, renew);
        if (AuthorizationData.Count > 0)
            fields.WriteField(10, field => AuthorizationDataEntry.WriteList(field, AuthorizationData));
    }));
}
