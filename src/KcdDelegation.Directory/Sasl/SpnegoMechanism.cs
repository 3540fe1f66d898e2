using System.Formats.Asn1;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.ApExchange;

namespace KcdDelegation.DirectoryServices.Sasl;

/// <summary>The mechanism GSS-SPNEGO (MS-SPNG, RFC 4178) with Kerberos as the only offer. The context's flags choose the layer.</summary>
internal sealed class SpnegoMechanism(string server, GssSecurityContext context, bool seals) : ISaslMechanism
{
    /// <summary>The mechanism does not negotiate a size. OpenLDAP closes the connection after a token of more than 64 KiB.</summary>
    private const int MaxSend = (64 << 10) - GssapiMechanism.WrapOverhead;

    private bool _isEstablished;
    private bool _isCompleted;

    public string Name => "GSS-SPNEGO";

    public ReadOnlyMemory<byte> Start() => NegTokenInit.CreateHead(context.InitialToken.Span, tailLength: 0);

    public ReadOnlyMemory<byte> Continue(ReadOnlyMemory<byte> challenge)
    {
        var answer = Read(challenge);
        if (answer.State is NegotiationState.AcceptCompleted || !_isEstablished)
            throw DirectoryException.Rejected(server, "the server continues a negotiation that should be complete");
        // RFC 4178 §5: the server asks for the MIC of the list of mechanisms.
        return CreateMicToken(context.GetMic(EncodeOffer()));
    }

    public SealedLayer? Complete(ReadOnlyMemory<byte>? lastChallenge)
    {
        if (!_isCompleted && lastChallenge is { IsEmpty: false } last)
            Read(last);
        if (!_isEstablished || !_isCompleted)
            throw DirectoryException.Rejected(server, "the server reports a successful bind before it proved itself");
        return seals ? new SealedLayer(context, MaxSend) : null;
    }

    private NegTokenResp Read(ReadOnlyMemory<byte> challenge)
    {
        if (!NegotiateToken.TryParse(challenge.Span, out var token) || token.Response is not { } response)
            throw DirectoryException.Rejected(server, "the server's answer is not a NegTokenResp of SPNEGO");
        if (response.State is NegotiationState.Reject)
            throw DirectoryException.Rejected(server, "the server rejects Kerberos in the negotiation");
        if (response.SupportedMechanism is { } mechanism && !GssMechanism.IsKerberos(mechanism))
            throw DirectoryException.Rejected(server, $"the server chose the mechanism {mechanism}, and only Kerberos was offered");
        try
        {
            if (!response.ResponseToken.IsEmpty)
            {
                context.Complete(response.ResponseToken);
                _isEstablished = true;
            }
            if (_isEstablished && !response.MechListMic.IsEmpty)
                context.VerifyMic(EncodeOffer(), response.MechListMic.Span);
        }
        catch (Exception error) when (error is KerberosException or InvalidOperationException)
        {
            throw DirectoryException.Rejected(server, $"the server's proof is not valid: {error.Message}", error);
        }
        _isCompleted |= response.State is NegotiationState.AcceptCompleted;
        return response;
    }

    /// <summary>Encodes the list of mechanisms, whose MIC protects it against changes (RFC 4178 §5).</summary>
    private static byte[] EncodeOffer()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var mechanism in GssMechanism.Offered)
                writer.WriteObjectIdentifier(mechanism);
        }
        return writer.Encode();
    }

    private static byte[] CreateMicToken(byte[] mic)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
            writer.WriteOctetString(mic);
        return writer.Encode();
    }
}
