namespace KcdDelegation.Headers;

/// <summary>RFC 4178 §4.2.2: NegTokenResp ::= SEQUENCE {
///   negState [0] ENUMERATED OPTIONAL, supportedMech [1] MechType OPTIONAL, responseToken [2] OCTET STRING OPTIONAL,
///   mechListMIC [3] OCTET STRING OPTIONAL }</summary>
internal sealed record NegTokenResp(NegotiationState? State, string? SupportedMechanism, ReadOnlyMemory<byte> ResponseToken)
{
    /// <summary>Gets the MIC of the list of mechanisms, or nothing. A sender that received this token's context verifies it.</summary>
    public ReadOnlyMemory<byte> MechListMic { get; private init; }

    /// <summary>Reads the SEQUENCE inside [1].</summary>
    public static bool TryRead(ReadOnlyMemory<byte> source, out NegTokenResp? token)
    {
        token = null;
        if (!DefiniteBer.TryRead(ref source, BerTag.Sequence, out var fields))
            return false;

        NegotiationState? state = null;
        string? mechanism = null;
        ReadOnlyMemory<byte> responseToken = default;
        ReadOnlyMemory<byte> mic = default;
        byte last = 0;
        while (!fields.IsEmpty)
        {
            // X.690 §8.9: the fields of a SEQUENCE have the order of the definition, so none occurs twice.
            if (!DefiniteBer.TryRead(ref fields, out var tag, out var field) || tag <= last)
                return false;
            last = tag;
            if (tag == BerTag.Context(0))
            {
                if (!DefiniteBer.TryRead(ref field, BerTag.Enumerated, out var number) || number.Length != 1
                    || number.Span[0] > (byte)NegotiationState.RequestMic)
                    return false;
                state = (NegotiationState)number.Span[0];
            }
            else if (tag == BerTag.Context(1))
            {
                if (!DefiniteBer.TryReadObjectIdentifier(ref field, out mechanism))
                    return false;
            }
            else if (tag == BerTag.Context(2) && !DefiniteBer.TryRead(ref field, BerTag.OctetString, out responseToken))
                return false;
            else if (tag == BerTag.Context(3) && !DefiniteBer.TryRead(ref field, BerTag.OctetString, out mic))
                mic = default;
        }
        token = new NegTokenResp(state, mechanism, responseToken) { MechListMic = mic };
        return true;
    }
}

/// <summary>negState of RFC 4178 §4.2.2.</summary>
internal enum NegotiationState
{
    AcceptCompleted = 0,
    AcceptIncomplete = 1,
    Reject = 2,
    RequestMic = 3,
}
