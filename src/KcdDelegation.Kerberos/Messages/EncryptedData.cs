using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>An encrypted field with its type and key version (RFC 4120 §5.2.9).</summary>
/// <remarks>EncryptedData ::= SEQUENCE { etype [0] Int32, kvno [1] UInt32 OPTIONAL, cipher [2] OCTET STRING }.</remarks>
internal sealed record EncryptedData(EncryptionType Type, uint? KeyVersion, ReadOnlyMemory<byte> Cipher)
{
    public static EncryptedData Encrypt(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> plaintext, uint? keyVersion = null) =>
        new(key.Type, keyVersion, key.Encrypt(usage, plaintext));

    public static EncryptedData Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        var type = (EncryptionType)sequence.ReadField(0).ReadInt32();
        var keyVersion = sequence.ReadOptionalField(1)?.ReadUInt32();
        return new EncryptedData(type, keyVersion, sequence.ReadField(2).ReadOctets());
    }

    public static EncryptedData Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("EncryptedData", bytes, Read);

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, (int)Type);
            if (KeyVersion is { } version)
                writer.WriteInteger(1, version);
            writer.WriteOctets(2, Cipher);
        }
    }

    public byte[] Encode() => MessageFormat.Encode(Write);

    /// <exception cref="KerberosException">The key has another type, or the integrity check failed.</exception>
    public byte[] Decrypt(KerberosKey key, KeyUsage usage) =>
        Type == key.Type
            ? key.Decrypt(usage, Cipher.Span)
            : throw KerberosException.Rejected($"the data is encrypted with {Type}, but the key has the type {key.Type}");
}
