using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>An entry of AuthorizationData (RFC 4120 §5.2.6).</summary>
/// <remarks>AuthorizationData ::= SEQUENCE OF SEQUENCE { ad-type [0] Int32, ad-data [1] OCTET STRING }.</remarks>
internal sealed record AuthorizationDataEntry(int Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>AD-IF-RELEVANT (RFC 4120 §5.2.6.1), which contains further entries.</summary>
    public const int IfRelevant = 1;

    /// <summary>AD-WIN2K-PAC (MS-PAC §2.1).</summary>
    public const int Pac = 128;

    public static AuthorizationDataEntry Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        // A copy, because the decrypted message is zeroed after it is read.
        return new AuthorizationDataEntry(sequence.ReadField(0).ReadInt32(), sequence.ReadField(1).ReadOctets().ToArray());
    }

    public static List<AuthorizationDataEntry> DecodeList(ReadOnlyMemory<byte> bytes) =>
        MessageFormat.Decode("AuthorizationData", bytes, reader => reader.ReadList(Read));

    public static void WriteList(AsnWriter writer, IEnumerable<AuthorizationDataEntry> entries) =>
        writer.WriteList(entries, static (w, entry) => entry.Write(w));

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, Type);
            writer.WriteOctets(1, Data);
        }
    }
}
