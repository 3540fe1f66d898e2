using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The NTSTATUS behind a KRB-ERROR, from either encoding of its e-data: KERB-ERROR-DATA ::= SEQUENCE { data-type [1] INTEGER (3),
/// data-value [2] OCTET STRING } as Windows sends it (MS-KILE §2.2.1), or the same twelve bytes as PA-DATA of type 3 in METHOD-DATA
/// as Samba with MIT's KDC does. The twelve bytes are KERB_EXT_ERROR (MS-KILE §2.2.2): status, reserved, flags, little-endian.</summary>
internal static class KerbErrorData
{
    private const int ExtendedError = 3;

    /// <summary>Null where there is none; bad e-data is no error, since nothing in it is relied on.</summary>
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
            return null; // MS-KILE leaves e-data of other codes undefined; the code itself is reported all the same
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

    /// <summary>METHOD-DATA is a SEQUENCE OF SEQUENCE; KERB-ERROR-DATA begins with a context tag.</summary>
    private static bool IsMethodData(ReadOnlyMemory<byte> data) =>
        MessageFormat.Decode("e-data", data, reader => reader.ReadSequence() is var inner && inner.HasData && inner.PeekTag().TagClass == System.Formats.Asn1.TagClass.Universal);
}
