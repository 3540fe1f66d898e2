using System.Formats.Asn1;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Tests;

/// <summary>Creates Authorization values as a client does.</summary>
internal static class TokenMaker
{
    public static byte[] CreateToken(ServiceTicket ticket, ApRequestOptions options = default) =>
        CreateToken(ticket.CreateApRequest(options), out _);

    public static byte[] CreateToken(ApRequestTemplate template, out ApRequestState state)
    {
        var tail = new byte[template.TailLength];
        state = template.WriteTail(tail);
        return [.. template.Prefix.Span, .. tail];
    }

    public static string Header(byte[] token) => "Negotiate " + Convert.ToBase64String(token);

    public static byte[] CreateSpnego(byte[] token, string mechanism = "1.2.840.113554.1.2.2")
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, 0)))
        {
            writer.WriteObjectIdentifier("1.3.6.1.5.5.2");
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (writer.PushSequence())
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (writer.PushSequence())
                    writer.WriteObjectIdentifier(mechanism);
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                    writer.WriteOctetString(token);
            }
        }
        return writer.Encode();
    }
}
