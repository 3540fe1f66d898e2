using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The types of pre-authentication data by their assigned numbers (RFC 4120 §7.5.2, MS-KILE §3.1.5.1, MS-SFU §2.2).</summary>
internal enum PaDataType
{
    TgsRequest = 1,
    EncryptedTimestamp = 2,
    PasswordSalt = 3,
    EtypeInfo2 = 19,
    PacRequest = 128,
    ForUser = 129,
    S4UX509User = 130,
    SupportedEncryptionTypes = 165,
    PacOptions = 167,
}

/// <summary>An entry of pre-authentication data (RFC 4120 §5.2.7).</summary>
/// <remarks>PA-DATA ::= SEQUENCE { padata-type [1] Int32, padata-value [2] OCTET STRING }.</remarks>
internal sealed record PaData(PaDataType Type, ReadOnlyMemory<byte> Value)
{
    public static PaData Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        return new PaData((PaDataType)sequence.ReadField(1).ReadInt32(), sequence.ReadField(2).ReadOctets());
    }

    /// <summary>Decodes METHOD-DATA ::= SEQUENCE OF PA-DATA (RFC 4120 §5.9.1).</summary>
    public static List<PaData> DecodeMethodData(ReadOnlyMemory<byte> bytes) =>
        MessageFormat.Decode("METHOD-DATA", bytes, reader => reader.ReadList(Read));

    public static byte[] EncodeMethodData(IEnumerable<PaData> entries) =>
        MessageFormat.Encode(writer => writer.WriteList(entries, static (w, entry) => entry.Write(w)));

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(1, (int)Type);
            writer.WriteOctets(2, Value);
        }
    }
}

internal static class PaDataList
{
    /// <summary>Returns the value of the first entry of the type, or null.</summary>
    public static ReadOnlyMemory<byte>? Find(this IEnumerable<PaData> entries, PaDataType type) =>
        entries.FirstOrDefault(entry => entry.Type == type)?.Value;
}
