using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>What a response says about authentication: the schemes that the backend offers, and its answer to our token, if it gave one.</summary>
internal sealed class BackendAnswer
{
    private readonly NegotiateToken? _token;

    private BackendAnswer(IReadOnlyList<Challenge> challenges, bool hasToken, NegotiateToken? token)
    {
        Challenges = challenges;
        HasToken = hasToken;
        _token = token;
    }

    /// <summary>In the backend's order of preference.</summary>
    public IReadOnlyList<Challenge> Challenges { get; }

    /// <summary>Whether a token came with Negotiate or Kerberos, readable or not.</summary>
    public bool HasToken { get; }

    /// <summary>Whether the backend takes tickets at all.</summary>
    public bool TakesTickets => Challenges.Any(challenge => challenge.TakesTickets);

    /// <summary>The state of SPNEGO (RFC 4178 §4.2.2); null without SPNEGO.</summary>
    public NegotiationState? State => _token?.Response?.State;

    /// <summary>The backend has read our token, by its own word: SPNEGO is complete, or an AP-REP came. Nobody has verified it.</summary>
    public bool HasReadToken => State is NegotiationState.AcceptCompleted || _token?.Kind == NegotiateTokenKind.KerberosReply;

    /// <summary>The backend wants to go on with NTLM.</summary>
    public bool IsNtlm => _token is { Kind: NegotiateTokenKind.NtlmChallenge or NegotiateTokenKind.SpnegoNtlm }
        || _token?.Mechanisms is [GssMechanism.Ntlm, ..];

    /// <summary>An AP-REP or KRB-ERROR, out of its SPNEGO frame; empty if none came.</summary>
    private ReadOnlyMemory<byte> KerberosToken => _token?.Kind is NegotiateTokenKind.SpnegoResponse
        or NegotiateTokenKind.KerberosReply or NegotiateTokenKind.KerberosError ? _token.MechanismToken : default;

    public static BackendAnswer Read(HttpResponseMessage response)
    {
        var challenges = Challenge.ReadAll(response.Headers);
        var text = challenges.Find(challenge => challenge is { TakesTickets: true, Token: not null }).Token;
        NegotiateToken? token = null;
        if (text is not null && NegotiateToken.TryParse(text, out var parsed))
            token = parsed;
        return new BackendAnswer(challenges, text is not null, token);
    }

    /// <summary>Null if the backend has proved that it holds the service's key, else why not. A proof that is missing is told from one that
    /// is wrong: only the former is tolerated where mutual authentication is optional.</summary>
    public MutualAuthenticationFailure? FindProofFailure(SentAuthorization sent)
    {
        if (!HasToken)
            return new MutualAuthenticationFailure(IsMissing: true, "sent no proof (no AP-REP)");
        if (_token is null)
            return new MutualAuthenticationFailure(IsMissing: false, "answered with a token that is not Kerberos");
        if (State is NegotiationState.Reject)
            return new MutualAuthenticationFailure(IsMissing: false, "rejected the ticket in SPNEGO and answered all the same");
        // RFC 4178 §5: with one mechanism and an optimistic token nothing is left to negotiate. "Incomplete" or a request for a MIC means
        // that the backend wants a mechanism that we do not offer.
        if (State is NegotiationState.AcceptIncomplete or NegotiationState.RequestMic)
            return new MutualAuthenticationFailure(IsMissing: false, "left the SPNEGO negotiation unfinished");
        if (KerberosToken.IsEmpty)
            return _token.Kind == NegotiateTokenKind.SpnegoResponse
                ? new MutualAuthenticationFailure(IsMissing: true, "accepted the ticket without a proof (no AP-REP)")
                : new MutualAuthenticationFailure(IsMissing: false, "answered with a token that is not Kerberos");
        return sent.FindReplyFault(KerberosToken.Span) is { } wrong
            ? new MutualAuthenticationFailure(IsMissing: false, "sent a proof that is wrong", wrong)
            : null;
    }

    /// <summary>What Kerberos itself says about a refusal, where the backend sent its KRB-ERROR (RFC 4121 §4.1). A hint: nobody signed it.</summary>
    public KerberosException? KerberosError(SentAuthorization sent) => KerberosToken.IsEmpty ? null : sent.FindReplyFault(KerberosToken.Span);
}

/// <summary>Why the backend has not proved itself.</summary>
/// <param name="IsMissing">No proof was sent.</param>
/// <param name="What">What the backend did, to follow "the backend".</param>
/// <param name="Error">What was wrong with the proof.</param>
internal sealed record MutualAuthenticationFailure(bool IsMissing, string What, KerberosException? Error = null);
