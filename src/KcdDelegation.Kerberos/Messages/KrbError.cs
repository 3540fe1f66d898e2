using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The KRB-ERROR message (RFC 4120 §5.9.1). It is not authenticated: its fields are hints.</summary>
/// <remarks>KRB-ERROR ::= [APPLICATION 30] SEQUENCE { pvno [0], msg-type [1], ctime [2] OPTIONAL, cusec [3] OPTIONAL, stime [4], susec
/// [5], error-code [6], crealm [7] OPTIONAL, cname [8] OPTIONAL, realm [9], sname [10], e-text [11] OPTIONAL, e-data [12] OPTIONAL
/// }.</remarks>
internal sealed record KrbError
{
    public const int Tag = 30;

    public required DateTimeOffset ServerTime { get; init; }
    public required KerberosErrorCode Code { get; init; }
    public string? ClientRealm { get; init; }
    /// <summary>Free text: Heimdal writes "&lt;unspecified realm&gt;" where it knows none.</summary>
    public required string Realm { get; init; }
    public required PrincipalName Service { get; init; }
    public string? Text { get; init; }
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Returns whether the bytes start with the tag of a KRB-ERROR.</summary>
    public static bool Is(ReadOnlyMemory<byte> bytes) => !bytes.IsEmpty && bytes.Span[0] == (0x60 | Tag);

    public static KrbError Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("KRB-ERROR", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        if (fields.ReadField(0).ReadInt32() != 5 || fields.ReadField(1).ReadInt32() != Tag)
            throw new AsnContentException("The protocol version or message type is wrong.");
        _ = fields.ReadOptionalField(2);
        _ = fields.ReadOptionalField(3);
        var serverTime = fields.ReadField(4).ReadKerberosTime();
        _ = fields.ReadField(5);
        var code = (KerberosErrorCode)fields.ReadField(6).ReadInt32();
        var clientRealm = fields.ReadOptionalField(7)?.ReadRealm();
        _ = fields.ReadOptionalField(8);
        var realm = fields.ReadField(9).ReadFreeText();
        var service = PrincipalName.Read(fields.ReadField(10));
        var text = fields.ReadOptionalField(11)?.ReadFreeText();
        return new KrbError
        {
            ServerTime = serverTime, Code = code, ClientRealm = clientRealm, Realm = realm, Service = service, Text = text,
            Data = fields.ReadOptionalField(12)?.ReadOctets() ?? default,
        };
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(Tag, fields =>
    {
        fields.WriteInteger(0, 5);
        fields.WriteInteger(1, Tag);
        fields.WriteTime(4, ServerTime);
        fields.WriteInteger(5, 0);
        fields.WriteInteger(6, (int)Code);
        if (ClientRealm is { } clientRealm)
            fields.WriteText(7, clientRealm);
        fields.WriteText(9, Realm);
        fields.WriteField(10, Service.Write);
        if (Text is { } text)
            fields.WriteText(11, text);
        if (!Data.IsEmpty)
            fields.WriteOctets(12, Data);
    }));
}
