using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>PA-FOR-USER, the user of a protocol transition (MS-SFU §2.2.1).</summary>
/// <remarks>PA-FOR-USER ::= SEQUENCE { userName [0] PrincipalName, userRealm [1] Realm, cksum [2] Checksum, auth-package [3]
/// KerberosString }.</remarks>
internal sealed record PaForUser(PrincipalName User, string Realm, ChecksumField Checksum)
{
    private const string AuthPackage = "Kerberos";

    /// <param name="user">The user to act as.</param>
    /// <param name="realm">The user's realm.</param>
    /// <param name="sessionKey">The session key of the TGT, never the subkey (MS-SFU §2.2.1).</param>
    public static PaForUser Create(PrincipalName user, string realm, KerberosKey sessionKey) =>
        new(user, realm, new ChecksumField(
            ChecksumType.HmacMd5, HmacMd5Checksum.Compute(sessionKey, KeyUsage.PaForUser, GetChecksumInput(user, realm))));

    public bool IsSignedBy(KerberosKey sessionKey) =>
        Checksum.Type == ChecksumType.HmacMd5 && CryptographicOperations.FixedTimeEquals(
            HmacMd5Checksum.Compute(sessionKey, KeyUsage.PaForUser, GetChecksumInput(User, Realm)), Checksum.Value.Span);

    /// <summary>Returns the input of the checksum (MS-SFU §2.2.1): name type (LE32), each name component, realm, "Kerberos", without
    /// separators.</summary>
    private static byte[] GetChecksumInput(PrincipalName user, string realm)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(user.Components) + realm + AuthPackage);
        var input = new byte[4 + text.Length];
        BinaryPrimitives.WriteInt32LittleEndian(input, user.Type);
        text.CopyTo(input, 4);
        return input;
    }

    public static PaForUser Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("PA-FOR-USER", bytes, reader =>
    {
        var sequence = reader.ReadSequence();
        var user = PrincipalName.Read(sequence.ReadField(0));
        var realm = sequence.ReadField(1).ReadRealm();
        return new PaForUser(user, realm, ChecksumField.Read(sequence.ReadField(2)));
    });

    public PaData ToPaData() => new(PaDataType.ForUser, MessageFormat.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteField(0, User.Write);
            writer.WriteText(1, Realm);
            writer.WriteField(2, Checksum.Write);
            writer.WriteText(3, AuthPackage);
        }
    }));
}
