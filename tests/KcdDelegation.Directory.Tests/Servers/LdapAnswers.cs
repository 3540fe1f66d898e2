using System.Formats.Asn1;
using System.Text;

namespace KcdDelegation.DirectoryServices.Tests.Servers;

/// <summary>Messages of a server, encoded independently of the client's classes (RFC 4511).</summary>
internal static class LdapAnswers
{
    public static byte[] Bind(int id, int code, byte[]? credentials = null, string diagnostic = "") => Message(id, writer =>
    {
        using (writer.PushSequence(Application(1)))
        {
            Result(writer, code, diagnostic);
            if (credentials is not null)
                writer.WriteOctetString(credentials, new Asn1Tag(TagClass.ContextSpecific, 7));
        }
    });

    public static byte[] Entry(int id, string name, params (string Type, byte[][] Values)[] attributes) => Message(id, writer =>
    {
        using (writer.PushSequence(Application(4)))
        {
            writer.WriteOctetString(Encoding.UTF8.GetBytes(name));
            using (writer.PushSequence())
            {
                foreach (var (type, values) in attributes)
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteOctetString(Encoding.UTF8.GetBytes(type));
                        using (writer.PushSetOf())
                        {
                            foreach (var value in values)
                                writer.WriteOctetString(value);
                        }
                    }
                }
            }
        }
    });

    public static byte[] Done(
        int id, int code = 0, byte[]? cookie = null, string diagnostic = "", string? referral = null, string? criticalControl = null) =>
        Message(id, writer =>
        {
            using (writer.PushSequence(Application(5)))
                Result(writer, code, diagnostic, referral);
            if (cookie is null && criticalControl is null)
                return;
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)))
            {
                if (criticalControl is not null)
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteOctetString(Encoding.ASCII.GetBytes(criticalControl));
                        writer.WriteBoolean(true);
                    }
                }
                if (cookie is not null)
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteOctetString("1.2.840.113556.1.4.319"u8);
                        writer.WriteOctetString(Page(cookie));
                    }
                }
            }
        });

    public static byte[] Reference(int id, string uri) => Message(id, writer =>
    {
        using (writer.PushSequence(Application(19)))
            writer.WriteOctetString(Encoding.ASCII.GetBytes(uri));
    });

    public static byte[] Notice() => Message(0, writer =>
    {
        using (writer.PushSequence(Application(24)))
        {
            Result(writer, 52, "the server is shutting down");
            writer.WriteOctetString("1.3.6.1.4.1.1466.20036"u8, new Asn1Tag(TagClass.ContextSpecific, 10));
        }
    });

    public static byte[][] Texts(params string[] values) => [.. values.Select(Encoding.UTF8.GetBytes)];

    private static byte[] Page(byte[] cookie)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            writer.WriteOctetString(cookie);
        }
        return writer.Encode();
    }

    private static void Result(AsnWriter writer, int code, string diagnostic, string? referral = null)
    {
        writer.WriteEncodedValue([0x0A, 1, (byte)code]);
        writer.WriteOctetString([]);
        writer.WriteOctetString(Encoding.UTF8.GetBytes(diagnostic));
        if (referral is null)
            return;
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true)))
            writer.WriteOctetString(Encoding.ASCII.GetBytes(referral));
    }

    private static byte[] Message(int id, Action<AsnWriter> write)
    {
        // BER: a SET OF keeps the order in which a server writes it.
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            write(writer);
        }
        return writer.Encode();
    }

    private static Asn1Tag Application(int number) => new(TagClass.Application, number, isConstructed: true);
}
