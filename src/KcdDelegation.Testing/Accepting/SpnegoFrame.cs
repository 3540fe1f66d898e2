using System.Formats.Asn1;

namespace KcdDelegation.Testing.Accepting;

/// <summary>SPNEGO of an acceptor (RFC 4178 §4.2). It is implemented separately, so that the library's code is not tested by
/// itself.</summary>
internal static class SpnegoFrame
{
    private const string SpnegoMechanism = "1.3.6.1.5.5.2";
    private const string KerberosMechanism = "1.2.840.113554.1.2.2";

    /// <summary>MS-SPNG §1.9: the same mechanism with the truncated number of old Windows versions.</summary>
    private const string OldKerberosMechanism = "1.2.840.48018.1.2.2";

    private static readonly Asn1Tag Frame = new(TagClass.Application, 0);

    /// <summary>Reads a NegTokenInit. Returns null if the bytes are not SPNEGO.</summary>
    /// <exception cref="AsnContentException">The bytes are SPNEGO, but not a NegTokenInit with a Kerberos token.</exception>
    public static (string Mechanism, ReadOnlyMemory<byte> Token)? Read(ReadOnlyMemory<byte> bytes)
    {
        var frame = new AsnReader(bytes, AsnEncodingRules.DER).ReadSequence(Frame);
        if (frame.ReadObjectIdentifier() != SpnegoMechanism)
            return null;
        var init = frame.ReadSequence(Context(0)).ReadSequence();
        var offered = init.ReadSequence(Context(0)).ReadSequence();
        var first = offered.ReadObjectIdentifier();
        // RFC 4178 §4.2.1: the token is one of the first mechanism offered.
        if (first is not (KerberosMechanism or OldKerberosMechanism))
            throw new AsnContentException($"The first mechanism offered is {first}, not Kerberos.");
        while (init.HasData)
        {
            if (init.PeekTag() == Context(2))
                return (first, init.ReadSequence(Context(2)).ReadOctetString());
            _ = init.ReadEncodedValue();
        }
        throw new AsnContentException("There is no mechToken.");
    }

    /// <summary>Encodes NegTokenResp ::= SEQUENCE { negState [0] accept-completed, supportedMech [1], responseToken [2] OPTIONAL
    /// }.</summary>
    public static byte[] AcceptCompleted(string mechanism, byte[]? responseToken)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(Context(1)))
        using (writer.PushSequence())
        {
            using (writer.PushSequence(Context(0)))
                writer.WriteEncodedValue([0x0A, 0x01, 0x00]); // ENUMERATED 0
            using (writer.PushSequence(Context(1)))
                writer.WriteObjectIdentifier(mechanism);
            if (responseToken is not null)
            {
                using (writer.PushSequence(Context(2)))
                    writer.WriteOctetString(responseToken);
            }
        }
        return writer.Encode();
    }

    private static Asn1Tag Context(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);
}
