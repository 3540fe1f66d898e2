using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>A checksum with its type (RFC 4120 §5.2.9).</summary>
/// <remarks>Checksum ::= SEQUENCE { cksumtype [0] Int32, checksum [1] OCTET STRING }.</remarks>
internal sealed record ChecksumField(ChecksumType Type, ReadOnlyMemory<byte> Value)
{
    /// <summary>Computes the mandatory checksum of the key's type.</summary>
    public static ChecksumField Create(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data) =>
        new(key.Profile.ChecksumType, key.Checksum(usage, data));

    /// <summary>Returns whether this is the mandatory checksum of the data. Compares in constant time.</summary>
    public bool IsValid(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data) =>
        Type == key.Profile.ChecksumType && key.VerifyChecksum(usage, data, Value.Span);

    public static ChecksumField Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        return new ChecksumField((ChecksumType)sequence.ReadField(0).ReadInt32(), sequence.ReadField(1).ReadOctets());
    }

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, (int)Type);
            writer.WriteOctets(1, Value);
        }
    }
}
