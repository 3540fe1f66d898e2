using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>A ticket (RFC 4120 §5.3). It is sent with the received encoding, never encoded again.</summary>
/// <remarks>Ticket ::= [APPLICATION 1] SEQUENCE { tkt-vno [0] INTEGER (5), realm [1] Realm, sname [2] PrincipalName, enc-part [3]
/// EncryptedData }.</remarks>
internal sealed record Ticket(string Realm, PrincipalName Service, ReadOnlyMemory<byte> Encoded)
{
    /// <summary>The encrypted part, decoded on every call: caches hold many tickets and read it of few.</summary>
    public EncryptedData EncryptedPart => ReadFields(new AsnReader(Encoded, AsnEncodingRules.BER)).EncryptedPart;

    public static Ticket Create(string realm, PrincipalName service, EncryptedData encryptedPart)
    {
        var bytes = MessageFormat.Encode(writer => writer.WriteApplication(1, fields =>
        {
            fields.WriteInteger(0, 5);
            fields.WriteText(1, realm);
            fields.WriteField(2, service.Write);
            fields.WriteField(3, encryptedPart.Write);
        }));
        return new Ticket(realm, service, bytes);
    }

    public static Ticket Read(AsnReader reader)
    {
        // The reply's buffer also holds the fields around the ticket. A copy keeps only the ticket alive.
        var encoded = reader.ReadEncodedValue().ToArray();
        var (realm, service, _) = ReadFields(new AsnReader(encoded, reader.RuleSet));
        return new Ticket(realm, service, encoded);
    }

    public static Ticket Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("Ticket", bytes, Read);

    public void Write(AsnWriter writer) => writer.WriteEncodedValue(Encoded.Span);

    private static (string Realm, PrincipalName Service, EncryptedData EncryptedPart) ReadFields(AsnReader reader)
    {
        var fields = reader.ReadApplication(1);
        if (fields.ReadField(0).ReadInt32() != 5)
            throw new AsnContentException("The ticket does not have version 5.");
        return (fields.ReadField(1).ReadRealm(), PrincipalName.Read(fields.ReadField(2)), EncryptedData.Read(fields.ReadField(3)));
    }
}
