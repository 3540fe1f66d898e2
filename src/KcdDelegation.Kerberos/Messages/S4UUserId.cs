namespace KcdDelegation.Kerberos.Messages;

/// <summary>S4UUserID, the signed part of PA-S4U-X509-USER (MS-SFU §2.2.2). The checksum covers the received bytes.</summary>
/// <remarks>S4UUserID ::= SEQUENCE { nonce [0] UInt32, cname [1] PrincipalName OPTIONAL, crealm [2] Realm, subject-certificate [3] OCTET
/// STRING OPTIONAL, options [4] BIT STRING OPTIONAL }.</remarks>
internal sealed record S4UUserId(uint Nonce, PrincipalName? User, string Realm, uint Options, ReadOnlyMemory<byte> Encoded)
{
    /// <summary>USE_REPLY_KEY_USAGE: the reply's checksum uses key usage 27.</summary>
    public const uint UseReplyKeyUsage = 0x20000000;

    public static S4UUserId Create(uint nonce, PrincipalName user, string realm, uint options)
    {
        var encoded = MessageFormat.Encode(writer =>
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(0, nonce);
                writer.WriteField(1, user.Write);
                writer.WriteText(2, realm);
                if (options != 0)
                    writer.WriteFlags(4, options);
            }
        });
        return new S4UUserId(nonce, user, realm, options, encoded);
    }

    public static S4UUserId Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("S4UUserID", bytes, reader =>
    {
        var sequence = reader.ReadSequence();
        var nonce = sequence.ReadField(0).ReadUInt32();
        var user = sequence.ReadOptionalField(1) is { } name ? PrincipalName.Read(name) : null;
        var realm = sequence.ReadField(2).ReadRealm();
        _ = sequence.ReadOptionalField(3);
        return new S4UUserId(nonce, user, realm, sequence.ReadOptionalField(4)?.ReadFlags() ?? 0, bytes);
    });
}
