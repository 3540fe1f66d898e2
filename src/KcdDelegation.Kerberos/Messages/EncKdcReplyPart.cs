using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The encrypted part of an AS-REP or TGS-REP (RFC 4120 §5.4.2).</summary>
/// <remarks>EncKDCRepPart ::= SEQUENCE { key [0], last-req [1], nonce [2], key-expiration [3] OPTIONAL, flags [4], authtime [5], starttime
/// [6] OPTIONAL, endtime [7], renew-till [8] OPTIONAL, srealm [9], sname [10], caddr [11] OPTIONAL, encrypted-pa-data [12] OPTIONAL (RFC
/// 6806 §11) }.</remarks>
internal sealed record EncKdcReplyPart
{
    /// <summary>EncASRepPart ::= [APPLICATION 25].</summary>
    public const int AsTag = 25;

    /// <summary>EncTGSRepPart ::= [APPLICATION 26]. MIT's KDC also uses it for AS replies (RFC 4120 §5.4.2 allows both).</summary>
    public const int TgsTag = 26;

    public required KerberosKey Key { get; init; }
    public required uint Nonce { get; init; }
    public required uint Flags { get; init; }
    public required DateTimeOffset AuthTime { get; init; }
    public DateTimeOffset? StartTime { get; init; }
    public required DateTimeOffset EndTime { get; init; }
    public DateTimeOffset? RenewTill { get; init; }
    public required string ServiceRealm { get; init; }
    public required PrincipalName Service { get; init; }
    public IReadOnlyList<PaData> EncryptedPaData { get; init; } = [];

    public static EncKdcReplyPart Decode(KdcMessageType reply, ReadOnlyMemory<byte> bytes) =>
        MessageFormat.Decode("EncKDCRepPart", bytes, reader => Read(reply, reader));

    private static EncKdcReplyPart Read(KdcMessageType reply, AsnReader reader)
    {
        var tag = reader.PeekTag().TagValue == AsTag && reply == KdcMessageType.AsReply ? AsTag : TgsTag;
        var fields = reader.ReadApplication(tag);
        var key = EncryptionKeyField.Read(fields.ReadField(0));
        _ = fields.ReadField(1);
        var nonce = fields.ReadField(2).ReadUInt32();
        _ = fields.ReadOptionalField(3);
        var flags = fields.ReadField(4).ReadFlags();
        var authTime = fields.ReadField(5).ReadKerberosTime();
        var startTime = fields.ReadOptionalField(6)?.ReadKerberosTime();
        var endTime = fields.ReadField(7).ReadKerberosTime();
        var renewTill = fields.ReadOptionalField(8)?.ReadKerberosTime();
        var realm = fields.ReadField(9).ReadRealm();
        var service = PrincipalName.Read(fields.ReadField(10));
        _ = fields.ReadOptionalField(11);
        return new EncKdcReplyPart
        {
            Key = key, Nonce = nonce, Flags = flags, AuthTime = authTime, StartTime = startTime, EndTime = endTime, RenewTill = renewTill,
            ServiceRealm = realm, Service = service, EncryptedPaData = fields.ReadOptionalField(12)?.ReadList(ReadCopy) ?? [],
        };
    }

    /// <summary>Reads an entry into a copy, because the decrypted message is zeroed after it is read.</summary>
    private static PaData ReadCopy(AsnReader reader)
    {
        var entry = PaData.Read(reader);
        return entry with { Value = entry.Value.ToArray() };
    }

    public byte[] Encode(KdcMessageType reply) => MessageFormat.Encode(writer =>
        writer.WriteApplication(reply == KdcMessageType.AsReply ? AsTag : TgsTag, fields =>
        {
            fields.WriteField(0, field => EncryptionKeyField.Write(field, Key));
            fields.WriteField(1, field => field.WriteList([AuthTime], static (w, time) =>
            {
                using (w.PushSequence())
                {
                    w.WriteInteger(0, 0); // lr-type 0: no information (RFC 4120 §5.4.2)
                    w.WriteTime(1, time);
                }
            }));
            fields.WriteInteger(2, Nonce);
            fields.WriteFlags(4, Flags);
            fields.WriteTime(5, AuthTime);
            if (StartTime is { } start)
                fields.WriteTime(6, start);
            fields.WriteTime(7, EndTime);
            if (RenewTill is { } renew)
                fields.WriteTime(8, renew);
            fields.WriteText(9, ServiceRealm);
            fields.WriteField(10, Service.Write);
            if (EncryptedPaData.Count > 0)
                fields.WriteField(12, field => field.WriteList(EncryptedPaData, static (w, entry) => entry.Write(w)));
        }));
}
