using System.Globalization;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>What a token is and what that means for whoever is looking for a fault.</summary>
internal sealed record InspectResult : CommandResult
{
    /// <summary>Of <see cref="NegotiateTokenKind"/>; null if it is none.</summary>
    public string? Kind { get; init; }

    public required string Description { get; init; }

    /// <summary>Bytes of the token.</summary>
    public required int Size { get; init; }

    /// <summary>What SPNEGO offers or chose, in the sender's order.</summary>
    public IReadOnlyList<InspectedMechanism>? Mechanisms { get; init; }

    /// <summary>What SPNEGO carries.</summary>
    public InspectedContent? Carries { get; init; }

    public required string Advice { get; init; }

    public override ExitCode ToExitCode() => Kind is null ? ExitCode.Refused : ExitCode.Done;

    public static InspectResult From(byte[] bytes)
    {
        if (!NegotiateToken.TryParse(bytes, out var token))
        {
            return new InspectResult
            {
                Description = "none of the tokens that travel under Negotiate, Kerberos and NTLM",
                Size = bytes.Length,
                Advice = "Was it cut off? Browsers and proxies shorten long headers when they show them: copy the whole value.",
            };
        }
        var (description, advice) = TokenAdvice.Get(token.Kind);
        var isSpnego = token.Kind is NegotiateTokenKind.SpnegoKerberos or NegotiateTokenKind.SpnegoNtlm or NegotiateTokenKind.SpnegoOther or NegotiateTokenKind.SpnegoResponse;
        return new InspectResult
        {
            Kind = token.Kind.ToString(),
            Description = description,
            Size = bytes.Length,
            Mechanisms = isSpnego ? [.. token.Mechanisms.Select(InspectedMechanism.From)] : null,
            Carries = isSpnego && !token.MechanismToken.IsEmpty ? InspectedContent.From(token.MechanismToken.Span) : null,
            Advice = advice,
        };
    }

    public override void WriteText(OutputStream output)
    {
        var lines = new LabelledLines
        {
            { "token", Description },
            { "size", string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {(Size + 2) / 3 * 4} characters in the header") },
        };
        foreach (var mechanism in Mechanisms ?? [])
            lines.Add("mechanism", mechanism.Name is null ? mechanism.Id : $"{mechanism.Name} ({mechanism.Id})");
        if (Carries is not null)
            lines.Add("carries", string.Create(CultureInfo.InvariantCulture, $"{Carries.Description}, {Carries.Size} bytes"));
        lines.Add("advice", Advice);
        lines.Write(output);
    }
}

/// <param name="Id">The object identifier.</param>
/// <param name="Name">Null: one that Negotiate has no use for.</param>
internal sealed record InspectedMechanism(string Id, string? Name)
{
    public static InspectedMechanism From(string id) => new(id, id switch
    {
        "1.2.840.113554.1.2.2" => "Kerberos 5",
        "1.2.840.48018.1.2.2" => "Kerberos 5, as Windows numbers it",
        "1.2.840.113554.1.2.2.3" => "Kerberos 5 user-to-user",
        "1.3.6.1.4.1.311.2.2.10" => "NTLM",
        "1.3.6.1.4.1.311.2.2.30" => "NegoEx",
        "1.3.6.1.5.2.5" => "IAKERB",
        _ => null,
    });
}

/// <param name="Kind">Of <see cref="NegotiateTokenKind"/>; null if it is none.</param>
/// <param name="Description">In words.</param>
/// <param name="Size">Bytes.</param>
internal sealed record InspectedContent(string? Kind, string Description, int Size)
{
    public static InspectedContent From(ReadOnlySpan<byte> bytes) =>
        NegotiateToken.TryParse(bytes, out var token)
            ? new InspectedContent(token.Kind.ToString(), TokenAdvice.Get(token.Kind).Description, bytes.Length)
            : new InspectedContent(null, "a token of another mechanism", bytes.Length);
}
