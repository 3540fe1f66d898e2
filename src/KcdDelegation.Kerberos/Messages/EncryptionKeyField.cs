using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The encoding of a key (RFC 4120 §5.2.9).</summary>
/// <remarks>EncryptionKey ::= SEQUENCE { keytype [0] Int32, keyvalue [1] OCTET STRING }.</remarks>
internal static class EncryptionKeyField
{
    public static KerberosKey Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        var type = (EncryptionType)sequence.ReadField(0).ReadInt32();
        return new KerberosKey(type, sequence.ReadField(1).ReadOctets().Span);
    }

    public static void Write(AsnWriter writer, KerberosKey key)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, (int)key.Type);
            writer.WriteField(1, field => field.WriteOctetString(key.Bytes));
        }
    }
}
