using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The authenticator of an AP-REQ (RFC 4120 §5.5.1).</summary>
/// <remarks>Authenticator ::= [APPLICATION 2] SEQUENCE { authenticator-vno [0] INTEGER (5), crealm [1], cname [2], cksum [3] OPTIONAL,
/// cusec [4], ctime [5], subkey [6] OPTIONAL, seq-number [7] OPTIONAL, authorization-data [8] OPTIONAL }.</remarks>
internal sealed record Authenticator
{
    public required string ClientRealm { get; init; }
    public required PrincipalName Client { get; init; }
    public ChecksumField? Checksum { get; init; }
    public required int Microseconds { get; init; }
    public required DateTimeOffset Time { get; init; }
    public KerberosKey? Subkey { get; init; }
    public uint? SequenceNumber { get; init; }
    public IReadOnlyList<AuthorizationDataEntry> AuthorizationData { get; init; } = [];

    public static Authenticator Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("Authenticator", bytes, reader =>
    {
        var fields = reader.ReadApplication(2);
        if (fields.ReadField(0).ReadInt32() != 5)
            throw new AsnContentException("The authenticator does not have version 5.");
        var realm = fields.ReadField(1).ReadRealm();
        var client = PrincipalName.Read(fields.ReadField(2));
        var checksum = fields.ReadOptionalField(3) is { } sum ? ChecksumField.Read(sum) : null;
        var microseconds = fields.ReadField(4).ReadMicroseconds();
        var time = fields.ReadField(5).ReadKerberosTime();
        var subkey = fields.ReadOptionalField(6) is { } key ? EncryptionKeyField.Read(key) : null;
        return new Authenticator
        {
            ClientRealm = realm, Client = client, Checksum = checksum, Microseconds = microseconds, Time = time, Subkey = subkey,
            SequenceNumber = fields.ReadOptionalField(7)?.ReadUInt32(),
            AuthorizationData = fields.ReadOptionalField(8)?.ReadList(AuthorizationDataEntry.Read) ?? [],
        };
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(2, fields =>
    {
        fields.WriteInteger(0, 5);
        fields.WriteText(1, ClientRealm);
        fields.WriteField(2, Client.Write);
        if (Checksum is { } checksum)
            fields.WriteField(3, checksum.Write);
        fields.WriteInteger(4, Microseconds);
        fields.WriteTime(5, Time);
        if (Subkey is { } subkey)
            fields.WriteField(6, field => EncryptionKeyField.Write(field, subkey));
        if (SequenceNumber is { } number)
            fields.WriteInteger(7, number);
        if (AuthorizationData.Count > 0)
            fields.WriteField(8, field => AuthorizationDataEntry.WriteList(field, AuthorizationData));
    }));
}
