using System.Formats.Asn1;

namespace KcdDelegation.Headers;

/// <summary>RFC 4178 §4.2.1: NegTokenInit ::= SEQUENCE {
///   mechTypes [0] MechTypeList, reqFlags [1] ContextFlags OPTIONAL, mechToken [2] OCTET STRING OPTIONAL,
///   mechListMIC [3] OCTET STRING OPTIONAL }. MS-SPNG puts negHints at [3]; neither is read.</summary>
internal sealed record NegTokenInit(IReadOnlyList<string> MechTypes, ReadOnlyMemory<byte> MechToken)
{
    /// <summary>The limit on mechanisms that are read, to bound the memory for a hostile list. It is far above what peers offer.</summary>
    private const int MaxMechanisms = 32;

    /// <summary>Returns the SPNEGO frame and <paramref name="tokenHead"/>: everything before the last <paramref name="tailLength"/> bytes
    /// of the Kerberos token.</summary>
    /// <remarks>The token is the last field, so the frame depends only on its length.</remarks>
    public static byte[] CreateHead(ReadOnlySpan<byte> tokenHead, int tailLength)
    {
        var token = new byte[tokenHead.Length + tailLength];
        tokenHead.CopyTo(token);

        var writer = new AsnWriter(AsnEncodingRules.DER, token.Length + 64);
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, 0)))
        {
            // RFC 2743 §3.1: thisMech, then the mechanism's own token, here the CHOICE [0] of NegotiationToken.
            writer.WriteObjectIdentifier(GssMechanism.Spnego);
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (writer.PushSequence())
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (writer.PushSequence())
                {
                    foreach (var mechanism in GssMechanism.Offered)
                        writer.WriteObjectIdentifier(mechanism);
                }
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                    writer.WriteOctetString(token);
                // No mechListMIC: RFC 4178 §5 omits it when the first mechanism is accepted, and only Kerberos is offered.
            }
        }
        return writer.Encode()[..^tailLength];
    }

    /// <summary>Reads the SEQUENCE inside [0].</summary>
    public static bool TryRead(ReadOnlyMemory<byte> source, out NegTokenInit? token)
    {
        token = null;
        if (!DefiniteBer.TryRead(ref source, BerTag.Sequence, out var fields)
            || !DefiniteBer.TryRead(ref fields, BerTag.Context(0), out var list)
            || !TryReadMechanisms(list, out var mechanisms))
            return false;

        ReadOnlyMemory<byte> mechToken = default;
        var last = BerTag.Context(0);
        while (!fields.IsEmpty)
        {
            // X.690 §8.9: the fields of a SEQUENCE have the order of the definition, so none occurs twice. MS-SPNG §2.2.1 has mechListMIC
            // at [4], after negHints at [3].
            if (!DefiniteBer.TryRead(ref fields, out var tag, out var field) || tag <= last)
                return false;
            last = tag;
            if (tag == BerTag.Context(2) && !DefiniteBer.TryRead(ref field, BerTag.OctetString, out mechToken))
                return false;
        }
        token = new NegTokenInit(mechanisms, mechToken);
        return true;
    }

    private static bool TryReadMechanisms(ReadOnlyMemory<byte> source, out List<string> mechanisms)
    {
        mechanisms = [];
        if (!DefiniteBer.TryRead(ref source, BerTag.Sequence, out var list))
            return false;
        while (!list.IsEmpty)
        {
            if (mechanisms.Count == MaxMechanisms || !DefiniteBer.TryReadObjectIdentifier(ref list, out var mechanism))
                return false;
            mechanisms.Add(mechanism);
        }
        return mechanisms.Count > 0;
    }
}
