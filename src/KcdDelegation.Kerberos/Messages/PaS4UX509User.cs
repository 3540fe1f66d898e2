using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>PA-S4U-X509-USER, the user of a protocol transition (MS-SFU §2.2.2).</summary>
/// <remarks>PA-S4U-X509-USER ::= SEQUENCE { user-id [0] S4UUserID, checksum [1] Checksum }.</remarks>
internal sealed record PaS4UX509User(S4UUserId UserId, ChecksumField Checksum)
{
    public static PaS4UX509User Create(S4UUserId userId, KerberosKey key, KeyUsage usage) =>
        new(userId, ChecksumField.Create(key, usage, userId.Encoded.Span));

    public bool IsSignedBy(KerberosKey key, KeyUsage usage) => Checksum.IsValid(key, usage, UserId.Encoded.Span);

    public static PaS4UX509User Decode(ReadOnlyMemory<byte> bytes)
    {
        var (encodedUserId, checksum) = MessageFormat.Decode("PA-S4U-X509-USER", bytes, reader =>
        {
            var sequence = reader.ReadSequence();
            return (sequence.ReadField(0).ReadEncodedValue(), ChecksumField.Read(sequence.ReadField(1)));
        });
        return new PaS4UX509User(S4UUserId.Decode(encodedUserId), checksum);
    }

    public PaData ToPaData() => new(PaDataType.S4UX509User, MessageFormat.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteField(0, field => field.WriteEncodedValue(UserId.Encoded.Span));
            writer.WriteField(1, Checksum.Write);
        }
    }));
}
