using System.Formats.Asn1;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The controls of a search.</summary>
internal static class LdapControls
{
    /// <summary>The paging control (RFC 2696).</summary>
    public const string PagedResults = "1.2.840.113556.1.4.319";

    /// <summary>The parts of a security descriptor to return (MS-ADTS §3.1.1.3.4.1.11).</summary>
    public const string SecurityDescriptorFlags = "1.2.840.113556.1.4.801";

    /// <summary>Owner, group and discretionary list, but not the system list, which needs a privilege.</summary>
    private const int WithoutSystemList = 7;

    /// <summary>Writes a control with its value. It is critical: a server that does not know it must refuse the search.</summary>
    public static void Write(AsnWriter writer, string type, byte[] value)
    {
        using (writer.PushSequence())
        {
            writer.WriteOctetString(System.Text.Encoding.ASCII.GetBytes(type));
            writer.WriteBoolean(true);
            writer.WriteOctetString(value);
        }
    }

    /// <summary>Encodes realSearchControlValue ::= SEQUENCE { size INTEGER (0..maxInt), cookie OCTET STRING } (RFC 2696 §2).</summary>
    public static byte[] EncodePage(int size, ReadOnlySpan<byte> cookie)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(size);
            writer.WriteOctetString(cookie);
        }
        return writer.Encode();
    }

    public static ReadOnlyMemory<byte> ReadPageCookie(ReadOnlyMemory<byte> value)
    {
        var outer = BerReader.Create(value);
        var fields = outer.ReadDefinite();
        outer.ThrowIfNotEmpty();
        fields.ReadInt32();
        var cookie = fields.ReadOctets();
        fields.ThrowIfNotEmpty();
        return cookie;
    }

    /// <summary>Encodes SDFlagsRequestValue ::= SEQUENCE { Flags INTEGER }.</summary>
    public static byte[] EncodeSecurityDescriptorFlags()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            writer.WriteInteger(WithoutSystemList);
        return writer.Encode();
    }
}
