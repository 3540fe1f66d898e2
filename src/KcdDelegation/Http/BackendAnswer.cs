using System.Net;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The authentication part of a response: its status, the schemes that the backend offers and its reply token, if there is
/// one.</summary>
internal sealed class BackendAnswer
{
    /// <summary>The answer of almost every response: success, and nothing about authentication.</summary>
    private static readonly BackendAnswer s_plainSuccess = new(HttpStatusCode.OK, [], hasToken: false, token: null);

    private readonly NegotiateToken? _token;

    private BackendAnswer(HttpStatusCode status, IReadOnlyList<Challenge> challenges, bool hasToken, NegotiateToken? token)
    {
        Status = status;
        Challenges = challenges;
        HasToken = hasToken;
        _token = token;
    }

    public HttpStatusCode Status { get; }

    /// <summary>The challenges, in the backend's order of preference.</summary>
    public IReadOnlyList<Challenge> Challenges { get; }

    /// <summary>Whether a token came with Negotiate or Kerberos, readable or not.</summary>
    public bool HasToken { get; }

    /// <summary>Whether the backend accepts tickets at all.</summary>
    public bool AcceptsTickets => Challenges.Any(static challenge => challenge.AcceptsTickets);

    /// <summary>The state of SPNEGO (RFC 4178 §4.2.2); null without SPNEGO.</summary>
    public NegotiationState? State => _token?.Response?.State;

    /// <summary>Whether the backend states that it has read the token: SPNEGO is complete, or an AP-REP was sent. The statement is not
    /// verified.</summary>
    public bool HasReadToken => State is NegotiationState.AcceptCompleted || _token?.Kind == NegotiateTokenKind.KerberosReply;

    /// <summary>Whether the backend refused the ticket or a request without one, whatever the status.</summary>
    /// <remarks>Servers refuse tickets with 403 and 500 too, and RFC 9110 §11.6.1 allows a challenge in any response. A token that accepts
    /// the ticket, such as the AP-REP in an error page of the application, is no challenge. Nor is a challenge in a success: some servers
    /// send it in every response.</remarks>
    public bool IsRefusal => Status == HttpStatusCode.Unauthorized || IsStatedRefusal
        || (IsError && AcceptsTickets && (!HasToken || !IsAcceptance));

    /// <summary>Whether the response to a request without a ticket asks for one.</summary>
    /// <remarks>A success with a challenge is the response of a public resource, whose request must not be repeated.</remarks>
    public bool IsChallenge => Status == HttpStatusCode.Unauthorized || (IsError && AcceptsTickets);

    /// <summary>Whether the backend states that it has not accepted the ticket: SPNEGO's reject or a KRB-ERROR.</summary>
    public bool IsStatedRefusal => State == NegotiationState.Reject || GetInnerKind() == NegotiateTokenKind.KerberosError;

    /// <summary>Whether the status is 403 without a challenge, which an application answers to a user without a right, and some servers
    /// to a ticket that they cannot accept.</summary>
    public bool IsForbiddenWithoutChallenge => Status == HttpStatusCode.Forbidden && !AcceptsTickets;

    /// <summary>Whether the backend wants to continue with NTLM.</summary>
    /// <remarks>RFC 4178 §4.2.2 requires supportedMech in the first response only, so the token decides as well.</remarks>
    public bool IsNtlm => _token is { Kind: NegotiateTokenKind.SpnegoNtlm } || GetInnerKind() == NegotiateTokenKind.NtlmChallenge
        || _token?.Mechanisms is [GssMechanism.Ntlm, ..];

    /// <summary>The AP-REP or KRB-ERROR, without its SPNEGO frame; empty if there is none.</summary>
    private ReadOnlyMemory<byte> KerberosToken => _token?.Kind is NegotiateTokenKind.SpnegoResponse
        or NegotiateTokenKind.KerberosReply or NegotiateTokenKind.KerberosError ? _token.MechanismToken : default;

    private bool IsError => (int)Status >= 400;

    private bool IsAcceptance =>
        State == NegotiationState.AcceptCompleted || (State is null && GetInnerKind() == NegotiateTokenKind.KerberosReply);

    public static BackendAnswer Read(HttpResponseMessage response)
    {
        var challenges = Challenge.ReadAll(response.Headers);
        if (challenges.Count == 0 && response.StatusCode == HttpStatusCode.OK)
            return s_plainSuccess;
        var text = challenges.FirstOrDefault(static challenge => challenge is { AcceptsTickets: true, Token: not null }).Token;
        NegotiateToken? token = null;
        if (text is not null && NegotiateToken.TryParse(text, out var parsed))
            token = parsed;
        return new BackendAnswer(response.StatusCode, challenges, text is not null, token);
    }

    /// <summary>Returns null if the backend has proved that it holds the service's key, otherwise the reason.</summary>
    /// <remarks>A missing proof is distinguished from a wrong one: only a missing proof is tolerated where mutual authentication is
    /// optional.</remarks>
    public MutualAuthenticationFailure? FindProofFailure(SentAuthorization sent)
    {
        if (!HasToken)
            return new MutualAuthenticationFailure(
                IsMissing: true, AcceptsTickets ? "sent a new challenge instead of a proof" : "sent no proof (no AP-REP)");
        if (_token is null)
            return new MutualAuthenticationFailure(IsMissing: false, "sent a token that is not Kerberos");
        if (State is NegotiationState.Reject)
            return new MutualAuthenticationFailure(IsMissing: false, "rejected the ticket in SPNEGO");
        // RFC 4178 §5: with one mechanism and an optimistic token nothing is left to negotiate. "Incomplete" or a request for a MIC means
        // that the backend wants a mechanism that was not offered.
        if (State is NegotiationState.AcceptIncomplete or NegotiationState.RequestMic)
            return new MutualAuthenticationFailure(IsMissing: false, "left the SPNEGO negotiation unfinished");
        if (KerberosToken.IsEmpty)
            return _token.Kind == NegotiateTokenKind.SpnegoResponse
                ? new MutualAuthenticationFailure(IsMissing: true, "accepted the ticket without a proof (no AP-REP)")
                : new MutualAuthenticationFailure(IsMissing: false, "sent a token that is not Kerberos");
        return sent.FindReplyError(KerberosToken.Span) is { } wrong
            ? new MutualAuthenticationFailure(IsMissing: false, "sent a proof that is wrong", wrong)
            : null;
    }

    /// <summary>Returns the error in the backend's KRB-ERROR for the refusal, if it sent one (RFC 4121 §4.1). It is not signed and serves
    /// as a hint only.</summary>
    public KerberosException? GetKerberosError(SentAuthorization sent) =>
        KerberosToken.IsEmpty ? null : sent.FindReplyError(KerberosToken.Span);

    /// <summary>Gets the kind of the reply token, or of the token inside its SPNEGO frame.</summary>
    private NegotiateTokenKind? GetInnerKind() => _token?.Kind != NegotiateTokenKind.SpnegoResponse ? _token?.Kind
        : NegotiateToken.TryParse(_token.MechanismToken.Span, out var inner) ? inner.Kind : null;
}

/// <summary>The reason why the backend has not proved its identity.</summary>
/// <param name="IsMissing">Whether no proof was sent.</param>
/// <param name="Description">The backend's action, to follow the words "the backend answered STATUS and".</param>
/// <param name="Error">The error in the proof.</param>
internal sealed record MutualAuthenticationFailure(bool IsMissing, string Description, KerberosException? Error = null);
