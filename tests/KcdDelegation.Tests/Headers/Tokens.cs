using System.Formats.Asn1;

namespace KcdDelegation.Tests.Headers;

/// <summary>Builds tokens for Negotiate with AsnWriter, independently of the code under test.</summary>
internal static class Tokens
{
    public const string Spnego = "1.3.6.1.5.5.2";
    public const string Kerberos = "1.2.840.113554.1.2.2";
    public const string MicrosoftKerberos = "1.2.840.48018.1.2.2";
    public const string Ntlm = "1.3.6.1.4.1.311.2.2.10";
    public const string NegoEx = "1.3.6.1.4.1.311.2.2.30";

    /// <summary>Creates an [APPLICATION n] SEQUENCE whose body is not read.</summary>
    public static byte[] Message(int application, int bodyLength = 40)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, application)))
            writer.WriteOctetString(new byte[bodyLength]);
        return writer.Encode();
    }

    public static byte[] ApRequest(int bodyLength = 40) => Gss(Kerberos, [0x01, 0x00, .. Message(14, bodyLength)]);

    public static byte[] ApReply() => Gss(Kerberos, [0x02, 0x00, .. Message(15)]);

    public static byte[] KrbError() => Gss(Kerberos, [0x03, 0x00, .. Message(30)]);

    public static byte[] NtlmMessage(byte type) => [.. "NTLMSSP\0"u8, type, 0, 0, 0, .. new byte[20]];

    public static byte[] Gss(string mechanism, ReadOnlySpan<byte> inner)
    {
        // The inner token is ANY and not always ASN.1, so the bytes are assembled around an encoded identifier.
        var identifier = new AsnWriter(AsnEncodingRules.DER);
        identifier.WriteObjectIdentifier(mechanism);
        byte[] contents = [.. identifier.Encode(), .. inner];
        var asOctets = new AsnWriter(AsnEncodingRules.DER);
        asOctets.WriteOctetString(contents);
        var token = asOctets.Encode();
        token[0] = 0x60;
        return token;
    }

    public static byte[] NegTokenInit(string[] mechanisms, byte[]? mechToken = null) => Gss(Spnego, Choice(0, writer =>
    {
        using (Field(writer, 0))
        using (writer.PushSequence())
        {
            foreach (var mechanism in mechanisms)
                writer.WriteObjectIdentifier(mechanism);
        }
        if (mechToken is not null)
        {
            using (Field(writer, 2))
                writer.WriteOctetString(mechToken);
        }
        // negHints [3] of MS-SPNG §2.2.1, as in a server's first message.
        using (Field(writer, 3))
        using (writer.PushSequence())
        using (Field(writer, 0))
            writer.WriteOctetString("not_defined_in_RFC4178@please_ignore"u8);
    }));

    public static byte[] NegTokenResp(int? state, string? mechanism = null, byte[]? responseToken = null) => Choice(1, writer =>
    {
        if (state is { } number)
        {
            using (Field(writer, 0))
                writer.WriteEncodedValue([0x0a, 0x01, (byte)number]);
        }
        if (mechanism is not null)
        {
            using (Field(writer, 1))
                writer.WriteObjectIdentifier(mechanism);
        }
        if (responseToken is not null)
        {
            using (Field(writer, 2))
                writer.WriteOctetString(responseToken);
        }
    });

    private static byte[] Choice(int number, Action<AsnWriter> fields)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (Field(writer, number))
        using (writer.PushSequence())
            fields(writer);
        return writer.Encode();
    }

    private static AsnWriter.Scope Field(AsnWriter writer, int number) =>
        writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, number));
}
