using System.Buffers.Binary;
using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The NTSTATUS in the e-data of a KRB-ERROR.</summary>
/// <remarks>Windows sends KERB-ERROR-DATA ::= SEQUENCE { data-type [1] INTEGER (3), data-value [2] OCTET STRING } (MS-KILE §2.2.1). Samba
/// with MIT's KDC sends METHOD-DATA with PA-DATA of type 3. Both hold the twelve bytes of KERB_EXT_ERROR (MS-KILE §2.2.2): status,
/// reserved, flags, little-endian.</remarks>
internal static class KerbErrorData
{
    private const int ExtendedError = 3;

    /// <summary>Returns the NTSTATUS, or null if there is none. Malformed e-data is ignored, because nothing depends on it.</summary>
    public static int? ReadNtStatus(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
            return null;
        try
        {
            var value = data.Span[0] == 0x30 && IsMethodData(data)
                ? PaData.DecodeMethodData(data).Find((PaDataType)ExtendedError)
                : MessageFormat.Decode("KERB-ERROR-DATA", data, reader =>
                {
                    var sequence = reader.ReadSequence();
                    return sequence.ReadField(1).ReadInt32() == ExtendedError ? sequence.ReadOptionalField(2)?.ReadOctets() : null;
                });
            return value is { Length: >= 4 } bytes ? BinaryPrimitives.ReadInt32LittleEndian(bytes.Span) : null;
        }
        catch (KerberosException)
        {
            // MS-KILE does not define e-data for other codes. The code itself is reported in any case.
            return null;
        }
    }

    public static byte[] Encode(int status)
    {
        var value = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(value, status);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(8), 1);
        return MessageFormat.Encode(writer =>
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(1, ExtendedError);
                writer.WriteOctets(2, value);
            }
        });
    }

    /// <summary>Returns whether the data is METHOD-DATA, a SEQUENCE OF SEQUENCE. KERB-ERROR-DATA starts with a context tag.</summary>
    private static bool IsMethodData(ReadOnlyMemory<byte> data) =>
        MessageFormat.Decode(
            "e-data",
            data,
            reader => reader.ReadSequence() is var inner && inner.HasData && inner.PeekTag().TagClass == TagClass.Universal);
}
