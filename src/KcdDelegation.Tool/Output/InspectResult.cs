using System.Globalization;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The unencrypted contents of a token, with advice for troubleshooting.</summary>
internal sealed record InspectResult : CommandResult
{
    /// <summary>Gets the name of the <see cref="NegotiateTokenKind"/>; null if the token is of no known kind.</summary>
    public string? Kind { get; init; }

    public required string Description { get; init; }

    /// <summary>Gets the size of the token in bytes.</summary>
    public required int Size { get; init; }

    /// <summary>Gets the negState of a NegTokenResp, in the spelling of RFC 4178 §4.2.2.</summary>
    public string? State { get; init; }

    /// <summary>Gets the mechanisms that SPNEGO offers or selected, in the order of the sender.</summary>
    public IReadOnlyList<InspectedMechanism>? Mechanisms { get; init; }

    /// <summary>Gets the token inside SPNEGO.</summary>
    public InspectedContent? Carries { get; init; }

    /// <summary>Gets the unencrypted fields of the AP-REQ in the token.</summary>
    public InspectedApRequest? ApRequest { get; init; }

    /// <summary>Gets the KRB-ERROR in the token.</summary>
    public InspectedKerberosError? KerberosError { get; init; }

    /// <summary>Gets what is wrong with the Kerberos message in the token; null if it was read or there is none.</summary>
    public string? Malformed { get; init; }

    public required string Advice { get; init; }

    public override ExitCode ToExitCode() => Kind is null ? ExitCode.Refused : ExitCode.Done;

    public static InspectResult FromToken(byte[] bytes)
    {
        if (!NegotiateToken.TryParse(bytes, out var token))
        {
            return new InspectResult
            {
                Description = "unknown: not a token of Negotiate, Kerberos or NTLM",
                Size = bytes.Length,
                Advice = "Check that the token is complete. Browsers and proxies shorten long headers when they display them.",
            };
        }
        var isSpnego = token.Kind is NegotiateTokenKind.SpnegoKerberos or NegotiateTokenKind.SpnegoNtlm or NegotiateTokenKind.SpnegoOther
            or NegotiateTokenKind.SpnegoResponse;
        var content = isSpnego && !token.MechanismToken.IsEmpty ? token.MechanismToken : (ReadOnlyMemory<byte>?)null;
        var message = InspectedMessage.FromToken(content ?? token.MechanismToken);
        var (description, _) = TokenAdvice.Get(token.Kind);
        var state = GetState(token);
        return new InspectResult
        {
            Kind = token.Kind.ToString(),
            Description = description,
            Size = bytes.Length,
            State = state,
            Mechanisms = isSpnego ? [.. token.Mechanisms.Select(InspectedMechanism.FromId)] : null,
            Carries = content is { } inner ? InspectedContent.FromToken(inner.Span) : null,
            ApRequest = message.ApRequest,
            KerberosError = message.Error,
            Malformed = message.Malformed,
            Advice = GetAdvice(token, state, message),
        };
    }

    public override void WriteText(OutputStream output)
    {
        var lines = new LabelledLines
        {
            { "token", Description },
            { "size", string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {(Size + 2) / 3 * 4} characters in the header") },
        };
        if (State is not null)
            lines.Add("state", State);
        foreach (var mechanism in Mechanisms ?? [])
            lines.Add("mechanism", mechanism.Name is null ? mechanism.Id : $"{mechanism.Name} ({mechanism.Id})");
        if (Carries is not null)
            lines.Add("carries", string.Create(CultureInfo.InvariantCulture, $"{Carries.Description}, {Carries.Size} bytes"));
        ApRequest?.AddTo(lines);
        KerberosError?.AddTo(lines);
        if (Malformed is not null)
            lines.Add("malformed", Malformed);
        lines.Add("advice", Advice);
        lines.Write(output);
    }

    private static string? GetState(NegotiateToken token) =>
        token.Kind != NegotiateTokenKind.SpnegoResponse ? null : token.Response?.State switch
    {
        Headers.NegotiationState.AcceptCompleted => "accept-completed",
        Headers.NegotiationState.AcceptIncomplete => "accept-incomplete",
        Headers.NegotiationState.Reject => "reject",
        Headers.NegotiationState.RequestMic => "request-mic",
        _ => "none",
    };

    private static string GetAdvice(NegotiateToken token, string? state, InspectedMessage message)
    {
        if (message.Error is { } error)
            return TokenAdvice.GetForError(error.Number);
        if (token.Kind != NegotiateTokenKind.SpnegoResponse)
            return TokenAdvice.Get(token.Kind).Advice;
        return TokenAdvice.GetForResponse(
            state, NegotiateToken.TryParse(token.MechanismToken.Span, out var content) ? content.Kind : null);
    }
}

/// <param name="Id">The object identifier.</param>
/// <param name="Name">The name; null if the mechanism is not used with Negotiate.</param>
internal sealed record InspectedMechanism(string Id, string? Name)
{
    public static InspectedMechanism FromId(string id) => new(id, id switch
    {
        "1.2.840.113554.1.2.2" => "Kerberos 5",
        "1.2.840.48018.1.2.2" => "Kerberos 5 (legacy identifier of Windows)",
        "1.2.840.113554.1.2.2.3" => "Kerberos 5 user-to-user",
        "1.3.6.1.4.1.311.2.2.10" => "NTLM",
        "1.3.6.1.4.1.311.2.2.30" => "NegoEx",
        "1.3.6.1.5.2.5" => "IAKERB",
        _ => null,
    });
}

/// <param name="Kind">The name of the <see cref="NegotiateTokenKind"/>; null if the token is of no known kind.</param>
/// <param name="Description">The description of the kind.</param>
/// <param name="Size">The size in bytes.</param>
internal sealed record InspectedContent(string? Kind, string Description, int Size)
{
    public static InspectedContent FromToken(ReadOnlySpan<byte> bytes) =>
        NegotiateToken.TryParse(bytes, out var token)
            ? new InspectedContent(token.Kind.ToString(), TokenAdvice.Get(token.Kind).Description, bytes.Length)
            : new InspectedContent(null, "a token of another mechanism", bytes.Length);
}
